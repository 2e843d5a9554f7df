"""The steps of the chain, one function a task: each opens what it needs, calls the module that knows how, and says how
it went in a few numbers.

A step either opens the warehouse or talks to the network, never both: what one leaves for the next goes through
`include.landing`. Heavy libraries are imported by the step that needs them, since each task is a process of its own.
"""

import logging
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from include import landing
from include.partition import day
from include.settings import settings
from include.warehouse import open_warehouse

log = logging.getLogger(__name__)

Summary = dict[str, Any]


def delivery_wish(run_type: str, conf: Mapping[str, Any] | None) -> dict[str, bool]:
    """Whether the chain that this run starts is to end in a mail: yes, but for a backfill; `deliver` overrules."""
    return {"deliver": bool((conf or {}).get("deliver", run_type != "backfill"))}


def passed_on(events: Mapping[Any, Any] | None) -> dict[str, bool]:
    """The wish that came with the events which started this run; no wish where a person started it."""
    wishes = [event.extra.get("deliver", False) for asset_events in (events or {}).values() for event in asset_events]
    return {"deliver": bool(wishes) and bool(wishes[-1])}


def wants_delivery(conf: Mapping[str, Any] | None, events: Mapping[Any, Any] | None) -> bool:
    """Whether the digest of this run is to be mailed: as its configuration says, else as the chain was started."""
    return bool((conf or {}).get("deliver", passed_on(events)["deliver"]))


def read_validators(partition_key: str | None) -> Summary:
    from include import ingestion

    partition = day(partition_key)
    with open_warehouse() as connection:
        known = ingestion.validators(connection)
    landing.put("validators", partition, known, dict[str, ingestion.Validators])
    return {"feeds_known": len(known)}


def fetch_feeds(partition_key: str | None) -> Summary:
    from include import ingestion

    partition = day(partition_key)
    known = landing.get("validators", partition, dict[str, ingestion.Validators])
    readings = ingestion.read_feeds(ingestion.feed_urls(settings()), known, settings().allow_hosts)
    landing.put("feeds", partition, readings, list[ingestion.FeedReading])
    failed = sum(reading.error is not None for reading in readings)
    return _said({"feeds": len(readings), "failed": failed})


def land_episodes(partition_key: str | None) -> Summary:
    from include import ingestion

    partition = day(partition_key)
    readings = landing.get("feeds", partition, list[ingestion.FeedReading])
    with open_warehouse() as connection:
        return _said(asdict(ingestion.land(connection, partition, readings, settings().data_docs)))


def list_missing_transcripts(partition_key: str | None) -> Summary:
    from include import transcription

    partition = day(partition_key)
    with open_warehouse() as connection:
        wanted = transcription.wanted(connection, partition)
    landing.put("wanted_transcripts", partition, wanted, list[transcription.Wanted])
    return _said({"wanted": len(wanted)})


def fetch_transcripts(partition_key: str | None) -> Summary:
    from include import transcription

    partition = day(partition_key)
    wanted = landing.get("wanted_transcripts", partition, list[transcription.Wanted])
    read = transcription.read_published(wanted, settings().allow_hosts)
    landing.put("transcripts", partition, read, list[transcription.Transcript])
    return _said({status: sum(t.status == status for t in read) for status in ("ok", "none", "failed")})


def land_transcripts(partition_key: str | None) -> Summary:
    from include import transcription

    partition = day(partition_key)
    read = landing.get("transcripts", partition, list[transcription.Transcript])
    with open_warehouse() as connection:
        return _said(asdict(transcription.land(connection, partition, read, settings().data_docs)))


def list_unread_transcripts(partition_key: str | None) -> Summary:
    from include import extraction
    from include.claims import models

    partition = day(partition_key)
    with open_warehouse() as connection:
        work = extraction.to_read(connection, partition, models.extractor(settings()))
        models.export_calls(connection, partition, settings())
    landing.put("unread_transcripts", partition, work, list[extraction.ToRead])
    return _said({"unread": len(work)})


def extract_claims(partition_key: str | None) -> Summary:
    from include import extraction
    from include.claims import models

    partition = day(partition_key)
    work = landing.get("unread_transcripts", partition, list[extraction.ToRead])
    results: list[extraction.Read] = []
    if work:
        encoder = models.encoder(settings())
        results = extraction.read_all(work, models.extractor(settings()), encoder.encode, encoder.name)
    landing.put("claims", partition, results, list[extraction.Read])
    return _said({"transcripts": len(results), "claims": sum(len(result.claims) for result in results)})


def land_claims(partition_key: str | None) -> Summary:
    from include import extraction
    from include.claims import models

    partition = day(partition_key)
    results = landing.get("claims", partition, list[extraction.Read])
    with open_warehouse() as connection:
        models.import_calls(connection, settings())
        return _said(asdict(extraction.land(connection, partition, results, settings().data_docs)))


def list_unscored_claims(partition_key: str | None) -> Summary:
    from include import scoring
    from include.claims import models

    partition = day(partition_key)
    extractor, scorer = models.extractor(settings()), models.scorer(settings())
    with open_warehouse() as connection:
        work = scoring.unscored(connection, partition, extractor, scorer)
        models.export_calls(connection, partition, settings())
    landing.put("unscored_claims", partition, work, list[scoring.Unscored])
    return _said({"claims": sum(len(entry.claim_ids) for entry in work)})


def score_claims(partition_key: str | None) -> Summary:
    from include import scoring
    from include.claims import models
    from include.claims.claim import Score

    partition = day(partition_key)
    work = landing.get("unscored_claims", partition, list[scoring.Unscored])
    scores = scoring.score_all(work, models.scorer(settings())) if work else []
    landing.put("scores", partition, scores, list[tuple[str, Score]])
    return _said({"scored": len(scores)})


def land_scores(partition_key: str | None) -> Summary:
    from include import scoring
    from include.claims import models
    from include.claims.claim import Score

    partition = day(partition_key)
    scores = landing.get("scores", partition, list[tuple[str, Score]])
    with open_warehouse() as connection:
        models.import_calls(connection, settings())
        landed = scoring.land(connection, partition, scores, models.scorer(settings()), settings().data_docs)
    return _said(asdict(landed))


def publish_copy() -> Summary:
    from include import publication

    return _said({"published": str(publication.publish(settings().warehouse, settings().published))})


def write_pages(partition_key: str | None) -> Summary:
    from include import publication, site

    partition = day(partition_key)
    with publication.open_copy(settings().published) as connection:
        changed = site.write_site(connection, settings().site, settings().site_url, since=partition)
    return _said({"pages_changed": changed})


def send_mail(partition_key: str | None, wanted: bool) -> Summary:
    """Sends the digest to whoever has not had it, and brings the ledger into the analysts' copy."""
    from include import delivery, digest, mail, publication

    partition = day(partition_key)
    if not wanted:
        return _said({"sent": 0, "reason": "no delivery was asked for"})
    with publication.open_copy(settings().published) as connection:
        today = digest.read_digest(connection, partition)
    if not today.episodes_read and not today.left_out:
        return _said({"sent": 0, "reason": "no feed had a new episode that day"})
    try:
        outcomes = delivery.deliver(
            open_warehouse,
            partition,
            settings().recipients,
            settings().sender,
            delivery.transport_from_airflow(settings().outbox),
            lambda recipient: mail.compose(today, recipient, settings().sender, settings().site_url),
        )
    finally:
        publication.publish(settings().warehouse, settings().published)
    return _said({status: sum(o.status == status for o in outcomes) for status in ("sent", "failed")})


def document_tables() -> Summary:
    from include import table_docs

    return _said({"written": table_docs.write_table_docs(settings().dbt_docs)})


def _said(summary: Summary) -> Summary:
    log.info("%s", ", ".join(f"{name} {value}" for name, value in summary.items()))
    return summary
