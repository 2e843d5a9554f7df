"""What tests of the chain need."""

import pytest

from include.local.sample import server as sample


@pytest.fixture(scope="module")
def feeds():
    """The settings by which the sample's feeds are read, while they are served."""
    with sample.serve(port=0) as address:
        yield {"PODCAST_FEEDS": f"{address}/feeds.txt", "PODCAST_ALLOW_HOSTS": address.removeprefix("http://")}
