"""Whether a run ends in a mail, the days that keys name, what a failure leaves, and what travels between tasks."""

import os
import socket
from collections import namedtuple
from contextlib import closing
from datetime import UTC, date, datetime
from email import message_from_bytes, policy

import pytest
from aiosmtpd.controller import Controller

from include.pipeline import alerts
from include.pipeline.delivery_wish import delivery_wish, passed_on, wants_delivery
from include.pipeline.handover import Handover, Unusable
from include.pipeline.run import Run
from include.settings import settings
from include.warehouse import partition

Event = namedtuple("Event", "extra")


pytestmark = pytest.mark.usefixtures("data_dir")


@pytest.mark.parametrize(
    ("run_type", "conf", "wish"),
    [
        ("scheduled", None, True),
        ("manual", {}, True),
        ("backfill", {}, False),
        ("backfill", {"deliver": True}, True),
        ("manual", {"deliver": False}, False),
    ],
)
def test_a_chain_ends_in_a_mail_unless_a_backfill_began_it_or_it_was_said_otherwise(run_type, conf, wish):
    extra = delivery_wish(run_type, conf)
    passed = passed_on({"asset": [Event(extra)]})
    assert wants_delivery({}, {"asset": [Event(passed)]}) is wish


def test_a_last_step_that_a_person_starts_sends_only_when_asked_to():
    assert wants_delivery({}, {}) is False
    assert wants_delivery({"deliver": True}, None) is True


def test_a_wish_for_one_day_is_none_for_an_earlier_day_that_was_taken_up_with_it():
    events = {"asset": [Event({"deliver": True, "day": "2026-01-15"})]}
    assert passed_on(events, "2026-01-15") == {"deliver": True}
    assert passed_on(events, "2026-01-14") == {"deliver": False}


@pytest.mark.parametrize("key", [None, "", "2026-13-01", "yesterday"])
def test_a_run_without_a_day_says_what_to_do(key):
    with pytest.raises(ValueError, match="2026-01-15"):
        partition.day(key)


def test_the_last_complete_day_is_the_day_before_in_utc():
    assert partition.last_complete_day(datetime(2026, 1, 15, 0, 1, tzinfo=UTC)) == date(2026, 1, 14)


RUN = Run(date(2026, 1, 15), "manual__2026-01-15T06:00:00+00:00")


def test_a_step_whose_forerunner_left_nothing_says_so():
    with pytest.raises(Unusable, match=r"'fetch_feeds' left nothing for 2026-01-15.*Clear the whole DAG run"):
        Handover("feeds", list[str], writer="fetch_feeds", readers=("land_episodes",)).get(RUN)


def test_what_was_left_damaged_is_named_with_what_to_clear(data_dir):
    left = Handover("feeds", list[int], writer="fetch_feeds", readers=("land_episodes",))
    left.put(RUN, [1, 2, 3])
    (file,) = (data_dir / "landing" / "feeds" / "2026-01-15").iterdir()
    file.write_bytes(file.read_bytes()[:-2])
    with pytest.raises(Unusable, match=r"'fetch_feeds' left for 2026-01-15 cannot be read.*Clear the whole DAG run"):
        left.get(RUN)


def test_two_tries_of_one_run_at_once_leave_a_whole_file():
    left = Handover("feeds", list[int], writer="fetch_feeds", readers=("land_episodes",))

    with left.put_each(RUN) as put:
        put([1])
        with left.put_each(RUN) as put_other:
            put_other([2, 3])
        put([4])

    assert list(left.get_each(RUN)) == [[1], [4]]


def test_two_runs_of_one_day_do_not_find_what_the_other_left():
    left = Handover("feeds", list[int], writer="fetch_feeds", readers=("land_episodes",))
    other = Run(RUN.day, "backfill__2026-01-15T00:00:00+00:00")
    left.put(RUN, [1])
    left.put(other, [2])
    assert (left.get(RUN), left.get(other)) == ([1], [2])


def test_what_a_run_left_long_ago_goes_when_another_one_leaves_the_same(data_dir):
    left = Handover("feeds", list[int], writer="fetch_feeds", readers=("land_episodes",))
    left.put(Run(date(2025, 12, 1)), [1])
    (file,) = (data_dir / "landing" / "feeds").glob("*/*")
    os.utime(file, (0, 0))
    left.put(RUN, [2])
    assert left.get(RUN) == [2]
    assert not file.exists()


def test_much_travels_one_by_one_and_only_when_complete():
    feeds = Handover("feeds", tuple[int, str], writer="fetch_feeds", readers=("land_episodes",))
    with feeds.put_each(RUN) as put:
        for number in range(3):
            put((number, "a\nb"))
    with pytest.raises(ZeroDivisionError), feeds.put_each(RUN) as put:
        put((1 // 0, "never"))
    assert list(feeds.get_each(RUN)) == [(n, "a\nb") for n in range(3)]


def test_a_task_that_failed_for_good_leaves_an_alert_that_says_what_to_do(data_dir):
    task = namedtuple("Task", "dag_id task_id try_number")("build_claims", "land_claims", 4)
    alerts.report_failure({"task_instance": task, "partition_key": "2026-01-15", "exception": ValueError("no space")})
    (file,) = (data_dir / "alerts").iterdir()
    text = file.read_text()
    assert file.name == "build_claims-2026-01-15-land_claims.txt"
    assert "no space" in text
    assert "airflow dags clear build_claims --partition-key 2026-01-15" in text


def test_the_same_alert_is_mailed_once_a_day_and_again_where_it_could_not_be_mailed(data_dir, monkeypatch):
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setenv("AIRFLOW_HOME", str(data_dir / "airflow"))
    monkeypatch.setenv(
        "AIRFLOW_CONN_SMTP_DEFAULT", f"smtp://127.0.0.1:{port}/?disable_ssl=true&disable_tls=true&retry_limit=1"
    )
    monkeypatch.setenv("PODCAST_ALERT_RECIPIENTS", "operator@example.com, other@example.com")
    settings.cache_clear()
    mailed = []

    class Mailbox:
        async def handle_DATA(self, server, session, envelope):  # noqa: N802
            mailed.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=policy.default)))
            return "250 taken"

    alerts.report("disk", "The disk is full", "Make room.")
    server = Controller(Mailbox(), hostname="127.0.0.1", port=port)
    server.start()
    try:
        for text in ("Make room.", "Make room.", "Make {{ more }} <room>."):
            alerts.report("disk", "The disk is full", text)
        os.utime(data_dir / "alerts" / "disk.txt", (0, 0))
        alerts.report("disk", "The disk is full", "Make {{ more }} <room>.")
    finally:
        server.stop()

    assert [to for to, _ in mailed] == [["operator@example.com", "other@example.com"]] * 3
    assert [message["Subject"] for _, message in mailed] == ["The disk is full"] * 3
    texts = [message.get_body(("html",)).get_content() for _, message in mailed]
    assert ["Make room." in text for text in texts] == [True, False, False]
    assert "Make {{ more }} &lt;room&gt;." in texts[1]
