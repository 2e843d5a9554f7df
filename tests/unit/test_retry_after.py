"""What the header `Retry-After` asks for."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from include.retry_after import retry_after


def test_a_number_is_seconds():
    assert retry_after(" 30 ") == 30
    assert retry_after("0.4") == 0.4


def test_a_date_is_the_time_until_then_and_never_less_than_none():
    soon = datetime.now(UTC) + timedelta(minutes=10)
    assert 500 < retry_after(format_datetime(soon, usegmt=True)) <= 600
    assert retry_after("Thu, 01 Jan 2026 00:00:00 -0000") == 0


@pytest.mark.parametrize(
    "value", [None, "", "soon", "inf", "nan", "-1", "9" * 400, "٣", "Thu, 99 Foo 2026 00:00:00 GMT"]
)
def test_what_nobody_can_read_asks_for_nothing(value):
    assert retry_after(value) is None
