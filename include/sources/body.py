"""The body of an answer, unpacked bit by bit and read no further than a cap, so that what swells costs no memory."""

import asyncio
import re
import zlib
from collections.abc import AsyncIterable, AsyncIterator, Iterator, Mapping

import brotli
import httpcore

CRUMBS = 20_000
"""How many chunks an answer may have before their mean size counts: a tiny one costs as much work as a large one."""
STEP_BYTES = 64 * 1024
"""What is unpacked at once."""
_PACKINGS = re.compile("(x-)?(gzip|compress|bzip2?|deflate|lzma|xz)|br|zstd|dcb|dcz|exi|pack200-gzip")
"""The codings that there are; only three of them are asked for."""


class Refused(Exception):
    """A request or answer that is against the rules; trying again would not help."""


def coding(headers: Mapping[str, str]) -> str:
    """How a body is packed; `identity` where it is not, whatever else the header names: a charset, a media type."""
    named = [name.strip() for name in headers.get("content-encoding", "").lower().split(",")]
    return ", ".join(name for name in named if _PACKINGS.fullmatch(name)) or "identity"


def announced(headers: Mapping[str, str]) -> int | None:
    """How many bytes an answer says that it has, packed as it is; None where it does not say."""
    length = headers.get("content-length", "")
    return int(length) if length.isdigit() else None


async def pieces(
    chunks: AsyncIterable[bytes], headers: Mapping[str, str], max_bytes: int, told: int | None = None
) -> AsyncIterator[bytes]:
    """The body of an answer in pieces, unpacked. Raises Refused past `max_bytes`; `told` is the cap to name then."""
    too_large = Refused(f"the answer is larger than {_size(told or max_bytes)}")
    if (announced(headers) or 0) > max_bytes:
        raise too_large
    size = 0
    async for piece in _unpacked(_no_crumbs(chunks), coding(headers)):
        size += len(piece)
        if size > max_bytes:
            raise too_large
        yield piece


async def _no_crumbs(chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    count = size = 0
    async for chunk in chunks:
        count, size = count + 1, size + len(chunk)
        if count > CRUMBS and size < count * 64:
            raise Refused("the answer comes in too many pieces that are too small")
        yield chunk
        await asyncio.sleep(0)  # chunks that are here already would let no other answer have its turn


async def _unpacked(chunks: AsyncIterable[bytes], packing: str) -> AsyncIterator[bytes]:
    if packing == "identity":
        async for chunk in chunks:
            yield chunk
        return
    if packing not in ("gzip", "x-gzip", "deflate", "br"):
        raise Refused(f"the answer is encoded as {packing!r}, which was not asked for")
    unpacker = _Brotli() if packing == "br" else _Zlib()
    is_plain: bool | None = None
    async for chunk in chunks:
        if is_plain is None:
            is_plain = packing.endswith("gzip") and not b"\x1f\x8b".startswith(chunk[:2])
        if is_plain:  # some servers say that they pack, and do not
            yield chunk
            continue
        try:
            for piece in unpacker.feed(chunk):
                yield piece
        except (zlib.error, brotli.error) as error:
            raise Refused(f"the answer cannot be decompressed: {error}") from None
    if not unpacker.is_finished:
        raise httpcore.RemoteProtocolError("the compressed answer ends too early")


class _Zlib:
    """gzip, with any number of members, and deflate, with or without its header; never more at once than a step."""

    def __init__(self) -> None:
        self._wbits = zlib.MAX_WBITS | 32
        self._inner = zlib.decompressobj(self._wbits)
        self._begun = False

    @property
    def is_finished(self) -> bool:
        return self._inner.eof or not self._begun

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            try:
                yield self._inner.decompress(data, STEP_BYTES)
            except zlib.error:
                if self._begun or self._wbits < 0:
                    raise
                self._wbits = -zlib.MAX_WBITS
                self._inner = zlib.decompressobj(self._wbits)
                continue
            self._begun = True
            data = self._inner.unconsumed_tail
            if self._inner.eof:
                data = self._inner.unused_data if self._inner.unused_data[:2] == b"\x1f\x8b" else b""
                if data:
                    self._inner = zlib.decompressobj(self._wbits)


class _Brotli:
    """Brotli, never more at once than a step."""

    def __init__(self) -> None:
        self._inner = brotli.Decompressor()
        self._begun = False

    @property
    def is_finished(self) -> bool:
        return self._inner.is_finished() or not self._begun

    def feed(self, data: bytes) -> Iterator[bytes]:
        self._begun = True
        yield self._inner.process(data, output_buffer_limit=STEP_BYTES)
        while not self._inner.can_accept_more_data() and not self._inner.is_finished():
            yield self._inner.process(b"", output_buffer_limit=STEP_BYTES)


def _size(count: int) -> str:
    return f"{count / 1024 / 1024:.0f} MiB" if count >= 1024 * 1024 else f"{count} bytes"
