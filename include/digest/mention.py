"""A claim as a reader meets it: what was said, who said it, where to hear it."""

import difflib
import functools
import re
from dataclasses import dataclass
from datetime import date

from include.digest.shown import link, one_line
from include.words import words

ALMOST_ALL = 0.9
"""The share of a text's words that another holds in the same order when showing both would be reading it twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A row of the view `mentions`. Texts are single lines without control characters. Addresses are http or https and
    bear no secret, or are None; where the recording's does, the episode's page takes its place. `said_on` is the day
    (UTC) whose new episodes hold it; `start_seconds` is None where the transcript bears no time. `recording_show_id` is
    the show that published the recording first."""

    claim_id: str
    theme_id: str
    headline: str
    insight: str
    quote: str
    speaker: str | None
    show_id: str
    recording_show_id: str
    show_title: str
    episode_title: str
    episode_url: str | None
    listen_url: str | None
    start_seconds: float | None
    said_on: date
    score: float | None
    extractor: str | None

    @property
    def is_quotation(self) -> bool:
        """Whether the insight is the speaker's own words, as the offline extractor gives it."""
        return (self.extractor or "").startswith("offline")

    @property
    def summary(self) -> str | None:
        """The insight, or None where it says nothing beyond the quote."""
        return None if _repeats(self.insight, self.quote) else self.insight

    @property
    def quotation(self) -> str | None:
        """The speaker's words, made readable where the insight is made of them alone; None where the summary holds the
        quote word for word, so that nothing is read twice."""
        if self.summary is None and self.is_quotation:
            return self.insight
        return None if self.summary and _holds(self.summary, self.quote) else self.quote

    @property
    def verbatim(self) -> str | None:
        """The quote as the transcript has it, where something else is shown of it."""
        shown = self.quotation or self.summary or ""
        return None if words(shown) == words(self.quote) or _holds(shown, self.quote) else self.quote

    @property
    def recording(self) -> str | None:
        """The address of the recording at the second of the quote, None where either is not known or not for all."""
        return self.listen_url if re.search(r"#t=\d+$", self.listen_url or "") else None

    def repeats(self, quote: str) -> bool:
        """Whether the words are those of another quote, as where a trailer holds them too."""
        return _repeats(self.quote, quote)


def shown(row: dict) -> dict:
    """A row of `mentions`, its texts and addresses made fit to be shown."""
    return row | {
        "headline": one_line(row["headline"], 300),
        "insight": one_line(row["insight"]),
        "quote": one_line(row["quote"]),
        "speaker": one_line(row["speaker"], 100) or None,
        "show_title": one_line(row["show_title"], 200) or "A show without a name",
        "episode_title": one_line(row["episode_title"], 300) or "Untitled episode",
        "episode_url": link(row["episode_url"]),
        "listen_url": link(row["listen_url"]) or link(row["episode_url"]),
    }


def mention(row: dict) -> Mention:
    """A row of `mentions`, as a value; the columns that a question has beside these are taken off the row before."""
    return Mention(**shown(row))


def _holds(longer: str, shorter: str) -> bool:
    return f" {' '.join(words(shorter))} " in f" {' '.join(words(longer))} "


@functools.lru_cache(maxsize=10_000)
def _repeats(text: str, other: str) -> bool:
    """Whether all but a few of the text's words stand in the other, in the same order."""
    own = words(text)
    matcher = difflib.SequenceMatcher(None, own, words(other), autojunk=False)
    return sum(block.size for block in matcher.get_matching_blocks()) >= ALMOST_ALL * len(own)
