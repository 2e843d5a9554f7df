"""Documents of strangers parsed in processes of their own, one document at a time each: one that is made to keep the
parser busy, to swell it or to crash it costs itself a bounded time and stops nothing else.

A worker is a module run with `-m` that ends in `serve(answer)`. Each question is a line of JSON and the bytes that it
announces, each answer a line with a number of bytes and the bytes.
"""

import asyncio
import contextlib
import json
import os
import resource
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping
from typing import Any, Self, cast

from include.settings import PROJECT

PROCESSES = min(os.cpu_count() or 1, 4)
SECONDS = 60.0
MEMORY_BYTES = 2 * 1024**3
"""Of address space, not of memory in use: a feed of 32 MiB takes about 200 MB."""
_KEPT = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "TZ", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "OPENBLAS_CORETYPE")


class Spoilt(Exception):
    """A document that took too long, or that its worker died of."""


class Workers:
    """PROCESSES processes of a module, each started when it is first needed and ended with the block."""

    def __init__(self, module: str) -> None:
        self._all = [_Worker(module) for _ in range(PROCESSES)]
        self._idle: asyncio.LifoQueue[_Worker] = asyncio.LifoQueue()
        for worker in self._all:
            self._idle.put_nowait(worker)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await asyncio.gather(*(worker.end() for worker in self._all))

    async def ask(self, question: Mapping[str, Any], content: bytes) -> bytes:
        """The answer of a process that is free. Raises Spoilt."""
        worker = await self._idle.get()
        try:
            return await worker.ask(question, content)
        finally:
            self._idle.put_nowait(worker)


class _Worker:
    """One process, from this side."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._process: Process | None = None

    async def ask(self, question: Mapping[str, Any], content: bytes) -> bytes:
        process = self._process = self._process or await self._started()
        questions, answers = cast(asyncio.StreamWriter, process.stdin), cast(asyncio.StreamReader, process.stdout)
        try:
            async with asyncio.timeout(SECONDS):
                questions.writelines([json.dumps({**question, "size": len(content)}).encode(), b"\n", content])
                await questions.drain()
                return await answers.readexactly(int(await answers.readline()))
        except TimeoutError:
            await self.end(at_once=True)
            raise Spoilt(f"the document could not be parsed within {SECONDS:.0f} s") from None
        except (OSError, ValueError, asyncio.IncompleteReadError):
            await self.end(at_once=True)
            raise Spoilt("the document made its parser crash") from None
        except asyncio.CancelledError:
            await self.end(at_once=True)
            raise

    async def _started(self) -> Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            self._module,
            stdin=PIPE,
            stdout=PIPE,
            cwd=PROJECT,
            limit=1024 * 1024,
            env=bare_environment(),
        )

    async def end(self, at_once: bool = False) -> None:
        process, self._process = self._process, None
        if process:
            with contextlib.suppress(ProcessLookupError):
                if at_once:
                    process.kill()
                else:
                    cast(asyncio.StreamWriter, process.stdin).close()
            await process.wait()


def bare_environment() -> dict[str, str]:
    """The environment of a process that reads what strangers made: it holds no key."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ}


def serve(answer: Callable[[dict[str, Any], bytes], bytes]) -> None:
    """Answers what comes on standard input until nothing more comes. What the process itself prints goes to standard
    error."""
    with contextlib.suppress(ValueError, OSError):  # not every system bounds a process
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        while head := sys.stdin.buffer.readline():
            asked = json.loads(head)
            content = sys.stdin.buffer.read(asked["size"])
            signal.alarm(int(SECONDS) + 10)  # who asked may have been killed, and then nobody else ends it
            packed = answer(asked, content)
            signal.alarm(0)
            answers.write(b"%d\n%s" % (len(packed), packed))
            answers.flush()
