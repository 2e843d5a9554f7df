"""Whether two claims tell the same story, by the judgement of a chat model.

How like two texts are says which pairs are worth asking about. It does not tell one story told twice from two stories
of one company; a reader does.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from include.chat import Asks, Question, load_prompt
from include.claims.forms import Form, as_form, items_of
from include.claims.untrusted import as_data, without_orders

log = logging.getLogger(__name__)

Verdict = Literal["same", "related", "different"]


class Compared(Form):
    """What claim A and the claim of this number are to each other."""

    number: int
    verdict: Verdict


class AllCompared(Form):
    """A verdict for each numbered claim."""

    verdicts: list[Compared]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A claim and those it is to be compared with, by id; `texts` are headline and insight of all of them."""

    claim_id: str
    others: tuple[str, ...]
    texts: dict[str, str]


@dataclass(frozen=True, slots=True)
class Judged:
    """Whether two claims tell the same story."""

    claim_id: str
    other_claim_id: str
    verdict: Verdict


class StoryJudge:
    """Compares each claim with a few others, of which it sees neither shows nor speakers.

    A question for each claim, of some 300 tokens and 100 more for each other claim. Asking again is safe: answered
    questions are not asked twice.
    """

    def __init__(self, model: Asks):
        self.name = model.name
        self._model = model
        self._prompt = load_prompt("same_story")
        self.version = self._prompt.version

    def judge(self, comparisons: Sequence[Comparison]) -> list[Judged]:
        """The verdicts on all pairs that were answered, in the order given; on others there is none, and they can be
        asked about another time. Where the budget is short, the first comparisons are made first."""
        answers = self._model.ask_all([self._question(comparison) for comparison in comparisons])
        found = []
        for comparison, answer in zip(comparisons, answers, strict=True):
            said = {item.number: item for raw in items_of(answer, "verdicts") if (item := as_form(Compared, raw))}
            found += [
                Judged(comparison.claim_id, other, said[number].verdict)
                for number, other in enumerate(comparison.others, 1)
                if number in said
            ]
        if missing := sum(len(comparison.others) for comparison in comparisons) - len(found):
            log.warning("%s said nothing on %d pairs of claims; ops.llm_calls tells why", self.name, missing)
        return found

    def _question(self, comparison: Comparison) -> Question:
        shown = {claim: as_data(without_orders(text)) for claim, text in comparison.texts.items()}
        others = "\n\n".join(f"[{number}]\n{shown[other]}" for number, other in enumerate(comparison.others, 1))
        values = {"anchor": shown[comparison.claim_id], "others": others}
        return Question("same_story", comparison.claim_id, self._prompt, values, AllCompared)
