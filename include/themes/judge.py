"""Whether two claims tell the same story, by the judgement of a chat model.

How like two texts are says which pairs are worth asking about. It does not tell one story told twice from two stories
of one company; a reader does.
"""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from include.claims.untrusted import as_data, without_orders
from include.models.forms import Form, as_form, items_of
from include.models.questions import Asks, Question, load_prompt

log = logging.getLogger(__name__)

StoryVerdict = Literal["same", "related", "different"]


class Compared(Form):
    """What claim A and the claim of this number are to each other."""

    number: int
    verdict: StoryVerdict


class ComparedWithAll(Form):
    """What claim A and each numbered claim are to each other."""

    verdicts: list[Compared]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two claims that are to be compared, by id, with headline and insight of each."""

    claim_id: str
    other_claim_id: str
    text: str
    other_text: str

    def turned(self) -> "Comparison":
        return Comparison(self.other_claim_id, self.claim_id, self.other_text, self.text)


@dataclass(frozen=True, slots=True)
class Judged:
    """Whether two claims tell the same story."""

    claim_id: str
    other_claim_id: str
    verdict: StoryVerdict


ASKED_AT_ONCE = 10
"""With how many others a question holds one claim against."""


class StoryJudge:
    """Compares claims by twos, of which it sees neither shows nor speakers.

    A question holds one claim against up to ten others, in an order that tells nothing, and costs some 550 tokens and
    100 for each of them.
    """

    def __init__(self, model: Asks):
        self.name = model.name
        self._model = model
        self._prompt = load_prompt("same_story")
        self.version = self._prompt.version

    def judge(self, comparisons: Sequence[Comparison]) -> list[Judged]:
        """The verdicts on all pairs that were answered; on others there is none, and they can be asked about another
        time. Where the budget is short, the first comparisons are made first, with what is asked along with them."""
        asked = together(comparisons)
        found = []
        for group, answer in zip(asked, self._model.ask_all([self.question(group) for group in asked]), strict=True):
            compared = [one for item in items_of(answer, "verdicts") if (one := as_form(Compared, item))]
            verdicts = {one.number: one.verdict for one in compared}
            found += [
                Judged(pair.claim_id, pair.other_claim_id, verdict)
                for number, pair in enumerate(group, 1)
                if (verdict := verdicts.get(number))
            ]
        if missing := len(comparisons) - len(found):
            log.warning("%s said nothing on %d of %d pairs of claims", self.name, missing, len(comparisons))
        return found

    def question(self, group: Sequence[Comparison]) -> Question:
        """What is asked about one claim and some others."""
        first = group[0]
        others = "\n\n".join(f"[{number}]\n{_shown(pair.other_text)}" for number, pair in enumerate(group, 1))
        values = {"one": _shown(first.text), "others": others}
        return Question("same_story", first.claim_id, self._prompt, values, ComparedWithAll)


def together(comparisons: Sequence[Comparison]) -> list[list[Comparison]]:
    """The comparisons as few questions: each holds one claim, the same in all of its pairs, against some others, turned
    where it was the other of a pair. The questions that hold the first comparisons come first."""
    left = dict.fromkeys(comparisons)
    by_claim: dict[str, list[Comparison]] = {}
    for pair in comparisons:
        by_claim.setdefault(pair.claim_id, []).append(pair)
        by_claim.setdefault(pair.other_claim_id, []).append(pair)
    place = {pair: i for i, pair in enumerate(comparisons)}
    groups: list[tuple[int, list[Comparison]]] = []
    while left:
        open_pairs = {claim: [pair for pair in pairs if pair in left] for claim, pairs in by_claim.items()}
        claim = max(open_pairs, key=lambda one: (len(open_pairs[one]), one))
        some = open_pairs[claim][:ASKED_AT_ONCE]
        for pair in some:
            del left[pair]
        turned = [pair if pair.claim_id == claim else pair.turned() for pair in some]
        groups.append((min(place[pair] for pair in some), sorted(turned, key=_by_chance)))
    return [group for _, group in sorted(groups, key=lambda one: one[0])]


def _by_chance(pair: Comparison) -> bytes:
    return hashlib.sha256(pair.other_text.encode()).digest()


def _shown(text: str) -> str:
    return as_data(without_orders(text))
