"""A show that plays every trick among twenty sound ones costs itself alone: the tables, pages and insights of these are
what they are without it, and what was wrong with it is said."""

import json
from email import message_from_bytes, policy
from mimetypes import guess_type
from pathlib import Path

import pytest

from include.pipeline import publish_digest
from include.sources import web, workers
from include.warehouse.database import open_warehouse, records
from tests import chain
from tests.doubles.hostile_server import Handler, answer, bomb, redirect, serving
from tests.integration.test_order_of_days import CLOCKS, SCHEMAS

DAY = "2026-01-15"
CLOCKS_OF_MAIL = {table: {"pending_at", "sent_at", "due_at"} for table in ("ops.deliveries", "staging.stg_deliveries")}
TALKS = (
    """The {0} ferry used to burn {1} tonnes of diesel a month, and since the batteries came it burns four.
    What nobody had reckoned with is the quay: the charging cable of the {0} ferry costs more than the ship's engine,
    because the harbour grid had to be dug up for {1} metres. So whoever buys an electric ferry should ask for the price
    of the quay first, and only then for the price of the ship.""",
    """At the {0} bakery we threw away {1} loaves a week until we stopped baking after noon. Customers complained for
    a fortnight, then they came earlier, and sales of the {0} bakery rose by {1} percent in the morning hours. The
    lesson is that full shelves in the evening are an advertisement that costs more than any newspaper charged us.""",
    """In the {0} orchard frost killed {1} of a hundred blossoms, while the rows under the wind machine lost three.
    The machine moves warm air down from twelve metres, so it helps only in nights without wind, and the {0} orchard had
    {1} such nights last spring. A grower who has wind at night should spend that money on sprinklers instead.""",
    """The {0} library lent {1} drills and saws last year, more than it lent novels in Danish. Each tool is lent about
    {1} times before it breaks, whereas a drill that is bought is used for thirteen minutes in its whole life. That is
    why the {0} library now pays for repairs out of the budget that once bought encyclopedias.""",
    """Our {0} clinic called {1} patients the day before their appointment, and the number of empty chairs fell by half.
    A letter did nothing at all, since people who miss appointments do not open letters. For the {0} clinic a call costs
    two euros and an empty chair costs {1}, so the telephone is the best medicine that we have bought in years.""",
)
PLACES = ("Oskel", "Brindmoor", "Tarnby", "Veldhaven")
SOUND = {
    f"sound-{number}": (TALKS[number % 5], PLACES[number // 5], str(31 + 7 * number), f"Speaker {chr(65 + number)}lba")
    for number in range(20)
}
RECORDING = "<enclosure url='/{}' type='audio/mpeg' length='1'/>"
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
FEEDS_OF_TRAPS = {
    "trap-bomb": (bomb("gzip", 64 * 1024 * 1024), "larger than 32 MiB"),
    "trap-huge": (lambda h: (h.send(b"HTTP/1.1 200 OK\r\n\r\n"), h.pour(b"<item>" * 10_000)), "larger than 32 MiB"),
    "trap-laughs": (
        answer(f'<!-- <a --><!DOCTYPE rss [<!ENTITY l0 "ha">{LAUGHS}]><rss><title>&l9;'.encode()),
        "entities expand to many times its size",
    ),
    "trap-author": (answer(b"<rss><channel><author>%b</author>" % (b"a" * 900_000)), "could not be parsed within 8 s"),
    "trap-redirects": (redirect("/hop-0"), "more than 20 redirects"),
    "trap-length": (answer(b"<rss", Content_Length="999"), "no proper HTTP answer"),
    "trap-coding": (answer(b"<rss>", Content_Encoding="gzip, gzip"), "encoded as 'gzip, gzip'"),
    "trap-deep": (answer(b"<rss><channel>" + b"<a>" * 200_000), "nested more than 10000 elements deep"),
}
HOPS = {f"hop-{number}": redirect(f"/hop-{number + 1}") for number in range(40)}
LONG_TIME = json.dumps({"segments": [{"startTime": 1, "body": "x"}]}).replace("1", "9" * 400)
TRANSCRIPTS_OF_TRAPS = {
    "trap-brackets.json": (answer(b"[" * 500_000, "application/json"), "not readable as json"),
    "trap-time.json": (answer(LONG_TIME.encode(), "application/json"), None),
    "trap-tags.html": (answer(b"<div>" * 200_000 + b"<p>", "text/html"), "the html document holds no speech"),
    "trap-packed.vtt": (bomb("br", 64 * 1024 * 1024), "larger than 32 MiB"),
    "trap-circle.vtt": (redirect(""), "the redirects go round in a circle"),
    "trap-length.txt": (answer(b"Ada", "text/plain", Content_Length=str(10**12)), "larger than 32 MiB"),
}
RECORDINGS_OF_TRAPS = {
    "trap-noise.mp3": (answer(bytes(range(256)) * 400, "audio/mpeg"), "no recording in a known format"),
    "trap-far.mp3": (redirect("/hop-0"), "more than 20 redirects"),
    "trap-large.mp3": (answer(b"ID3", "audio/mpeg", Content_Length=str(10**12)), "larger than 2048 MiB"),
    "trap-list.mp3": (answer(b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"), "no recording in a known format"),
}
EPISODES_OF_TRAPS = TRANSCRIPTS_OF_TRAPS | RECORDINGS_OF_TRAPS


EPISODES = """
    select episodes.episode_id, episodes.title, transcripts.error
    from raw.episodes as episodes
    inner join raw.transcripts as transcripts on episodes.episode_id = transcripts.episode_id
"""


def feed(title: str, *items: str) -> bytes:
    described = f"<title>{title}</title><language>en</language>{''.join(items)}"
    head = '<rss version="2.0" xmlns:podcast="https://podcastindex.org/namespace/1.0">'
    return answer(f"{head}<channel>{described}</channel></rss>".encode())


def item(name: str, more: str) -> str:
    return (
        f"<item><title>{name}</title><guid>{name}</guid><pubDate>Thu, 15 Jan 2026 10:00:00 GMT</pubDate>{more}</item>"
    )


def transcript(path: str) -> str:
    return f"<podcast:transcript url='/{path}' type='{guess_type(path)[0] or 'text/vtt'}'/>"


def tricks() -> dict:
    """What stands at each path: the sound shows with their transcripts, and the traps."""
    served = HOPS | {name: trap for name, (trap, _) in (FEEDS_OF_TRAPS | EPISODES_OF_TRAPS).items()}
    for name, (talk, place, number, speaker) in SOUND.items():
        spoken = f"{speaker}: Good morning.\n\n{speaker}: {' '.join(talk.format(place, number).split())}\n"
        served[name] = feed(f"Show {name}", item(f"{place} {number}", transcript(f"{name}.txt")))
        served[f"{name}.txt"] = answer(spoken.encode(), "text/plain")
    items = [item(name, transcript(name)) for name in TRANSCRIPTS_OF_TRAPS]
    return served | {
        "trap": feed("Traps", *items, *(item(name, RECORDING.format(name)) for name in RECORDINGS_OF_TRAPS))
    }


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The folder of a day with the sound shows alone, and of one with the hostile show before them in the list."""
    folders = []
    with pytest.MonkeyPatch.context() as patch, serving(tricks()) as host:
        patch.setattr(workers, "SECONDS", 8.0)
        patch.setattr(web, "FIRST_PAUSE_SECONDS", 0.01)
        for hostile in ([], ["trap", *FEEDS_OF_TRAPS]):
            folder = tmp_path_factory.mktemp("hostile" if hostile else "sound")
            listed = folder / "feeds.txt"
            listed.write_text("".join(f"http://{host}/{name}\n" for name in [*hostile, *SOUND]))
            with chain.environment(folder, PODCAST_FEEDS=str(listed), PODCAST_ALLOW_HOSTS=host):
                chain.run_day(DAY)
                publish_digest.send_mail(DAY, wanted=True)
            folders.append(folder)
        assert set(Handler.asked) >= {"trap", *FEEDS_OF_TRAPS, *EPISODES_OF_TRAPS}
    return folders


def told(folder: Path) -> str:
    """The insights of the mail."""
    (mail,) = (folder / "outbox").iterdir()
    text = message_from_bytes(mail.read_bytes(), policy=policy.default).get_body(("plain",)).get_content()
    return text.partition("Read for you:")[0]


def test_the_sound_shows_have_the_same_rows_in_every_table(runs):
    sound, hostile = (chain.tables(f / "warehouse.duckdb", SCHEMAS, CLOCKS | CLOCKS_OF_MAIL) for f in runs)
    with open_warehouse(runs[1] / "warehouse.duckdb") as connection:
        traps = {row["episode_id"] for row in records(connection, EPISODES) if row["title"] in EPISODES_OF_TRAPS}
    assert len(traps) == len(EPISODES_OF_TRAPS)
    assert len(sound["marts.claims"]) >= 15
    assert len(sound["marts.top_insights"]) == 5
    lost = {table: set(rows) - set(hostile[table]) for table, rows in sound.items()}
    assert {table: rows for table, rows in lost.items() if rows} == {}
    added = {row for table, rows in hostile.items() for row in set(rows) - set(sound[table])}
    assert [row for row in added if "/trap" not in row and not any(trap in row for trap in traps)] == []


def test_the_mail_and_the_pages_tell_the_same_insights(runs):
    texts = [told(folder) for folder in runs]
    assert texts[0] == texts[1]
    assert all(f"\n{rank}. " in texts[0] for rank in range(1, 6))
    for kind in ("insights", "themes", "shows"):
        pages = [{file.name: file.read_text() for file in (folder / "site" / kind).iterdir()} for folder in runs]
        assert pages[0] == pages[1]


def test_what_was_wrong_with_each_trap_is_said(runs):
    with open_warehouse(runs[1] / "warehouse.duckdb") as connection:
        reasons = {
            row["feed_url"].rpartition("/")[2]: row["reason"]
            for row in records(connection, "select feed_url, reason from ops.feed_status where status = 'failed'")
        }
        reasons |= {row["title"]: row["error"] for row in records(connection, EPISODES) if row["error"]}
    expected = {name: why for name, (_, why) in (FEEDS_OF_TRAPS | EPISODES_OF_TRAPS).items() if why}
    assert reasons.keys() == expected.keys()
    assert {name: why for name, why in expected.items() if why not in reasons[name]} == {}
