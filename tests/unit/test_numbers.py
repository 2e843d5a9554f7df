"""Numbers as they are spoken and written."""

import pytest

from include.claims.numbers import number, numbers, values


@pytest.mark.parametrize("text", ["45,000", "45k", "forty-five thousand", "45 thousand"])
def test_digits_scales_and_words_give_one_value(text):
    assert number(f"It sold about {text} of them.") == 45000


@pytest.mark.parametrize("text", ["no figure at all", "two of them in three days"])
def test_a_text_with_no_number_or_with_several_has_not_the_one_number(text):
    assert number(text) is None


def test_numbers_come_as_written_and_in_order():
    assert numbers("Nineteen ninety-nine, then $1.5 trillion") == [
        ("Nineteen ninety-nine", 1999.0),
        ("1.5 trillion", 1.5e12),
    ]


def test_a_number_may_stand_for_itself_and_for_its_parts():
    assert set(values("the third of 12 million")) == {12e6, 12.0, 3.0}


def test_a_number_beyond_all_bounds_is_read_and_stops_nothing():
    assert numbers("hundred " * 3 + "a hundred " + "hundred " * 200 + "point five")
