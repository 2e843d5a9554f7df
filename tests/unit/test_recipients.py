"""Who gets the digest and when, as a list of addresses or a file says it."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from include.digest.recipients import BadRecipients, Recipient, read


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "recipients.toml"


def test_a_list_of_addresses_is_one_recipient_a_mailbox():
    assert read("ann@example.com, bo@example.com Ann@Example.com") == (
        Recipient("ann@example.com"),
        Recipient("bo@example.com"),
    )


def test_a_mailbox_of_an_international_domain_is_one_however_it_is_written():
    assert read("ann@müller.example, Ann@MÜLLER.example ann@xn--mller-kva.example jürgen@straße.example") == (
        Recipient("ann@xn--mller-kva.example"),
        Recipient("jürgen@xn--strae-oqa.example"),
    )


def test_a_file_says_who_when_and_what(file):
    file.write_text(
        """
        [[recipient]]
        address = " Ann@example.com"
        name = "Ann"
        time_zone = "Europe/Lisbon"
        send_hour = 7
        interests = ["battery storage", "ports"]
        muted_shows = ["Slow Steaming"]

        [[recipient]]
        address = "bo@example.com"
        """
    )
    assert read(str(file)) == (
        Recipient("ann@example.com", "Ann", "Europe/Lisbon", 7, ("battery storage", "ports"), ("Slow Steaming",)),
        Recipient("bo@example.com"),
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('time_zone = "Europe/Berln"', "time_zone: 'Europe/Berln' is no time zone"),
        ("send_hour = 24", "send_hour: "),
        ('send_hour = "7"', "send_hour: "),
        ("send_hour = -1", "send_hour: "),
        ('interests = "ports"', "interests: "),
        ('interests = [""]', "interests.0: "),
        ("muted_shows = [1]", "muted_shows.0: "),
        ("hour = 7", "hour: "),
    ],
)
def test_what_an_entry_may_not_say_is_an_error_that_names_file_entry_and_field(file, line, told):
    file.write_text(f'[[recipient]]\naddress = "ann@example.com"\n[[recipient]]\naddress = "bo@example.com"\n{line}\n')
    with pytest.raises(BadRecipients, match=r"recipients file.*mend it, then clear the failed task") as caught:
        read(str(file))
    assert f"{file}, recipient 2 (bo@example.com): {told}" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "has no [[recipient]]"),
        ("[[recipient]]\n", "recipient 1: it wants an address or a channel, one of them"),
        ('[[recipient]]\naddress = "bo"\n', "address: 'bo' is no mail address"),
        ("recipient = 3", "has no [[recipient]]"),
        ('[[recipients]]\naddress = "bo@example.com"\n', "has recipients outside of any [[recipient]]"),
        ("[[recipient]\n", "cannot be read"),
        ('[[recipient]]\naddress = "b@x.org"\n' * 2, "recipient 2: b@x.org stands there twice"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_is_an_error_that_names_it(file, content, told):
    file.write_text(content)
    with pytest.raises(BadRecipients, match=r"recipients file.*mend it, then clear the failed task") as caught:
        read(str(file))
    assert str(file) in str(caught.value)
    assert told in str(caught.value)


def test_a_file_that_is_missing_is_an_error_that_names_it(file):
    with pytest.raises(BadRecipients, match="cannot be read: No such file"):
        read(str(file))


@pytest.mark.parametrize(
    ("zone", "hour", "day", "due"),
    [
        ("UTC", 7, date(2026, 1, 14), datetime(2026, 1, 15, 7)),
        ("UTC", 0, date(2026, 1, 14), datetime(2026, 1, 15, 0)),
        ("Asia/Kathmandu", 7, date(2026, 1, 14), datetime(2026, 1, 15, 1, 15)),
        ("America/New_York", 20, date(2026, 1, 14), datetime(2026, 1, 16, 1)),
        # In Auckland it is 7 o'clock before the digest's day is over in UTC.
        ("Pacific/Auckland", 7, date(2026, 1, 14), datetime(2026, 1, 15, 18)),
        ("Pacific/Auckland", 13, date(2026, 1, 14), datetime(2026, 1, 15, 0)),
        # Clocks go forward on 29 March, back on 25 October.
        ("Europe/Berlin", 7, date(2026, 3, 27), datetime(2026, 3, 28, 6)),
        ("Europe/Berlin", 7, date(2026, 3, 28), datetime(2026, 3, 29, 5)),
        ("Europe/Berlin", 2, date(2026, 3, 28), datetime(2026, 3, 29, 1)),
        ("Europe/Berlin", 2, date(2026, 10, 24), datetime(2026, 10, 25, 0)),
        ("Europe/Berlin", 7, date(2026, 10, 24), datetime(2026, 10, 25, 6)),
    ],
)
def test_a_mail_is_due_at_the_send_hour_where_the_reader_is(zone, hour, day, due):
    assert Recipient("a@x.org", time_zone=zone, send_hour=hour).due_at(day) == due.replace(tzinfo=UTC)


def test_without_a_send_hour_a_mail_is_due_when_it_is_ready():
    assert Recipient("a@x.org").due_at(date(2026, 1, 14)) is None
