"""The steps of the DAG `transcribe_episodes`: the publisher's own transcript first, then what makes one of audio."""

import logging
from dataclasses import asdict
from datetime import date

from include.pipeline.handover import Handover
from include.pipeline.run import BY_HAND, Run, Summary, said
from include.settings import settings
from include.state import store
from include.transcripts import landing
from include.transcripts.decoder import UnreadableAudio
from include.transcripts.jobs import LOCAL, Job, JobStore
from include.transcripts.landing import Transcript, Wanted
from include.transcripts.queue import Queue, Unreachable
from include.warehouse.database import open_warehouse

log = logging.getLogger(__name__)

WANTED = Handover[list[Wanted]](
    "wanted_transcripts",
    list[Wanted],
    writer="list_missing_transcripts",
    readers=("fetch_transcripts", "transcribe_at_assemblyai", "transcribe_locally", "land_transcripts"),
)
PUBLISHED = Handover[list[Transcript]](
    "published_transcripts",
    list[Transcript],
    writer="fetch_transcripts",
    readers=("transcribe_at_assemblyai", "transcribe_locally", "land_transcripts"),
)


def list_missing_transcripts(partition_key: str | None, run_id: str = BY_HAND) -> Summary:
    run = Run.of(partition_key, run_id)
    with open_warehouse() as connection:
        wanted = landing.wanted(connection, _jobs(), run.day)
    WANTED.put(run, wanted)
    earlier = sum(episode.partition_date != run.day for episode in wanted)
    return said(wanted=len(wanted) - earlier, left_out_earlier=earlier)


def fetch_transcripts(partition_key: str | None, run_id: str = BY_HAND) -> Summary:
    run = Run.of(partition_key, run_id)
    read = landing.read_published(WANTED.get(run), settings().allow_hosts)
    PUBLISHED.put(run, read)
    return said(**{status: sum(t.status == status for t in read) for status in ("ok", "none", "failed")})


def queue_of(source: str, partition_key: str | None, run_id: str = BY_HAND) -> Queue | None:
    """What one source of transcripts from audio has to do of a run; None where PODCAST_TRANSCRIBER leaves it out."""
    if settings().transcriber not in ("auto", source):
        return None
    run = Run.of(partition_key, run_id)
    read = {transcript.episode_id for transcript in PUBLISHED.get(run) if transcript.status == "ok"}
    return Queue(source, [episode for episode in WANTED.get(run) if episode.episode_id not in read], settings())


def transcribe_locally(partition_key: str | None, run_id: str = BY_HAND) -> Summary:
    """Transcribes, on this machine and one after another, what no other source has a transcript of."""
    recordings = queue_of(LOCAL, partition_key, run_id)
    if recordings is None:
        return said(reason=f"PODCAST_TRANSCRIBER is {settings().transcriber}")
    log.info("%s", recordings.estimate())
    for begun in recordings.in_work():
        if job := recordings.resumed(begun):
            _hear(recordings, job)
    while job := recordings.take():
        _hear(recordings, job)
    return said(**recordings.summary())


def _hear(recordings: Queue, job: Job) -> None:
    from include.transcripts import speech

    try:
        with recordings.downloaded(job) as audio:
            heard = speech.transcribe(audio, recordings.language(job))
    except (Unreachable, UnreadableAudio) as error:
        recordings.failed(job, str(error))
        return
    recordings.ended(job, heard.segments, heard.duration_seconds, heard.language, heard.model)


def land_transcripts(partition_key: str | None, run_id: str = BY_HAND) -> Summary:
    """Lands the day, and of earlier days what was taken up; `taken_up` are those that have new transcripts."""
    run = Run.of(partition_key, run_id)
    published = {transcript.episode_id: transcript for transcript in PUBLISHED.get(run)}
    wanted = WANTED.get(run)
    jobs = _jobs().of_episodes([episode.episode_id for episode in wanted])
    read: dict[date, list[Transcript]] = {run.day: []}
    for episode in wanted:
        result = landing.outcome(episode, published[episode.episode_id], jobs.get(episode.episode_id, []))
        read.setdefault(episode.partition_date, []).append(result)
    with open_warehouse() as connection:
        landed = {day: landing.land(connection, day, results, settings().data_docs) for day, results in read.items()}
    taken_up = [str(day) for day in sorted(read) if day != run.day and any(r.status == "ok" for r in read[day])]
    return said(**asdict(landed[run.day]), taken_up=taken_up)


def _jobs() -> JobStore:
    return JobStore(store.of(settings()))
