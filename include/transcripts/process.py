"""Transcripts parsed in processes of their own; see `include.sources.workers`. Run as a module, this is such a
process."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from include.sources.workers import Spoilt, Workers, serve
from include.transcripts import formats
from include.transcripts.formats import Document

_REPLY: TypeAdapter[Document | str] = TypeAdapter(Document | str)
"""A transcript, or why the document is none."""


@dataclass(frozen=True, slots=True)
class Unparsed:
    """A document as it came, offered as a format; see `formats.read`."""

    content: bytes
    kind: str
    charset: str | None = None
    notes: str = ""


def read_all(documents: Sequence[Unparsed]) -> list[Document | str]:
    """Each document read, in the order given, or why it cannot be; one that takes too long or makes its process die
    costs itself alone. Uses no network."""
    return asyncio.run(_read_all(documents)) if documents else []


async def _read_all(documents: Sequence[Unparsed]) -> list[Document | str]:
    async with Workers(__name__) as workers:

        async def read(document: Unparsed) -> Document | str:
            question = {"kind": document.kind, "charset": document.charset, "notes": document.notes}
            try:
                return _REPLY.validate_json(await workers.ask(question, document.content))
            except Spoilt as spoilt:
                return str(spoilt)

        return await asyncio.gather(*map(read, documents))


def _answer(asked: Mapping[str, Any], content: bytes) -> bytes:
    reply: Document | str
    try:
        reply = formats.read(content, asked["kind"], asked["charset"], asked["notes"])
    except formats.UnreadableTranscript as error:
        reply = str(error)
    return _REPLY.dump_json(reply)


if __name__ == "__main__":
    serve(_answer)
