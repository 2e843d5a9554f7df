"""What a chat model chose, held against the transcript: a draft of a claim, or the reason why it is none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from rapidfuzz import fuzz

from include.claims.chat.windows import Line
from include.claims.claim import Claim, DroppedClaim, Episode
from include.claims.facts import Unsupported, spellings, unsupported, unsupported_figures
from include.claims.grammar import unnamed_subject
from include.claims.grounding import SHORTEST_QUOTE, Place, WordIndex, matching_speaker
from include.claims.languages import other_language
from include.claims.untrusted import as_data, gives_orders, visible, without_orders
from include.models.forms import Form, Rating, as_form
from include.settings import ENGLISH
from include.warehouse.rules import HEADLINE_CHARACTERS, INSIGHT_CHARACTERS
from include.words import words

WORTH_AT_READING = "worth_at_reading"
"""The feature of a claim that says how much it was worth, 0 to 5, to who read it in its place."""

Kind = Literal["fact", "cause", "prediction", "tradeoff", "number", "strategy", "lesson", "opinion"]

NUMBERS_WITHIN = 150
"""Numbers of an insight must occur in the lines that it is said to stand in, or within so many words of its quote;
names anywhere in the episode."""

LONG_FIGURE = 3
"""From so many digits on, zeros at its ends aside, a number of talk in another language is one that is written in
figures."""


UNCLEAR = "unclear_subject"
"""The problem of a text that opens without naming what it is about: worth one correction, and not a fault."""


class ChosenPassage(Form):
    """One passage that carries an insight."""

    first_line: int
    last_line: int
    quote: str
    speaker: str
    headline: str
    insight: str
    kind: Kind
    worth: Rating


class ChosenPassages(Form):
    """The passages of this part that carry an insight; none where there are none."""

    claims: list[ChosenPassage]


class CorrectedText(Form):
    """One text, corrected; keep is false where nothing worth saying is left."""

    item: int
    keep: bool
    speaker: str
    headline: str
    insight: str


class CorrectedTexts(Form):
    """All texts, corrected."""

    items: list[CorrectedText]


@dataclass(frozen=True, slots=True)
class Draft:
    """A claim whose quote was found; `problems` are what its texts say and nobody said, as (reason, detail)."""

    place: Place
    speaker: str | None
    headline: str
    insight: str
    kind: str
    worth: float = 0.0
    segments: tuple[int, int] | None = None
    problems: tuple[tuple[str, str], ...] = ()
    repaired: bool = False

    @property
    def faults(self) -> tuple[tuple[str, str], ...]:
        """The problems that make it unfit to be sent, however well it reads."""
        return tuple(problem for problem in self.problems if problem[0] != UNCLEAR)

    @property
    def said(self) -> list[str]:
        return [f"{reason}: {detail}" for reason, detail in self.problems]

    def claim(self) -> Claim:
        return Claim(
            quote=self.place.quote,
            headline=self.headline,
            insight=self.insight,
            speaker=self.speaker,
            first_segment=self.place.first_segment,
            last_segment=self.place.last_segment,
            start_seconds=self.place.start_seconds,
            kind=self.kind,
            features={
                "quote_likeness": self.place.likeness,
                "text_corrected": float(self.repaired),
                WORTH_AT_READING: self.worth,
            },
        )


class Source:
    """What the claims of an episode are held against."""

    def __init__(self, episode: Episode, transcript: WordIndex, language: str = ENGLISH):
        self._transcript = transcript
        self._said_in_english = other_language(transcript.text) is None
        self._told_in_english = language == ENGLISH
        self._known = (episode.title, episode.show_title, episode.description, *episode.persons, *transcript.speakers)
        self._names = spellings(transcript.text, *self._known)

    def draft(self, item: Any, lines: Sequence[Line]) -> Draft | DroppedClaim:
        """What the model chose, grounded; or why it is dropped."""
        quote = visible(str(item.get("quote") or "")) if isinstance(item, Mapping) else ""
        if isinstance(item, Mapping) and item.get("kind") not in get_args(Kind):
            item = {**item, "kind": "opinion"}
        chosen = as_form(ChosenPassage, item)
        if chosen is None:
            return DroppedClaim(quote[:500], "malformed", "a field is missing or of another type")
        if len(words(quote)) < SHORTEST_QUOTE:
            return DroppedClaim(quote, "quote_too_short", f"fewer than {SHORTEST_QUOTE} words")
        segments = _segments_of(chosen, lines)
        place = self._transcript.locate(quote, segments)
        if place is None:
            return DroppedClaim(quote[:500], "quote_not_found", f"lines {chosen.first_line} to {chosen.last_line}")
        place = self._transcript.whole_sentences(place)
        headline, insight = visible(chosen.headline), visible(chosen.insight)
        if not _publishable(headline, insight):
            return DroppedClaim(place.quote, "malformed", "headline or insight is too short or too long")
        if gives_orders(place.quote) or gives_orders(headline) or gives_orders(insight):
            return DroppedClaim(place.quote, "gives_orders", "the passage or its text speaks to a model")
        draft = Draft(place, None, headline, insight, chosen.kind, chosen.worth, segments)
        return self._checked(draft, chosen.speaker)

    def corrected(self, draft: Draft, text: CorrectedText) -> Draft:
        """The draft with the texts of a correction, checked again; as it was where these are of no use or worse."""
        headline, insight = visible(text.headline), visible(text.insight)
        if not _publishable(headline, insight) or gives_orders(headline) or gives_orders(insight):
            return draft
        better = self._checked(replace(draft, headline=headline, insight=insight, repaired=True), text.speaker)
        return draft if better.faults and not draft.faults else better

    def complaint(self, number: int, draft: Draft) -> str:
        """What the model is told of a draft that says what nobody said."""
        nearby = without_orders(self._nearby(draft))
        said = [f"{reason.replace('_', ' ')}: {detail}" for reason, detail in draft.problems]
        return "\n".join(
            (
                f"[{number}]",
                f"what is wrong: {as_data('; '.join(said))}",
                f"possible speakers: {as_data(', '.join(draft.place.speakers)) or 'unknown, leave empty'}",
                f"headline: {as_data(draft.headline)}",
                f"insight: {as_data(draft.insight)}",
                f"source text: {as_data(nearby)}",
            )
        )

    def _checked(self, draft: Draft, named: str) -> Draft:
        """The draft with its speaker, and the problems of its texts.

        Where the transcript names speakers, the claim's must be one who spoke there; where nobody is named, the one
        with the most words there is taken. Where it names none, a claim has none.
        """
        problems = []
        speakers = draft.place.speakers
        speaker = speakers[0] if speakers else None
        named = visible(named)
        if named and speakers:
            speaker = matching_speaker(named, speakers)
            if speaker is None:
                problems.append(("wrong_speaker", f"{named}; there spoke {', '.join(speakers)}"))
        stray = self._unsupported(f"{draft.headline}\n{draft.insight}", "\n".join((self._nearby(draft), *self._known)))
        if stray.numbers:
            problems.append(("unsupported_number", ", ".join(stray.numbers)))
        if stray.names:
            problems.append(("unsupported_name", ", ".join(stray.names)))
        if self._told_in_english and (unnamed := unnamed_subject(draft.insight)):
            problems.append((UNCLEAR, f'"{unnamed}" is not named before'))
        return replace(draft, speaker=speaker, problems=tuple(problems))

    def _nearby(self, draft: Draft) -> str:
        """What the texts of a draft are held against: what is said around its quote, and in the lines named for it."""
        return self._transcript.around(draft.place, NUMBERS_WITHIN, draft.segments)

    def _unsupported(self, text: str, nearby: str) -> Unsupported:
        """What a text says and nobody said. What was translated has other names ("Lisbon") and other words for numbers,
        so that its figures alone can be held against what was said: of talk in English all, else those that are too
        long to have been said in words."""
        if self._said_in_english and self._told_in_english:
            return unsupported(text, nearby, self._names)
        return unsupported_figures(text, nearby, 1 if self._said_in_english else LONG_FIGURE)


def _publishable(headline: str, insight: str) -> bool:
    """Whether the door into raw lets texts of these lengths pass."""
    fits = HEADLINE_CHARACTERS[0] <= len(headline) <= HEADLINE_CHARACTERS[1]
    return fits and INSIGHT_CHARACTERS[0] <= len(insight) <= INSIGHT_CHARACTERS[1]


def without_duplicates(drafts: Sequence[Draft]) -> tuple[list[Draft], list[DroppedClaim]]:
    """Of drafts whose quotes share half of the shorter one's words, or whose insights say the same, the soundest."""
    kept: list[Draft] = []
    dropped = []
    for draft in sorted(
        drafts, key=lambda d: (len(d.faults), -d.worth, -d.place.likeness, d.place.first_word, d.headline)
    ):
        twin = next((other for other in kept if _same_point(draft, other)), None)
        if twin is None:
            kept.append(draft)
        else:
            dropped.append(DroppedClaim(draft.place.quote, "duplicate", f"of: {twin.headline}"))
    return kept, dropped


def _same_point(one: Draft, other: Draft) -> bool:
    a, b = one.place, other.place
    shared = min(a.last_word, b.last_word) - max(a.first_word, b.first_word) + 1
    shorter = min(a.last_word - a.first_word, b.last_word - b.first_word) + 1
    return shared * 2 >= shorter or fuzz.token_set_ratio(one.insight.lower(), other.insight.lower()) >= 92


def _segments_of(chosen: ChosenPassage, lines: Sequence[Line]) -> tuple[int, int] | None:
    first, last = sorted((chosen.first_line, chosen.last_line))
    if not 1 <= first <= last <= len(lines):
        return None
    return lines[first - 1].segments[0], lines[last - 1].segments[1]
