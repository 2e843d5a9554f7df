"""A server that speaks the chat protocols of OpenAI, Anthropic and Ollama on loopback, and answers by a script.

Nothing of the project is replaced in tests that use it: requests go through LangChain, the provider's client and HTTP.
What it shows is what the project's code does with good, odd and hostile answers; it says nothing about what a real
model would answer.
"""

import json
import re
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Asked:
    """A request as it came in: the two messages, the name of the form that the answer must have, and the body."""

    system: str
    user: str
    form: str
    body: dict[str, Any]
    headers: dict[str, str]


@dataclass(frozen=True)
class Reply:
    """What the server says: a chat completion around `content`, or `raw` as it stands, after `delay` seconds."""

    content: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: str | None = None
    delay: float = 0.0
    finish_reason: str = "stop"
    refusal: str | None = None
    usage: tuple[int, int] = (1000, 100)


def answer(data: Any) -> Reply:
    return Reply(json.dumps(data))


def error(status: int, message: str = "scripted", **headers: str) -> Reply:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=status, headers=names, raw=json.dumps({"error": {"message": message, "type": "scripted"}}))


class ChatServer:
    """`with ChatServer(model) as server`: `model` turns what is asked into a reply, and `faults` come before it.

    `asked` keeps all requests in the order in which they came; `most_at_once` is how many were in work together.
    """

    def __init__(self, model: Callable[[Asked], Reply], faults: Iterable[Reply] = ()):
        self.model = model
        self.faults = list(faults)
        self.asked: list[Asked] = []
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"

    def __enter__(self) -> "ChatServer":
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def asked_for(self, form: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.form == form]

    def _reply(self, asked: Asked) -> Reply:
        with self._lock:
            self.asked.append(asked)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            fault = self.faults.pop(0) if self.faults else None
        try:
            reply = fault or self.model(asked)
            time.sleep(reply.delay)
            return reply
        finally:
            with self._lock:
                self._at_once -= 1

    def _handler(server):  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                texts = {message["role"]: message["content"] for message in [*_system(body), *body["messages"]]}
                reply = server._reply(
                    Asked(
                        texts.get("system") or texts.get("developer", ""),
                        texts.get("user", ""),
                        _form(body),
                        body,
                        {name.lower(): value for name, value in self.headers.items()},
                    )
                )
                speaks = {"/v1/messages": _message, "/api/chat": _chat}.get(self.path, _completion)
                self._send(reply, json.dumps(speaks(reply, body.get("model", ""))))

            def _send(self, reply: Reply, text: str) -> None:
                payload = (text if reply.raw is None else reply.raw).encode()
                try:
                    self.send_response(reply.status)
                    for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(payload)))
                    self.end_headers()
                    self.wfile.write(payload)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def log_message(self, *_: object) -> None: ...

        return Handler


def _system(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Anthropic's protocol has the system part beside the messages."""
    return [{"role": "system", "content": body["system"]}] if "system" in body else []


def _form(body: dict[str, Any]) -> str:
    """The name of the form that the answer must have, wherever the protocol puts it."""
    schema = body.get("format") or body.get("output_config", {}).get("format", {}).get("schema") or {}
    return body.get("response_format", {}).get("json_schema", {}).get("name") or schema.get("title", "")


def _message(reply: Reply, model: str) -> dict[str, Any]:
    return {
        "id": "msg_scripted",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [{"type": "text", "text": reply.content}],
        "stop_reason": {"stop": "end_turn", "length": "max_tokens"}[reply.finish_reason],
        "stop_sequence": None,
        "usage": {"input_tokens": reply.usage[0], "output_tokens": reply.usage[1]},
    }


def _chat(reply: Reply, model: str) -> dict[str, Any]:
    return {
        "model": model,
        "created_at": "2026-01-15T08:00:00Z",
        "message": {"role": "assistant", "content": reply.content},
        "done": True,
        "done_reason": reply.finish_reason,
        "prompt_eval_count": reply.usage[0],
        "eval_count": reply.usage[1],
    }


def _completion(reply: Reply, model: str) -> dict[str, Any]:
    return {
        "id": "chatcmpl-scripted",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [
            {
                "index": 0,
                "finish_reason": reply.finish_reason,
                "message": {"role": "assistant", "content": reply.content, "refusal": reply.refusal},
            }
        ],
        "usage": {
            "prompt_tokens": reply.usage[0],
            "completion_tokens": reply.usage[1],
            "total_tokens": sum(reply.usage),
        },
    }


LINE = re.compile(r"^\[(\d+)\] (?:([^:\n]{1,60}): )?(.*)$", re.M)


def lines_of(asked: Asked) -> list[tuple[int, str, str]]:
    """The numbered lines that an extraction prompt shows: (number, speaker, words)."""
    shown = asked.user.split("<<<TRANSCRIPT\n", 1)[1].rsplit("\nTRANSCRIPT>>>", 1)[0]
    return [(int(number), speaker or "", text) for number, speaker, text in LINE.findall(shown)]


def passage(number: int, quote: str, speaker: str = "", **changes: Any) -> dict[str, Any]:
    """One chosen passage, whole and of the right form."""
    return {
        "first_line": number,
        "last_line": number,
        "quote": quote,
        "speaker": speaker,
        "headline": "A claim of consequence",
        "insight": f"It was said: {quote}",
        "kind": "fact",
        "worth": 3.0,
    } | changes


def ratings(value: float = 3.0, **changes: Any) -> dict[str, Any]:
    """The ratings of one claim, without its number."""
    parts = ("novelty", "specificity", "evidence", "significance")
    return {part: value for part in parts} | {"reason": "as scripted"} | changes


def numbered(asked: Asked) -> list[tuple[int, str]]:
    """The numbered claims that a question shows."""
    listed = re.search(r"<<<(?:NUMBERED )?CLAIMS\n(.*)\n(?:NUMBERED )?CLAIMS>>>", asked.user, re.S)
    entries = (entry.split("]\n", 1) for entry in listed[1].removeprefix("[").split("\n\n[")) if listed else ()
    return [(int(number), text) for number, text in entries]


def rated(asked: Asked, rate: Callable[[str], float | dict[str, Any]]) -> Reply:
    """An answer that rates each claim that it is shown: by one number, or by its ratings."""
    found = [(number, rate(text)) for number, text in numbered(asked)]
    return answer(
        {"ratings": [{"number": n} | (ratings(r) if isinstance(r, int | float) else r) for n, r in found if r != {}]}
    )


def compared(asked: Asked, verdict: Callable[[str, str], str]) -> Reply:
    """An answer that says what claim A is to each numbered one."""
    anchor = asked.user.split("<<<CLAIM A\n", 1)[1].split("\nCLAIM A>>>", 1)[0]
    return answer({"verdicts": [{"number": n, "verdict": verdict(anchor, text)} for n, text in numbered(asked)]})
