"""What stands under Digest in Airflow's UI: a small web application that shows a day, and hands out the files made with
it.

Nothing here opens the warehouse: all is read from the published copy and from folders under the data directory. What
it shows comes in part from feeds and transcripts, and it shares its origin with Airflow, so no page may run a script
that could act for the person who looks at it:

- the overview, the pages and the Data Docs run no script at all, but for the search, which may load its own file; an
  insight's page may play its recording, once asked to;
- dbt's documentation is one program with its data inside, so it runs in a sandbox that has no part in the origin.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import FileResponse, HTMLResponse, Response

from include.digest.reading import DAYS_OF_FAILURE, digest_dates
from include.pages.overview import read_overview
from include.settings import Settings, settings
from include.templates import FOLDER, environment
from include.warehouse.publication import open_copy

_NO_SCRIPT = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)
_OWN_SCRIPT = f"{_NO_SCRIPT}; script-src 'self'"
_INLINE_STYLE = _NO_SCRIPT.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
_AUDIO = f"{_NO_SCRIPT}; media-src http: https:"
_SANDBOX = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data:; font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-cache",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_MEDIA_TYPES = {
    ".css": "text/css",
    ".gif": "image/gif",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".js": "text/javascript",
    ".otf": "font/otf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".xml": "application/atom+xml",
}
"""What is handed out; other files, such as the partial ones of a page being written, are not there for anyone."""


def operator_view(may_look: Callable[..., Any]) -> FastAPI:
    """The application; `may_look` is a FastAPI dependency that raises where the caller may not see the digest."""
    app = FastAPI(dependencies=[Depends(may_look)], docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/")
    def overview(day: str = "") -> Response:
        return _page(_overview(settings(), day))

    @app.get("/{name}.css")
    def style(name: str) -> Response:
        return _file(FOLDER, f"{name}.css", _NO_SCRIPT)

    @app.get("/site/{path:path}")
    def site(path: str) -> Response:
        policy = _AUDIO if path.startswith("insights/") else _OWN_SCRIPT if path == "search.html" else _NO_SCRIPT
        return _page_with_way_back(settings().site, path, policy)

    @app.get("/data-docs/{path:path}")
    def data_docs(path: str) -> Response:
        return _page_with_way_back(settings().data_docs, path, _INLINE_STYLE)

    @app.get("/dbt-docs/{path:path}")
    def dbt_docs(path: str) -> Response:
        return _file(settings().dbt_docs, path, _SANDBOX)

    return app


def _overview(at: Settings, wanted: str) -> dict[str, Any]:
    """What the overview's template shows: of the newest day, or of the day that is asked for."""
    shown: dict[str, Any] = {
        "overview": None,
        "trouble": None,
        "day": None,
        "days": [],
        "settings": at,
        "long": DAYS_OF_FAILURE,
        "has_dbt_docs": (at.dbt_docs / "index.html").is_file(),
        "has_data_docs": (at.data_docs / "index.html").is_file(),
    }
    if not at.published.is_file():
        return shown
    try:
        day = date.fromisoformat(wanted) if wanted else None
    except ValueError:
        raise HTTPException(400, "The day must be written as YYYY-MM-DD.") from None
    with open_copy(at.published) as connection:
        try:
            days = digest_dates(connection)
            if not days:
                return shown
            day = day or days[-1]
            shown |= {
                "days": days,
                "day": day,
                "before": max((other for other in days if other < day), default=None),
                "after": min((other for other in days if other > day), default=None),
                "published_at": datetime.fromtimestamp(at.published.stat().st_mtime, UTC),
            }
            shown["overview"] = read_overview(connection, day, datetime.now(UTC).date())
        except LookupError as error:
            shown["trouble"] = str(error)
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            shown["trouble"] = (
                "The published copy comes from another version; it is replaced when the next digest is published. "
                f"({str(error).splitlines()[0]})"
            )
    return shown


def _page(values: dict[str, Any]) -> Response:
    text = environment().get_template("overview.html").render(**values)
    return HTMLResponse(text, headers={**_HEADERS, "Content-Security-Policy": _NO_SCRIPT})


def _page_with_way_back(folder: Path, path: str, policy: str) -> Response:
    """A file of a folder; a page with a link to the overview, since Airflow's navigation does not lead back to it."""
    file = _file(folder, path, policy)
    if file.media_type != "text/html":
        return file
    way = f'<p class="back"><a href="{"../" * (path.count("/") + 1)}">Back to how the day went</a></p>'
    text = Path(file.path).read_text(encoding="utf-8")
    text = re.sub("<body[^>]*>", lambda body: body[0] + way, text, count=1)
    return HTMLResponse(text, headers={**_HEADERS, "Content-Security-Policy": policy})


def _file(folder: Path, path: str, policy: str) -> FileResponse:
    """A file of a folder; 404 for what lies outside of it, also by way of a link, or is of no known kind."""
    root = folder.resolve()
    try:
        file = (root / (path or "index.html")).resolve()
        found = file.is_relative_to(root) and file.is_file() and file.suffix in _MEDIA_TYPES
    except (OSError, ValueError):
        found = False
    if not found:
        raise HTTPException(404, "There is no such page.")
    headers = {**_HEADERS, "Content-Security-Policy": policy}
    return FileResponse(file, media_type=_MEDIA_TYPES[file.suffix], headers=headers)
