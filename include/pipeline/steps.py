"""The steps of the chain, one function a task: each opens what it needs, calls the module that knows how, and says how
it went in a few numbers.

A step either opens the warehouse or talks to the network, never both: what one leaves for the next goes through
`include.pipeline.handover`. Heavy libraries are imported by the step that needs them, since each task is a process of
its own.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

from include.pipeline import handover
from include.settings import settings
from include.warehouse.database import open_warehouse
from include.warehouse.partition import day

if TYPE_CHECKING:
    import numpy as np

    from include.delivery.ledger import Compose
    from include.digest.recipients import Recipient
    from include.transcripts.queue import Queue

log = logging.getLogger(__name__)

Summary = dict[str, Any]


def delivery_wish(run_type: str, conf: Mapping[str, Any] | None) -> dict[str, bool]:
    """Whether the chain that this run starts is to end in a mail: yes, but for a backfill; `deliver` overrules."""
    return {"deliver": bool((conf or {}).get("deliver", run_type != "backfill"))}


def passed_on(events: Mapping[Any, Any] | None, partition_key: str | None = None) -> dict[str, bool]:
    """The wish that came with the events which started this run; no wish where a person started it.

    With a partition key only wishes for that day count: a run that takes up what earlier days left out announces
    those days too, and their digests are not to be mailed for it.
    """
    extras = [event.extra for asset_events in (events or {}).values() for event in asset_events]
    wishes = [e.get("deliver", False) for e in extras if partition_key in (None, e.get("day", partition_key))]
    return {"deliver": bool(wishes) and bool(wishes[-1])}


def wants_delivery(conf: Mapping[str, Any] | None, events: Mapping[Any, Any] | None) -> bool:
    """Whether the digest of this run is to be mailed: as its configuration says, else as the chain was started."""
    return bool((conf or {}).get("deliver", passed_on(events)["deliver"]))


def read_validators(partition_key: str | None) -> Summary:
    from include.sources import episodes

    partition = day(partition_key)
    with open_warehouse() as connection:
        known = episodes.validators(connection)
    handover.put("validators", partition, known, dict[str, episodes.Validators])
    return {"feeds_known": len(known)}


def fetch_feeds(partition_key: str | None) -> Summary:
    from include.sources import episodes

    partition = day(partition_key)
    known = handover.get("validators", partition, dict[str, episodes.Validators])
    urls, failed = episodes.feed_urls(settings()), []
    with handover.put_each("feeds", partition, episodes.FeedReading) as put:

        def keep(reading: episodes.FeedReading) -> None:
            put(reading)
            failed.extend([reading.feed_url] if reading.error else [])

        episodes.read_feeds(urls, known, keep, settings().allow_hosts)
    return _said({"feeds": len(urls), "failed": len(failed)})


def land_episodes(partition_key: str | None) -> Summary:
    from include.sources import episodes

    partition = day(partition_key)
    readings = handover.get_each("feeds", partition, episodes.FeedReading)
    with open_warehouse() as connection:
        return _said(asdict(episodes.land(connection, partition, readings, settings().data_docs)))


def list_missing_transcripts(partition_key: str | None) -> Summary:
    from include.transcripts import landing

    partition = day(partition_key)
    with open_warehouse() as connection:
        wanted = landing.wanted(connection, partition)
    handover.put("wanted_transcripts", partition, wanted, list[landing.Wanted])
    earlier = sum(episode.partition_date != partition for episode in wanted)
    return _said({"wanted": len(wanted) - earlier, "left_out_earlier": earlier})


def fetch_transcripts(partition_key: str | None) -> Summary:
    from include.transcripts import landing

    partition = day(partition_key)
    wanted = handover.get("wanted_transcripts", partition, list[landing.Wanted])
    read = landing.read_published(wanted, settings().allow_hosts)
    handover.put("published_transcripts", partition, read, list[landing.Transcript])
    return _said({status: sum(t.status == status for t in read) for status in ("ok", "none", "failed")})


def queue_of(source: str, partition_key: str | None) -> "Queue | None":
    """What one source of transcripts from audio has to do of a day; None where PODCAST_TRANSCRIBER leaves it out."""
    from include.transcripts import landing
    from include.transcripts.queue import Queue

    if settings().transcriber not in ("auto", source):
        return None
    partition = day(partition_key)
    wanted = handover.get("wanted_transcripts", partition, list[landing.Wanted])
    published = handover.get("published_transcripts", partition, list[landing.Transcript])
    read = {transcript.episode_id for transcript in published if transcript.status == "ok"}
    return Queue(source, [episode for episode in wanted if episode.episode_id not in read], settings())


def transcribe_locally(partition_key: str | None) -> Summary:
    """Transcribes, on this machine and one after another, what no other source has a transcript of."""
    from include.transcripts import jobs, speech
    from include.transcripts.queue import Unreachable

    queue = queue_of(jobs.LOCAL, partition_key)
    if queue is None:
        return _said({"reason": f"PODCAST_TRANSCRIBER is {settings().transcriber}"})
    log.info("%s", queue.estimate())
    for begun in queue.in_work():
        queue.failed(begun, "the process that transcribed it was killed")
    while job := queue.take():
        try:
            with queue.downloaded(job) as audio:
                heard = speech.transcribe(audio, queue.language(job))
        except (Unreachable, speech.UnreadableAudio) as error:
            queue.failed(job, str(error))
            continue
        queue.ended(job, heard.segments, heard.duration_seconds, heard.language, heard.model)
    return _said(queue.summary())


def land_transcripts(partition_key: str | None) -> Summary:
    """Lands the day, and of earlier days what was taken up; `taken_up` are those that have new transcripts."""
    from include.transcripts import landing, queue
    from include.transcripts.jobs import IN_WORK, keep_jobs
    from include.warehouse.database import transaction

    partition = day(partition_key)
    wanted = handover.get("wanted_transcripts", partition, list[landing.Wanted])
    published = handover.get("published_transcripts", partition, list[landing.Transcript])
    folder = queue.folder(settings())
    fresh = folder.all()
    read: dict[date, list[landing.Transcript]] = {partition: []}
    for episode, found in zip(wanted, published, strict=True):
        tried = {job.job_key: job for job in (*episode.jobs, *fresh) if job.episode_id == episode.episode_id}
        result = landing.outcome(episode, found, list(tried.values()))
        read.setdefault(episode.partition_date, []).append(result)
    with open_warehouse() as connection:
        with transaction(connection):
            keep_jobs(connection, fresh)
        landed = {each: landing.land(connection, each, results, settings().data_docs) for each, results in read.items()}
    folder.forget(job for job in fresh if job.status not in IN_WORK)
    taken_up = [str(each) for each in sorted(read) if each != partition and any(r.status == "ok" for r in read[each])]
    return _said({**asdict(landed[partition]), "taken_up": taken_up})


def list_unread_transcripts(partition_key: str | None) -> Summary:
    from include.claims import extraction
    from include.pipeline import models

    partition = day(partition_key)
    with open_warehouse() as connection:
        work = extraction.to_read(connection, partition, models.extractor(settings()))
        models.export_calls(connection, partition, settings())
    handover.put("unread_transcripts", partition, work, list[extraction.ToRead])
    return _said({"unread": len(work)})


def extract_claims(partition_key: str | None) -> Summary:
    from include.claims import extraction
    from include.pipeline import models

    partition = day(partition_key)
    work = handover.get("unread_transcripts", partition, list[extraction.ToRead])
    results: list[extraction.Read] = []
    if work:
        encoder = models.encoder(settings())
        results = extraction.read_all(work, models.extractor(settings()), encoder.encode, encoder.name)
    handover.put("claims", partition, results, list[extraction.Read])
    return _said({"transcripts": len(results), "claims": sum(len(result.claims) for result in results)})


def land_claims(partition_key: str | None) -> Summary:
    """Lands the day's claims; which of them a chat model is to compare can be said as soon as they are there."""
    from include.claims import extraction
    from include.pipeline import models
    from include.themes import pairs
    from include.themes.judge import Comparison

    partition = day(partition_key)
    results = handover.get("claims", partition, list[extraction.Read])
    judge = models.story_judge(settings())
    with open_warehouse() as connection:
        models.import_calls(connection, settings())
        landed = extraction.land(connection, partition, results, settings().data_docs)
        unjudged: list[Comparison] = []
        if judge:
            unjudged = pairs.unjudged(connection, partition, judge)
            models.export_verdicts(connection, unjudged, judge, settings())
    handover.put("unjudged_pairs", partition, unjudged, list[Comparison])
    return _said({**asdict(landed), "pairs_to_compare": len(unjudged)})


def judge_pairs(partition_key: str | None) -> Summary:
    """Has a chat model, where there is one, say which of the day's claims tell the same story as others."""
    from include.pipeline import models
    from include.themes.judge import Comparison, Judged

    partition = day(partition_key)
    unjudged = handover.get("unjudged_pairs", partition, list[Comparison])
    judge = models.story_judge(settings())
    judged = judge.judge(unjudged) if judge else []
    handover.put("judged_pairs", partition, judged, list[Judged])
    return _said({"pairs": len(unjudged), "judged": len(judged)})


def land_verdicts(partition_key: str | None) -> Summary:
    from include.pipeline import models
    from include.themes import pairs
    from include.themes.judge import Judged

    partition = day(partition_key)
    judge = models.story_judge(settings())
    if judge is None:
        return _said({"pairs": 0, "reason": "no chat model compares claims: PODCAST_LLM_MODEL is offline"})
    judged = handover.get("judged_pairs", partition, list[Judged])
    with open_warehouse() as connection:
        models.import_calls(connection, settings())
        return _said(pairs.land(connection, partition, judged, judge))


def list_unscored_claims(partition_key: str | None) -> Summary:
    from include.claims import scoring
    from include.pipeline import models

    partition = day(partition_key)
    extractor, scorer = models.extractor(settings()), models.scorer(settings())
    with open_warehouse() as connection:
        work = scoring.unscored(connection, partition, extractor, scorer)
        models.export_calls(connection, partition, settings())
    handover.put("unscored_claims", partition, work, list[scoring.Unscored])
    return _said({"claims": sum(len(entry.claim_ids) for entry in work)})


def score_claims(partition_key: str | None) -> Summary:
    from include.claims import scoring
    from include.claims.claim import Score
    from include.pipeline import models

    partition = day(partition_key)
    work = handover.get("unscored_claims", partition, list[scoring.Unscored])
    scores = scoring.score_all(work, models.scorer(settings())) if work else []
    handover.put("scores", partition, scores, list[tuple[str, Score]])
    return _said({"scored": len(scores)})


def land_scores(partition_key: str | None) -> Summary:
    from include.claims import scoring
    from include.claims.claim import Score
    from include.pipeline import models

    partition = day(partition_key)
    scores = handover.get("scores", partition, list[tuple[str, Score]])
    with open_warehouse() as connection:
        models.import_calls(connection, settings())
        landed = scoring.land(connection, partition, scores, models.scorer(settings()), settings().data_docs)
    return _said(asdict(landed))


def publish_copy() -> Summary:
    from include.warehouse import publication

    return _said({"published": str(publication.publish(settings().warehouse, settings().published))})


def write_pages(partition_key: str | None) -> Summary:
    from include.pages import site
    from include.warehouse import publication

    partition = day(partition_key)
    with publication.open_copy(settings().published) as connection:
        changed = site.write_site(connection, settings().site, settings().site_url, since=partition)
    return _said({"pages_changed": changed})


def send_mail(partition_key: str | None, wanted: bool) -> Summary:
    """Sends the digest to whoever has not had it and is due for it, and brings the ledger into the analysts' copy."""
    from include.delivery import ledger
    from include.digest import reading, recipients
    from include.warehouse import publication

    partition = day(partition_key)
    if not wanted:
        return _said({"sent": 0, "reason": "no delivery was asked for"})
    with publication.open_copy(settings().published) as connection:
        today = reading.read_digest(connection, partition)
    if not today.episodes_read and not today.left_out:
        return _said({"sent": 0, "reason": "no feed had a new episode that day"})
    readers = recipients.read(settings().recipients)
    transport = ledger.transport_from_airflow(settings().outbox)
    try:
        outcomes = ledger.deliver(open_warehouse, partition, readers, settings().sender, transport, _letters(partition))
    finally:
        publication.publish(settings().warehouse, settings().published)
    return _said({status: sum(o.status == status for o in outcomes) for status in ("sent", "scheduled", "failed")})


def mail_is_due() -> bool:
    """Whether the analysts' copy knows of a mail that is to be sent by now; the warehouse is left alone."""
    from include.delivery import ledger
    from include.warehouse import publication

    if not settings().published.exists():
        return False
    with publication.open_copy(settings().published) as connection:
        return ledger.due_count(connection) > 0


def send_due_mail() -> Summary:
    """Sends what was scheduled or put off and is due, and tells the operator of what came too late to be sent."""
    from include.delivery import ledger
    from include.digest import recipients
    from include.pipeline import alerts
    from include.warehouse import publication

    readers = recipients.read(settings().recipients)
    transport = ledger.transport_from_airflow(settings().outbox)
    try:
        with open_warehouse() as connection:
            missed = ledger.give_up(connection, readers)
        if missed:
            alerts.report("missed-mail", *ledger.told_as_missed(missed))
        outcomes = ledger.deliver_due(open_warehouse, readers, settings().sender, transport, _letters)
    finally:
        publication.publish(settings().warehouse, settings().published)
    counts = {status: sum(o.status == status for o in outcomes) for status in ("sent", "failed")}
    return _said({**counts, "missed": len(missed)})


def _letters(partition: date) -> "Compose":
    """Writes the mail of a day to a recipient, from the analysts' copy."""
    from include.delivery import ledger, mail
    from include.digest import personal
    from include.warehouse import publication

    def encode(texts: Sequence[str]) -> "np.ndarray":
        from include.models.meaning import claim_encoder

        return claim_encoder().encode(texts)

    def write(recipient: "Recipient", told: frozenset[str]) -> ledger.Letter:
        with publication.open_copy(settings().published) as connection:
            digest = personal.read_for(connection, partition, recipient, told, encode)
        one_click = mail.one_click(settings())
        message = mail.compose(digest, recipient, settings().sender, settings().site_url, one_click)
        return ledger.Letter(message, digest.insights)

    return write


def document_tables() -> Summary:
    from include.pages import table_docs

    return _said({"written": table_docs.write_table_docs(settings().dbt_docs)})


def _said(summary: Summary) -> Summary:
    log.info("%s", ", ".join(f"{name} {value}" for name, value in summary.items()))
    return summary
