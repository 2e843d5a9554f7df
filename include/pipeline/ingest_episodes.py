"""The steps of the DAG `ingest_episodes`: feeds are asked for what is new since the last time, and landed."""

from dataclasses import asdict
from datetime import UTC, datetime

from include.pipeline.handover import Handover
from include.pipeline.run import BY_HAND, Run, Summary, said
from include.settings import settings
from include.sources import episodes, forgotten
from include.sources.episodes import FeedReading, Validators
from include.state import store
from include.warehouse.database import open_warehouse

VALIDATORS = Handover[dict[str, Validators]](
    "validators", dict[str, Validators], writer="read_validators", readers=("fetch_feeds",)
)
FEEDS = Handover[FeedReading]("feeds", FeedReading, writer="fetch_feeds", readers=("land_episodes",))


def read_validators(partition_key: str | None, run_id: str = BY_HAND) -> Summary:
    run = Run.of(partition_key, run_id)
    with open_warehouse() as connection:
        known = episodes.validators(connection)
    VALIDATORS.put(run, known)
    return said(feeds_known=len(known))


def fetch_feeds(partition_key: str | None, run_id: str = BY_HAND) -> Summary:
    run = Run.of(partition_key, run_id)
    known = VALIDATORS.get(run)
    listed, failed = episodes.listed_feeds(settings()), []
    unwanted = forgotten.marks(store.of(settings()))
    with FEEDS.put_each(run) as put:

        def keep(reading: FeedReading) -> None:
            if wanted := forgotten.without(reading, unwanted):
                put(wanted)
                failed.extend([reading.feed_url] if reading.error else [])

        for place, why in listed.unusable.items():
            keep(FeedReading(place, None, datetime.now(UTC), error=why))
        urls = [url for url in listed.urls if forgotten.feed_mark(url) not in unwanted]
        episodes.read_feeds(urls, known, keep, settings().allow_hosts)
    return said(feeds=len(urls), failed=len(failed))


def land_episodes(partition_key: str | None, run_id: str = BY_HAND, only_asked: bool = False) -> Summary:
    """Lands the day, and what the days before it that failed have missed; with `only_asked` days on which nothing ran
    are left to whoever asks for days by hand. `made_up` are the days that have new episodes for it."""
    run = Run.of(partition_key, run_id)
    readings = FEEDS.get_each(run)
    with open_warehouse() as connection:
        landed = episodes.land(connection, run.day, readings, settings().data_docs, settings().make_up_days, only_asked)
    return said(**asdict(landed))
