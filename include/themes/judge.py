"""Whether two claims tell the same story, by the judgement of a chat model.

How like two texts are says which pairs are worth asking about. It does not tell one story told twice from two stories
of one company; a reader does.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from include.claims.untrusted import as_data, without_orders
from include.models.forms import Form, as_form
from include.models.questions import Asks, Question, load_prompt

log = logging.getLogger(__name__)

StoryVerdict = Literal["same", "related", "different"]


class Compared(Form):
    """What claim A and claim B are to each other."""

    verdict: StoryVerdict


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two claims that are to be compared, by id, with headline and insight of each."""

    claim_id: str
    other_claim_id: str
    text: str
    other_text: str


@dataclass(frozen=True, slots=True)
class Judged:
    """Whether two claims tell the same story."""

    claim_id: str
    other_claim_id: str
    verdict: StoryVerdict


class StoryJudge:
    """Compares two claims at a time, of which it sees neither shows nor speakers.

    A question a pair, of some 500 tokens, so that what is said of two claims depends on them alone and is asked once,
    whatever else there was to compare.
    """

    def __init__(self, model: Asks):
        self.name = model.name
        self._model = model
        self._prompt = load_prompt("same_story")
        self.version = self._prompt.version

    def judge(self, comparisons: Sequence[Comparison]) -> list[Judged]:
        """The verdicts on all pairs that were answered, in the order given; on others there is none, and they can be
        asked about another time. Where the budget is short, the first comparisons are made first."""
        answers = self._model.ask_all([self.question(comparison) for comparison in comparisons])
        found = [
            Judged(comparison.claim_id, comparison.other_claim_id, compared.verdict)
            for comparison, answer in zip(comparisons, answers, strict=True)
            if answer.status != "refused" and (compared := as_form(Compared, answer.data))
        ]
        if missing := len(comparisons) - len(found):
            log.warning("%s said nothing on %d of %d pairs of claims", self.name, missing, len(comparisons))
        return found

    def keys(self, comparisons: Sequence[Comparison]) -> list[str]:
        """The keys of `raw.llm_calls` under which verdicts on these pairs are kept, where they were asked about."""
        return [key for comparison in comparisons for key in self._model.keys(self.question(comparison))]

    def question(self, comparison: Comparison) -> Question:
        """What is asked about two claims."""
        texts = {"one": comparison.text, "other": comparison.other_text}
        shown = {name: as_data(without_orders(text)) for name, text in texts.items()}
        return Question("same_story", comparison.claim_id, self._prompt, shown, Compared)
