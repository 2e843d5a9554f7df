"""What is for one's own eyes in the address of a feed or a recording is shown to nobody."""

import pytest
from fastapi.testclient import TestClient
from invented_days import FULL

from include.delivery.headers import on_the_wire
from include.delivery.mail import compose, html_part, text_part
from include.digest.reading import read_digest
from include.digest.recipients import Recipient
from include.pages.operator_view import operator_view
from include.pages.site import write_site
from include.pipeline import alerts
from include.settings import settings
from include.warehouse.database import append
from include.warehouse.publication import publish
from tests.chain import environment

TOKEN = "7f3acafe5ecre7"


@pytest.fixture
def members(connection):
    """Two feeds for members that could not be read, and a show for members that was."""
    append(connection, "raw.feed_fetches", [
        {"feed_url": url, "partition_date": FULL, "status": "failed", "reason": f"{url} answered 503"}
        for url in (f"https://members.quay.example/rss?auth={TOKEN}", f"https://ann:{TOKEN}@friends.quay.example/rss")
    ])  # fmt: skip
    connection.execute(
        "update marts.claims set listen_url = $u, theme_id = 't1' where episode_id in ('e1', 'e2')",
        {"u": f"https://cdn.example/e1.mp3?token={TOKEN}#t=754"},
    )
    connection.execute(
        "update marts.episodes set episode_url = $u, title = title || ' ' || $u where episode_id = 'e3'",
        {"u": f"https://pods.example/e3?key={TOKEN}"},
    )
    return connection


def test_no_mail_and_no_page_holds_a_token_and_a_show_without_a_title_is_named_by_its_host(
    members, warehouse_file, tmp_path
):
    message = compose(read_digest(members, FULL), Recipient("ann@example.com"), "insights@example.com")
    write_site(members, tmp_path / "site")
    members.close()

    told = [text_part(message), html_part(message), on_the_wire(message).decode()]
    told += [file.read_text() for file in (tmp_path / "site").rglob("*") if file.is_file()]
    with environment(tmp_path):
        publish(warehouse_file, settings().published)
        told.append(TestClient(operator_view(lambda: None)).get(f"/?day={FULL}").text)
        alerts.report("feeds", "A feed failed", f"https://ann:{TOKEN}@friends.quay.example/rss: 503")
        told.append((tmp_path / "alerts" / "feeds.txt").read_text())

    assert [text for text in told if TOKEN in text] == []
    said = " ".join(text_part(message).split())
    assert "* members.quay.example (https://members.quay.example/rss?auth=*** answered 503)" in said
    assert "* friends.quay.example (" in said


def test_a_recording_for_members_leads_to_the_page_of_its_episode_or_nowhere(members):
    first = read_digest(members, FULL).insights[0]
    assert first.listen_url == first.episode_url == "https://pods.example/s1/e1"
    assert "Open the episode: https://pods.example/s1/e1" in text_part(
        compose(read_digest(members, FULL), Recipient("ann@example.com"), "insights@example.com")
    )

    members.execute(
        "update marts.episodes set episode_url = $u where episode_id = 'e1'", {"u": f"https://x.example/?sig={TOKEN}"}
    )

    assert read_digest(members, FULL).insights[0].listen_url is None


def test_recipients_may_have_it_where_the_settings_say_so(members, tmp_path):
    with environment(tmp_path, PODCAST_SHARE_PRIVATE_LINKS="on"):
        assert read_digest(members, FULL).insights[0].listen_url == f"https://cdn.example/e1.mp3?token={TOKEN}#t=754"


def test_an_address_whose_secret_was_taken_off_leads_nowhere(members):
    members.execute("update marts.claims set listen_url = 'https://cdn.example/e1.mp3?token=***#t=754'")

    first = read_digest(members, FULL).insights[0]

    assert first.listen_url == first.episode_url
