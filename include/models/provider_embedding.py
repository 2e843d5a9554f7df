"""Embeddings by a provider's model, through LangChain, named such as `openai:text-embedding-3-small`.

What comes is kept, a file a text, before anything uses it, so that a task that is killed asks for nothing twice.
"""

import functools
import logging
import os
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from include import leftovers
from include.models import prices
from include.models.budget import Budget
from include.models.chat import CONFIGURATION, is_local, tokens_at_most, without_keys
from include.models.pacing import Pacing, Patience, may_be_billed, status_code
from include.models.questions import UnusableModel, short_hash

log = logging.getLogger(__name__)

_KEPT_SECONDS = 86_400


class ProviderEncoder:
    """A provider's embedding model with a memory, a budget and patience. Costs money where the provider does.

    A model without a known price counts as `prices.UNKNOWN`, one of this machine or network as nothing.
    """

    def __init__(self, provider_model: str, kept: Path, budget: Budget, patience: Patience = Patience()):  # noqa: B008
        self.name = provider_model
        self._kept = kept
        self._budget = budget
        self._pacing = Pacing(patience)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors, float32, shape (len(texts), the model's own size), in the order given; asks in one request for
        those that it has not been asked for within a day.

        Raises CapReached where the request might pass the budget, UnusableModel where the provider refuses every
        request, and what the provider's client raises where all tries failed.
        """
        files = [self._file(text) for text in texts]
        new = {file: text for file, text in zip(files, texts, strict=True) if not file.exists()}
        if new:
            self._keep(dict(zip(new, self._ask(list(new.values())), strict=True)))
        vectors = np.stack([np.load(file) for file in files])
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-12)

    def _ask(self, texts: list[str]) -> np.ndarray:
        cost = self._cost(sum(map(tokens_at_most, texts)))
        try:
            for attempt in self._pacing.tries():
                with attempt:
                    return self._paid(texts, cost)
        except Exception as error:
            if status_code(error) in CONFIGURATION:
                raise UnusableModel(self._cannot_be_used(error)) from None
            raise
        raise AssertionError("a try either returns or raises")

    def _paid(self, texts: list[str], cost: float) -> np.ndarray:
        token, spent = self._budget.hold(cost, f"embedding {len(texts)} claims"), cost
        try:
            vectors = np.array(self._model.embed_documents(texts), dtype=np.float32)
        except Exception as error:
            spent = cost if may_be_billed(error) else 0.0
            raise
        finally:
            self._budget.settle(token, spent)
        if vectors.shape[:1] != (len(texts),) or vectors.ndim != 2:
            raise ValueError(f"{self.name} gave embeddings of shape {vectors.shape} for {len(texts)} texts")
        return vectors

    def _file(self, text: str) -> Path:
        return self._kept / f"{short_hash(self.name, text)}.npy"

    def _keep(self, vectors: dict[Path, np.ndarray]) -> None:
        self._kept.mkdir(parents=True, exist_ok=True)
        for file, vector in vectors.items():
            unfinished = file.with_name(f".{uuid.uuid4().hex}.npy")
            np.save(unfinished, vector)
            os.replace(unfinished, file)
        leftovers.forget(self._kept.glob("*.npy"), _KEPT_SECONDS)

    @functools.cached_property
    def _model(self) -> Any:
        """The LangChain model; it does not retry by itself, so that every try is counted."""
        provider = self.name.partition(":")[0]
        # OpenAI's client would else fetch a tokenizer, only to cut texts that are far longer than a claim.
        options: dict[str, Any] = (
            {"check_embedding_ctx_length": False, "max_retries": 0} if provider == "openai" else {}
        )
        try:
            from langchain.embeddings import init_embeddings

            return init_embeddings(self.name, **options)
        except Exception as error:
            raise UnusableModel(self._cannot_be_used(error)) from error

    def _cost(self, tokens: int) -> float:
        """US dollars at most."""
        base_url = getattr(self._model, "openai_api_base", None) or os.environ.get("OPENAI_BASE_URL", "")
        provider = self.name.partition(":")[0]
        if is_local(provider, base_url if provider == "openai" else ""):
            return 0.0
        known = prices.cost(self.name, tokens, 0)
        return prices.at(prices.UNKNOWN, tokens, 0) if known is None else known

    def _cannot_be_used(self, error: Exception) -> str:
        return (
            f"The embedding model {self.name} cannot be used: {without_keys(str(error)).rstrip('.')}. Check "
            "PODCAST_EMBEDDING_MODEL and the provider's key and address variables (for OpenAI: OPENAI_API_KEY, "
            "OPENAI_BASE_URL)."
        )
