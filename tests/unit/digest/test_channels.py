"""Digests and alerts reach chat rooms, push services and webhooks, once each; nobody learns the address."""

import logging
import re
from collections.abc import Callable, Iterator

import pytest
from invented_days import EMPTY, FULL, SHORT
from pydantic import SecretStr
from sqlalchemy import select

from include.delivery import short_form
from include.delivery.channels import BadChannel, Channel
from include.delivery.ledger import settle
from include.delivery.mail import Letter, compose
from include.delivery.outcome import Delivery
from include.delivery.sending import DeliveryError, deliver, deliver_due
from include.delivery.transports import Outbox
from include.digest.reading import Digest, read_digest
from include.digest.recipients import Recipient, read
from include.pipeline import alerts, watch_service
from include.settings import settings
from include.state import store
from include.state.store import Store
from include.state.tables import deliveries, sent_insights
from include.warehouse.database import records
from include.warehouse.publication import open_copy, publish
from tests.chain import environment
from tests.doubles.channel_server import SECRETS, Channels, serving

SENDER = "Podcast Insights <insights@example.com>"
SITE = "https://insights.example"
DAY = Digest(
    date=FULL, insights=(), feeds_checked=1, shows_read=1, episodes_read=1, seconds_read=60, length_is_estimated=False,
    made_up=(), left_out=(), models=(), chat_usd=0.0, speech_usd=0.0,
)  # fmt: skip
SERVICES = ("slack", "discord", "tgram", "matrix", "ntfy", "json")


@pytest.fixture
def channels(monkeypatch) -> Iterator[Channels]:
    with serving(monkeypatch) as opened:
        yield opened
    assert opened.wrong == []


@pytest.fixture
def letter_of(warehouse) -> Callable:
    with warehouse() as connection:
        digest = read_digest(connection, FULL)

    def write(recipient: Recipient, told: frozenset[str]) -> Letter:
        of_mail = compose(digest, recipient, SENDER) if not recipient.channel else None
        return Letter(of_mail or short_form.compose(digest, SITE), digest.insights)

    return write


def reader(url: str, name: str = "Team") -> Recipient:
    return Recipient(name.lower(), name, channel=SecretStr(url))


def all_of(channels: Channels) -> list[Recipient]:
    return [reader(channels.url(service), f"{service} people") for service in SERVICES]


def ledger(state: Store) -> dict[str, tuple]:
    with state.reading() as reading:
        rows = reading.execute(select(deliveries)).mappings().all()
    return {row["recipient"]: (row["status"], row["channel"], row["error"]) for row in rows}


@pytest.fixture
def state(tmp_path) -> Store:
    return store.at(tmp_path)


@pytest.fixture
def sent(state, letter_of, tmp_path) -> Callable:
    return lambda *recipients: deliver(state, FULL, recipients, SENDER, Outbox(tmp_path / "outbox"), letter_of)


def test_a_digest_is_posted_once_in_short_with_links_and_the_ledger_says_so(state, channels, sent):
    for _ in range(2):
        sent(*all_of(channels))

    assert [service for service, *_ in channels.posts] == list(SERVICES)
    for _, title, text in channels.posts:
        assert "Podcast insights, 14 January 2026" in title
        assert "1. Empty containers tell of a slump eight weeks early" in text
        assert "Marit Oosterhuis, Harbour Lines" in text
        assert f"{SITE}/insights/c1.html" in text
        assert f"{SITE}/digests/{FULL}.html" in text
    assert ledger(state) == {f"{service} people": ("sent", service, None) for service in SERVICES}
    told = select(sent_insights).where(sent_insights.c.recipient == "slack people")
    with state.reading() as reading:
        assert len(reading.execute(told).all()) == 5


def test_a_channel_stands_beside_mailboxes_and_neither_keeps_the_other(state, channels, sent):
    channels.answer = 404

    sent(reader(channels.url("slack")), Recipient("ann@example.com"))

    assert ledger(state) == {
        "team": ("failed", "slack", "slack answered 404"),
        "ann@example.com": ("sent", "outbox", None),
    }


def test_what_is_certainly_not_posted_is_tried_again(state, channels, sent, letter_of, tmp_path):
    channels.answer = 503
    with pytest.raises(DeliveryError, match="tried again every quarter of an hour"):
        sent(*all_of(channels))
    assert ledger(state) == {
        f"{service} people": ("deferred", service, f"{service} answered 503") for service in SERVICES
    }

    channels.answer = None
    deliver_due(state, all_of(channels), SENDER, Outbox(tmp_path / "outbox"), lambda day: letter_of)

    assert sorted(service for service, *_ in channels.posts) == sorted(SERVICES)
    assert {status for status, *_ in ledger(state).values()} == {"sent"}


def test_a_post_in_doubt_is_never_repeated_by_itself_and_a_person_settles_it(state, channels, sent):
    channels.hang_up = True
    for _ in range(2):
        with pytest.raises(
            DeliveryError, match=r"Look for it in the channel.*`python -m include.delivery .* 'slack people' arrived`"
        ):
            sent(*all_of(channels))
    assert len(channels.posts) == len(SERVICES)
    assert {status for status, *_ in ledger(state).values()} == {"pending"}

    for service in SERVICES:
        settle(state, FULL, f"{service} People", arrived=True)
    sent(*all_of(channels))

    assert len(channels.posts) == len(SERVICES)


def test_a_service_that_cannot_be_reached_is_tried_again_and_an_address_that_leads_nowhere_is_not(
    state, channels, sent
):
    bad = {"odd": "nonsense://webhook-secret", "short": "slack://webhook-secret", "bare": "webhook-secret"}
    bad["many"] = channels.url("tgram") + "/12345"
    with pytest.raises(DeliveryError, match="The digest of 2026-01-14 was not sent to far: no connection to json"):
        sent(
            reader("json://127.0.0.1:9/hook/webhook-secret", "far"),
            *(reader(url, name) for name, url in bad.items()),
        )

    kept = ledger(state)
    assert kept.pop("far") == ("deferred", "json", "no connection to json")
    assert "leads to 2 places" in kept.pop("many")[2]
    for status, _, error in kept.values():
        assert status == "failed"
        assert "none that Apprise knows" in error
        assert "secret" not in error
    assert channels.posts == []


def test_no_address_is_logged_even_where_everything_is_logged(
    state, warehouse_file, channels, sent, tmp_path, caplog, capfd
):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("urllib3").setLevel(logging.DEBUG)
    outcomes = []
    for answer, hang_up in ((None, False), (403, False), (502, False), (None, True)):
        channels.answer, channels.hang_up = answer, hang_up
        for recipient in all_of(channels):
            way = Channel(recipient.channel)
            outcomes.append(repr((recipient, way, way.send(Delivery(FULL, "team", "<id>"), short_form.compose(DAY)))))
    try:
        sent(*all_of(channels))
    except DeliveryError as error:
        logging.exception("failed: %s", error)
    with environment(tmp_path):
        publish(warehouse_file, tmp_path / "copy.duckdb", state)
    with open_copy(tmp_path / "copy.duckdb") as copy:
        outcomes.append(repr(records(copy, "from ops.deliveries")))

    told = caplog.text + "".join(capfd.readouterr()) + "".join(outcomes)
    assert "digest of 2026-01-14 to slack people" in told
    assert [secret for secret in SECRETS if secret in told] == []


def test_what_strangers_said_calls_nobody_and_leads_nowhere(connection, channels):
    connection.execute(
        "update marts.claims set headline = $h where claim_id = 'c1'",
        {"h": "@everyone <!channel> [win](https://evil.example/x) and <@U1> see http://evil.example"},
    )
    message = short_form.compose(read_digest(connection, FULL), SITE)
    for service in SERVICES:
        Channel(reader(channels.url(service)).channel).say(message["Subject"], message.get_content())

    for service, _, text in channels.posts:
        assert "everyone" in text, service
        assert not re.search(r"@everyone|<!|<@|&lt;[!@]|\]\(|://evil", text), service


def test_the_short_form_of_every_day_fits_into_one_post(connection):
    assert "Update: Rotterdam" in short_form.compose(read_digest(connection, SHORT), SITE).get_content()
    assert "could be read" in short_form.compose(read_digest(connection, EMPTY)).get_content()
    connection.execute(
        "update marts.claims set headline = repeat('long words ', 100), listen_url = listen_url || repeat('x', 900)"
    )
    teams = Channel(SecretStr(f"workflows://teams.example/{'w' * 32}/{'s' * 43}")).room
    assert teams == 900
    for site, room in (("", short_form.ROOM), (SITE, short_form.ROOM), (SITE, teams)):
        text = short_form.compose(read_digest(connection, FULL), site, room).get_content()
        assert len(text) <= room
        assert [f"\n{rank}. " in f"\n{text}" for rank in range(1, 6)] == [True] * 5
        assert text.count(f"{SITE}/insights/") == (5 if site else 0)


def test_a_channel_in_the_file_has_a_name_and_no_address(tmp_path):
    file = tmp_path / "recipients.toml"
    file.write_text('[[recipient]]\nname = "Küche Süd"\nchannel = "slack://a/b/c"\nsend_hour = 7\n')
    (found,) = read(str(file))
    assert (found.address, found.name, found.send_hour) == ("küche süd", "Küche Süd", 7)
    assert "slack" not in repr(found)

    for entry, told in (
        ('channel = "slack://webhook-secret"', "wants a name"),
        ('channel = "slack://webhook-secret"\nname = "a@b"', "without an @"),
        ('channel = "slack://webhook-secret"\nname = "Team"\naddress = "a@b.example"', "an address or a channel"),
        ('name = "Team"', "an address or a channel"),
        ("channel = 7", "channel: "),
    ):
        file.write_text(f"[[recipient]]\n{entry}\n")
        with pytest.raises(ValueError, match=told) as raised:
            read(str(file))
        assert "webhook-secret" not in str(raised.value)


def test_an_alert_goes_to_every_channel_once_and_again_when_it_comes_back(channels, tmp_path):
    urls = " ".join(map(channels.url, SERVICES))
    with environment(tmp_path, PODCAST_ALERT_URLS=urls):
        assert "slack" not in repr(settings())
        for _ in range(2):
            alerts.report("disk", "The disk is nearly full", "Make room on /data.")
        assert [service for service, *_ in channels.posts] == list(SERVICES)
        assert all("disk is nearly full" in title and "Make room" in text for _, title, text in channels.posts)

        alerts.is_over("disk")
        alerts.report("disk", "The disk is nearly full", "Make room on /data.")
        assert len(channels.posts) == 2 * len(SERVICES)


def test_an_alert_that_one_channel_takes_counts_as_told_and_one_that_none_took_is_told_again(
    channels, tmp_path, caplog
):
    dead = "json://127.0.0.1:9/webhook-secret"
    with environment(tmp_path, PODCAST_ALERT_URLS=f"{dead} {channels.url('ntfy')}"):
        for _ in range(2):
            alerts.report("disk", "The disk is nearly full", "Make room.")
        assert len(channels.posts) == 1
    with environment(tmp_path, PODCAST_ALERT_URLS=dead):
        alerts.report("cap", "The cap is reached", "Raise it.")
    with environment(tmp_path, PODCAST_ALERT_URLS=channels.url("json")):
        alerts.report("cap", "The cap is reached", "Raise it.")
    assert [title for _, title, _ in channels.posts] == ["The disk is nearly full", "The cap is reached"]
    assert "no connection to json" in caplog.text
    assert "secret" not in caplog.text


def test_a_trial_says_which_way_did_not_take_it(channels, tmp_path):
    with environment(tmp_path, PODCAST_ALERT_URLS=f"{channels.url('slack')} {channels.url('ntfy')}"):
        assert watch_service.try_alerts() == {"told": 2}
    dead = "json://127.0.0.1:9/webhook-secret"
    told = "1 of 2 ways did not take it: RuntimeError: no connection to json"
    with (
        environment(tmp_path, PODCAST_ALERT_URLS=f"{channels.url('slack')} {dead}"),
        pytest.raises(RuntimeError, match=told),
    ):
        watch_service.try_alerts()
    assert [title for _, title, _ in channels.posts] == ["A trial alert"] * 3


def test_the_address_that_a_service_itself_gives_will_do():
    given = "https://hooks.slack.com/services/TAAAAAAAA/BAAAAAAAA/cccccccccccccccccccccccc"
    assert Channel(SecretStr(given)).channel == "slack"
    assert Channel(SecretStr("https://example.com/hook")).channel == "unknown"


def test_an_address_that_leads_nowhere_stops_no_other_alert(channels, tmp_path):
    with pytest.raises(BadChannel):
        Channel(SecretStr("nonsense://x")).say("a", "b")
    with environment(tmp_path, PODCAST_ALERT_URLS=f"nonsense://x {channels.url('discord')}"):
        alerts.report("disk", "The disk is nearly full", "Make room.")
    assert len(channels.posts) == 1
