"""Claims scored by a chat model: ratings count only on the scale they were asked for, and the day's best are put in
order several times, each time shown another way round."""

import hashlib
import itertools
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

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


class Order(Form):
    """The numbers of all claims, the best first."""

    order: list[int]


RATED_AT_ONCE = 10
"""How many claims a question asks to rate."""

TOP = 20
"""How many of a day are put in order."""

ORDERS = 2
"""How often they are put in order, each time from first to last and from last to first as they are shown."""

WEIGHTS = {"novelty": 0.25, "specificity": 0.12, "evidence": 0.19, "significance": 0.44}
"""How much each rating counts: the non-negative least-squares fit of careful readers' overall ratings of 408 insights
to their four part ratings (correlation 0.98), scaled to a sum of 1."""

AT_READING = 0.5
"""How much of a rating is what the claim was worth to who read it in its place."""


class ChatScorer:
    """Rates the claims of a day on a rubric, ten at once, then has the day's best put in order.

    A day of n claims costs n / 10 questions of some 2,300 tokens, and four of some 3,500 for the best twenty.

    What keeps one generous answer from winning the day: ratings off the scale are no ratings; a rating far above the
    day's is cut to where the day's own spread allows (`calibrated`); an episode that was rated high as a whole keeps
    half of that; and the twenty best only trade places among the values they hold, two thirds by their place when they
    are put in order, shown each way round, and one third by their rating.

    A claim that was not rated (the model failed, or the budget was spent) scores 0 and its reason says so: it stands
    behind all that were rated, since nothing speaks for it.
    """

    def __init__(self, model: Asks, language: str = ENGLISH):
        self.name = model.name
        self._model = model
        self._rubric = load_prompt("rubric", language)
        self._order_prompt = load_prompt("order")
        self.version = short_hash(
            self._rubric.version,
            self._order_prompt.version,
            f"{WEIGHTS}/{AT_READING}/{RATED_AT_ONCE}/{TOP}/{ORDERS}",
        )

    def score(self, day: Sequence[ReadEpisode]) -> list[list[Score]]:
        """One list an episode, one score a claim, in the order given. Raises NobodyAnswered where nothing was rated
        because the model did not answer."""
        candidates = [_Candidate.of(read, claim, place) for place, read in enumerate(day) for claim in read.claims]
        self._rate(candidates)
        rated = [c for c in candidates if c.ratings is not None]
        for candidate, value in zip(rated, calibrated([(c.episode, c.overall) for c in rated]), strict=True):
            candidate.value = value
        best = sorted(rated, key=lambda c: (-c.value, c.subject_id))[:TOP]
        if len(best) > 1:
            self._order(best)
        scores = iter([candidate.score() for candidate in candidates])
        return [list(itertools.islice(scores, len(read.claims))) for read in day]

    def _rate(self, candidates: Sequence["_Candidate"]) -> None:
        """Has each claim rated, in company that has nothing to do with its episode."""
        mixed = _shuffled(candidates, "rated")
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

    def _order(self, best: Sequence["_Candidate"]) -> None:
        """Deals the values that the best hold out again, by their places when they are put in order."""
        shown: list[list[_Candidate]] = []
        for turn in range(ORDERS):
            one_way = _shuffled(best, f"ordered {turn}")
            shown += [one_way, one_way[::-1]]
        answers = self._model.ask_all(
            [
                Question("order", best[0].subject_id, self._order_prompt, {"claims": _numbered(group)}, Order)
                for group in shown
            ]
        )
        for group, answer in zip(shown, answers, strict=True):
            told = [n for n in items_of(answer, "order") if isinstance(n, int) and 1 <= n <= len(group)]
            places = {number: place for place, number in enumerate(dict.fromkeys(told))}
            if 2 * len(places) >= len(group):
                behind = (len(places) + len(group) - 1) / 2
                for number, candidate in enumerate(group, 1):
                    candidate.places.append(places.get(number, behind))
        for i, candidate in enumerate(best):
            by_order = statistics.fmean(candidate.places) if candidate.places else i
            candidate.merit = (2 * by_order + i) / 3
        values = [candidate.value for candidate in best]
        for value, candidate in zip(values, sorted(best, key=lambda c: c.merit), strict=True):
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
    """A claim on its way to a score; `places` are those it had when the day's best were put in order, from 0."""

    episode: int
    subject_id: str
    shown: str
    at_reading: float | None
    ratings: Ratings | None = None
    missing: str = ""
    value: float = 0.0
    places: list[float] = field(default_factory=list)
    merit: float = 0.0

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


def _shuffled(candidates: Sequence[_Candidate], turn: str) -> list[_Candidate]:
    """The claims in an order that has nothing to do with where they stood or how good they are, the same each time."""
    return sorted(candidates, key=lambda c: hashlib.sha256(f"{turn}\n{c.shown}".encode()).digest())


def blind(text: str, episode: Episode) -> str:
    """The text with the show's name taken out, whatever its case."""
    name = episode.show_title.strip()
    return re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "the show", text, flags=re.I) if len(name) > 2 else text


def _said(reason: str) -> str:
    return without_orders(reason)[:200].rstrip(" .;")
