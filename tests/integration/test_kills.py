"""A process that is killed at any moment of a day leaves nothing that the next one does not put right: the tables are
those of a day that nobody disturbed, each mail is there once, and no recording loses a try.

Two kills by default, amid the two longest steps; PODCAST_KILLS=30 tries thirty, each step at least once.
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from email import message_from_bytes
from itertools import pairwise
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


def run(
    folder: Path, feeds: dict[str, str], first: int = 0, kill: tuple[int, float] | None = None
) -> tuple[list[float], bool]:
    """The sample's day from one step on, in a process of its own: when each step began, and whether it was killed.

    `kill` is the step amid which it is killed, and how many seconds after that began; where the step is faster than
    that, the kill meets a later one, or comes too late.
    """
    log = folder.parent / f"{folder.name}.log"
    with log.open("ab") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.chain", sample.SAMPLE_DATE, str(first)],
            env={**os.environ, **feeds, "PODCAST_DATA_DIR": str(folder), "PYTHONPATH": str(PROJECT)},
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
        )
    assert process.stdout
    began = []
    for line in process.stdout:
        if line.strip().isdigit():
            began.append(time.monotonic())
            if kill and int(line) == kill[0]:
                threading.Timer(kill[1], process.kill).start()
    ended = process.wait()
    assert ended in (0, -signal.SIGKILL), log.read_text()[-3000:]
    return began, ended != 0


def test_a_day_that_is_killed_again_and_again_ends_as_one_that_is_not(tmp_path):
    with sample.serve(port=0) as address:
        feeds = {"PODCAST_FEEDS": f"{address}/feeds.txt", "PODCAST_ALLOW_HOSTS": address.removeprefix("http://")}
        undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
        began, _ = run(undisturbed, feeds)
        durations = [end - begin for begin, end in pairwise([*began, time.monotonic()])]
        moments, steps = random.Random(KILLS), range(len(durations))
        longest = sorted(steps, key=lambda step: durations[step], reverse=True)
        at_steps = sorted([*steps] * (KILLS // len(steps)) + longest[: KILLS % len(steps)])
        killed_at, first = [], 0
        for step in at_steps:
            # As a scheduler does, what was killed is begun again at the step that was killed; what ended, at this one.
            first = min(first, step)
            began, killed = run(disturbed, feeds, first, (step, moments.random() * durations[step]))
            first += len(began) - 1
            killed_at += [first] if killed else []
        run(disturbed, feeds, first)
    print(f"killed {len(killed_at)} times, at the steps {killed_at}")
    assert len(killed_at) > KILLS // 2
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
