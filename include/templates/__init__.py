"""The templates of the mail and the pages, and how figures and days are written in them."""

import functools
from datetime import date
from pathlib import Path

import jinja2

from include.digest.mention import Mention
from include.digest.reading import Digest
from include.digest.seats import SEATS, in_words

FOLDER = Path(__file__).parent

_DEFUSED = str.maketrans({"<": "‹", ">": "›", "[": "(", "]": ")", "`": "’"})


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
    written = (clock, long_day, short_day, near_day, length, counted, defused)
    told = (listening, all_that_was_read, all_that_was_made_up, made_by)
    loaded.filters.update({function.__name__: function for function in (*written, *told)})
    loaded.globals["seats"] = in_words(SEATS)
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


def defused(text: str, letters: int) -> str:
    """A stranger's text of so many letters at most, for services that read marks in plain text: `[a link](…)` and bare
    addresses lead nowhere."""
    short = text if len(text) <= letters else text[: letters - 1].rstrip() + "…"
    return short.translate(_DEFUSED).replace("://", ":\u2060//")


def listening(claim: Mention) -> str:
    """What the link to the recording says."""
    if claim.start_seconds is None or claim.listen_url == claim.episode_url:
        return "Open the episode"
    return f"Listen from {clock(claim.start_seconds)}"


def all_that_was_read(digest: Digest) -> str:
    """`4 episodes of 3 shows, about 3 h 54 min of talk; 5 feeds checked.`"""
    about = "about " if digest.length_is_estimated else ""
    return (
        f"{counted(digest.episodes_read, 'episode')} of {counted(digest.shows_read, 'show')}, "
        f"{about}{length(digest.seconds_read)} of talk; {counted(digest.feeds_checked, 'feed')} checked."
    )


def all_that_was_made_up(digest: Digest) -> str:
    """`Made up: 2 feeds of 14 January, which could not be read then, with 1 new episode. `, and nothing where nothing
    was."""
    told = []
    for late in digest.made_up:
        feeds, episodes = counted(late.feeds, "feed"), counted(late.episodes, "new episode")
        if late.is_own:
            told.append(f"Read late, on {near_day(late.day)}: {feeds}, with {episodes}. ")
        else:
            told.append(f"Made up: {feeds} of {near_day(late.day)}, which could not be read then, with {episodes}. ")
    return "".join(told)


def made_by(digest: Digest) -> str:
    """`Insights by the bundled model, transcripts by the publishers. `, and nothing where there is nobody to name."""
    makers = ", ".join(digest.models)
    return f"{makers[:1].upper()}{makers[1:]}. " if makers else ""
