"""A process that is killed at any moment of a day leaves nothing that the next one does not put right: the tables are
those of a day that nobody disturbed, each mail is there once, and no recording loses a try.

Two kills by default; PODCAST_KILLS=30 tries thirty, at other moments.
"""

import os
import random
import subprocess
import sys
import time
from email import message_from_bytes
from pathlib import Path

import pytest

from include.local.sample import server as sample
from include.settings import PROJECT
from tests import chain
from tests.integration.test_order_of_days import CLOCKS, SCHEMAS, _differences

KILLS = int(os.environ.get("PODCAST_KILLS", "2"))
WITHOUT_CLOCKS = {
    **CLOCKS,
    "raw.transcription_jobs": CLOCKS["raw.transcription_jobs"] | {"interruptions"},
    "ops.deliveries": {"pending_at", "sent_at", "due_at"},
    "staging.stg_deliveries": {"pending_at", "sent_at", "due_at"},
}


def day_in_a_process(folder: Path, feeds: dict[str, str], seconds: float | None = None) -> bool:
    """The sample's day with its mail, in a process of its own, which is killed after some seconds; whether it ended."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.chain", sample.SAMPLE_DATE],
        env={**os.environ, **feeds, "PODCAST_DATA_DIR": str(folder), "PYTHONPATH": str(PROJECT)},
        cwd=PROJECT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        _, said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return False
    assert process.returncode == 0, said.decode()[-3000:]
    return True


def test_a_day_that_is_killed_again_and_again_ends_as_one_that_is_not(tmp_path):
    with sample.serve(port=0) as address:
        feeds = {"PODCAST_FEEDS": f"{address}/feeds.txt", "PODCAST_ALLOW_HOSTS": address.removeprefix("http://")}
        undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
        began = time.monotonic()
        assert day_in_a_process(undisturbed, feeds)
        whole = time.monotonic() - began
        moments = random.Random(KILLS)
        # Early and late steps alike: each kill lies in a stretch of its own of the day.
        for kill in moments.sample(range(KILLS), KILLS):
            day_in_a_process(disturbed, feeds, whole * (kill + moments.random()) / KILLS)
        assert day_in_a_process(disturbed, feeds)
    one, other = (chain.tables(f / "warehouse.duckdb", SCHEMAS, WITHOUT_CLOCKS) for f in (undisturbed, disturbed))
    assert _differences(one, other) == {}
    assert len(one["ops.deliveries"]) == 1
    assert [mails(folder) for folder in (undisturbed, disturbed)] == [mails(undisturbed)] * 2


def mails(folder: Path) -> list[str]:
    """Which mails lie in the outbox, by Message-ID."""
    found = [message_from_bytes(file.read_bytes())["Message-ID"] for file in (folder / "outbox").iterdir()]
    assert len(found) == 1
    return found


@pytest.fixture(autouse=True)
def no_settings_of_this_process(monkeypatch):
    for name in [name for name in os.environ if name.startswith("PODCAST_") and name != "PODCAST_KILLS"]:
        monkeypatch.delenv(name)
