"""A server that speaks OpenAI's protocol of embeddings on loopback. Its vectors count the words of a text, so that
texts with the same words are near; it says nothing about what a real model would answer.

Written from the published reference of `POST /v1/embeddings`.
"""

import base64
import json
import threading
import zlib
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np


class EmbeddingServer:
    """`with EmbeddingServer() as server`: `asked` keeps the texts of all requests, and `faults` (statuses) come before
    any answer."""

    def __init__(self, size: int = 64, faults: Iterable[int] = ()):
        self.size = size
        self.faults = list(faults)
        self.asked: list[str] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"

    def __enter__(self) -> "EmbeddingServer":
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def embed(self, text: str) -> np.ndarray:
        vector = np.full(self.size, 0.1, dtype=np.float32)
        for word in text.lower().split():
            vector[zlib.crc32(word.encode()) % self.size] += 1
        return 3 * vector

    def _handler(server):  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if server.faults:
                    self._send(server.faults.pop(0), {"error": {"message": "scripted", "type": "scripted"}})
                    return
                server.asked += body["input"]
                vectors = [server.embed(text) for text in body["input"]]
                shown = [
                    base64.b64encode(vector.tobytes()).decode()
                    if body.get("encoding_format") == "base64"
                    else vector.tolist()
                    for vector in vectors
                ]
                data = [{"object": "embedding", "index": i, "embedding": one} for i, one in enumerate(shown)]
                usage = {"prompt_tokens": 1, "total_tokens": 1}
                self._send(200, {"object": "list", "data": data, "model": body["model"], "usage": usage})

            def _send(self, status: int, content: dict) -> None:
                payload = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *_: object) -> None: ...

        return Handler
