"""The mail says all that the digest holds, in both parts, and nothing in the data can break out of its place."""

import hmac
import os
import re
import subprocess
import sys
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from invented_days import EMPTY, FULL, SHORT
from selectolax.lexbor import LexborHTMLParser

from include.delivery.headers import on_the_wire
from include.delivery.mail import OneClick, compose, html_part, main, message_id, subject, text_part
from include.digest.reading import read_digest
from include.digest.recipients import Recipient
from include.warehouse.database import append, open_warehouse

SENDER = "Podcast Insights <insights@example.com>"
SITE = "https://pods.example/site"


def mail(connection, day=FULL, site=SITE, recipient="reader@example.com"):
    return compose(read_digest(connection, day), Recipient(recipient), SENDER, site)


def visible(html: str) -> str:
    tree = LexborHTMLParser(html)
    tree.strip_tags(["style", "script", "title"])
    return " ".join(tree.body.text(separator=" ").split())


def test_both_parts_say_headline_insight_quote_speaker_show_and_time(connection):
    message = mail(connection)

    for part in (" ".join(text_part(message).split()), visible(html_part(message))):
        for said in (
            "Empty containers tell of a slump eight weeks early",
            "retail orders fall about eight weeks later",
            "“Once thirty-one in a hundred boxes leave empty",
            "Marit Oosterhuis",
            "Harbour Lines",
            "What a port knows before the market does",
            "12:34",
            "Suppliers saw half-filled lorries before the orders fell",
            "The Second Kettle",
        ):
            assert said in part


def test_both_parts_end_with_what_was_read_what_failed_who_made_it_and_the_cost(connection):
    message = mail(connection)

    for part in (" ".join(text_part(message).split()), visible(html_part(message))):
        for said in (
            "4 episodes of 4 shows, 3 h 54 min of talk",
            "the server answered 404",
            "the publisher offers no transcript",
            "openai:gpt-x",
            "$0.04",
            "Unsubscribe",
        ):
            assert said in part


def test_insights_link_to_their_pages_and_to_the_second(connection):
    links = [link.attributes.get("href") for link in LexborHTMLParser(html_part(mail(connection))).css("a")]

    assert f"{SITE}/insights/c1.html" in links
    assert f"{SITE}/digests/2026-01-14.html" in links
    assert "https://cdn.example/e1.mp3#t=754" in links


def test_without_a_site_insights_link_to_the_recording(connection):
    message = mail(connection, site="")

    assert "https://cdn.example/e1.mp3#t=754" in html_part(message)
    assert "insights/c1.html" not in message.as_string()
    assert 'href=""' not in html_part(message)


def test_an_update_is_marked_and_says_what_is_new(connection):
    message = mail(connection, SHORT)

    for part in (text_part(message), visible(html_part(message))):
        assert "New since 14 January" in part
        assert ": 28 percent." in part
    assert "1. UPDATE: Rotterdam" in text_part(message)
    assert "Harbour Lines UPDATE 1. Rotterdam" in visible(html_part(message))
    assert f'href="{SITE}/digests/2026-01-14.html"' in html_part(message)
    assert "2. Rents follow" in text_part(message)


def test_a_day_with_nothing_says_so_in_one_line(connection):
    message = mail(connection, EMPTY)

    assert message["Subject"] == "Nothing worth your time on 16 January"
    assert "there are no insights" in text_part(message)
    assert "there are no insights" in visible(html_part(message))


def test_offline_insights_are_said_to_be_quotations(connection):
    assert "own words" not in text_part(mail(connection))
    connection.execute("update marts.claims set extractor = 'offline'")

    assert "the speakers’ own words" in " ".join(text_part(mail(connection)).split())
    assert "the speakers’ own words" in visible(html_part(mail(connection)))


def test_the_subject_is_the_best_headline_and_is_kept_short(connection):
    assert subject(read_digest(connection, FULL)) == "Empty containers tell of a slump eight weeks early + 4 more"
    connection.execute("update marts.claims set headline = repeat('very long ', 40) where claim_id = 'c1'")

    long = subject(read_digest(connection, FULL))

    assert len(long) <= 72
    assert re.fullmatch(r"(very long )+very(…| long…) \+ 4 more", long)


def test_the_same_digest_gives_the_same_mail(connection):
    assert mail(connection).as_bytes() == mail(connection).as_bytes()


def test_the_message_id_follows_from_day_and_recipient(connection):
    assert mail(connection)["Message-ID"] == message_id(FULL, "Reader@example.com", SENDER)
    others = {message_id(day, recipient, SENDER) for day in (FULL, SHORT) for recipient in ("a@x.org", "b@x.org")}
    assert len(others) == 4


def test_what_was_sent_can_be_read_back_from_its_bytes(connection):
    sent = compose(
        read_digest(connection, FULL),
        Recipient("reader@example.com", name="Ann Ré"),
        SENDER,
        SITE,
    )
    raw = on_the_wire(sent)
    back = message_from_bytes(raw, policy=policy.default)

    assert raw.isascii()
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert back["To"].addresses[0].display_name == "Ann Ré"
    assert [part.get_content_type() for part in back.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    assert "“Once thirty-one" in back.get_body(("plain",)).get_content()
    assert back["List-Unsubscribe"] == "<mailto:insights@example.com?subject=unsubscribe>"


def test_with_a_service_that_takes_it_one_click_unsubscribes_by_a_signed_address_of_ones_own(connection):
    one_click = OneClick("https://lists.example/leave?list=5", "secret")
    mails = [
        compose(read_digest(connection, FULL), Recipient(address), SENDER, SITE, one_click)
        for address in ("ann+x@example.com", "bo@example.com")
    ]

    ours, other = (re.fullmatch(r"<(https://\S+)>, <mailto:\S+>", mail["List-Unsubscribe"])[1] for mail in mails)
    assert mails[0]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert ours.startswith("https://lists.example/leave?list=5&recipient=ann%2Bx%40example.com&token=")
    assert ours[-64:] != other[-64:]
    assert ours[-64:] == hmac.digest(b"secret", b"ann+x@example.com", "sha256").hex()
    assert ours in [link.attributes["href"] for link in LexborHTMLParser(html_part(mails[0])).css("a")]
    assert "List-Unsubscribe-Post" not in mail(connection)


@pytest.mark.parametrize(
    ("url", "secret"),
    [("http://lists.example/", "s"), ("lists.example", "s"), ("https://a.b/", ""), ("https://größe.example/", "s")],
)
def test_a_service_that_cannot_be_trusted_with_one_click_is_an_error(url, secret):
    with pytest.raises(ValueError, match="PODCAST_UNSUBSCRIBE_URL"):
        OneClick(url, secret)


def header(raw: bytes, name: str) -> str:
    """A header as it stands on the wire, its lines put together again."""
    head = raw.partition(b"\r\n\r\n")[0].decode().replace("\r\n ", " ")
    return re.search(rf"(?m)^{name}: ([^\r\n]*)", head)[1]


LONG = "podcast-insights-daily@mail.department.faculty.university.example"


def test_on_the_wire_no_address_is_encoded_or_broken(connection):
    one_click = OneClick("https://letters.quay.example/podcast-insights/readers/unsubscribe", "s")
    reader = Recipient(f"{'r' * 60}@mail.department.faculty.university.example", name="Ann Ré, of the Quay")
    message = compose(read_digest(connection, FULL), reader, f"Podcast Insights <{LONG}>", SITE, one_click)

    raw = on_the_wire(message)

    assert (
        header(raw, "List-Unsubscribe") == f"<{one_click.address(reader.address)}>, <mailto:{LONG}?subject=unsubscribe>"
    )
    assert header(raw, "List-ID") == f"Podcast insights <podcast-insights.{LONG.partition('@')[2]}>"
    assert header(raw, "From") == f"Podcast Insights <{LONG}>"
    assert header(raw, "To").endswith(f" <{reader.address}>")
    assert header(raw, "Message-ID") == message_id(FULL, reader.address, LONG)
    assert raw.isascii()
    assert message_from_bytes(raw, policy=policy.default)["To"].addresses[0].display_name == "Ann Ré, of the Quay"


def test_an_international_domain_is_written_as_mail_servers_know_it(connection):
    digest = read_digest(connection, FULL)
    raw = on_the_wire(compose(digest, Recipient("ann@müller.example"), "Neuigkeiten <neu@größe.example>"))

    assert header(raw, "To") == "ann@xn--mller-kva.example"
    assert header(raw, "From") == "Neuigkeiten <neu@xn--gre-6ka8i.example>"
    assert header(raw, "List-Unsubscribe") == "<mailto:neu@xn--gre-6ka8i.example?subject=unsubscribe>"
    assert header(raw, "Message-ID").endswith("@xn--gre-6ka8i.example>")
    assert raw.isascii()


def test_an_address_with_letters_beyond_ascii_stands_as_it_is(connection):
    raw = on_the_wire(compose(read_digest(connection, FULL), Recipient("jürgen@example.com"), SENDER))

    assert header(raw, "To") == "jürgen@example.com"


def test_a_quoted_name_before_the_at_stays_quoted_as_it_is(connection):
    raw = on_the_wire(compose(read_digest(connection, FULL), Recipient('"ann smith"@example.com'), SENDER))

    assert header(raw, "To") == '"ann smith"@example.com'


def test_however_much_failed_the_html_part_stays_small_and_ends_with_cost_and_a_way_to_leave(connection):
    append(connection, "raw.feed_fetches", [
        {"feed_url": f"https://pods{number}.example/feed.xml", "partition_date": FULL, "status": "failed",
         "reason": f"the server of the {number}th show answered {'<&> ' * 30}"}
        for number in range(990)
    ])  # fmt: skip

    message = mail(connection)

    assert len(html_part(message).encode()) < 100_000
    for part in (" ".join(text_part(message).split()), visible(html_part(message))):
        assert part.count("th show answered") >= 9
        assert "and 977 more" in part
        assert "1 claim not rated" in part, "what there is much of does not push out the rest"
        assert re.search(r"Cost: \$0\.04.* Unsubscribe", part)


def test_insights_that_fill_the_mail_leave_room_for_cost_and_a_way_to_leave(connection):
    connection.execute("update marts.claims set insight = repeat('长 ', 900), quote = repeat('话 ', 900) || claim_id")
    connection.execute("update marts.claims set listen_url = 'https://cdn.example/' || repeat('x', 1900)")
    connection.execute("update marts.claims set theme_id = 't1', headline = repeat('题 ', 140)")
    for number in range(40):
        connection.execute(
            "insert into raw.feed_fetches (feed_url, partition_date, status, reason) values ($f, $d, 'failed', $r)",
            {"f": f"https://{number}.example/", "d": FULL, "r": '"' * 300},
        )

    message = mail(connection)

    assert 50_000 < len(html_part(message).encode()) < 100_000
    assert "Unsubscribe" in visible(html_part(message))


def test_what_was_made_up_is_said_by_the_day_that_made_it_up_and_by_its_own(connection):
    connection.execute(
        "update raw.feed_fetches set made_up_on = $late where partition_date = $day and show_title = 'Harbour Lines'",
        {"late": SHORT, "day": FULL},
    )

    for day, said in (
        (SHORT, "Made up: 1 feed of 14 January, which could not be read then, with 1 new episode."),
        (FULL, "Read late, on 15 January: 1 feed, with 1 new episode."),
    ):
        message = mail(connection, day)
        for part in (" ".join(text_part(message).split()), visible(html_part(message))):
            assert f"feeds checked. {said}" in part


def test_episodes_in_a_language_that_nothing_here_reads_are_said_to_be_unread(connection):
    append(connection, "ops.dropped_claims", [
        {"episode_id": episode, "partition_date": FULL, "quote": "", "reason": "language", "detail": "Spanish"}
        for episode in ("e1", "e2")
    ])  # fmt: skip

    message = mail(connection)

    for part in (" ".join(text_part(message).split()), visible(html_part(message))):
        assert "2 episodes of 2 shows" in part
        assert (
            "2 episodes in Spanish (not read, as the bundled model reads English alone; a chat model reads it)" in part
        )


def test_hostile_text_stays_text(connection):
    attack = (
        "<script>alert(1)</script>\r\nBcc: victim@example.com\r\n\r\n"
        "{{ 7*7 }} </blockquote><img src=x onerror=alert(1)>"
    )
    connection.execute(
        "update marts.claims set headline = $x, insight = $x, quote = $x || 'q', speaker = $x, listen_url = $u",
        {"x": attack, "u": "javascript:alert(1)"},
    )
    connection.execute(
        "update marts.episodes set show_title = $x, title = $x, episode_url = $u", {"x": attack, "u": "javascript:x"}
    )
    connection.execute("update marts.shortlist set why = $x", {"x": attack})

    message = mail(connection, site="")
    tree = LexborHTMLParser(html_part(message))

    assert "\n" not in message["Subject"]
    assert "Bcc" not in message_from_bytes(message.as_bytes())
    assert tree.css("script, img, [onerror]") == []
    assert [link.attributes["href"] for link in tree.css("a")] == ["mailto:insights@example.com?subject=unsubscribe"]
    assert "{{ 7*7 }}" in visible(html_part(message))


@pytest.mark.parametrize(
    "recipient", ["", "reader", "a b@example.com", "a@example.com\r\nBcc: b@example.com", "@x.org"]
)
def test_what_is_no_address_is_an_error_that_names_it(connection, recipient):
    with pytest.raises(ValueError, match="is no mail address"):
        mail(connection, recipient=recipient)


def test_a_preview_shows_the_mail_and_sends_nothing(warehouse_file, tmp_path, capsys):
    html, eml = tmp_path / "mail.html", tmp_path / "mail.eml"

    code = main(["2026-01-14", "--database", str(warehouse_file), "--html", str(html), "--eml", str(eml)])

    printed = capsys.readouterr().out
    assert code == 0
    assert printed.startswith("Subject: Empty containers")
    assert "Marit Oosterhuis" in printed
    assert "Marit Oosterhuis" in html.read_text()
    assert message_from_bytes(eml.read_bytes(), policy=policy.default)["Subject"].startswith("Empty containers")


def test_a_preview_of_a_day_that_was_not_run_says_so(warehouse_file, capsys):
    assert main(["2020-01-01", "--database", str(warehouse_file)]) == 1
    assert "2020-01-01" in capsys.readouterr().err


def test_a_preview_from_a_copy_of_an_older_version_says_what_to_do(warehouse_file, capsys):
    with open_warehouse(warehouse_file) as connection:
        connection.execute("drop view marts.top_insights; drop table marts.shortlist")

    assert main(["2026-01-14", "--database", str(warehouse_file)]) == 1
    assert "comes from an older version: run a day" in capsys.readouterr().err


def test_a_preview_before_any_run_says_what_to_do(tmp_path):
    project = Path(__file__).resolve().parents[3]
    ran = subprocess.run(
        [sys.executable, "-m", "include.delivery.mail", "2026-01-14"],
        cwd=project,
        env=os.environ | {"PODCAST_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 1
    assert "run a day first" in ran.stderr
