"""What a day costs after a history of one day, of 90 and of 365: `python -m tests.benchmarks.run growth`.

A month of invented talk is built by dbt; the months before are copies of it, with other days and ids, in every table.
Then one more day goes through the chain as it goes through Airflow, feeds and transcripts over HTTP, in a process of
its own; what finds, embeds and scores claims takes no time, since it knows what was invented.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from unittest import mock

from sqlalchemy import insert

from include.claims.claim import claim_id
from include.local.sample import server
from include.local.standalone import CHAIN, LocalAirflow, free_port
from include.pipeline import chosen_models, publish_digest
from include.settings import PROJECT, settings
from include.state import store
from include.state.tables import deliveries, sent_insights
from include.warehouse import mirror, publication
from include.warehouse.database import append, open_warehouse, records
from tests import chain
from tests.benchmarks import invented

LAST, MONTH, EPISODES = 364, 30, 20
SIZES = ((1, EPISODES), (90, EPISODES), (365, EPISODES), (MONTH, 30), (MONTH, 300))
"""Days of history, the one that is timed included, and episodes a day."""
PARTS = ("landing", "dbt claims", "dbt digest", "publish", "pages", "mail")


def rows() -> list[tuple[str, float, str]]:
    """Each part of a day after each history, in seconds, and how long it takes beside the shortest history, or, an
    episode, beside a tenth of the episodes."""
    found = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(os.environ.get("BENCH_HISTORIES", temporary))
        measured = {size: measure(*size, folder) for size in SIZES}
    for (days, episodes), now in measured.items():
        base = measured[(MONTH, 30)] if days == MONTH else measured[SIZES[0]]
        share = episodes / 30 if days == MONTH else 1
        what = f"day {days} of {episodes} episodes"
        wall, processor = (now[key] / base[key] / share for key in ("whole day", "processor"))
        beside = (
            f"{wall:.2f} ×{' an episode' * (days == MONTH)}; {now['processor']:.1f} s of processor, {processor:.2f} ×"
        )
        found.append((what, now["whole day"], f"{beside}; {now['megabytes']:.0f} MB at most"))
        found += [(f"{what}: {part}", now[part], f"{now[part] / base[part] / share:.2f} ×") for part in PARTS]
        copied = f"{now['copy']:.0f} MB; publishing takes {now['publish'] / now['cp']:.1f} × as long"
        copied += f"; {now['files']} files of the site, {now['searched']:.0f} KB searched at once"
        found.append((f"{what}: cp of the published file", now["cp"], copied))
    return [*found, beside_airflow()]


def beside_airflow() -> tuple[str, float, str]:
    """A first day with the models that the chain comes with, through Airflow's scheduler from trigger to mail, beside
    the same steps in one process."""
    key, taken = invented.day_of(LAST), []
    with tempfile.TemporaryDirectory() as temporary, _served(Path(temporary), LAST, EPISODES) as here:
        environment = os.environ | here | {"PODCAST_DATA_DIR": f"{temporary}/alone", "PYTHONPATH": str(PROJECT)}
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "tests.chain", str(key)], env=environment, cwd=PROJECT, check=True)
        taken.append(time.perf_counter() - began)
        airflow = LocalAirflow(Path(temporary) / "scheduled", free_port(), {**here, "PODCAST_SCHEDULE": "off"})
        airflow.start()
        try:
            began = time.perf_counter()
            airflow.trigger(CHAIN[0], key)
            airflow.wait_for_chain(key, {}, lambda _: None)
            taken.append(time.perf_counter() - began)
        finally:
            airflow.stop()
    alone, scheduled = taken
    beside = f"{scheduled / alone:.2f} × as long as in one process, {alone:.1f} s"
    return f"day 1 of {EPISODES} episodes, claims found offline, through Airflow", scheduled, beside


def measure(days: int, episodes: int, folder: Path) -> dict[str, float]:
    """The timed day after that history: seconds of each part, megabytes at the peak. What was before it is kept."""
    month, before, data = (folder / f"{name}-{episodes}" for name in ("month", f"before-{days}", f"day-{days}"))
    if days > 1 and not before.exists():
        if not month.exists():
            run("month", month, days, episodes)
        shutil.copytree(month, data)
        run("history", data, days, episodes)
        data.rename(before)
    shutil.rmtree(data, ignore_errors=True)
    if days > 1:
        shutil.copytree(before, data)
    return json.loads(run("day", data, days, episodes).splitlines()[-1])


def run(what: str, data: Path, days: int, episodes: int) -> str:
    command = [sys.executable, "-m", "tests.benchmarks.growth", what, str(data), str(days), str(episodes)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT)
    if done.returncode:
        raise RuntimeError(f"{what} of {days} days with {episodes} episodes failed, see above")
    return done.stdout


def month(days: int, episodes: int) -> None:
    """The days before the last one, as dbt makes them of what is landed; of very many episodes, a few days."""
    first = LAST - _told(episodes)
    with open_warehouse() as connection:
        for number in range(first, LAST):
            tell(connection, number, episodes)
    chain.build("claims", str(invented.day_of(first)))
    chain.build("digest", str(invented.day_of(first)))


def history(days: int, episodes: int) -> None:
    """The days before these, the copy and the pages of all."""
    told, first = _told(episodes), invented.day_of(LAST - days + 1)
    with open_warehouse() as connection:
        repeat(connection, told, -(-days // told), first)
    send()
    publication.publish(settings().warehouse, settings().published)
    with publication.open_copy(settings().published) as connection:
        publish_digest.site.write_site(connection, settings().site)


def _told(episodes: int) -> int:
    return MONTH if episodes <= 100 else 3


def tell(connection, number: int, episodes: int) -> None:
    """Lands a day in raw."""
    day, models = invented.day_of(number), invented.Invented()
    tables: dict[str, list[dict]] = {}

    def put(table: str, **row) -> None:
        tables.setdefault(f"raw.{table}", []).append({**row, "partition_date": day})

    for episode in range(episodes):
        key, show = f"e{number}-{episode}", invented.show_of(number, episode, episodes)
        url = f"https://shows.example/{show}.xml"
        spoken = [
            invented.Segment(n, text, f"Host {show}", 15.0 * n, 15.0 * n + 15)
            for n, text in enumerate(invented.segments(number, episode, episodes))
        ]
        claims = models.extract(None, spoken).claims
        put("feed_fetches", feed_url=url, show_title=f"Show {show}", status="ok", item_count=1, episode_count=1)
        put(
            "episodes", episode_id=key, feed_url=url, show_id=f"s{show}", show_title=f"Show {show}", guid=key,
            title=f"Episode {key}", audio_url=f"https://media.example/{key}.mp3",
        )  # fmt: skip
        put(
            "transcripts", episode_id=key, status="ok", source="publisher", segment_count=len(spoken),
            word_count=sum(len(s.text.split()) for s in spoken), has_times=True, has_speakers=True, content_hash=key,
        )  # fmt: skip
        put("extractions", episode_id=key, extraction_key=key, claim_count=len(claims), status="ok")
        for segment in spoken:
            row = asdict(segment)
            put("transcript_segments", episode_id=key, segment_index=row.pop("index"), **row)
        vectors = models.encode([claim.quote for claim in claims])
        ((*scores,),) = models.score([invented.ReadEpisode(None, spoken, claims)])
        for claim, vector, score in zip(claims, vectors, scores, strict=True):
            named = {"claim_id": claim_id(key, claim.quote)}
            row = asdict(claim) | {"features": "{}"}
            put("claims", **named, episode_id=key, extractor="offline", prompt_version="1", **row)
            put("claim_embeddings", **named, model=models.name, embedding=vector.tolist())
            put("claim_scores", **named, scorer="offline", prompt_version="1", score=score.score, reason=score.reason)
    for table, landed in tables.items():
        append(connection, table, landed)


def send() -> None:
    """Every digest so far was sent."""
    state, at = store.of(settings()), store.now() - timedelta(days=1)
    mail = {"recipient": "reader@localhost", "status": "sent", "channel": "outbox", "sent_at": at, "changed_at": at}
    with open_warehouse() as connection:
        told = records(connection, "select digest_date, rank, claim_id, theme_id from marts.top_insights")
        days = {one["digest_date"] for one in told}
        with state.writing() as writing:
            writing.execute(insert(deliveries), [{**mail, "digest_date": day} for day in sorted(days)])
            writing.execute(insert(sent_insights), [{**one, "recipient": mail["recipient"]} for one in told])
        connection.execute("truncate raw.mirrored")
        mirror.bring(connection, state)


def repeat(connection, days: int, times: int, first: date) -> None:
    """Puts what all tables have of these days before them again, so many times, under other ids, from a day on."""
    columns: dict[str, list[dict]] = {}
    for row in records(
        connection,
        """
        select columns.schema_name || '.' || columns.table_name as of_table, column_name, data_type
        from duckdb_columns() as columns
        inner join duckdb_tables() as tables using (database_name, schema_name, table_name)
        where columns.schema_name in ('raw', 'intermediate', 'marts', 'ops')
        order by column_index
        """,
    ):
        columns.setdefault(row.pop("of_table"), []).append(row)
    for table, of_table in columns.items():
        if not any(column["data_type"] == "DATE" for column in of_table) or table == "raw.days_to_derive":
            continue
        shown = ", ".join(_again(column["column_name"], column["data_type"]) for column in of_table)
        connection.execute(f"create temp table again as from {table}")
        connection.execute(f"truncate {table}")
        connection.execute(
            f"""
            insert into {table}
            select {shown} from again cross join range($times, -1, -1) as t (time)
            where {_again(*_day(of_table))} >= $first
            order by time desc
            """,
            {"times": times, "days": days, "first": first},
        )
        connection.execute("drop table again")


def _day(columns: list[dict]) -> tuple[str, str]:
    return next((column["column_name"], "DATE") for column in columns if column["data_type"] == "DATE")


def _again(column: str, kind: str) -> str:
    if kind in ("DATE", "TIMESTAMP"):
        return f'cast("{column}" - to_days(cast($days * time as integer)) as {kind})'
    if kind == "VARCHAR" and column.endswith(("_id", "guid")) and not column.endswith("show_id"):
        return f"\"{column}\" || if(time > 0, 'x' || time, '')"
    if column == "same_story":
        return f"list_transform({column}, lambda one: one || if(time > 0, 'x' || time, ''))"
    return f'"{column}"'


def day(days: int, episodes: int) -> dict[str, float]:
    """One more day, with its mail."""
    models = invented.Invented()
    taken, worked = dict.fromkeys(PARTS, 0.0), dict.fromkeys(PARTS, 0.0)
    key = str(invented.day_of(LAST))
    planted = {name: lambda *_: models for name in ("extractor", "scorer", "encoder")}
    data = settings().data_dir
    with (
        _served(data, LAST, episodes) as here,
        mock.patch.multiple(chosen_models, **planted),
        chain.environment(data, **here),
    ):
        for part, step in _steps(key):
            began, before = time.perf_counter(), _processor()
            step()
            taken[part] += time.perf_counter() - began
            worked[part] += _processor() - before
        began = time.perf_counter()
        shutil.copyfile(settings().published, data / "cp")
        copied = time.perf_counter() - began
        with publication.open_copy(settings().published) as connection:
            told = "select count(*) from marts.top_insights where digest_date = $day"
            assert connection.execute(told, {"day": key}).fetchone() == (5,)
    return {
        **taken,
        **{f"{part}, processor": seconds for part, seconds in worked.items()},
        "whole day": sum(taken.values()),
        "processor": sum(worked.values()),
        "megabytes": max(one.ru_maxrss for one in _used()) / 1024,
        "cp": copied,
        "copy": (data / "cp").stat().st_size / 1e6,
        "files": sum(file.is_file() for file in settings().site.rglob("*")),
        "searched": max((settings().site / "search").iterdir()).stat().st_size / 1e3,
    }


@contextmanager
def _served(folder: Path, number: int, episodes: int) -> Iterator[dict[str, str]]:
    """The settings of a chain that reads a day's feeds, which are served meanwhile."""
    served = folder / "served"
    shutil.rmtree(served, ignore_errors=True)
    invented.write_feeds(served, number, episodes)
    with server.serve(port=0, folder=served) as address:
        feeds = served / "feeds.txt"
        feeds.write_text("".join(f"{address}{path}\n" for path in server.feed_paths(served)))
        yield {
            "PODCAST_FEEDS": str(feeds),
            "PODCAST_ALLOW_HOSTS": address.removeprefix("http://"),
            "PODCAST_MAKE_UP_DAYS": "0",
            "PODCAST_TRANSCRIBER": "publisher",
        }


def _used() -> list[resource.struct_rusage]:
    return [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]


def _processor() -> float:
    return sum(one.ru_utime + one.ru_stime for one in _used())


def _steps(key: str) -> list[tuple[str, Callable[[], object]]]:
    steps = [
        (step if step.startswith("dbt ") else "landing", call)
        for dag, names in chain.STEPS.items()
        for step, call in zip(names, chain.steps_of(dag, key), strict=True)
    ]
    return [
        *steps,
        ("publish", publish_digest.publish_copy),
        ("pages", partial(publish_digest.write_pages, key)),
        ("mail", partial(publish_digest.send_mail, key, wanted=True)),
    ]


if __name__ == "__main__":
    what, folder, days, episodes = sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:])
    with chain.environment(folder):
        print(json.dumps({"month": month, "history": history, "day": day}[what](days, episodes)))
