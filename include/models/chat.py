"""The one module that talks to a chat model: OpenAI, Anthropic, Ollama, or whatever else LangChain's `init_chat_model`
knows, chosen by a name such as `openai:gpt-4o-mini`; keys and addresses are the provider's own variables.

Each answer is kept under a key of its content (model, prompt version, schema, what was asked) before anything uses it,
and a question whose answer is kept is not asked again. LangChain is imported when the first question has to be asked.
"""

import dataclasses
import functools
import hashlib
import ipaddress
import json
import logging
import os
import re
import string
import threading
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import pydantic_core
import tenacity
from pydantic import BaseModel, SecretStr, ValidationError

from include.models.budget import Budget

log = logging.getLogger(__name__)

ANSWERED = frozenset({"ok", "malformed", "truncated", "refused"})
"""The states of a call that brought an answer: it was paid for, is kept, and the question is not asked again."""

_PROMPTS = Path(__file__).with_name("prompts")
_PRICES = Path(__file__).with_name("prices.json")
_ONCE_MORE = "\n\nAnswer with a single JSON object of the required form, complete, and with nothing before or after it."
_CONFIGURATION = {401, 403, 404}
_PASSING = {408, 409, 425, 429}


class UnusableModel(RuntimeError):
    """The model cannot be used as it is configured (no key, wrong name, no access): no retry helps."""


class NobodyAnswered(RuntimeError):
    """Nothing at all was answered; asking again later may help, and repeats no question that was answered."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt file: its system part, its user part with `$name` places for values, and a short hash of both."""

    name: str
    system: str
    user: str
    version: str


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask. `values` fill the prompt's places in one pass, so nothing in a value is taken for a place.

    `schema` is the form of the answer; all its fields are required. `subject_id` and `task` are for the records.
    """

    task: str
    subject_id: str
    prompt: Prompt
    values: Mapping[str, str]
    schema: type[BaseModel]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question: `data` is the JSON object of the answer as far as it could be read, else empty.

    `status`: ok (valid), malformed (no object of that form), truncated (cut short: what was complete is there), refused
    (the model declined), failed (no answer after all tries), skipped_budget (not asked).
    """

    status: str
    data: Mapping[str, Any]
    call_key: str
    error: str | None = None
    remembered: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A question that was asked, or left out, as a row of `raw.llm_calls`. Times are UTC, `cost_usd` is None where the
    model's price is not known."""

    call_key: str
    subject_id: str
    task: str
    provider_model: str
    prompt_version: str
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: float | None
    latency_seconds: float | None
    status: str
    error: str | None
    answer: str | None
    called_at: datetime


class Asks(Protocol):
    """What an extractor or a scorer needs of a chat model."""

    name: str

    def ask_all(self, questions: Sequence[Question]) -> list[Answer]: ...

    def keys(self, question: Question) -> tuple[str, ...]: ...


def load_prompt(name: str) -> Prompt:
    """The prompt in `include/models/prompts/NAME.md`: what stands above its first line `---` is the system part."""
    text = (_PROMPTS / f"{name}.md").read_text(encoding="utf-8")
    system, user = text.split("\n---\n", 1)
    return Prompt(name, system.strip(), user.strip(), short_hash(text))


def short_hash(*parts: str) -> str:
    """Twelve hexadecimal digits that name these texts in this order."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]


def _filled(question: Question) -> str:
    """The user part of a question."""
    return string.Template(question.prompt.user).substitute(question.values)


def call_key(provider_model: str, question: Question, system: str, user: str) -> str:
    """The content key of a call: the same model, prompt, form of answer and input give the same key everywhere."""
    schema = json.dumps(question.schema.model_json_schema(), sort_keys=True)
    content = json.dumps([provider_model, question.prompt.version, schema, system, user])
    return hashlib.sha256(content.encode()).hexdigest()[:32]


class CallStore:
    """A folder with a JSON file a call: written whole or not at all, so that a killed process loses only the call that
    it was waiting for. Safe for several threads and processes."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def get(self, key: str) -> Call | None:
        """The call of that key where it was answered; None where it was not, or was never made."""
        call = _read_call(self.folder / f"{key}.json")
        return call if call is not None and call.status in ANSWERED else None

    def put(self, call: Call) -> None:
        """Keeps a call, in the place of an earlier one of its key that was not answered."""
        file = self.folder / f"{call.call_key}.json"
        partial = file.with_name(f".{call.call_key}.{uuid.uuid4().hex}")
        row = dataclasses.asdict(call) | {"called_at": call.called_at.isoformat()}
        partial.write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
        os.replace(partial, file)

    def records(self) -> list[dict[str, Any]]:
        """All calls as rows of `raw.llm_calls`, in the order of the keys; `called_at` is a datetime in UTC, no zone."""
        calls = (_read_call(file) for file in sorted(self.folder.glob("*.json")))
        return [dataclasses.asdict(call) for call in calls if call is not None]

    def load(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Takes in calls made earlier (rows of `raw.llm_calls`); those kept here already stay as they are."""
        for record in records:
            if record["status"] in ANSWERED and not (self.folder / f"{record['call_key']}.json").exists():
                self.put(Call(**record))


class ChatModel:
    """A chat model with a memory, a budget and patience.

    Costs money where the provider does. A question is tried up to `attempts` times on 429, 5xx, time-outs and lost
    connections, with growing pauses, or as long as `Retry-After` says (at most `longest_wait_seconds`, and then for
    all questions); a time-out may have been billed, and counts as spent. An answer of the wrong form is asked for once
    more. After five questions in a row that nobody answered none is asked for `longest_wait_seconds`.
    """

    def __init__(
        self,
        provider_model: str,
        calls: CallStore,
        budget: Budget | None = None,
        *,
        timeout_seconds: float = 120.0,
        attempts: int = 4,
        concurrency: int = 4,
        requests_per_minute: float | None = None,
        max_output_tokens: int = 8000,
        first_wait_seconds: float = 1.0,
        longest_wait_seconds: float = 60.0,
    ):
        self.name = provider_model
        self.calls = calls
        self._budget = budget
        self._timeout = timeout_seconds
        self._attempts = attempts
        self._concurrency = concurrency
        self._requests_per_minute = requests_per_minute
        self._max_output_tokens = max_output_tokens
        self._first_wait = first_wait_seconds
        self._longest_wait = longest_wait_seconds
        self._lock = threading.Lock()
        self._asking: dict[str, threading.Lock] = {}
        self._paused_until = 0.0
        self._unanswered = 0
        self._hopeless_until = 0.0
        self._unusable = ""

    def ask_all(self, questions: Sequence[Question]) -> list[Answer]:
        """One answer a question, in their order; one that fails leaves the others alone.

        Raises UnusableModel where the model refuses every question by its configuration; what was answered until
        then is kept.
        """
        if not questions:
            return []
        with ThreadPoolExecutor(min(self._concurrency, len(questions))) as pool:
            waiting = [pool.submit(self.ask, question) for question in questions]
            try:
                return [answer.result() for answer in waiting]
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def ask(self, question: Question) -> Answer:
        """The answer to one question, from the store where it is there."""
        user = _filled(question)
        first = self._once(question, question.prompt.system, user)
        if first.status != "malformed":
            return first
        second = self._once(question, question.prompt.system + _ONCE_MORE, user)
        return second if second.data or not first.data else first

    def keys(self, question: Question) -> tuple[str, ...]:
        """The keys under which answers to a question are kept: to it, and where it was asked once more."""
        user, system = _filled(question), question.prompt.system
        return tuple(call_key(self.name, question, asked, user) for asked in (system, system + _ONCE_MORE))

    def _once(self, question: Question, system: str, user: str) -> Answer:
        key = call_key(self.name, question, system, user)
        with self._lock:
            turn = self._asking.setdefault(key, threading.Lock())
        with turn:
            kept = self.calls.get(key)
            if kept is not None:
                return _answer(kept, question.schema, remembered=True)
            call = self._call(key, question, system, user)
            self.calls.put(call)
            return _answer(call, question.schema)

    def _call(self, key: str, question: Question, system: str, user: str) -> Call:
        row = Call(
            call_key=key,
            subject_id=question.subject_id,
            task=question.task,
            provider_model=self.name,
            prompt_version=question.prompt.version,
            input_tokens=None,
            output_tokens=None,
            cost_usd=0.0,
            latency_seconds=None,
            status="failed",
            error=None,
            answer=None,
            called_at=_now(),
        )
        if self._unusable:
            raise UnusableModel(self._unusable)
        if self._unanswered >= 5 and time.monotonic() < self._hopeless_until:
            return dataclasses.replace(row, error="not asked: the model answered none of the last questions")
        lost: list[float] = []
        started = time.monotonic()
        try:
            for attempt in self._tries():
                with attempt:
                    self._wait_for_pause()
                    started = time.monotonic()
                    reply = self._paid(question.schema, system, user, lost)
        except _CapReached as cap:
            call = dataclasses.replace(
                row, status="skipped_budget", error=f"left out: {cap}", cost_usd=self._known(lost)
            )
        except UnusableModel as error:
            self._unusable = str(error)
            raise
        except Exception as error:
            said = self._redacted(error)
            if _status_code(error) in _CONFIGURATION:
                self._unusable = self._cannot_be_used(said)
                raise UnusableModel(self._unusable) from None
            log.warning("No answer from %s for %s of %s: %s", self.name, question.task, question.subject_id, said)
            with self._lock:
                self._unanswered += 1
                self._hopeless_until = time.monotonic() + self._longest_wait
            call = dataclasses.replace(row, error=said, cost_usd=self._known(lost))
        else:
            with self._lock:
                self._unanswered = 0
            call = dataclasses.replace(
                row,
                input_tokens=reply.input_tokens,
                output_tokens=reply.output_tokens,
                cost_usd=self._known([*lost, self._cost_of(reply, system + user)]),
                status=_form(reply, question.schema),
                error=reply.note,
                answer=reply.text,
            )
        return dataclasses.replace(call, latency_seconds=round(time.monotonic() - started, 3))

    def _paid(self, schema: type[BaseModel], system: str, user: str, lost: list[float]) -> "_Reply":
        """One try within the budget. What a try may have cost that brought no answer is added to `lost`."""
        most = self._cost(_tokens(system + user) + 500, self._max_output_tokens)
        token = self._budget.reserve(most) if self._budget else ""
        if token is None and self._budget:
            raise _CapReached(
                f"a call may cost ${most:.4f}, and of ${self._budget.limit:.2f} "
                f"${self._budget.spent:.4f} are spent or reserved"
            )
        cost = most
        try:
            reply = self._invoke(schema, system, user)
            cost = self._cost_of(reply, system + user)
            return reply
        except Exception as error:
            cost = most if _may_be_billed(error) else 0.0
            lost.append(cost)
            raise
        finally:
            if token and self._budget:
                self._budget.settle(token, cost)

    def _invoke(self, schema: type[BaseModel], system: str, user: str) -> "_Reply":
        try:
            result = self._structured(schema).invoke([("system", system), ("human", user)])
        except Exception as error:
            completion = getattr(error, "completion", None)  # the OpenAI client throws an answer that was cut short
            if completion is None:
                raise
            usage = completion.usage
            return _Reply(
                text=completion.choices[0].message.content or "",
                input_tokens=usage.prompt_tokens if usage else None,
                output_tokens=usage.completion_tokens if usage else None,
                ending="length",
            )
        return _reply(result["raw"])

    def _structured(self, schema: type[BaseModel]):
        model = self._loaded()
        options: dict[str, Any] = {}
        if self._provider == "openai":
            options = {"method": "json_schema", "strict": True}
        elif self._provider == "anthropic" and "claude-3" not in self.name:
            options = {"method": "json_schema"}
        # The schema as a dict, not the class: LangChain then hands back an answer of another form instead of raising,
        # and an answer that was paid for is kept whatever its form.
        return model.with_structured_output(schema.model_json_schema(), include_raw=True, **options)

    @property
    def _provider(self) -> str:
        return self.name.partition(":")[0]

    @functools.cached_property
    def _model(self):
        """The LangChain model. The one client retries; the provider's own does not, so that every try is counted."""
        options: dict[str, Any] = {"temperature": 0}
        if self._provider == "ollama":
            # Ollama silently cuts what is longer than its context, which is short unless asked for.
            options |= {"num_ctx": 16384, "num_predict": self._max_output_tokens}
            options |= {"client_kwargs": {"timeout": self._timeout}}
        else:
            options |= {"timeout": self._timeout, "max_retries": 0, "max_tokens": self._max_output_tokens}
        if re.match(r"anthropic:|openai:o\d", self.name):
            del options["temperature"]  # several of these models refuse a question that names one
        try:
            from langchain.chat_models import init_chat_model
            from langchain_core.rate_limiters import InMemoryRateLimiter

            if self._requests_per_minute:
                options["rate_limiter"] = InMemoryRateLimiter(requests_per_second=self._requests_per_minute / 60)
            model = init_chat_model(self.name, **options)
        except Exception as error:
            raise UnusableModel(self._cannot_be_used(str(error))) from error
        if self._price is None and not self._is_local(model):
            log.warning(
                "There is no price for %s in include/models/prices.json: what it costs is not recorded, and the budget "
                "counts it as the dearest model listed there",
                self.name,
            )
        return model

    def _cannot_be_used(self, said: str) -> str:
        return (
            f"The chat model {self.name} cannot be used: {' '.join(said.split()).rstrip('.')}. Check PODCAST_LLM_MODEL "
            "and the provider's key and address variables (for OpenAI: OPENAI_API_KEY, OPENAI_BASE_URL)."
        )

    @functools.cached_property
    def _price(self) -> tuple[float, float] | None:
        return price(self.name)

    def _cost(self, input_tokens: int, output_tokens: int) -> float:
        """US dollars; for a model of unknown price, as much as the dearest known one would cost."""
        rates = self._price or ((0.0, 0.0) if self._is_local() else max(_prices().values()))
        return (input_tokens * rates[0] + output_tokens * rates[1]) / 1e6

    def _cost_of(self, reply: "_Reply", asked: str) -> float:
        return self._cost(reply.input_tokens or _tokens(asked), reply.output_tokens or _tokens(reply.text))

    def _known(self, costs: Sequence[float]) -> float | None:
        """The sum for the records; None where the model's price is not known."""
        return round(sum(costs), 8) if self._price or self._is_local() else None

    def _is_local(self, model: Any = None) -> bool:
        """Whether the model runs on this machine or network: nobody bills for it."""
        if self._provider == "ollama":
            return True
        client = getattr(model or self._loaded(), "root_client", None)
        host = urlsplit(str(getattr(client, "base_url", ""))).hostname or ""
        try:
            return host == "localhost" or ipaddress.ip_address(host).is_private
        except ValueError:
            return False

    def _loaded(self) -> Any:
        with self._lock:
            return self._model

    def _tries(self) -> tenacity.Retrying:
        return tenacity.Retrying(
            retry=tenacity.retry_if_exception(_passes),
            stop=tenacity.stop_after_attempt(self._attempts),
            wait=self._wait,
            reraise=True,
        )

    def _wait(self, state: tenacity.RetryCallState) -> float:
        """How long until the next try. Where the server names a time, all questions wait for it."""
        error = state.outcome.exception() if state.outcome else None
        asked = _retry_after(error)
        if asked is None:
            return tenacity.wait_exponential_jitter(self._first_wait, self._longest_wait, jitter=self._first_wait)(
                state
            )
        asked = min(asked, self._longest_wait)
        with self._lock:
            self._paused_until = max(self._paused_until, time.monotonic() + asked)
        return asked

    def _wait_for_pause(self) -> None:
        pause = self._paused_until - time.monotonic()
        if pause > 0:
            time.sleep(pause)

    def _redacted(self, error: BaseException) -> str:
        """What an error says, on one line, without keys."""
        said = f"{type(error).__name__}: {error}"
        model = self.__dict__.get("_model")
        for value in vars(model).values() if model is not None else ():
            if isinstance(value, SecretStr) and value.get_secret_value():
                said = said.replace(value.get_secret_value(), "***")
        said = re.sub(r"(?i)\b(?:sk|pk|key|bearer|token)[-_ =:]+[\w*.-]{8,}", "***", said)
        return " ".join(re.sub(r"//[^/@\s]+@", "//***@", said).split())[:500]


class _CapReached(Exception):
    """The next try might pass the budget's cap."""

    is_retryable = False


@dataclass(frozen=True, slots=True)
class _Reply:
    """What came back: the text of the answer, the tokens billed, and how it ended."""

    text: str
    input_tokens: int | None
    output_tokens: int | None
    ending: str = ""
    note: str | None = None


def price(provider_model: str) -> tuple[float, float] | None:
    """US dollars for a million tokens in and out, from `prices.json`; None where the model is not listed.

    A name with a date or "latest" at its end is the model without it.
    """
    plain = re.sub(r"-(?:\d{8}|\d{4}-\d\d-\d\d|latest)$", "", provider_model)
    return _prices().get(provider_model) or _prices().get(plain)


@functools.cache
def _prices() -> dict[str, tuple[float, float]]:
    listed = json.loads(_PRICES.read_text(encoding="utf-8"))["usd_per_million_tokens"]
    return {name: (float(rates["input"]), float(rates["output"])) for name, rates in listed.items()}


def _reply(message: Any) -> _Reply:
    """The text of a LangChain message that answers in a form: its content, or the arguments of its tool call."""
    calls = [json.dumps(call["args"], ensure_ascii=False) for call in message.tool_calls]
    calls += [call["args"] or "" for call in message.invalid_tool_calls]
    usage = message.usage_metadata or {}
    metadata = message.response_metadata
    return _Reply(
        text=calls[0] if calls else message.text,
        input_tokens=usage.get("input_tokens"),
        output_tokens=usage.get("output_tokens"),
        ending=str(metadata.get("finish_reason") or metadata.get("stop_reason") or metadata.get("done_reason") or ""),
        note=message.additional_kwargs.get("refusal"),
    )


def _form(reply: _Reply, schema: type[BaseModel]) -> str:
    data, whole = _read_json(reply.text)
    if reply.note or reply.ending in ("content_filter", "refusal"):
        return "refused"
    if reply.ending in ("length", "max_tokens"):
        return "truncated"
    if not whole:
        return "malformed"
    try:
        schema.model_validate(data)
    except ValidationError:
        return "malformed"
    return "ok"


def _answer(call: Call, schema: type[BaseModel], remembered: bool = False) -> Answer:
    data = _read_json(call.answer or "")[0] if call.status in ANSWERED else {}
    return Answer(call.status, data, call.call_key, call.error, remembered)


def _read_json(text: str) -> tuple[dict[str, Any], bool]:
    """The JSON object in an answer, and whether it is whole. Of one cut short, what was complete; else nothing."""
    text = re.sub(r"(?s)<think>.*?</think>", "", text)
    start = text.find("{")
    if start == -1:
        return {}, False
    try:
        data, whole = json.JSONDecoder().raw_decode(text[start:])[0], True
    except ValueError:
        try:
            data, whole = pydantic_core.from_json(text[start:], allow_partial=True), False
        except ValueError:
            return {}, False
    except RecursionError:
        return {}, False
    return (data, whole) if isinstance(data, dict) else ({}, False)


def _passes(error: BaseException) -> bool:
    """Whether the same question may be answered on another try: after 429, 5xx, a lost connection, a time-out, or a
    response that is no chat completion; not after a refusal of the request, nor where the account is used up."""
    status = _status_code(error)
    if status is not None:
        return (status in _PASSING or status >= 500) and "insufficient_quota" not in str(error)
    return not isinstance(error, UnusableModel) and getattr(error, "is_retryable", True)


def _may_be_billed(error: BaseException) -> bool:
    """Whether the provider may have done the work: it was reached, and no refusal came back."""
    return _status_code(error) is None and _passes(error) and "Connect" not in type(error).__name__


def _status_code(error: BaseException) -> int | None:
    status = getattr(error, "status_code", None)
    return status if isinstance(status, int) and status >= 400 else None


def _retry_after(error: BaseException | None) -> float | None:
    """The seconds that a response asks to wait, from `Retry-After` in seconds or as a date."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    value = headers.get("retry-after")
    if value is None:
        return None
    try:
        return max(float(value), 0.0)
    except ValueError:
        pass
    try:
        return max((parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds(), 0.0)
    except (TypeError, ValueError):
        return None


def _tokens(text: str) -> int:
    """No fewer tokens than a text has, nearly always: a token is four letters of English, and three bytes or more."""
    return len(text.encode()) // 3 + 1


def _read_call(file: Path) -> Call | None:
    try:
        row = json.loads(file.read_text(encoding="utf-8"))
        return Call(**row | {"called_at": datetime.fromisoformat(row["called_at"])})
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        log.warning("%s is no record of a call and is left aside: %s", file, error)
        return None


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
