"""The bundled sample as podcast feeds over HTTP on this machine, read by the same code that reads real feeds.

`/feeds.txt` lists the feeds, `/feeds/SHOW.xml` is a show, `/transcripts/SHOW/EPISODE.*` are its transcripts and
`/audio/SHOW/EPISODE.mp3` is the one recording. All other audio and the web pages are named in the feeds and exist
nowhere: their hosts end in `.example`.
"""

import argparse
import contextlib
import email.utils
import errno
import hashlib
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

FOLDER = Path(__file__).resolve().parent
SAMPLE_DATE = "2026-01-15"
"""The sample's main day (UTC): the last of the three, with the most episodes."""
HOST = "127.0.0.1"
PORT = 8791

_PUBLIC = ("feeds", "transcripts", "audio")
_CONTENT_TYPES = {
    ".xml": "application/rss+xml; charset=utf-8",
    ".vtt": "text/vtt; charset=utf-8",
    ".srt": "application/x-subrip; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".mp3": "audio/mpeg",
}


class PortTaken(OSError):
    """Something else listens on the port."""


@contextlib.contextmanager
def serve(port: int = PORT, folder: Path = FOLDER) -> Iterator[str]:
    """Serves the sample while the block runs; gives its address without a slash at the end. Port 0 takes a free one.

    Raises PortTaken. Only this machine can reach it.
    """
    server = _listen(port, folder)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="sample", daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def feed_paths(folder: Path = FOLDER) -> list[str]:
    """The paths of the feeds on the server, in alphabetical order."""
    return [f"/feeds/{file.name}" for file in sorted((folder / "feeds").glob("*.xml"))]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m include.local.sample.server", description=__doc__)
    parser.add_argument("--port", type=int, default=PORT, help="0 takes a free one (default: %(default)s)")
    chosen = parser.parse_args(arguments)
    try:
        with serve(chosen.port) as address:
            print(f"The sample is at {address}/feeds.txt, its day is {SAMPLE_DATE}. Ctrl-C stops it.", flush=True)
            with contextlib.suppress(KeyboardInterrupt):
                threading.Event().wait()
    except PortTaken as error:
        parser.exit(1, f"{error}\n")
    return 0


def _listen(port: int, folder: Path) -> ThreadingHTTPServer:
    try:
        return ThreadingHTTPServer((HOST, port), partial(_Handler, folder))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise PortTaken(
            f"The sample's feeds cannot be served: port {port} on {HOST} is taken. "
            "Stop what listens there (perhaps another run of the sample), or choose another port."
        ) from error


def _document(folder: Path, path: str, address: str) -> tuple[str, bytes, float] | None:
    """Content type, body and time of change (seconds since 1970) of what stands at a path; None where nothing does."""
    parts = PurePosixPath(unquote(path)).parts[1:]
    if parts == ("feeds.txt",):
        feeds = feed_paths(folder)
        changed = max(((folder / feed[1:]).stat().st_mtime for feed in feeds), default=0.0)
        return _CONTENT_TYPES[".txt"], "".join(f"{address}{feed}\n" for feed in feeds).encode(), changed
    file = folder.joinpath(*parts)
    content_type = _CONTENT_TYPES.get(file.suffix)
    if not parts or parts[0] not in _PUBLIC or ".." in parts or "\x00" in path or content_type is None:
        return None
    if not file.is_file() or not file.resolve().is_relative_to(folder.resolve()):
        return None
    return content_type, file.read_bytes(), file.stat().st_mtime


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "sample"

    def __init__(self, folder: Path, *arguments):
        self.folder = folder
        super().__init__(*arguments)

    def do_GET(self) -> None:
        host, port = self.connection.getsockname()
        document = _document(self.folder, urlsplit(self.path).path, f"http://{host}:{port}")
        if document is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        content_type, body, changed = document
        etag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
        known = {tag.strip().removeprefix("W/") for tag in self.headers.get("If-None-Match", "").split(",")}
        same = etag in known or "*" in known
        self.send_response(HTTPStatus.NOT_MODIFIED if same else HTTPStatus.OK)
        self.send_header("ETag", etag)
        self.send_header("Last-Modified", email.utils.formatdate(changed, usegmt=True))
        if not same:
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not same and self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815 - the name http.server asks for

    def log_message(self, format: str, *args: object) -> None:
        """Requests are not news."""


if __name__ == "__main__":
    raise SystemExit(main())
