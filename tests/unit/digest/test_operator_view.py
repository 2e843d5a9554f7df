"""The Digest view tells how a day went, hands out the day's files and nothing else, and lets nobody's text act."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import duckdb
import pytest
from browser import DESKTOP, PHONE, violations
from fastapi import HTTPException
from fastapi.testclient import TestClient
from invented_days import EMPTY, FULL, SHORT
from selectolax.lexbor import LexborHTMLParser

from include.pages.operator_view import operator_view
from include.pages.site import write_site
from include.settings import settings
from include.warehouse.database import append
from include.warehouse.publication import publish


@pytest.fixture
def data(tmp_path: Path, monkeypatch) -> Iterator[Path]:
    """A data directory without anything in it, of which the settings know."""
    monkeypatch.setenv("PODCAST_DATA_DIR", str(tmp_path / "data"))
    settings.cache_clear()
    yield tmp_path / "data"
    settings.cache_clear()


@pytest.fixture
def published(data: Path, warehouse_file: Path, warehouse) -> Path:
    with warehouse() as connection:
        append(connection, "ops.deliveries", [
            {"digest_date": FULL, "recipient": "ann@example.com", "status": "failed", "channel": "smtp",
             "error": "550 no such mailbox"},
        ])  # fmt: skip
        write_site(connection, data / "site")
    publish(warehouse_file, settings().published)
    for file in ("data_docs/index.html", "data_docs/static/fonts/a.otf", "dbt_docs/index.html", "secret.html"):
        (data / file).parent.mkdir(parents=True, exist_ok=True)
        (data / file).write_text(f"this is {file}")
    return data


@pytest.fixture
def client() -> TestClient:
    return TestClient(operator_view(lambda: None))


def table(page: str, name: str) -> list[list[str]]:
    rows = LexborHTMLParser(page).css(f"[aria-label='{name}'] tbody tr")
    return [[" ".join(cell.text().split()) for cell in row.css("th, td")] for row in rows]


def test_nobody_sees_anything_whom_airflow_does_not_let_in(published):
    def refuse() -> None:
        raise HTTPException(403, "Forbidden")

    refused = TestClient(operator_view(refuse))

    for path in ("/", "/style.css", "/site/index.html", "/data-docs/index.html", "/dbt-docs/index.html"):
        assert refused.get(path).status_code == 403


def test_before_the_first_digest_it_says_what_to_do(data, client):
    answer = client.get("/")

    assert answer.status_code == 200
    assert "Nothing is published yet" in answer.text
    assert "trigger or backfill" in answer.text


def test_it_opens_on_the_newest_day_and_leads_to_the_others(published, client):
    newest = client.get("/").text
    assert "<h1>Friday, 16 January 2026</h1>" in newest
    assert "No new episode could be read on this day" in newest
    assert f'href="?day={SHORT}"' in newest
    assert "<h1>Thursday, 15 January 2026</h1>" in client.get(f"/?day={SHORT}").text


def test_a_day_is_told_from_its_sources_to_its_deliveries(published, client):
    page = client.get(f"/?day={FULL}").text

    five = table(page, "The five")
    assert [row[0] for row in five] == ["1", "2", "3", "4", "5"]
    assert five[0][1:4] == [
        "Empty containers tell of a slump eight weeks early", "Harbour Lines", "Marit Oosterhuis",
    ]  # fmt: skip
    assert table(page, "Sources")[0][:2] == ["gone.example", "failed"]
    assert table(page, "Sources")[0][-1] == "the server answered 404"
    assert table(page, "Episodes and transcripts")[0][1:3] == ["A bonus without a transcript", "none"]
    assert ["skipped budget", "2", "1"] in table(page, "Claims that were dropped")
    assert table(page, "Rows that were set aside") == [["episodes", "title", "1", "the title is empty"]]
    assert table(page, "Deliveries")[0] == ["a***@example.com", "failed", "smtp", "", "550 no such mailbox"]
    assert "$0.04<small>today $0.00 of $5.00</small>" in page


def test_a_feed_that_has_failed_for_a_week_is_named_before_all_else(published, client):
    with duckdb.connect(str(settings().published)) as copy:
        copy.execute(
            "update ops.feed_status set failing_since = date '2026-01-07', failing_days = 8 where status = 'failed'"
        )

    page = client.get(f"/?day={FULL}").text

    assert "1 feed failing for 7 days or more" in page
    assert "gone.example: since 7 January 2026 (8 days); the server answered 404" in page
    assert "failing for 7 days" not in client.get(f"/?day={SHORT}").text


def test_what_was_spent_today_is_set_against_the_caps(published, warehouse_file, warehouse, client):
    with warehouse() as connection:
        connection.execute("update raw.llm_calls set called_at = now()::timestamp where call_key = 'k4'")
    publish(warehouse_file, settings().published)

    assert "$0.04<small>today $0.50 of $5.00</small>" in client.get(f"/?day={FULL}").text


def test_the_pages_lead_back_to_the_overview(published, client):
    (published / "data_docs/index.html").write_text("<html><body\n  class='x'><p>checks</p></body></html>")
    for path in ("/site/index.html", f"/site/digests/{FULL}.html", "/data-docs/index.html"):
        link = LexborHTMLParser(client.get(path).text).css_first("body > .back a").attributes["href"]
        assert client.get(urljoin(path, link)).text.count("<h1>Friday, 16 January 2026</h1>") == 1


@pytest.mark.parametrize(("day", "status", "said"), [
    ("2026-01-17", 200, "that day has not been run"), ("yesterday", 400, "YYYY-MM-DD"),
    ("2026-13-01", 400, "YYYY-MM-DD"),
])  # fmt: skip
def test_a_day_that_is_none_gets_an_answer(published, client, day, status, said):
    answer = client.get("/", params={"day": day})

    assert answer.status_code == status
    assert said in answer.text


def test_it_hands_out_the_pages_and_documents_each_under_the_strictest_policy_that_works(published, client):
    policies = {
        path: client.get(path).headers["Content-Security-Policy"]
        for path in ("/", "/site/", "/site/search.html", "/data-docs/static/fonts/a.otf", "/dbt-docs/")
    }

    assert all(policy.startswith(("default-src 'none'", "sandbox")) for policy in policies.values())
    assert [path for path, policy in policies.items() if "script" in policy] == ["/site/search.html", "/dbt-docs/"]
    assert policies["/site/search.html"].endswith("script-src 'self'")
    (published / "site/insights").mkdir(exist_ok=True)
    (published / "site/insights/c1.html").write_text("<body>")
    insight = client.get("/site/insights/c1.html").headers["Content-Security-Policy"]
    assert insight == f"{policies['/site/']}; media-src http: https:"
    assert policies["/dbt-docs/"].startswith("sandbox allow-scripts; default-src 'none'")
    assert "allow-same-origin" not in policies["/dbt-docs/"]
    assert client.get("/site/feed.xml").headers["Content-Type"].startswith("application/atom+xml")
    assert client.get("/dbt-docs/").text == "this is dbt_docs/index.html"


OUTSIDE = [
    "/site/../secret.html", "/site/%2e%2e/secret.html", "/site/..%2fsecret.html", "/site/%2e%2e%2fsecret.html",
    "/site//etc/hostname", "/site/link.html", "/site/digests", "/site/nul%00.html", "/site/.index.html.partial",
    "/data-docs/../published/podcasts.duckdb", "/site/" + "a" * 5000, "/../include/settings.py", "/mail.mjml",
]  # fmt: skip


def test_no_path_leads_out_of_the_folders(published, client):
    (published / "site/link.html").symlink_to(published / "secret.html")
    (published / "site/.index.html.partial").write_text("half a page")

    assert {path: client.get(path).status_code for path in OUTSIDE} == dict.fromkeys(OUTSIDE, 404)


def test_hostile_text_stays_text(published, warehouse_file, warehouse, client):
    attack = "<script>alert(1)</script><img src=x onerror=alert(1)>'\""
    with warehouse() as connection:
        for table_name, columns in {
            "marts.claims": ("headline", "speaker"),
            "marts.episodes": ("show_title", "title", "transcript_source"),
            "raw.feed_fetches": ("show_title", "reason", "status"),
            "ops.dropped_claims": ("reason",),
            "ops.rejected_rows": ("door", "rule", "reason"),
            "ops.deliveries": ("error", "channel"),
        }.items():
            for column in columns:
                connection.execute(f"update {table_name} set {column} = $attack", {"attack": attack})
        connection.execute("update marts.claims set listen_url = 'javascript:alert(1)'")
    publish(warehouse_file, settings().published)

    tree = LexborHTMLParser(client.get(f"/?day={FULL}").text)

    assert tree.css("script, img, [onerror]") == []
    assert not [link for link in tree.css("a") if link.attributes["href"].startswith("javascript")]


def test_it_never_opens_the_warehouse(published, client, warehouse):
    with warehouse():
        assert client.get(f"/?day={FULL}").status_code == 200
    assert not (published / "warehouse.duckdb").exists()


@pytest.mark.parametrize("day", [FULL, EMPTY])
def test_axe_finds_nothing_serious_in_the_view_and_it_fits_a_phone(published, client, read, tmp_path, day):
    for name in ("style", "overview"):
        (tmp_path / f"{name}.css").write_text(client.get(f"/{name}.css").text)
    (tmp_path / "view.html").write_text(client.get(f"/?day={day}").text)
    for width, dark in ((PHONE, True), (DESKTOP, False)):
        page = read(width=width, dark=dark).page
        page.goto((tmp_path / "view.html").as_uri())

        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
