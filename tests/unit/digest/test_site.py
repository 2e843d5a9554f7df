"""The pages stand on their own: every link leads somewhere, nothing comes from outside, nothing sent is lost."""

import json
from datetime import date
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import feedparser
import pytest
from invented_days import EMPTY, FULL, SHORT
from selectolax.lexbor import LexborHTMLParser

from include.site import write_site
from include.warehouse import append

SITE = "https://pods.example/site"


@pytest.fixture
def site(connection, tmp_path: Path) -> Path:
    folder = tmp_path / "site"
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
    assert {f"themes/t{number}.html" for number in range(1, 7)} <= found


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
        loaded = [node.attributes.get("src") for node in tree.css("[src]")]
        loaded += [node.attributes["href"] for node in tree.css("link[rel=stylesheet], link[rel=icon]")]
        assert all(not urlsplit(address or "").netloc for address in loaded)
    assert "url(" not in (site / "style.css").read_text()
    assert "@import" not in (site / "style.css").read_text()


def test_today_is_the_newest_digest_and_the_archive_names_all(site):
    today = text(site, "index.html")

    assert "Friday, 16 January 2026" in page(site, "index.html").css_first("h1").text()
    assert "Empty containers tell of a slump eight weeks early and 4 more" in today
    assert "Friday, 16 January 2026 no insights" in today


def test_an_insights_page_tells_what_other_shows_say(site):
    told = text(site, "insights/c1.html")

    assert "Once thirty-one in a hundred boxes" in told
    assert "What other shows say Suppliers saw half-filled lorries" in told
    assert "No other show" in text(site, "insights/c2.html")


def test_a_themes_page_is_a_timeline(site):
    told = text(site, "themes/t1.html")

    assert told.index("Wednesday, 14 January 2026") < told.index("Suppliers saw") < told.index("Thursday, 15 January")
    assert "3 claims of 2 shows, first by Harbour Lines" in told


def test_a_theme_of_several_days_has_a_chart_that_says_in_words_what_it_draws(site):
    chart = page(site, "themes/t1.html").css_first("svg")

    assert chart.attributes["aria-label"] == "How often it was told: 2026-01-14 2, 2026-01-15 1"
    assert [(bar.attributes["x"], bar.attributes["height"]) for bar in chart.css("rect")] == [
        ("0.0", "60.0"),
        ("588.0", "30.0"),
    ]
    assert page(site, "themes/t2.html").css_first("svg") is None


def test_a_shows_page_lists_what_was_told_of_it_newest_first(site):
    told = text(site, "shows/s1.html")

    assert "2 episodes read so far" in told
    assert told.index("Rotterdam's empty-box share") < told.index("Empty containers tell")
    assert "Suppliers saw" not in told


def test_what_another_show_says_comes_best_first_and_each_show_once_before_any_twice(connection, tmp_path):
    for show, scores in {"s3": (1.0,), "s4": (2.5, 2.0)}.items():
        append(connection, "marts.claims", [
            {"claim_id": f"x{show}{score}", "episode_id": f"e{show[1]}", "partition_date": FULL, "theme_id": "t1",
             "headline": f"{show} at {score}", "insight": "Boxes.", "quote": "Boxes.", "score": score}
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
        assert len(tree.css("main")) == len(tree.css("nav")) == 1
        assert tree.css_first("title").text().strip()
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
        {"episode_id": "e9", "show_id": "s3", "show_title": "Field Notes on Power", "title": "Boxes once more",
         "partition_date": date(2026, 1, 17), "transcript_status": "ok", "word_count": 10},
    ])  # fmt: skip
    append(connection, "marts.claims", [
        {"claim_id": "c9", "episode_id": "e9", "partition_date": date(2026, 1, 17), "theme_id": "t1",
         "headline": "Boxes came back", "insight": "They did.", "quote": "Boxes, again.", "score": 3.0},
    ])  # fmt: skip
    before = contents(site)

    write_site(connection, site, SITE, since=date(2026, 1, 17))

    changed = {path for path, content in contents(site).items() if before.get(path) != content}
    assert changed == {
        "digests/2026-01-17.html", "index.html", "feed.xml", "themes/t1.html",
        "insights/c1.html", "insights/c6.html", "insights/c7.html", "insights/c9.html", "shows/s3.html",
    }  # fmt: skip
    whole = tmp_path / "whole"
    write_site(connection, whole, SITE)
    assert contents(whole) == contents(site)


def test_pages_that_depend_on_no_day_asked_for_are_not_even_looked_at(connection, site):
    untouched = ("themes/t2.html", "insights/c2.html", f"digests/{FULL}.html", "shows/s4.html")
    for path in untouched:
        (site / path).write_text("left alone")

    write_site(connection, site, SITE, since=SHORT)

    assert [(site / path).read_text() for path in untouched] == ["left alone"] * 4
    write_site(connection, site, SITE)
    assert "A bakery closed" in text(site, "themes/t2.html")


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
    for table in ("marts.episodes", "marts.claims", "marts.themes", "marts.top_insights", "raw.feed_fetches"):
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
        "marts.top_insights": ("why",),
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


def test_the_browser_shows_the_style_from_the_file_system_and_asks_nobody_for_anything(site, browser):
    browser.look(1100)
    browser.open((site / f"digests/{FULL}.html").as_uri())

    assert browser.run("getComputedStyle(document.body).backgroundColor") == "rgb(243, 240, 234)"
    assert browser.problems == []


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("rotterdam EMPTY", ["Rotterdam's empty-box share is back under 31 percent",
                             "Empty containers tell of a slump eight weeks early"]),
        ("tobias feld rents", ["Rents follow the baker, not the other way round"]),
        ("no such thing", []),
    ],
)  # fmt: skip
def test_the_browser_finds_insights_by_their_words_from_the_file_system(site, browser, words, found):
    browser.look(390)
    browser.open((site / "search.html").as_uri())
    browser.run(f"field.value = {json.dumps(words)}; field.dispatchEvent(new Event('input'))")

    assert browser.run("[...document.querySelectorAll('#found h2')].map((h) => h.textContent)") == found
    assert browser.run("count.textContent").startswith(f"{len(found)} insight")
    assert browser.problems == []


def test_hostile_text_stays_text_in_the_search_too(connection, tmp_path, browser):
    connection.execute("update marts.claims set headline = '</script><img src=x onerror=document.title=1> rotterdam'")
    write_site(connection, tmp_path / "site")
    browser.open((tmp_path / "site" / "search.html").as_uri() + "?q=rotterdam")

    assert browser.run("document.querySelectorAll('#found h2').length") == 7
    assert browser.run("document.querySelectorAll('img').length") == 0
    assert browser.run("document.title") == "Search · Podcast insights"


def test_the_browser_follows_links_from_today_to_a_digest_an_insight_its_theme_and_back(site, browser):
    browser.look(1100)
    browser.open((site / "index.html").as_uri())
    headings = []
    for link in (f".archive a[href*='{FULL}']", "article h2 a", ".turn a", "nav a"):
        browser.click(link)
        headings.append(browser.run("document.querySelector('h1').textContent"))

    assert headings == [
        "Wednesday, 14 January 2026",
        "Empty containers tell of a slump eight weeks early",
        "Empty containers as an early sign",
        "Friday, 16 January 2026",
    ]


@pytest.mark.parametrize(
    "path", ["index.html", f"digests/{FULL}.html", "insights/c1.html", "themes/t1.html", "shows/s1.html"]
)
def test_nothing_runs_out_of_a_phones_screen(connection, site, browser, path):
    connection.execute("update marts.claims set headline = headline || repeat('w', 200) where claim_id = 'c1'")
    write_site(connection, site, SITE)
    browser.look(390)
    browser.open((site / path).as_uri())

    assert browser.run("document.documentElement.scrollWidth") <= 390


def test_pages_are_dark_where_the_reader_wants_it(site, browser):
    browser.look(390, dark=True)
    browser.open((site / "index.html").as_uri())

    assert browser.run("getComputedStyle(document.body).backgroundColor") == "rgb(20, 18, 15)"
    assert browser.run("getComputedStyle(document.body).color") == "rgb(239, 233, 223)"
