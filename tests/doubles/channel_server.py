"""Slack, Discord, Telegram, Matrix, ntfy and a plain webhook, as one HTTP server that takes what each of them takes,
keeps it, and can be told to misbehave."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SLACK = "TAAAAAAAA/BAAAAAAAA/slackslackslackslackslac"
DISCORD = "123456789012345678/discorddiscorddiscord-secret"
TELEGRAM = "123456789:telegram-telegram_secret-abcdef"
WEBHOOK = "hook/webhook-secret"
MATRIX = "matrix-secret"
SECRETS = (
    MATRIX,
    "matrix-token",
    SLACK,
    DISCORD,
    TELEGRAM,
    "slackslack",
    "discorddiscord",
    "telegram_secret",
    "webhook-secret",
)


@dataclass
class Channels:
    """What was posted, as (service, title, text); `answer` is given in place of the service's own where it is set, and
    with `hang_up` a post is taken and the connection then cut."""

    port: int = 0
    posts: list[tuple[str, str, str]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    answer: int | None = None
    hang_up: bool = False

    def url(self, service: str) -> str:
        """The address that an operator writes."""
        return {
            "slack": f"slack://{SLACK}",
            "discord": f"discord://{DISCORD}",
            "tgram": f"tgram://{TELEGRAM}/-10012345",
            "matrix": f"matrix://bot:{MATRIX}@127.0.0.1:{self.port}/!room:h",
            "ntfy": f"ntfy://127.0.0.1:{self.port}/insights",
            "json": f"json://127.0.0.1:{self.port}/{WEBHOOK}",
        }[service]

    def take(self, path: str, body: dict[str, Any]) -> tuple[str, str, str, bytes]:
        """Which service a post is for, its title and text, and the service's answer. KeyError where it is malformed."""
        if path == f"/services/{SLACK}":
            (part,) = body["attachments"]
            return "slack", part["title"], part["text"], b"ok"
        if path.partition("?")[0] == f"/api/webhooks/{DISCORD}":
            if len(body["content"]) > 2000:
                raise KeyError("content is longer than 2000")
            title, _, text = body["content"].partition("\r\n")
            return "discord", title, text, b'{"id": "1"}'
        if path == f"/bot{TELEGRAM}/sendMessage":
            if len(body["text"]) > 4096 or body["chat_id"] != -10012345:
                raise KeyError("text or chat_id")
            title, _, text = body["text"].partition("\r\n")
            return "tgram", title, text, b'{"ok": true, "result": {"message_id": 1}}'
        if path.startswith("/_matrix/client/v3/rooms/%21room%3Ah/send/m.room.message/"):
            title, _, text = body["body"].partition("\r\n")
            return "matrix", title, text, b'{"event_id": "$1"}'
        if path == "/" and body["topic"] == "insights":
            return "ntfy", body["title"], body["message"], b'{"id": "1", "event": "message"}'
        if path == f"/{WEBHOOK}":
            return "json", body["title"], body["message"], b""
        raise KeyError(path)


@contextmanager
def serving(monkeypatch: Any) -> Iterator[Channels]:
    """The services, in the place of those on the internet."""
    from apprise.plugins.discord import NotifyDiscord
    from apprise.plugins.slack import NotifySlack
    from apprise.plugins.telegram import NotifyTelegram

    channels = Channels()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            # A session at Matrix begins and ends without trouble; what is posted in it may meet some.
            step = self.path.removeprefix("/_matrix/client/v3/").partition("/")[0]
            if self.command == "POST" and step in ("login", "join", "logout"):
                self.answer(200, b'{"access_token": "matrix-token", "user_id": "@bot:h", "room_id": "!room:h"}')
                return
            try:
                service, title, text, answer = channels.take(self.path, json.loads(body))
            except (KeyError, ValueError) as error:
                channels.wrong.append(f"{self.path}: {error!r}")
                self.send_error(400)
                return
            if channels.answer is None or channels.answer < 300:
                channels.posts.append((service, title, text))
            if channels.hang_up:
                self.close_connection = True
                self.connection.close()
                return
            self.answer(channels.answer or 200, answer)

        do_PUT = do_POST  # noqa: N815

        def answer(self, code: int, body: bytes) -> None:
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    channels.port = server.server_address[1]
    here = f"http://127.0.0.1:{channels.port}"
    monkeypatch.setattr(NotifySlack, "webhook_url", f"{here}/services")
    monkeypatch.setattr(NotifyDiscord, "notify_url", f"{here}/api/webhooks")
    monkeypatch.setattr(NotifyTelegram, "notify_url", f"{here}/bot")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield channels
    finally:
        server.shutdown()
        server.server_close()
