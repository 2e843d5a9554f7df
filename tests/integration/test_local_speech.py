"""An episode that is only sound, from the sample's feed to its landed transcript, with nothing configured."""

import pytest

from include.local.sample import server as sample
from include.pipeline import ingest_episodes, transcribe_episodes
from include.settings import settings
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
    from include.transcripts import speech

    before = jobs()
    monkeypatch.setattr(speech, "transcribe", None)
    transcribe()
    assert jobs() == before
