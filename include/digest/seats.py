"""The seats of a digest: how many there are, and who gets them."""

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

SEATS = 5
"""How many insights make a digest; dbt knows it as the variable `seats`."""

SEATS_A_SHOW = 2

DAYS_REMEMBERED = 14
"""For how many days a theme that was told comes back only with news."""


class OfAShow(Protocol):
    """What can take a seat."""

    @property
    def show_id(self) -> str: ...


Claim = TypeVar("Claim", bound=OfAShow)


def seat_claims(line: Iterable[Claim], one_story: Callable[[Claim, Claim], bool]) -> list[Claim]:
    """Who gets the seats of a digest, the claims taken in order: one a story, and not too many a show."""
    seated: list[Claim] = []
    for claim in line:
        if len(seated) == SEATS:
            break
        if any(one_story(claim, other) for other in seated):
            continue
        if sum(claim.show_id == other.show_id for other in seated) < SEATS_A_SHOW:
            seated.append(claim)
    return seated


def in_words(number: int) -> str:
    """`five`; what no digest has, in figures."""
    names = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    return names[number] if number < len(names) else str(number)
