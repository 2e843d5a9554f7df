"""What is asked of a chat model, and what comes of it."""

import hashlib
import json
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel

from include.settings import ENGLISH

_PROMPTS = Path(__file__).with_name("prompts")


class UnusableModel(RuntimeError):
    """The model cannot be used as it is configured (no key, wrong name, no access): no retry helps."""

    is_retryable = False


class NobodyAnswered(RuntimeError):
    """Nothing at all was answered; asking again later may help, and repeats no question that was answered."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt file: its system part, its user part with `$name` places for values, and a short hash of both."""

    name: str
    system: str
    user: str
    version: str


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask. `values` fill the prompt's places in one pass, so nothing in a value is taken for a place.

    `schema` is the form of the answer; all its fields are required. `subject_id` and `task` are for the records.
    """

    task: str
    subject_id: str
    prompt: Prompt
    values: Mapping[str, str]
    schema: type[BaseModel]

    @property
    def user(self) -> str:
        """The user part of the prompt, filled."""
        return string.Template(self.prompt.user).substitute(self.values)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question: `data` is the JSON object of the answer as far as it could be read, else empty.

    `status`: ok (valid), malformed (no object of that form), truncated (cut short: what was complete is there), refused
    (the model declined), failed (no answer after all tries), skipped_budget (not asked).
    """

    status: str
    data: Mapping[str, Any]
    error: str | None = None


class Asks(Protocol):
    """What an extractor or a scorer needs of a chat model."""

    name: str

    def ask_all(self, questions: Sequence[Question]) -> list[Answer]: ...


def load_prompt(name: str, language: str = ENGLISH) -> Prompt:
    """The prompt in `include/models/prompts/NAME.md`: what stands above its first line `---` is the system part.
    `language` is the one that readers get; prompts that ask for their texts name it, and so does their version."""
    text = (_PROMPTS / f"{name}.md").read_text(encoding="utf-8").replace("$language", language)
    system, user = text.split("\n---\n", 1)
    return Prompt(name, system.strip(), user.strip(), short_hash(text))


def short_hash(*parts: str) -> str:
    """Twelve hexadecimal digits that name these texts in this order."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]


def call_key(provider_model: str, question: Question, system: str) -> str:
    """The content key of a call: the same model, prompt, form of answer and input give the same key everywhere."""
    schema = json.dumps(question.schema.model_json_schema(), sort_keys=True)
    content = json.dumps([provider_model, question.prompt.version, schema, system, question.user])
    return hashlib.sha256(content.encode()).hexdigest()[:32]
