"""What a chat model sent back, read."""

import json
import re
from dataclasses import dataclass
from typing import Any

import pydantic_core
from pydantic import BaseModel

from include.models.forms import as_form


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: the text of the answer, the tokens billed, how it ended, and with what words it was refused."""

    text: str
    input_tokens: int | None
    output_tokens: int | None
    ending: str = ""
    refusal: str | None = None

    def status(self, schema: type[BaseModel]) -> str:
        """Whether it is an answer of that form: ok, malformed, truncated or refused."""
        if self.refusal or self.ending in ("content_filter", "refusal"):
            return "refused"
        if self.ending in ("length", "max_tokens"):
            return "truncated"
        data, whole = read_json(self.text)
        return "ok" if whole and as_form(schema, data) is not None else "malformed"


def reply_of(message: Any) -> Reply:
    """What a LangChain message says that answers in a form: its content, or the arguments of its tool call."""
    calls = [json.dumps(call["args"], ensure_ascii=False) for call in message.tool_calls]
    calls += [call["args"] or "" for call in message.invalid_tool_calls]
    usage = message.usage_metadata or {}
    metadata = message.response_metadata
    return Reply(
        text=calls[0] if calls else message.text,
        input_tokens=usage.get("input_tokens"),
        output_tokens=usage.get("output_tokens"),
        ending=str(metadata.get("finish_reason") or metadata.get("stop_reason") or metadata.get("done_reason") or ""),
        refusal=message.additional_kwargs.get("refusal"),
    )


def thrown_away(error: Exception) -> Reply | None:
    """The answer that came with an error, since the OpenAI client throws away what was cut short; None where none
    did."""
    completion = getattr(error, "completion", None)
    if completion is None:
        return None
    usage = completion.usage
    return Reply(
        text=completion.choices[0].message.content or "",
        input_tokens=usage.prompt_tokens if usage else None,
        output_tokens=usage.completion_tokens if usage else None,
        ending="length",
    )


def read_json(text: str) -> tuple[dict[str, Any], bool]:
    """The JSON object in an answer, and whether it is whole. Of one cut short, what was complete; else nothing.

    LangChain's own parser is not used: it closes what was cut off, and half a quote would pass for a whole one.
    """
    text = re.sub(r"(?s)<think>.*?</think>", "", text)
    text = text[text.find("{") :]
    try:
        data, whole = json.JSONDecoder().raw_decode(text)[0], True
    except (ValueError, RecursionError):
        try:
            data, whole = pydantic_core.from_json(text, allow_partial=True), False
        except ValueError:
            return {}, False
    return (data, whole) if isinstance(data, dict) else ({}, False)
