"""The sound of a recording, decoded by FFmpeg in a process of its own: it reads strangers' files, so it has none of the
task's secrets, writes no file, and dies of what costs too much memory or hangs. Run as a module, this is that process.

It writes a line of JSON, `promised` or `error`; then blocks of samples, each after its size in four bytes; then a size
of nought and a line of JSON, `error` and `broken` (packets that could not be decoded).
"""

import contextlib
import json
import logging
import os
import resource
import select
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import av
import av.container

from include.settings import PROJECT
from include.sources.workers import bare_environment

log = logging.getLogger(__name__)

RATE = 16_000
"""Samples a second of what the model hears."""
STALLED_SECONDS = 120.0
"""How long the process may take for the next block, of about a second of sound."""
MEMORY_BYTES = 2 * 1024**3
"""Of address space, not of memory in use."""

_FORMATS = "3gp,aac,ac3,aiff,amr,ape,asf,au,avi,caf,eac3,flac,flv,matroska,mov,mp3,mpeg,mpegts,ogg,w64,wav,wv"
"""What FFmpeg may take a file for. Playlists are left out: they would have it read other files and addresses."""
_SIZE = struct.Struct("!I")


class UnreadableAudio(Exception):
    """No transcript can be made of a recording; the message says why, in words for people."""


def decoded(audio: Path, longest_hours: float) -> tuple[float, Iterator[bytes]]:
    """The length in seconds that a truncated file promises, 0 for a whole one; its sound, block by block, as mono
    float32 at RATE. Raises UnreadableAudio, also amid the blocks: for what is no sound, goes on for more than
    `longest_hours`, or stalls or kills the process."""
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, str(audio.resolve()), str(longest_hours)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        cwd=PROJECT,
        env=bare_environment(),
    )
    assert process.stdout
    try:
        head = json.loads(_line(process.stdout))
        if "error" in head:
            raise UnreadableAudio(head["error"])
    except BaseException:
        _end(process)
        raise
    return head["promised"], _blocks(process, process.stdout)


def _blocks(process: subprocess.Popen, out: IO[bytes]) -> Iterator[bytes]:
    try:
        while size := _SIZE.unpack(_exactly(out, _SIZE.size))[0]:
            yield _exactly(out, size)
        tail = json.loads(_line(out))
    finally:
        _end(process)
    if tail["error"]:
        raise UnreadableAudio(tail["error"])
    if tail["broken"]:
        log.warning("%d packets could not be decoded and were skipped", tail["broken"])


def _exactly(out: IO[bytes], size: int) -> bytes:
    parts = []
    while size:
        # The pipe is read past any buffer, so that waiting for it tells whether something comes.
        ready, _, _ = select.select([out], [], [], STALLED_SECONDS)
        if not ready:
            raise UnreadableAudio(f"the recording kept its decoder busy for {STALLED_SECONDS:.0f} s without a sound")
        part = os.read(out.fileno(), size)
        if not part:
            raise UnreadableAudio("the recording made its decoder crash")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _line(out: IO[bytes]) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        line += _exactly(out, 1)
    return line


def _end(process: subprocess.Popen) -> None:
    process.kill()
    if process.stdout:
        process.stdout.close()
    process.wait()


# In the process


def serve(audio: Path, longest_hours: float, out: IO[bytes]) -> None:
    """Decodes one file, and writes it as the head of this module says."""
    try:
        container = _opened(audio)
    except UnreadableAudio as error:
        out.write(json.dumps({"error": str(error)}).encode() + b"\n")
        return
    out.write(json.dumps({"promised": _promised(container, audio.stat().st_size)}).encode() + b"\n")
    broken, problem, sent = 0, None, 0
    for sound in _sound(container):
        if sound is None:
            broken += 1
            continue
        out.write(_SIZE.pack(len(sound)) + sound)
        sent += len(sound) // 4
        if sent > longest_hours * 3600 * RATE:
            problem = f"the recording goes on for more than {longest_hours:.0f} hours"
            break
    out.write(_SIZE.pack(0) + json.dumps({"error": problem, "broken": broken}).encode() + b"\n")


def _opened(audio: Path) -> av.container.InputContainer:
    allowed = {"format_whitelist": _FORMATS, "protocol_whitelist": "file"}
    try:
        container = av.open(str(audio.resolve()), "r", metadata_errors="ignore", options=allowed)
    except (av.FFmpegError, ValueError) as error:
        raise UnreadableAudio(
            f"the file is no recording in a known format, or its beginning or its index is missing ({_reason(error)})"
        ) from error
    if not container.streams.audio:
        container.close()
        raise UnreadableAudio("the file holds pictures or text, but no sound")
    return container


def _promised(container: av.container.InputContainer, size: int) -> float:
    """The length that a file states, where it is too short for it. A length that FFmpeg only reckons from size and bit
    rate, since the file states none, is thereby left out: it can be wrong by far."""
    stated = (container.duration or 0) / av.time_base
    bit_rate = container.streams.audio[0].bit_rate
    return 0.0 if bit_rate and stated <= 1.02 * size * 8 / bit_rate else max(0.0, stated)


def _sound(container: av.container.InputContainer) -> Iterator[bytes | None]:
    """The sound of a container, which is closed at the end; None for a packet that cannot be decoded. An advertisement
    that was put into a recording may have another rate or number of channels than the rest."""
    form: tuple[str, str, int] | None = None
    resampler: av.AudioResampler | None = None
    with container:
        for frames in _frames(container):
            if frames is None:
                yield None
                continue
            for frame in frames:
                if resampler is None or form != (frame.format.name, frame.layout.name, frame.sample_rate):
                    yield from _resampled(resampler, None) if resampler else ()
                    form = frame.format.name, frame.layout.name, frame.sample_rate
                    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
                frame.pts = None
                yield from _resampled(resampler, frame)
        yield from _resampled(resampler, None) if resampler else ()


def _frames(container: av.container.InputContainer) -> Iterator[list[av.AudioFrame] | None]:
    """The frames of each packet, None for a packet that cannot be decoded; a file that breaks off ends there."""
    packets = container.demux(container.streams.audio[0])
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError as error:
            log.warning("the recording breaks off: %s", _reason(error))
            return
        if packet is None:
            return
        try:
            yield [frame for frame in packet.decode() if isinstance(frame, av.AudioFrame)]
        except av.FFmpegError:
            yield None


def _resampled(resampler: av.AudioResampler, frame: av.AudioFrame | None) -> Iterator[bytes]:
    for part in resampler.resample(frame):
        yield bytes(part.planes[0])[: 4 * part.samples]


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).splitlines()[0]


if __name__ == "__main__":
    with contextlib.suppress(ValueError, OSError):  # not every system bounds a process
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as pipe, contextlib.suppress(BrokenPipeError):
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        serve(Path(sys.argv[1]), float(sys.argv[2]), pipe)
