"""What several unit tests need."""

import pytest

from include.settings import settings


@pytest.fixture
def data_dir(tmp_path, monkeypatch):
    """A data directory of the test's own, as PODCAST_DATA_DIR."""
    monkeypatch.setenv("PODCAST_DATA_DIR", str(tmp_path))
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()
