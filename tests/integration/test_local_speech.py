"""An episode that is only sound, from the sample's feed to its landed transcript, with nothing configured."""

import pytest

from include.local.sample import server as sample
from include.models import budget
from include.pipeline import ingest_episodes, transcribe_episodes
from include.settings import settings
from include.state import store
from include.transcripts import speech
from include.transcripts.jobs import MAX_INTERRUPTIONS
from include.warehouse import mirror
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
        mirror.bring(connection, store.of(settings()))
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
    assert budget.audio_hours(heard, store.now().date()).spent > 0


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


def test_a_recording_that_another_process_is_at_is_left_to_it(unheard, together):
    transcribe_locally_and_be_killed(pytest.MonkeyPatch())
    assert together(lambda _: transcribe_episodes.transcribe_locally(DAY), processes=1) == [{"intended": 1}]
    assert transcribe_episodes.transcribe_locally(DAY) == {"ok": 1}
