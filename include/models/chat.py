"""The one module that talks to a chat model: OpenAI, Anthropic, Ollama, or whatever else LangChain's `init_chat_model`
knows, chosen by a name such as `openai:gpt-4o-mini`; keys and addresses are the provider's own variables.

Each answer is kept under a key of its content (`include.models.calls`) before anything uses it. LangChain is imported
when the first question has to be asked.
"""

import dataclasses
import functools
import ipaddress
import logging
import math
import re
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr

from include.addresses import is_public
from include.models import prices
from include.models.budget import Budget, CapReached
from include.models.calls import ANSWERED, Call, CallStore
from include.models.pacing import Pacing, Patience, may_be_billed, status_code
from include.models.questions import Answer, Question, UnusableModel, call_key
from include.models.replies import Reply, read_json, reply_of, thrown_away
from include.models.turns import Turns
from include.settings import WINDOW_WORDS

log = logging.getLogger(__name__)

MAX_OUTPUT_TOKENS = 8000
_ONCE_MORE = "\n\nAnswer with a single JSON object of the required form, complete, and with nothing before or after it."
CONFIGURATION = frozenset({401, 403, 404})
"""Statuses by which a provider says that a model cannot be used at all."""


class ChatModel:
    """A chat model with a memory, a budget and patience.

    Costs money where the provider does. A time-out may have been billed, and counts as spent. An answer of the wrong
    form is asked for once more. `own_rates` go before the price list. `options` are the provider's own, such as a
    temperature (0 unless said otherwise) or a reasoning effort; one that it refuses is left out from then on.
    """

    def __init__(
        self,
        provider_model: str,
        calls: CallStore,
        budget: Budget,
        *,
        turns: Turns,
        own_rates: prices.Rates | None = None,
        options: Mapping[str, Any] | None = None,
        window_words: int = WINDOW_WORDS,
        patience: Patience = Patience(),  # noqa: B008
    ):
        self.name = provider_model
        self.calls = calls
        self._budget = budget
        self._own_rates = own_rates
        self._turns = turns
        self._options = {"temperature": 0, **(options or {})}
        # What is read at once, in tokens, with its prompt and the answer.
        self._context = 1024 * math.ceil((2 * window_words + 2000 + MAX_OUTPUT_TOKENS) / 1024)
        self._timeout = patience.timeout_seconds
        self._pacing = Pacing(patience)
        self._lock = threading.Lock()
        self._asking: dict[str, threading.Lock] = {}
        self._unusable = ""

    def ask_all(self, questions: Sequence[Question]) -> list[Answer]:
        """One answer a question, in their order; one that fails leaves the others alone.

        Raises UnusableModel where the model refuses every question by its configuration; what was answered until
        then is kept.
        """
        if not questions:
            return []
        with ThreadPoolExecutor(min(self._turns.at_once, len(questions))) as pool:
            waiting = [pool.submit(self._ask, question) for question in questions]
            try:
                return [answer.result() for answer in waiting]
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _ask(self, question: Question) -> Answer:
        first = self._once(question, question.prompt.system)
        if first.status != "malformed":
            return first
        second = self._once(question, question.prompt.system + _ONCE_MORE)
        return second if second.data or not first.data else first

    def _once(self, question: Question, system: str) -> Answer:
        key = call_key(self.name, question, system)
        with self._lock:
            turn = self._asking.setdefault(key, threading.Lock())
        with turn:
            call = self.calls.get(key)
            if call is None:
                try:
                    call = self._call(key, question, system)
                except BaseException:
                    self.calls.leave(key)
                    raise
                self.calls.put(call)
        data = read_json(call.answer or "")[0] if call.status in ANSWERED else {}
        return Answer(call.status, data, call.error)

    def _call(self, key: str, question: Question, system: str) -> Call:
        if self._unusable:
            raise UnusableModel(self._unusable)
        row = Call(
            call_key=key,
            subject_id=question.subject_id,
            task=question.task,
            provider_model=self.name,
            prompt_version=question.prompt.version,
            called_at=datetime.now(UTC).replace(tzinfo=None),
        )
        if self._pacing.is_silent:
            return dataclasses.replace(row, error="not asked: the model answered none of the last questions")
        lost: list[float] = []
        began = time.monotonic()
        try:
            for attempt in self._pacing.tries():
                with attempt:
                    began = time.monotonic()
                    reply, cost = self._paid(question, system, lost)
        except CapReached as cap:
            call = dataclasses.replace(row, status="skipped_budget", error=f"left out: {cap}", cost_usd=sum(lost))
        except UnusableModel as error:
            self._unusable = str(error)
            raise
        except Exception as error:
            said = self._redacted(error)
            if status_code(error) in CONFIGURATION:
                self._unusable = self._cannot_be_used(said)
                raise UnusableModel(self._unusable) from None
            log.warning("No answer from %s for %s of %s: %s", self.name, question.task, question.subject_id, said)
            self._pacing.note(answered=False)
            call = dataclasses.replace(row, error=said, cost_usd=sum(lost))
        else:
            self._pacing.note(answered=True)
            call = dataclasses.replace(
                row,
                input_tokens=reply.input_tokens,
                output_tokens=reply.output_tokens,
                cost_usd=sum(lost) + cost,
                status=reply.status(question.schema),
                error=reply.refusal,
                answer=reply.text,
            )
        known = round(call.cost_usd or 0.0, 8) if self._is_priced else None
        return dataclasses.replace(call, cost_usd=known, latency_seconds=round(time.monotonic() - began, 3))

    def _paid(self, question: Question, system: str, lost: list[float]) -> tuple[Reply, float]:
        """One try within the budget, and what it cost. What a try may have cost that brought no answer is added to
        `lost`."""
        asked = tokens_at_most(system + question.user)
        cost = most = self._cost(asked + 500, MAX_OUTPUT_TOKENS)
        token = self._budget.hold(most, "a call")
        try:
            with self._turns.one():
                reply = self._invoke(question, system)
            cost = self._cost(reply.input_tokens or asked, reply.output_tokens or tokens_at_most(reply.text))
            return reply, cost
        except Exception as error:
            cost = most if may_be_billed(error) else 0.0
            lost.append(cost)
            raise
        finally:
            self._budget.settle(token, cost)

    def _invoke(self, question: Question, system: str) -> Reply:
        model = self._built()
        try:
            answered = self._structured(model, question.schema).invoke([("system", system), ("human", question.user)])
        except Exception as error:
            if reply := thrown_away(error):
                return reply
            if self._leave_out(error):
                return self._invoke(question, system)
            raise
        return reply_of(answered["raw"])

    def _leave_out(self, error: Exception) -> bool:
        """Whether an error refuses an option by its name, which is left out from now on."""
        if status_code(error) not in (400, 422) and not isinstance(error, TypeError | ValueError):
            return False
        with self._lock:
            refused = [name for name in self._options if name in str(error)]
            for name in refused:
                log.warning("%s refuses %s=%r; it is asked without", self.name, name, self._options.pop(name))
            if refused:
                self.__dict__.pop("_model", None)
        return bool(refused)

    def _built(self) -> Any:
        with self._lock:
            return self._model

    def _structured(self, model: Any, schema: type[BaseModel]) -> Any:
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
    def _model(self) -> Any:
        """The LangChain model. The one client retries; the provider's own does not, so that every try is counted."""
        options = dict(self._options)
        if self._provider == "ollama":
            # Ollama silently cuts what is longer than its context, which is short unless asked for.
            options |= {
                "num_ctx": self._context,
                "num_predict": MAX_OUTPUT_TOKENS,
                "client_kwargs": {"timeout": self._timeout},
            }
        else:
            options |= {"timeout": self._timeout, "max_retries": 0, "max_tokens": MAX_OUTPUT_TOKENS}
        try:
            from langchain.chat_models import init_chat_model

            return init_chat_model(self.name, **options)
        except Exception as error:
            raise UnusableModel(self._cannot_be_used(str(error))) from error

    def _cannot_be_used(self, said: str) -> str:
        return (
            f"The chat model {self.name} cannot be used: {' '.join(said.split()).rstrip('.')}. Check PODCAST_LLM_MODEL "
            "(or PODCAST_LLM_JUDGE_MODEL), PODCAST_LLM_OPTIONS and the provider's key and address variables (for "
            "OpenAI: OPENAI_API_KEY, OPENAI_BASE_URL)."
        )

    def _cost(self, input_tokens: int, output_tokens: int) -> float:
        """US dollars; nothing for a model of one's own without a price, and much for any other without."""
        known = prices.cost(self.name, input_tokens, output_tokens, self._own_rates)
        if known is None:
            return 0.0 if self._is_local else prices.at(prices.UNKNOWN, input_tokens, output_tokens)
        return known

    @functools.cached_property
    def _is_priced(self) -> bool:
        """Whether what the model costs is known."""
        priced = self._is_local or prices.cost(self.name, 1, 1, self._own_rates) is not None
        if not priced:
            log.warning(
                "There is no price for %s: what it costs is not recorded, and the budget counts a million tokens as "
                "$%g in and $%g out. PODCAST_LLM_PRICE sets its price.",
                self.name,
                *prices.UNKNOWN,
            )
        return priced

    @functools.cached_property
    def _is_local(self) -> bool:
        client = getattr(self._built(), "root_client", None)
        return is_local(self._provider, str(getattr(client, "base_url", "")))

    def _redacted(self, error: BaseException) -> str:
        """What an error says, on one line, without keys."""
        said = f"{type(error).__name__}: {error}"
        model = self.__dict__.get("_model")
        for value in vars(model).values() if model is not None else ():
            if isinstance(value, SecretStr) and value.get_secret_value():
                said = said.replace(value.get_secret_value(), "***")
        return without_keys(said)


def is_local(provider: str, base_url: str) -> bool:
    """Whether a model runs on this machine or network, so that nobody bills for it."""
    host = urlsplit(base_url).hostname or ""
    try:
        return provider == "ollama" or host == "localhost" or not is_public(str(ipaddress.ip_address(host)))
    except ValueError:
        return False


def without_keys(said: str) -> str:
    """What an error says, on one line, without what looks like a key."""
    said = re.sub(r"(?i)\b(?:sk|pk|key|bearer|token)[-_ =:]+[\w*.-]{8,}", "***", said)
    return " ".join(re.sub(r"//[^/@\s]+@", "//***@", said).split())[:500]


def tokens_at_most(text: str) -> int:
    """No fewer tokens than a text has, nearly always: a token is four letters of English, and three bytes or more."""
    return len(text.encode()) // 3 + 1
