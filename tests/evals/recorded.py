"""A chat model that answers from a file: what careful readers answered to the pipeline's own questions, kept so that
anybody can measure the chat path without a key.

`answers.jsonl.gz` has a line an answer: `key` of the question (model, prompt, form and input), `task`, `subject`, and
`answer`. A quote in an answer is kept as the places of its first and last word in the transcript, and read from there.
`python -m tests.evals.recorded DATA_DIR` adds what was answered about measured episodes in a data directory.
"""

import gzip
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from include.models.calls import ANSWERED, CallStore
from include.models.questions import Answer, Question, call_key
from include.state import store
from tests.evals.material import Annotated, further_readings, shared_gold
from tests.evals.measures import Spoken

FILE = Path(__file__).with_name("answers.jsonl.gz")
READER = "openai:reader"


class Recorded:
    """Answers from a file; a question that it does not hold is one that nobody answered."""

    def __init__(self, kept: Mapping[str, Mapping[str, Any]], spoken: Mapping[str, Spoken], name: str = READER):
        self.name = name
        self.asked_tokens = self.missing = 0
        self._kept = kept
        self._spoken = spoken

    def ask_all(self, questions: Sequence[Question]) -> list[Answer]:
        return [self._answer(question) for question in questions]

    def _answer(self, question: Question) -> Answer:
        self.asked_tokens += (len(question.prompt.system) + len(question.user)) // 4
        kept = self._kept.get(call_key(self.name, question, question.prompt.system))
        if kept is None:
            self.missing += 1
            return Answer("failed", {}, "nobody answered this question: the prompts have changed since")
        return Answer("ok", with_quotes(kept["answer"], self._spoken.get(kept["subject"])))


def recorded(material: Iterable[Annotated]) -> Recorded:
    """The answers of the file, for these episodes."""
    return Recorded(read(FILE), {one.episode.episode_id: one.spoken for one in material})


def subjects() -> set[str]:
    """The episodes that some answer is about."""
    return {row["subject"] for row in read(FILE).values()}


def read(file: Path) -> dict[str, dict[str, Any]]:
    """The answers of a file by their keys; none where there is no file."""
    if not file.exists():
        return {}
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return {row["key"]: row for row in map(json.loads, lines)}


def write(file: Path, kept: Iterable[Mapping[str, Any]]) -> None:
    """The answers as a file, the same bytes for the same answers."""
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in sorted(kept, key=lambda row: row["key"]))
    file.write_bytes(gzip.compress(lines.encode(), mtime=0))


def without_quotes(answer: Mapping[str, Any], spoken: Spoken | None) -> dict[str, Any]:
    """An answer whose quotes are told by the places of their first and last word; a quote that is nowhere is empty."""
    claims = answer.get("claims")
    if spoken is None or not isinstance(claims, list):
        return dict(answer)
    return {"claims": [claim | {"quote": list(spoken.find(claim["quote"]) or ())} for claim in claims]}


def with_quotes(answer: Mapping[str, Any], spoken: Spoken | None) -> dict[str, Any]:
    """The answer with its quotes in words, lower case and without punctuation: as the pipeline compares them."""
    claims = answer.get("claims")
    if spoken is None or not isinstance(claims, list):
        return dict(answer)
    found = [" ".join(spoken.words[slice(*claim["quote"])]) if claim["quote"] else "" for claim in claims]
    return {"claims": [claim | {"quote": quote} for claim, quote in zip(claims, found, strict=True)]}


def main(arguments: list[str]) -> int:
    kept = read(FILE)
    spoken = {one.episode.episode_id: one.spoken for one in [*shared_gold(), *further_readings()]}
    for call in CallStore(store.at(Path(arguments[0]))).records():
        if call["status"] in ANSWERED and call["provider_model"] == READER:
            answer = without_quotes(json.loads(call["answer"]), spoken.get(call["subject_id"]))
            row = {"key": call["call_key"], "task": call["task"], "subject": call["subject_id"], "answer": answer}
            kept[row["key"]] = row
    write(FILE, kept.values())
    print(f"{len(kept)} answers: {FILE}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
