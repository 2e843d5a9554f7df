"""Claims scored by a chat model: for the greater part by what they were worth to who read them in their place, for the
rest by ratings that are given without knowing where a claim stood, and that count only on the scale they were asked
for."""

import hashlib
import itertools
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from include.claims.chat.drafts import WORTH_AT_READING
from include.claims.claim import UNRATED, Claim, Episode, ReadEpisode, Score, claim_id
from include.claims.untrusted import as_data, visible, without_orders
from include.models.forms import Form, Rating, as_form, items_of
from include.models.questions import Answer, Asks, NobodyAnswered, Question, load_prompt, short_hash
from include.settings import ENGLISH


class Ratings(Form):
    """The four ratings of the claim of this number, each from 0 to 5, and a line that says what speaks most for it or
    against it."""

    number: int
    novelty: Rating
    specificity: Rating
    evidence: Rating
    significance: Rating
    reason: str


class RatingsOfAll(Form):
    """The ratings of each numbered claim."""

    ratings: list[Ratings]


RATED_AT_ONCE = 10
"""How many claims a question asks to rate."""

WEIGHTS = {"novelty": 0.25, "specificity": 0.12, "evidence": 0.19, "significance": 0.44}
"""How much each rating counts: the non-negative least-squares fit of careful readers' overall ratings of 408 insights
to their four part ratings (correlation 0.98), scaled to a sum of 1."""

AT_READING = 0.75
"""How much of a score is what the claim was worth to who read it in its place. On twelve episodes marked by other
readers and read as a whole, that alone found as much of what these had marked as any mixture, and blind ratings alone a
sixth less; these speak for the reader who was not taken in, and make episodes comparable."""
BEYOND = 0.1
"""How much counts of what a score is above what the spread of its day allows."""


class ChatScorer:
    """Rates the claims of a day on a rubric, ten at once.

    A day of n claims costs n / 10 questions of some 2,600 tokens.

    What keeps one generous answer from winning the day: ratings off the scale are no ratings; a score far above the
    day's is all but cut to where the day's own spread allows (`calibrated`); and an episode that was rated high as a
    whole keeps half of that.

    A claim that was not rated (the model failed, or the budget was spent) scores 0 and its reason says so: it stands
    behind all that were rated, since nothing speaks for it.
    """

    def __init__(self, model: Asks, language: str = ENGLISH):
        self.name = model.name
        self._model = model
        self._rubric = load_prompt("rubric", language)
        self.version = short_hash(self._rubric.version, f"{WEIGHTS}/{AT_READING}/{BEYOND}/{RATED_AT_ONCE}")

    def score(self, day: Sequence[ReadEpisode]) -> list[list[Score]]:
        """One list an episode, one score a claim, in the order given. Raises NobodyAnswered where nothing was rated
        because the model did not answer."""
        candidates = [_Candidate.of(read, claim, place) for place, read in enumerate(day) for claim in read.claims]
        self._rate(candidates)
        rated = [c for c in candidates if c.ratings is not None]
        for candidate, value in zip(rated, calibrated([(c.episode, c.overall) for c in rated]), strict=True):
            candidate.value = value
        scores = iter([candidate.score() for candidate in candidates])
        return [list(itertools.islice(scores, len(read.claims))) for read in day]

    def _rate(self, candidates: Sequence["_Candidate"]) -> None:
        """Has each claim rated, in company that has nothing to do with its episode."""
        mixed = sorted(candidates, key=lambda c: hashlib.sha256(c.shown.encode()).digest())
        batches = [mixed[i : i + RATED_AT_ONCE] for i in range(0, len(mixed), RATED_AT_ONCE)]
        answers = self._model.ask_all(
            [
                Question("score", batch[0].subject_id, self._rubric, {"claims": _numbered(batch)}, RatingsOfAll)
                for batch in batches
            ]
        )
        for batch, answer in zip(batches, answers, strict=True):
            found = {r.number: r for item in items_of(answer, "ratings") if (r := as_form(Ratings, item))}
            for number, candidate in enumerate(batch, 1):
                candidate.rate(found.get(number), answer)
        failed = [answer for answer in answers if answer.status == "failed"]
        if failed and all(candidate.ratings is None for candidate in candidates):
            raise NobodyAnswered(
                f"{self.name} rated none of {len(candidates)} claims; the last error: {failed[-1].error}"
            )


def calibrated(rated: Sequence[tuple[int, float]]) -> list[float]:
    """The overall ratings (episode, 0 to 5), made comparable over the episodes of a day; 0 to 5 in the same order.

    An episode's distance from the day is halved: of the difference between its median and the median of all episodes'
    medians, half is taken off. Then hardly anything stands out further than the day's spread allows: of what is above
    the median by more than 2.5 times the scaled median absolute deviation (at least 0.4), `BEYOND` counts.
    """
    if not rated:
        return []
    medians = {
        episode: statistics.median(value for of, value in rated if of == episode) for episode in {of for of, _ in rated}
    }
    centre = statistics.median(medians.values())
    shifted = [value - (medians[episode] - centre) / 2 for episode, value in rated]
    middle = statistics.median(shifted)
    spread = max(1.4826 * statistics.median(abs(value - middle) for value in shifted), 0.4)
    highest = middle + 2.5 * spread if len(shifted) > 2 else 5.0
    cut = [min(value, highest + BEYOND * max(0.0, value - highest)) for value in shifted]
    return [min(max(value, 0.0), 5.0) for value in cut]


@dataclass(slots=True)
class _Candidate:
    """A claim on its way to a score."""

    episode: int
    subject_id: str
    shown: str
    at_reading: float | None
    ratings: Ratings | None = None
    missing: str = ""
    value: float = 0.0

    @classmethod
    def of(cls, read: ReadEpisode, claim: Claim, place: int) -> "_Candidate":
        """The claim as the judge sees it: without its show, its speaker, and sentences that speak to a model."""
        texts = [blind(text, read.episode) for text in (claim.headline, claim.insight, claim.quote)]
        day = [f"day: {read.episode.published:%d %B %Y}"] if read.episode.published else []
        shown = "\n".join(
            f"{name}: {as_data(without_orders(text))}"
            for name, text in zip(("headline", "claim", "words quoted"), texts, strict=True)
        )
        return cls(
            place,
            claim_id(read.episode.episode_id, claim.quote),
            "\n".join([*day, shown]),
            claim.features.get(WORTH_AT_READING),
        )

    @property
    def overall(self) -> float:
        rated = sum(weight * getattr(self.ratings, part) for part, weight in WEIGHTS.items())
        return rated if self.at_reading is None else AT_READING * self.at_reading + (1 - AT_READING) * rated

    def rate(self, ratings: Ratings | None, answer: Answer) -> None:
        self.ratings = ratings if answer.status != "refused" else None
        self.missing = answer.error or f"the answer was {answer.status}"

    def score(self) -> Score:
        if self.ratings is None:
            return Score(0.0, f"{UNRATED}, and so behind all that were: {visible(self.missing)}"[:300])
        rating = self.ratings
        parts = sorted(WEIGHTS, key=lambda part: -WEIGHTS[part] * getattr(rating, part))[:2]
        said = f"{_said(rating.reason)} ({', '.join(f'{part} {getattr(rating, part):g}' for part in parts)})"
        return Score(
            score=round(self.value, 3),
            reason=said,
            novelty=rating.novelty,
            specificity=rating.specificity,
            evidence=rating.evidence,
            significance=rating.significance,
        )


def _numbered(candidates: Sequence[_Candidate]) -> str:
    return "\n\n".join(f"[{number}]\n{candidate.shown}" for number, candidate in enumerate(candidates, 1))


def blind(text: str, episode: Episode) -> str:
    """The text with the show's name taken out, whatever its case."""
    name = episode.show_title.strip()
    return re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "the show", text, flags=re.I) if len(name) > 2 else text


def _said(reason: str) -> str:
    return without_orders(reason)[:200].rstrip(" .;")
