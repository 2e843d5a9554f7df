"""The pages stand on their own: every link leads somewhere, nothing comes from outside, nothing sent is lost."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import date
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

import feedparser
import pytest
from browser import DESKTOP, PHONE, violations
from invented_days import EMPTY, FULL, SHORT
from selectolax.lexbor import LexborHTMLParser

from include.pages.site import write_site
from include.warehouse.database import append

SITE = "https://pods.example/site"

KINDS = (
    "index.html", "archive.html", "search.html", f"digests/{FULL}.html", "insights/c1.html", "themes/t1.html",
    "shows/s1.html",
)  # fmt: skip
"""A page of every kind."""


@pytest.fixture
def site(connection, tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    write_site(connection, folder, SITE)
    return folder


@pytest.fixture
def related(connection, tmp_path: Path) -> Path:
    """The pages of a warehouse that knows what is close to what, and who contradicts whom."""
    connection.execute(
        """
        insert into marts.related_claims
        from (values
            ('c1', 'c6', 0.7, true, date '2026-01-14'), ('c7', 'c6', 0.6, true, date '2026-01-15'),
            ('c1', 'c4', 0.55, false, date '2026-01-14'), ('c1', 'c8', 0.65, false, date '2026-01-15')
        )
        """
    )
    connection.execute(
        """
        insert into marts.theme_dissent
        from (values
            ('t1', 'c7', 'c1', 'number', '28 percent against 31 percent'), ('t1', 'c1', 'c7', 'number', 'turned round'),
            ('t1', 'c6', 'c7', 'polarity', ''), ('t1', 'c6', 'gone', 'polarity', '')
        )
        """
    )
    folder = tmp_path / "related"
    write_site(connection, folder, SITE)
    return folder


def page(site: Path, path: str) -> LexborHTMLParser:
    return LexborHTMLParser((site / path).read_text(encoding="utf-8"))


def text(site: Path, path: str) -> str:
    return " ".join(page(site, path).body.text(separator=" ").split())


def contents(site: Path) -> dict[str, bytes]:
    return {str(file.relative_to(site)): file.read_bytes() for file in site.rglob("*") if file.is_file()}


def test_there_is_a_page_for_each_digest_insight_and_theme(site):
    found = set(contents(site))

    assert {"index.html", "feed.xml", "style.css"} <= found
    assert {f"digests/{day}.html" for day in (FULL, SHORT, EMPTY)} <= found
    assert {f"insights/c{number}.html" for number in range(1, 9)} <= found
    assert {path for path in found if path.startswith("themes/")} == {"themes/t1.html"}, "several shows tell it"


def test_every_link_between_pages_leads_to_a_page_and_a_place_in_it(site):
    for file in site.rglob("*.html"):
        for link in LexborHTMLParser(file.read_text()).css("a[href], link[href]"):
            target = urlsplit(link.attributes["href"])
            if target.scheme:
                continue
            aim = (file.parent / unquote(target.path)).resolve() if target.path else file
            assert aim.is_file(), f"{file.name} links to {link.attributes['href']}"
            if target.fragment:
                assert page(aim.parent, aim.name).css_first(f"#{target.fragment}"), link.attributes["href"]


def test_nothing_is_loaded_from_elsewhere(site):
    for file in site.rglob("*.html"):
        tree = LexborHTMLParser(file.read_text())
        loaded = [node.attributes.get("src") for node in tree.css("[src]:not(audio[preload=none])")]
        loaded += [node.attributes["href"] for node in tree.css("link[rel=stylesheet], link[rel=icon]")]
        assert all(not urlsplit(address or "").netloc for address in loaded)
    assert "url(" not in (site / "style.css").read_text()
    assert "@import" not in (site / "style.css").read_text()


def test_today_is_the_newest_digest_and_the_archive_names_all(site):
    assert "Friday, 16 January 2026" in page(site, "index.html").css_first("h1").text()
    assert "Empty containers tell of a slump eight weeks early and 4 more" in text(site, "index.html")
    assert "Friday, 16 January 2026 no insights" in text(site, "archive.html")


def test_the_archive_has_a_calendar_for_each_month_and_a_page_for_each_year(connection, tmp_path):
    append(connection, "raw.feed_fetches", [
        {"feed_url": "https://pods.example/s1/feed.xml", "partition_date": date(2025, 12, 31), "status": "ok"},
    ])  # fmt: skip
    write_site(connection, tmp_path)

    calendar = page(tmp_path, "archive.html").css_first("table")
    assert [link.attributes["aria-label"] for link in calendar.css("a")] == [
        "Wednesday, 14 January 2026, 5 insights",
        "Thursday, 15 January 2026, 2 insights",
        "Friday, 16 January 2026, 0 insights",
    ]
    assert [cell.text() for cell in calendar.css("tr")[1].css("td")] == ["", "", "", "1", "2", "3", "4"]
    assert page(tmp_path, "archive/2025.html").css_first("table a").attributes["href"] == "../digests/2025-12-31.html"
    assert [link.text() for link in page(tmp_path, "archive/2025.html").css(".years a")] == ["2026", "2025"]


def test_an_insights_page_tells_what_other_shows_say(site):
    told = text(site, "insights/c1.html")

    assert "Once thirty-one in a hundred boxes" in told
    assert "Why it was chosen: the highest score of the day, and two shows tell it" in told
    assert "What other shows say The Second Kettle · Wednesday, 14 January 2026 Suppliers saw half-filled" in told
    assert "No other show" in text(site, "insights/c2.html")


def test_an_updates_page_says_so_and_what_is_new(connection, tmp_path):
    connection.execute("update marts.shortlist set news = '28 percent', news_since = $d where is_update", {"d": FULL})
    write_site(connection, tmp_path)

    told = text(tmp_path, "insights/c7.html")
    assert "Update In the digest of Thursday, 15 January 2026 ; new since Wednesday, 14 January 2026:" in told
    assert "28 percent" in told.split("January 2026:")[1][:15]
    assert "Update" not in text(tmp_path, "insights/c8.html")


def test_what_is_merely_close_comes_after_the_theme_the_likest_first_and_leads_on(related):
    others = page(related, "insights/c1.html").css("article.other")

    assert [other.css_first("h3 a").attributes["href"] for other in others] == ["c6.html", "c8.html", "c4.html"]
    assert ["Close to this" in other.text() for other in others] == [False, True, True]
    back = page(related, "insights/c4.html").css("article.other")
    assert [other.css_first("h3 a").attributes["href"] for other in back] == ["c1.html"]


def test_a_claim_that_is_close_to_an_insight_has_its_pages_though_no_digest_told_its_theme(connection, tmp_path):
    append(connection, "marts.claims", [
        {"claim_id": "c9", "episode_id": "e4", "partition_date": FULL, "theme_id": "t9", "headline": "Carpets",
         "insight": "Carpets.", "quote": "Carpets.", "score": 0.5},
    ])  # fmt: skip
    connection.execute(
        "insert into marts.related_claims values ('c1', 'c9', 0.6, false, $d)", {"d": FULL}
    )  # fmt: skip
    write_site(connection, tmp_path)

    assert "Close to this Carpets" in text(tmp_path, "insights/c1.html")
    assert "Close to this Empty containers tell" in text(tmp_path, "insights/c9.html")
    assert not (tmp_path / "themes/t9.html").exists(), "one show alone tells it"
    assert "The whole theme" not in text(tmp_path, "insights/c9.html")


def test_claims_of_a_theme_that_contradict_each_other_stand_side_by_side(related):
    dissents = page(related, "themes/t1.html").css(".dissent")

    assert [" ".join(dissent.css_first("h3").text().split()) for dissent in dissents] == [
        "The numbers differ: turned round",
        "They say the opposite",
    ]
    assert [[link.attributes["href"][-7:] for link in dissent.css(".sides a")] for dissent in dissents] == [
        ["c1.html", "c7.html"],
        ["c6.html", "c7.html"],
    ]
    assert "Differs They say the opposite" in text(related, "insights/c7.html")
    assert "Differs" not in text(related, "insights/c1.html")


def test_a_themes_page_is_a_timeline(site):
    told = text(site, "themes/t1.html")

    assert told.index("Wednesday, 14 January 2026") < told.index("Suppliers saw") < told.index("Thursday, 15 January")
    assert "3 claims of 2 shows, first by Marit Oosterhuis on Harbour Lines on Wednesday" in told


def test_a_theme_of_several_days_has_a_chart_that_says_in_words_what_it_draws(site):
    chart = page(site, "themes/t1.html").css_first("svg")

    assert chart.attributes["aria-label"] == "How often it was told: 2026-01-14 2, 2026-01-15 1"
    assert [(bar.attributes["x"], bar.attributes["height"]) for bar in chart.css("rect")] == [
        ("0.0", "60.0"),
        ("576.0", "30.0"),
    ]


def test_a_shows_page_lists_what_was_told_of_it_newest_first(site):
    told = text(site, "shows/s1.html")

    assert "2 episodes read so far" in told
    assert told.index("Rotterdam's empty-box share") < told.index("Empty containers tell")
    assert "Suppliers saw" not in told


def test_what_another_show_says_comes_best_first_and_each_show_once_before_any_twice(connection, tmp_path):
    for show, scores in {"s3": (1.0,), "s4": (2.5, 2.0)}.items():
        append(connection, "marts.claims", [
            {"claim_id": f"x{show}{score}", "episode_id": f"e{show[1]}", "partition_date": FULL, "theme_id": "t1",
             "headline": f"{show} at {score}", "insight": "Boxes.", "quote": f"{show} counts boxes at {score}.",
                 "score": score}
            for score in scores
        ])  # fmt: skip

    write_site(connection, tmp_path)

    others = [link.text() for link in page(tmp_path, "insights/c1.html").css("article.other h3")]
    assert others == ["Suppliers saw half-filled lorries before the orders fell", "s4 at 2.5", "s3 at 1.0", "s4 at 2.0"]


def test_headings_follow_in_order_and_every_page_has_its_landmarks(site):
    for file in site.rglob("*.html"):
        tree = LexborHTMLParser(file.read_text())
        levels = [int(heading.tag[1]) for heading in tree.css("h1, h2, h3, h4")]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in pairwise(levels)), file.name
        assert tree.css_first("html").attributes["lang"] == "en"
        assert len(tree.css("main")) == len(tree.css("header nav")) == 1
        assert tree.css_first("title").text().strip()
        for name in ("meta[name=description]", "meta[property='og:title']", "meta[property='og:description']"):
            assert tree.css_first(name).attributes["content"].strip()
        address = tree.css_first("meta[property='og:url']").attributes["content"]
        assert address == f"{SITE}/{file.relative_to(site)}" == tree.css_first("[rel=canonical]").attributes["href"]
        ids = [node.attributes["id"] for node in tree.css("[id]")]
        assert len(ids) == len(set(ids))


def test_the_feed_is_valid_and_leads_to_the_pages(site):
    feed = feedparser.parse((site / "feed.xml").read_bytes())

    assert not feed.bozo
    assert [entry.title for entry in feed.entries[:2]] == [
        "Update: Rotterdam's empty-box share is back under 31 percent",
        "Rents follow the baker, not the other way round",
    ]
    assert len(feed.entries) == 7
    assert feed.entries[0].link == f"{SITE}/insights/c7.html"
    assert feed.entries[0].updated == "2026-01-16T00:00:00Z"
    assert len({entry.id for entry in feed.entries}) == 7


def test_writing_again_changes_no_file(connection, site):
    before = contents(site)

    assert write_site(connection, site, SITE) == 0
    assert contents(site) == before


def test_a_day_added_touches_the_pages_that_tell_of_it_and_no_other(connection, tmp_path, site):
    append(connection, "marts.episodes", [
        {"episode_id": "e9", "show_id": "s3", "recording_show_id": "s3",
         "show_title": "Field Notes on Power", "title": "Boxes once more", "partition_date": date(2026, 1, 17),
         "transcript_status": "ok", "word_count": 10},
    ])  # fmt: skip
    append(connection, "marts.claims", [
        {"claim_id": "c9", "episode_id": "e9", "partition_date": date(2026, 1, 17), "theme_id": "t1",
         "headline": "Boxes came back", "insight": "They did.", "quote": "Boxes, again.", "score": 3.0},
    ])  # fmt: skip
    before = contents(site)

    write_site(connection, site, SITE, since=date(2026, 1, 17))

    changed = {path for path, content in contents(site).items() if before.get(path) != content}
    assert changed == {
        "digests/2026-01-17.html", "index.html", "archive.html", "archive/2026.html", "feed.xml", "themes/t1.html",
        "insights/c1.html", "insights/c6.html", "insights/c7.html", "insights/c9.html", "shows/s3.html",
    }  # fmt: skip
    whole = tmp_path / "whole"
    write_site(connection, whole, SITE)
    assert contents(whole) == contents(site)


def test_pages_that_depend_on_no_day_asked_for_are_not_even_looked_at(connection, site):
    untouched = ("insights/c2.html", f"digests/{FULL}.html", "shows/s4.html")
    for path in untouched:
        (site / path).write_text("left alone")

    write_site(connection, site, SITE, since=SHORT)

    assert [(site / path).read_text() for path in untouched] == ["left alone"] * 3
    write_site(connection, site, SITE)
    assert "A bakery closed" in text(site, "insights/c2.html")


def test_a_digest_that_has_no_page_yet_gets_it_with_those_of_its_insights_whatever_day_is_asked_for(connection, site):
    before = contents(site)
    for path in (f"digests/{FULL}.html", "insights/c2.html"):
        (site / path).unlink()

    write_site(connection, site, SITE, since=SHORT)

    assert contents(site) == before


def test_a_digest_that_was_sent_keeps_its_page_whatever_the_tables_say_later(connection, site):
    append(connection, "ops.deliveries", [
        {"digest_date": FULL, "recipient": "ann@example.com", "status": "sent", "channel": "smtp"},
    ])  # fmt: skip
    before = contents(site)
    connection.execute("delete from marts.claims where claim_id = 'c2'")
    connection.execute("update marts.claims set headline = 'Rewritten'")

    write_site(connection, site, SITE)

    after = contents(site)
    assert after[f"digests/{FULL}.html"] == before[f"digests/{FULL}.html"]
    assert after["insights/c2.html"] == before["insights/c2.html"]
    assert b"Rewritten" in after[f"digests/{SHORT}.html"]


def test_a_warehouse_without_a_digest_has_an_index_that_says_so(connection, tmp_path):
    for table in ("marts.episodes", "marts.claims", "marts.themes", "marts.shortlist", "raw.feed_fetches"):
        connection.execute(f"delete from {table}")

    write_site(connection, tmp_path / "site")

    assert "No digest yet" in text(tmp_path / "site", "index.html")
    assert not feedparser.parse((tmp_path / "site" / "feed.xml").read_bytes()).bozo


def test_hostile_text_and_addresses_stay_text(connection, tmp_path):
    attack = "</title></style>\"'><script>alert(1)</script><img src=x onerror=alert(1)>]]>"
    for table, columns in {
        "marts.claims": ("headline", "insight", "speaker"),
        "marts.episodes": ("show_title", "title"),
        "marts.themes": ("label",),
        "marts.shortlist": ("why",),
        "raw.feed_fetches": ("reason",),
    }.items():
        for column in columns:
            connection.execute(f"update {table} set {column} = $attack", {"attack": attack})
    connection.execute("update marts.claims set listen_url = 'javascript:alert(1)', quote = quote || $x", {"x": attack})
    connection.execute("update marts.episodes set episode_url = ' data:text/html,x'")
    site = tmp_path / "site"

    write_site(connection, site, 'javascript:alert("x")')

    for file in site.rglob("*.html"):
        tree = LexborHTMLParser(file.read_text())
        assert tree.css("script:not([src]), img, [onerror]") == []
        assert {script.attributes["src"] for script in tree.css("script")} <= {"search.js", "search-data.js"}
        schemes = {urlsplit(link.attributes["href"]).scheme for link in tree.css("a")}
        assert schemes <= {"", "http", "https"}
    assert not feedparser.parse((site / "feed.xml").read_bytes()).bozo


def test_the_browser_shows_the_style_from_the_file_system_and_asks_nobody_for_anything(site, read):
    reader = read()
    reader.page.goto((site / f"digests/{FULL}.html").as_uri())

    assert reader.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(250, 247, 242)"
    assert reader.problems == []


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("rotterdam EMPTY", ["Rotterdam's empty-box share is back under 31 percent",
                             "Empty containers tell of a slump eight weeks early"]),
        ("tobias feld rents", ["Rents follow the baker, not the other way round"]),
        ("no such thing", []),
    ],
)  # fmt: skip
def test_a_reader_finds_insights_by_typing_their_words_from_the_file_system(site, read, words, found):
    reader = read(width=PHONE)
    reader.page.goto((site / "search.html").as_uri())
    reader.page.get_by_role("searchbox").press_sequentially(words)

    assert reader.page.locator("#found h2").all_text_contents() == found
    assert reader.page.get_by_role("status").text_content().startswith(f"{len(found)} insight")
    assert reader.problems == []


def test_what_is_searched_comes_month_by_month_the_newest_first_and_the_older_ones_when_somebody_searches(
    connection, tmp_path, read
):
    long_ago = [date(2025, 11, 3), date(2025, 12, 30)]
    for number, day in enumerate(long_ago):
        append(connection, "marts.claims", [
            {"claim_id": f"old{number}", "episode_id": "e1", "partition_date": day, "theme_id": f"t{day}",
             "headline": f"Herrings of {day:%B}", "insight": "Herrings swim.", "quote": "They swim.", "score": 3.0},
        ])  # fmt: skip
        append(connection, "marts.shortlist", [
            {"digest_date": day, "rank": 1, "claim_id": f"old{number}", "theme_id": f"t{day}", "is_update": False},
        ])  # fmt: skip
    write_site(connection, tmp_path)
    reader, asked = read(), []
    reader.page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))

    reader.page.goto((tmp_path / "search.html").as_uri())
    assert [name for name in asked if name[0] == "2"] == ["2026-01.js"]
    reader.page.get_by_role("searchbox").press_sequentially("herring")
    reader.page.get_by_text("2 insights found.").wait_for()

    assert reader.page.locator("#found h2").all_text_contents() == ["Herrings of December", "Herrings of November"]
    assert [name for name in asked if name[0] == "2"] == ["2026-01.js", "2025-12.js", "2025-11.js"]
    assert reader.problems == []


def test_hostile_text_stays_text_in_the_search_too(connection, tmp_path, read):
    connection.execute("update marts.claims set headline = '</script><img src=x onerror=document.title=1> rotterdam'")
    write_site(connection, tmp_path / "site")
    page = read().page
    page.goto((tmp_path / "site" / "search.html").as_uri() + "?q=rotterdam")

    assert page.locator("#found h2").count() == 7
    assert page.locator("img").count() == 0
    assert page.title() == "Search · Podcast insights"


@pytest.mark.parametrize("served", [False, True], ids=["from the file system", "under an address with a path"])
def test_every_link_can_be_followed_and_no_page_complains(site, read, served):
    with at(site) if served else nullcontext(site.as_uri()) as home:
        reader = read(home=home)
        unseen, seen = [f"{home}/index.html"], set()
        while unseen:
            address = unseen.pop()
            answer = reader.page.goto(address)
            assert served is False or answer.status == 200, address
            seen.add(address)
            links = reader.page.locator("a").evaluate_all("links => links.map(link => link.href.split('#')[0])")
            pages = {link for link in links if link.startswith(home) and link.endswith(".html")}
            unseen += pages - seen - set(unseen)

        assert seen == {f"{home}/{file.relative_to(site)}" for file in site.rglob("*.html")}
        assert reader.problems == []


def test_a_reader_with_a_keyboard_alone_gets_from_today_to_an_insight_its_theme_and_back(site, read):
    page = read().page
    page.goto((site / "index.html").as_uri())
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"

    headings = []
    for name in ("Thursday, 15 January 2026", "Rotterdam's empty-box", "The whole theme", "Today"):
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.textContent").startswith(name):
                break
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        with page.expect_navigation():
            page.keyboard.press("Enter")
        headings.append(page.get_by_role("heading", level=1).text_content())

    assert headings == [
        "Thursday, 15 January 2026",
        "Rotterdam's empty-box share is back under 31 percent",
        "Empty containers as an early sign",
        "Friday, 16 January 2026",
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_axe_finds_nothing_serious_on_any_kind_of_page(related, read, kind):
    for width in (PHONE, DESKTOP):
        for dark in (False, True):
            page = read(width=width, dark=dark).page
            page.goto((related / kind).as_uri() + ("?q=rotterdam" if kind == "search.html" else ""))

            assert violations(page) == [], f"{width} pixels wide, dark: {dark}"


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_runs_out_of_a_phones_screen(connection, related, read, kind):
    connection.execute("update marts.claims set headline = headline || repeat('w', 200) where claim_id = 'c1'")
    write_site(connection, related, SITE)
    page = read(width=PHONE).page
    page.goto((related / kind).as_uri())

    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE


def test_pages_are_dark_where_the_reader_wants_it(site, read):
    page = read(dark=True).page
    page.goto((site / "index.html").as_uri())

    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 18, 15)"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(239, 233, 223)"


def test_on_paper_there_is_what_was_said_and_no_navigation(site, read):
    page = read().page
    page.goto((site / f"digests/{FULL}.html").as_uri())
    page.emulate_media(media="print")

    assert not page.get_by_role("navigation", name="Pages").is_visible()
    assert page.get_by_text("Once thirty-one in a hundred boxes").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder under /some/prefix/ and nothing outside of it."""

    def translate_path(self, path: str) -> str:
        return super().translate_path(path.removeprefix("/some/prefix")) if path.startswith("/some/prefix/") else ""

    def log_message(self, *parts) -> None:
        pass


@contextmanager
def at(folder: Path) -> Iterator[str]:
    """The address under which a folder is served meanwhile."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/some/prefix"
        server.shutdown()


def test_an_insight_is_shown_where_it_was_said_and_played_from_its_second(site):
    page = LexborHTMLParser((site / "insights/c1.html").read_text())
    player = page.css_first("audio")
    assert player.attributes["src"] == "https://cdn.example/e1.mp3#t=754"
    assert player.attributes["preload"] == "none"
    assert "media-src http: https:;" in (site / "insights/c1.html").read_text()
    place = page.css_first("details.place")
    assert place.css_first("mark").text() == (
        "Once thirty-one in a hundred boxes leave empty, I ring my brother and tell him to stop ordering."
    )
    assert "Every night, the empty ones by themselves." in place.text()


def test_where_a_recording_has_no_second_or_no_address_for_all_nothing_is_played(connection, tmp_path):
    secret = "https://cdn.example/e2.mp3?token=abc#t=1312"
    connection.execute("update marts.claims set listen_url = $1 where claim_id = 'c2'", [secret])
    write_site(connection, tmp_path / "site")
    for claim in ("c2", "c4"):
        page = (tmp_path / f"site/insights/{claim}.html").read_text()
        assert "<audio" not in page
        assert "media-src" not in page
