"""What this project asks of AssemblyAI's API, with a key from an Airflow connection.

Requests take the vendor's own forms (`assemblyai.types`), but HTTP is spoken here: whether a submission that got no
answer may have been taken decides over paying twice, and the vendor's client hides status and `Retry-After`.
"""

import datetime as dt
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import tenacity
from airflow.sdk import BaseHook, Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from include.retry_after import retry_after
from plugins.assembly_ai.transcript import STATUSES

BASE_URL = "https://api.assemblyai.com"
CONNECTION = "assemblyai_default"
SPEECH_MODELS = ["universal-3-pro", "universal-2"]
TIMEOUT_SECONDS = 30.0
UPLOAD_TIMEOUT_SECONDS = 600.0
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 60.0
CLOCKS_DIFFER = dt.timedelta(minutes=10)
"""How far the service's clock may be from ours when one of its transcripts is looked for by the time it was made."""
_PAGE = 200


class ServiceError(Exception):
    """The service did not do what it was asked; the message says why and holds no key."""


class AccountRefused(ServiceError):
    """The key is wrong, or the account may not do this: no job can succeed until a person has mended that."""


class RequestRefused(ServiceError):
    """The service refuses this one request (any other 4xx); the same request will be refused again."""


class Busy(ServiceError):
    """The service asks for patience (429). It has certainly not taken the request."""

    retry_after: float | None = None


class Unavailable(ServiceError):
    """No answer, or none that can be read. `may_be_done` tells whether the service may have taken the request."""

    may_be_done = True


class AssemblyAIHook(BaseHook):
    """AssemblyAI, through a connection: the API key is its password; its host, where set, another base URL (such as
    `https://api.eu.assemblyai.com`); `speech_models` in its extra the models, in the order of preference.

    Nothing costs money but `submit`. Requests are tried up to `attempts` times where that is safe.
    """

    def __init__(self, attempts: int = 5):
        super().__init__()
        self._attempts = attempts
        self._connection: Connection | None = None
        self._client: httpx.Client | None = None

    @classmethod
    def is_configured(cls) -> bool:
        """Whether there is such a connection."""
        try:
            cls.get_connection(CONNECTION)
        except AirflowNotFoundException:
            return False
        return True

    def get_conn(self) -> httpx.Client:
        """The client of this hook, made once. Raises AccountRefused where the connection holds no key."""
        if self._client is None:
            connection = self._connection or self.get_connection(CONNECTION)
            self._connection = connection
            if not connection.password:
                raise AccountRefused(f"The connection {CONNECTION} has no password: put AssemblyAI's API key there.")
            self._client = httpx.Client(
                base_url=_base_url(connection),
                headers={"Authorization": connection.password},
                timeout=TIMEOUT_SECONDS,
            )
        return self._client

    async def load(self) -> None:
        """Reads the connection from within an event loop, so that the other methods may run in threads."""
        self._connection = await self.aget_connection(CONNECTION)
        self.get_conn()

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    def upload(self, file: Path) -> str:
        """Lends the service a recording and returns the address by which it alone can reach it."""

        def pieces() -> Iterator[bytes]:
            with file.open("rb") as opened:
                while piece := opened.read(1024 * 1024):
                    yield piece

        answer = self._patiently(
            "POST", "/v2/upload", content_of=pieces, headers={"Content-Type": "application/octet-stream"},
            timeout=UPLOAD_TIMEOUT_SECONDS,
        )  # fmt: skip
        return _text(answer, "upload_url")

    def submit(self, audio_url: str) -> str:
        """Has a recording transcribed, with speakers told apart, and returns the transcript's id.

        Costs money by the hour of audio, and once more each time: after Unavailable with `may_be_done`, look with
        `find` before submitting again. Tried again by itself only where the service certainly did not take it.
        """
        from assemblyai import TranscriptionConfig, types

        self.get_conn()
        models = (self._connection.extra_dejson if self._connection else {}).get("speech_models") or SPEECH_MODELS
        wanted = TranscriptionConfig(speech_models=models, speaker_labels=True, language_detection=True)
        request = types.TranscriptRequest(audio_url=audio_url, **wanted.raw.model_dump(exclude_none=True))
        body = request.model_dump(mode="json", exclude_none=True)
        return _text(self._patiently("POST", "/v2/transcript", safe_to_repeat=False, json=body), "id")

    def get(self, transcript_id: str) -> dict[str, Any]:
        """A transcript as the service has it now; its `status` is one of STATUSES."""
        answer = self._patiently("GET", f"/v2/transcript/{transcript_id}")
        if answer.get("id") != transcript_id or answer.get("status") not in STATUSES:
            raise Unavailable(f"the answer about {transcript_id} is not of the form that the service specifies")
        return answer

    def find(self, audio_url: str, since: dt.datetime, but: Collection[str] = ()) -> str | None:
        """The id of the newest transcript of this audio that was made after `since` (UTC, no zone), but for some ids.

        Costs one request for each 200 transcripts that the account has made since then.
        """
        oldest = since - CLOCKS_DIFFER
        before: dict[str, str] = {}
        while True:
            page = self._patiently("GET", "/v2/transcript", params={"limit": _PAGE, **before}).get("transcripts")
            if not isinstance(page, list):
                raise Unavailable("the list of transcripts is not of the form that the service specifies")
            for entry in page:
                if dt.datetime.fromisoformat(_text(entry, "created")).replace(tzinfo=None) < oldest:
                    return None
                if entry.get("audio_url") == audio_url and _text(entry, "id") not in but:
                    return _text(entry, "id")
            if len(page) < _PAGE:
                return None
            before = {"before_id": _text(page[-1], "id")}

    def delete(self, transcript_id: str) -> None:
        """Has the service delete a transcript and the recording that was uploaded for it."""
        self._patiently("DELETE", f"/v2/transcript/{transcript_id}")

    def _patiently(self, method: str, path: str, *, safe_to_repeat: bool = True, **request: Any) -> dict[str, Any]:
        def may_be_repeated(error: BaseException) -> bool:
            if isinstance(error, Unavailable):
                return safe_to_repeat or not error.may_be_done
            return isinstance(error, Busy)

        def wait(state: tenacity.RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            asked = error.retry_after if isinstance(error, Busy) else None
            pause = tenacity.wait_exponential_jitter(
                FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS, jitter=FIRST_WAIT_SECONDS
            )
            return pause(state) if asked is None else min(asked, LONGEST_WAIT_SECONDS)

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(may_be_repeated),
            stop=tenacity.stop_after_attempt(self._attempts),
            wait=wait,
            reraise=True,
        )
        return retrying(self._once, method, path, **request)

    def _once(self, method: str, path: str, content_of: Any = None, **request: Any) -> dict[str, Any]:
        client = self.get_conn()
        if content_of:
            request["content"] = content_of()
        try:
            answer = client.request(method, path, **request)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            unavailable = Unavailable(self._redacted(f"no answer to {method} {path}: {type(error).__name__}: {error}"))
            unavailable.may_be_done = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
            raise unavailable from None
        if answer.status_code == 429:
            busy = Busy("the service answered 429 Too Many Requests")
            busy.retry_after = retry_after(answer.headers.get("retry-after"))
            raise busy
        if answer.status_code >= 500 or answer.is_redirect:
            raise Unavailable(f"the service answered {method} {path} with {answer.status_code} {answer.reason_phrase}")
        said: Any = None
        with suppress(ValueError):
            said = answer.json()
        if answer.is_client_error:
            reason = said.get("error") if isinstance(said, dict) else answer.reason_phrase
            refused = AccountRefused if answer.status_code in (401, 402, 403) else RequestRefused
            raise refused(self._redacted(f"the service answered {answer.status_code}: {reason}"))
        if not isinstance(said, dict):
            raise Unavailable(f"the answer to {method} {path} is no JSON object")
        return said

    def _redacted(self, text: str) -> str:
        key = self._connection.password if self._connection else None
        return " ".join((text.replace(key, "***") if key else text).split())[:500]


def _base_url(connection: Connection) -> str:
    host = (connection.host or "").rstrip("/")
    if not host:
        return BASE_URL
    url = host if "://" in host else f"{connection.schema or 'https'}://{host}"
    return f"{url}:{connection.port}" if connection.port else url


def _text(answer: Any, name: str) -> str:
    value = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(value, str) or not value:
        raise Unavailable(f"the service's answer lacks {name!r}")
    return value
