"""A server that speaks AssemblyAI's API for pre-recorded audio on loopback, with faults on demand.

Where the service's published specification is at hand (`../shared/specs/assemblyai-openapi.yml`), each request, and one
response of each kind, is checked against it, and what does not conform is kept in `violations`. It shows what the
project does with the service's answers; it says nothing about how well the real one transcribes.
"""

import functools
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from include.settings import PROJECT

SPECIFICATION = PROJECT.parent / "shared" / "specs" / "assemblyai-openapi.yml"
KEY = "key-of-the-double"
WORDS = "The harbour moved ninety containers an hour. That is twice what it moved last year."


@dataclass
class Fault:
    """What happens instead of the next `times` answers to requests of a method whose path begins so: a status, or
    `garbage` (200 and no JSON), or a hang of some seconds that ends without an answer.

    With `done` the server does its work all the same, and only its answer is lost.
    """

    method: str
    path: str
    status: int = 500
    times: int = 1
    garbage: str | None = None
    hang_seconds: float = 0.0
    done: bool = False
    retry_after: str | None = None


class AssemblyAIServer:
    """`with AssemblyAIServer() as server`. A transcript is done after it was asked for `polls` times, or ends in the
    error that `error_of` gives for its audio.

    `created` are the audio addresses in the order in which transcripts of them were made; `most_in_flight` is how many
    were in work at once.
    """

    def __init__(
        self,
        polls: int = 1,
        seconds_of: Callable[[str], int] = lambda url: 600,
        error_of: Callable[[str], str | None] = lambda url: None,
        faults: Iterable[Fault] = (),
    ):
        self.polls = polls
        self.seconds_of = seconds_of
        self.error_of = error_of
        self.faults = list(faults)
        self.transcripts: dict[str, dict[str, Any]] = {}
        self.created: list[str] = []
        self.deleted: list[str] = []
        self.uploads: dict[str, int] = {}
        self.asked: list[tuple[str, str]] = []
        self.keys: set[str | None] = set()
        self.violations: list[str] = []
        self.most_in_flight = 0
        self._checked: set[tuple] = set()
        self._polled: dict[str, int] = {}
        self._created_at: dict[str, datetime] = {}
        self._lock = threading.RLock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.port = self._http.server_port
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "AssemblyAIServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        self._http.daemon_threads = True
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def restart(self) -> None:
        """Comes back on the same port with all that it knew."""
        self.stop()
        self._http = ThreadingHTTPServer(("127.0.0.1", self.port), self._handler())
        self.start()

    def connection(self, **extra: Any) -> str:
        """The Airflow connection to this server, for `AIRFLOW_CONN_ASSEMBLYAI_DEFAULT`."""
        return json.dumps({"conn_type": "assemblyai", "host": self.url, "password": KEY, "extra": extra})

    def in_flight(self) -> int:
        with self._lock:
            return sum(one["status"] in ("queued", "processing") for one in self.transcripts.values())

    def handle(self, method: str, target: str, headers: dict[str, str], body: bytes) -> tuple[int, Any, dict[str, str]]:
        parts = urlsplit(target)
        with self._lock:
            self.asked.append((method, parts.path))
            self.keys.add(headers.get("authorization"))
            self._check_request(method, parts, headers, body)
            fault = next((f for f in self.faults if f.method == method and parts.path.startswith(f.path)), None)
            if fault is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self.faults.remove(fault)
        if headers.get("authorization") != KEY:
            return 401, {"error": "Authentication error, API token missing/invalid"}, {}
        if fault is not None:
            if fault.done:
                self._answer(method, parts, headers, body)
            time.sleep(fault.hang_seconds)
            extra = {"Retry-After": fault.retry_after} if fault.retry_after else {}
            if fault.hang_seconds:
                return 0, None, {}
            if fault.garbage is not None:
                return 200, fault.garbage, extra
            return fault.status, {"error": f"scripted, key {KEY}"}, extra
        with self._lock:
            status, answer = self._answer(method, parts, headers, body)
            self._check_response(method, parts, headers, status, answer)
        return status, answer, {}

    def _answer(self, method: str, parts: Any, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        path = parts.path.strip("/").split("/")
        if (method, path) == ("POST", ["v2", "upload"]):
            url = f"https://cdn.assemblyai.com/upload/{uuid.uuid4()}"
            self.uploads[url] = len(body)
            return 200, {"upload_url": url}
        if (method, path) == ("POST", ["v2", "transcript"]):
            return 200, self._create(json.loads(body))
        if (method, path) == ("GET", ["v2", "transcript"]):
            return 200, self._list(dict(parse_qsl(parts.query)))
        found = self.transcripts.get(path[2]) if len(path) == 3 else None
        if found is None:
            return 404, {"error": "Not found"}
        if method == "DELETE":
            self.deleted.append(found["id"])
            found |= {"status": "completed", "audio_url": "http://deleted_by_user", "utterances": None, "text": None}
            return 200, found
        return 200, self._polled_once(found)

    def _create(self, body: dict[str, Any]) -> dict[str, Any]:
        url = body["audio_url"]
        made = {
            "id": str(uuid.uuid4()),
            "speech_model": None,
            "speech_models": body["speech_models"],
            "language_model": "assemblyai_default",
            "acoustic_model": "assemblyai_default",
            "status": "queued",
            "audio_url": url,
            "webhook_auth": False,
            "auto_highlights": False,
            "redact_pii": False,
            "summarization": False,
            "language_confidence_threshold": None,
            "language_confidence": None,
            "speaker_labels": body.get("speaker_labels"),
            "utterances": None,
            "text": None,
        }
        self.transcripts[made["id"]] = made
        self._created_at[made["id"]] = datetime.now(UTC).replace(tzinfo=None)
        self.created.append(url)
        self.most_in_flight = max(self.most_in_flight, self.in_flight())
        return made

    def _polled_once(self, found: dict[str, Any]) -> dict[str, Any]:
        if found["status"] not in ("queued", "processing"):
            return found
        times = self._polled[found["id"]] = self._polled.get(found["id"], 0) + 1
        found["status"] = "processing"
        if times > self.polls:
            if error := self.error_of(found["audio_url"]):
                found |= {"status": "error", "error": error}
            else:
                found |= {"status": "completed", "text": WORDS, "utterances": _utterances(WORDS)}
                found |= {"audio_duration": self.seconds_of(found["audio_url"]), "language_code": "en_us"}
                found |= {"speech_model_used": found["speech_models"][0]}
        return found

    def _list(self, asked: dict[str, str]) -> dict[str, Any]:
        newest_first = list(self.transcripts.values())[::-1]
        if before := asked.get("before_id"):
            newest_first = newest_first[[one["id"] for one in newest_first].index(before) + 1 :]
        page = newest_first[: int(asked.get("limit", 10))]
        here = f"{self.url}/v2/transcript"
        details = {"limit": int(asked.get("limit", 10)), "result_count": len(page), "current_url": here}
        items = [
            {
                "id": one["id"],
                "resource_url": f"{here}/{one['id']}",
                "status": one["status"],
                "created": self._created_at[one["id"]].isoformat(),
                "completed": None,
                "audio_url": one["audio_url"],
                "error": one.get("error"),
            }
            for one in page
        ]
        return {"page_details": {**details, "prev_url": None, "next_url": None}, "transcripts": items}

    def _check_request(self, method: str, parts: Any, headers: dict[str, str], body: bytes) -> None:
        if not SPECIFICATION.is_file():
            return
        try:
            _specification().validate_request(_request(method, parts, headers, body))
        except Exception as error:
            self.violations.append(f"request {method} {parts.path}: {error!r} {error.__cause__!r}")

    def _check_response(self, method: str, parts: Any, headers: dict[str, str], status: int, answer: Any) -> None:
        seen = (method, parts.path.count("/"), status, isinstance(answer, dict) and answer.get("status"))
        if not SPECIFICATION.is_file() or seen in self._checked:
            return
        from openapi_core.testing import MockResponse

        self._checked.add(seen)

        try:
            response = MockResponse(json.dumps(answer).encode(), status_code=status, content_type="application/json")
            _specification().validate_response(_request(method, parts, headers, b""), response)
        except Exception as error:
            self.violations.append(f"response to {method} {parts.path}: {error!r} {error.__cause__!r}")

    def _handler(server):  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, answer, extra = server.handle(self.command, self.path, headers, self._body(headers))
                if not status:
                    self.close_connection = True
                    return
                payload = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
                try:
                    self.send_response(status)
                    for name, value in {"Content-Type": "application/json", **extra}.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(payload)))
                    self.end_headers()
                    self.wfile.write(payload)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            do_GET = do_POST = do_DELETE = _any  # noqa: N815

            def _body(self, headers: dict[str, str]) -> bytes:
                if headers.get("transfer-encoding") != "chunked":
                    return self.rfile.read(int(headers.get("content-length", 0)))
                pieces = []
                while size := int(self.rfile.readline(), 16):
                    pieces.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                return b"".join(pieces)

            def log_message(self, *_: object) -> None: ...

        return Handler


def _utterances(text: str) -> list[dict[str, Any]]:
    """Two speakers, one sentence each and then the first once more with both, 400 ms a word."""
    first, second = (sentence.strip(".") + "." for sentence in text.split(". "))
    turns, clock = [], 0
    for speaker, spoken in (("A", first), ("B", second), ("A", f"{first} {second}")):
        words = []
        for word in spoken.split():
            words.append({"text": word, "start": clock, "end": clock + 350, "confidence": 0.9, "speaker": speaker})
            clock += 400
        span = {"start": words[0]["start"], "end": words[-1]["end"]}
        turns.append({"speaker": speaker, "text": spoken, "confidence": 0.9, "words": words, **span})
    return turns


def _request(method: str, parts: Any, headers: dict[str, str], body: bytes) -> Any:
    from openapi_core.testing import MockRequest

    return MockRequest(
        "https://api.assemblyai.com",
        method.lower(),
        parts.path,
        args=dict(parse_qsl(parts.query)),
        headers={"Authorization": headers["authorization"]} if "authorization" in headers else {},
        data=body or None,
        content_type=headers.get("content-type", "application/json"),
    )


@functools.cache
def _specification() -> Any:
    """The specification, with two schemas mended that nothing can satisfy: each half of `TranscriptParams` forbids the
    properties of the other, and the bytes of an upload are to be a string."""
    import yaml
    from openapi_core import Config, OpenAPI

    loaded = yaml.safe_load(Path(SPECIFICATION).read_text())
    schemas = loaded["components"]["schemas"]
    halves = [schemas["TranscriptParams"]["allOf"][0], schemas["TranscriptOptionalParams"]]
    schemas["TranscriptParams"] = {
        "type": "object",
        "additionalProperties": False,
        "required": [name for half in halves for name in half.get("required", [])],
        "properties": {name: schema for half in halves for name, schema in half["properties"].items()},
    }
    loaded["paths"]["/v2/upload"]["post"]["requestBody"]["content"]["application/octet-stream"]["schema"] = {}
    # The document as a whole is not valid OpenAPI 3.1 (a response's `default`), so it is taken as it is.
    return OpenAPI.from_dict(loaded, config=Config(spec_validator_cls=None))
