"""An episode that is only sound, from the sample's feed to its landed transcript, with nothing configured."""

import pytest

from include.local.sample import server as sample
from include.pipeline import ingest_episodes, transcribe_episodes
from include.settings import settings
from include.transcripts import speech
from include.transcripts.jobs import MAX_INTERRUPTIONS
from include.warehouse.database import open_warehouse, records
from tests import chain

DAY = sample.SAMPLE_DATE


@pytest.fixture(scope="module")
def heard(tmp_path_factory):
    """The settings of a warehouse for which the sample's day was transcribed."""
    with sample.serve(port=0) as address:
        feeds = {"PODCAST_FEEDS": f"{address}/feeds.txt", "PODCAST_ALLOW_HOSTS": address.removeprefix("http://")}
        with chain.environment(tmp_path_factory.mktemp("heard"), **feeds):
            transcribe()
            yield settings()


def transcribe() -> None:
    for dag in (ingest_episodes, transcribe_episodes):
        chain.run_steps(dag, DAY)


def jobs() -> list[dict]:
    with open_warehouse() as connection:
        return records(
            connection, "select * from ops.transcription_jobs where source <> 'publisher' order by episode_id"
        )


def test_it_is_transcribed_by_the_local_model_for_nothing_and_says_so(heard):
    (job,) = jobs()
    assert (job["source"], job["status"], job["tries"], job["cost_usd"]) == ("local", "ok", 1, 0)
    assert 0 < job["hours"] < 0.1
    with open_warehouse() as connection:
        (transcript,) = records(connection, "select * from raw.transcripts where source = 'local'")
    assert (transcript["status"], transcript["publisher_status"], transcript["quality_marks"]) == ("ok", "none", [])
    assert transcript["word_count"] > 50
    assert transcript["has_times"]


def test_its_recording_is_removed_and_its_hours_count(heard):
    assert list((heard.landing / "audio").iterdir()) == []
    (ledger,) = (heard.landing / "spending").glob("*-audio-hours.jsonl")
    assert ledger.stat().st_size > 0


def test_it_is_not_heard_again_on_a_rerun(heard, monkeypatch):
    before = jobs()
    monkeypatch.setattr(speech, "transcribe", None)
    transcribe()
    assert jobs() == before


@pytest.fixture
def unheard(tmp_path):
    """The settings of a warehouse that has the sample's day, and transcribed nothing of it."""
    with sample.serve(port=0) as address:
        feeds = {"PODCAST_FEEDS": f"{address}/feeds.txt", "PODCAST_ALLOW_HOSTS": address.removeprefix("http://")}
        with chain.environment(tmp_path, **feeds):
            chain.run_steps(ingest_episodes, DAY)
            transcribe_episodes.list_missing_transcripts(DAY)
            transcribe_episodes.fetch_transcripts(DAY)
            yield settings()


class Killed(BaseException):
    """What a process that is killed leaves behind: nothing is written any more."""


def killed(*arguments):
    raise Killed


def transcribe_locally_and_be_killed(monkeypatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(speech, "transcribe", killed)
        with pytest.raises(Killed):
            transcribe_episodes.transcribe_locally(DAY)


def test_a_process_that_is_killed_is_no_failed_try(unheard, monkeypatch):
    for _ in range(4):
        transcribe_locally_and_be_killed(monkeypatch)
    assert transcribe_episodes.transcribe_locally(DAY) == {"ok": 1}
    transcribe_episodes.land_transcripts(DAY)
    (job,) = jobs()
    assert (job["status"], job["tries"]) == ("ok", 1)


def test_a_recording_that_kills_each_process_is_given_up_after_some(unheard, monkeypatch):
    for _ in range(MAX_INTERRUPTIONS + 1):
        transcribe_locally_and_be_killed(monkeypatch)
    assert transcribe_episodes.transcribe_locally(DAY) == {"failed": 1}
    transcribe_episodes.land_transcripts(DAY)
    (job,) = jobs()
    assert "was killed 5 times" in job["error"]


def test_a_damaged_job_file_leaves_its_recording_alone_and_says_what_to_do(unheard, monkeypatch, caplog):
    transcribe_locally_and_be_killed(monkeypatch)
    (file,) = (unheard.landing / "transcription_jobs").glob("*.json")
    file.write_bytes(file.read_bytes()[:50])
    assert transcribe_episodes.transcribe_locally(DAY) == {}
    assert f"{file} is damaged" in caplog.text
    assert "remove the file" in caplog.text
    transcribe_episodes.land_transcripts(DAY)
    file.unlink()
    assert transcribe_episodes.transcribe_locally(DAY) == {"ok": 1}
