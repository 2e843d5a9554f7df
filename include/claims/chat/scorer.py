"""Claims scored by a chat model: ratings count only on the scale they were asked for, and the day's best are ordered by
comparisons made in both orders."""

import hashlib
import itertools
import math
import re
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict

from include.claims.claim import UNRATED, Claim, Episode, ReadEpisode, Score, claim_id
from include.claims.untrusted import as_data, visible, without_orders
from include.models.forms import Form, as_form, items_of
from include.models.questions import Answer, Asks, NobodyAnswered, Question, load_prompt, short_hash
from include.settings import ENGLISH


def _on_scale(value: float) -> float:
    if not (math.isfinite(value) and 0 <= value <= 5):
        raise ValueError("a rating is a number from 0 to 5")
    return value


# A validator rather than bounds: bounds would enter the schema, which some providers then refuse.
Rating = Annotated[float, AfterValidator(_on_scale)]


class Ratings(Form):
    """The four ratings of the claim, each from 0 to 5 with a line that says why."""

    novelty: Rating
    novelty_reason: str
    specificity: Rating
    specificity_reason: str
    evidence: Rating
    evidence_reason: str
    significance: Rating
    significance_reason: str


class Preference(Form):
    """Which of claim A and the claim of this number is the better."""

    number: int
    better: Literal["A", "other", "tie"]


class Preferences(Form):
    """A preference for each numbered claim."""

    model_config = ConfigDict(title="Verdicts")

    verdicts: list[Preference]


TOP = 20
"""How many of a day are compared with each other."""

WEIGHTS = {"novelty": 0.25, "specificity": 0.12, "evidence": 0.19, "significance": 0.44}
"""How much each rating counts: the non-negative least-squares fit of careful readers' overall ratings of 408 insights
to their four part ratings (correlation 0.98), scaled to a sum of 1."""


class ChatScorer:
    """Rates each claim alone on a rubric, then compares the day's best with each other in both orders.

    A day of n claims costs n questions of some 900 tokens, and one of some 3,500 for each of the best twenty.

    What keeps one generous answer from winning the day: ratings off the scale are no ratings; a rating far above the
    day's is cut to where the day's own spread allows (`calibrated`); an episode that was rated high as a whole keeps
    half of that; and the twenty best only trade places among the values they hold, two thirds by how often each was
    preferred to the others and one third by its rating. A preference counts where it holds in both orders.

    A claim that was not rated (the model failed, or the budget was spent) scores 0 and its reason says so: it stands
    behind all that were rated, since nothing speaks for it.
    """

    def __init__(self, model: Asks, language: str = ENGLISH):
        self.name = model.name
        self._model = model
        self._rubric = load_prompt("rubric", language)
        self._compare = load_prompt("compare")
        self.version = short_hash(self._rubric.version, self._compare.version, f"{WEIGHTS}/{TOP}")

    def score(self, day: Sequence[ReadEpisode]) -> list[list[Score]]:
        """One list an episode, one score a claim, in the order given. Raises NobodyAnswered where nothing was rated
        because the model did not answer."""
        candidates = [_Candidate.of(read, claim, place) for place, read in enumerate(day) for claim in read.claims]
        answers = self._model.ask_all(
            [Question("score", c.subject_id, self._rubric, {"claim": c.shown}, Ratings) for c in candidates]
        )
        for candidate, answer in zip(candidates, answers, strict=True):
            candidate.rate(answer)
        rated = [c for c in candidates if c.ratings is not None]
        if not rated and any(answer.status == "failed" for answer in answers):
            raise NobodyAnswered(
                f"{self.name} rated none of {len(candidates)} claims; the last error: {answers[-1].error}"
            )
        for candidate, value in zip(rated, calibrated([(c.episode, c.overall) for c in rated]), strict=True):
            candidate.value = value
        best = sorted(rated, key=lambda c: (-c.value, c.subject_id))[:TOP]
        if len(best) > 1:
            self._order(best)
        scores = iter([candidate.score() for candidate in candidates])
        return [list(itertools.islice(scores, len(read.claims))) for read in day]

    def _order(self, best: list["_Candidate"]) -> None:
        """Deals the values that the best hold out again, by how they fare against each other."""
        # Each meets the others in an order that has nothing to do with their ratings.
        shuffled = sorted(range(len(best)), key=lambda i: hashlib.sha256(best[i].shown.encode()).digest())
        meetings = [[other for other in shuffled if other != i] for i in range(len(best))]
        answers = self._model.ask_all(
            [
                Question(
                    "compare",
                    c.subject_id,
                    self._compare,
                    {"anchor": c.shown, "others": _numbered(best, met)},
                    Preferences,
                )
                for c, met in zip(best, meetings, strict=True)
            ]
        )
        said: dict[tuple[int, int], float] = {}
        for i, (met, answer) in enumerate(zip(meetings, answers, strict=True)):
            for item in items_of(answer, "verdicts"):
                one = as_form(Preference, item)
                if one is not None and 1 <= one.number <= len(met):
                    said[i, met[one.number - 1]] = {"A": 1.0, "other": 0.0, "tie": 0.5}[one.better]
        for i, candidate in enumerate(best):
            candidate.meet([(said.get((i, j)), said.get((j, i))) for j in range(len(best)) if j != i])
            by_rating = 1 - i / (len(best) - 1)
            candidate.merit = (2 * (by_rating if candidate.strength is None else candidate.strength) + by_rating) / 3
        values = [candidate.value for candidate in best]
        for value, candidate in zip(values, sorted(best, key=lambda c: -c.merit), strict=True):
            candidate.value = value


def calibrated(rated: Sequence[tuple[int, float]]) -> list[float]:
    """The overall ratings (episode, 0 to 5), made comparable over the episodes of a day; 0 to 5 in the same order.

    An episode's distance from the day is halved: of the difference between its median and the median of all episodes'
    medians, half is taken off. Then nothing stands out further than the day's spread allows: values above the median
    by more than 2.5 times the scaled median absolute deviation (at least 0.4) are cut to that.
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
    return [min(max(value, 0.0), highest, 5.0) for value in shifted]


@dataclass(slots=True)
class _Candidate:
    """A claim on its way to a score."""

    episode: int
    subject_id: str
    shown: str
    ratings: Ratings | None = None
    missing: str = ""
    value: float = 0.0
    strength: float | None = None
    merit: float = 0.0
    compared: int = 0
    preferred: int = 0

    @classmethod
    def of(cls, read: ReadEpisode, claim: Claim, place: int) -> "_Candidate":
        """The claim as the judge sees it: without its show, its speaker, and sentences that speak to a model."""
        texts = [blind(text, read.episode) for text in (claim.headline, claim.insight, claim.quote)]
        shown = "\n".join(
            f"{name}: {as_data(without_orders(text))}"
            for name, text in zip(("headline", "claim", "words quoted"), texts, strict=True)
        )
        return cls(place, claim_id(read.episode.episode_id, claim.quote), shown)

    @property
    def overall(self) -> float:
        return sum(weight * getattr(self.ratings, part) for part, weight in WEIGHTS.items())

    def rate(self, answer: Answer) -> None:
        self.ratings = as_form(Ratings, answer.data) if answer.status == "ok" else None
        self.missing = answer.error or f"the answer was {answer.status}"

    def meet(self, preferences: Iterable[tuple[float | None, float | None]]) -> None:
        """Takes in how this claim fared against each other one: as first of the pair, and as second."""
        results = [
            first if first == 1 - second else 0.5
            for first, second in preferences
            if first is not None and second is not None
        ]
        if results:
            self.strength = statistics.fmean(results)
            self.compared = len(results)
            self.preferred = sum(result == 1 for result in results)

    def score(self) -> Score:
        if self.ratings is None:
            return Score(0.0, f"{UNRATED}, and so behind all that were: {visible(self.missing)}"[:300])
        rating = self.ratings
        parts = sorted(WEIGHTS, key=lambda part: -WEIGHTS[part] * getattr(rating, part))[:2]
        said = "; ".join(
            f"{part} {getattr(rating, part):g}: {_said(getattr(rating, part + '_reason'))}" for part in parts
        )
        if self.compared:
            said += f"; preferred to {self.preferred} of {self.compared} others of the day in both orders"
        return Score(
            score=round(self.value, 3),
            reason=said,
            novelty=rating.novelty,
            specificity=rating.specificity,
            evidence=rating.evidence,
            significance=rating.significance,
        )


def _numbered(candidates: Sequence[_Candidate], places: Sequence[int]) -> str:
    return "\n\n".join(f"[{number}]\n{candidates[i].shown}" for number, i in enumerate(places, 1))


def blind(text: str, episode: Episode) -> str:
    """The text with the show's name taken out, whatever its case."""
    name = episode.show_title.strip()
    return re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "the show", text, flags=re.I) if len(name) > 2 else text


def _said(reason: str) -> str:
    return without_orders(reason)[:120].rstrip(" .;")
