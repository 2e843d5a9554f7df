"""The templates of the mail and the pages, and how figures and days are written in them."""

import functools
from datetime import date
from pathlib import Path

import jinja2

FOLDER = Path(__file__).parent


@functools.cache
def environment() -> jinja2.Environment:
    """Jinja2 over this folder: all that is not plain text is escaped, and a name that is not given is an error."""
    loaded = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=lambda name: name is None or not name.endswith(".txt"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    loaded.filters.update(
        clock=clock,
        long_day=long_day,
        short_day=short_day,
        near_day=near_day,
        length=length,
        counted=counted,
        capital=capital,
    )
    return loaded


def clock(seconds: float) -> str:
    """A moment of an episode: `4:07`, `1:02:03`."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def length(seconds: float) -> str:
    """How long something lasts: `45 min`, `3 h 40 min`."""
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


def long_day(day: date) -> str:
    """`Thursday, 24 October 2024`."""
    return f"{day:%A}, {short_day(day)}"


def short_day(day: date) -> str:
    """`24 October 2024`."""
    return f"{day.day} {day:%B} {day.year}"


def near_day(day: date) -> str:
    """`24 October`, for a day that is near."""
    return f"{day.day} {day:%B}"


def counted(number: int, noun: str) -> str:
    """`1 episode`, `4 episodes`, `1,200 words`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def capital(text: str) -> str:
    """The text with a capital at its start, the rest as it is."""
    return text[:1].upper() + text[1:]
