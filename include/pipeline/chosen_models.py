"""Who finds, scores, embeds and compares claims, as the settings say: the offline model, or a chat model by name."""

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from include.claims.claim import Extractor, Scorer
from include.models.budget import Budget, dollars
from include.models.calls import CallStore
from include.settings import OFFLINE, Settings
from include.state import store

if TYPE_CHECKING:
    from include.models.chat import ChatModel
    from include.models.embedding import Encoder
    from include.models.prices import Rates
    from include.models.provider_embedding import ProviderEncoder
    from include.themes.judge import StoryJudge

BUNDLED = "bundled"


def extractor(settings: Settings) -> Extractor:
    """The extractor that PODCAST_LLM_MODEL names."""
    if settings.llm_model == OFFLINE:
        from include.claims.languages import EnglishOnly
        from include.claims.offline.extractor import OfflineExtractor

        return EnglishOnly(OfflineExtractor())
    from include.claims.chat.extractor import ChatExtractor

    return ChatExtractor(_reader(settings), settings.window_words, language=settings.digest_language)


def scorer(settings: Settings) -> Scorer:
    """The scorer that PODCAST_LLM_JUDGE_MODEL names, or where it is empty PODCAST_LLM_MODEL."""
    if settings.llm_model == OFFLINE:
        from include.claims.offline.extractor import OfflineScorer

        return OfflineScorer()
    from include.claims.chat.scorer import ChatScorer

    return ChatScorer(_judge(settings), settings.digest_language)


def story_judge(settings: Settings) -> "StoryJudge | None":
    """The chat model that scores, as a judge of which claims tell the same story; None offline."""
    if settings.llm_model == OFFLINE:
        return None
    from include.themes.judge import StoryJudge

    return StoryJudge(_judge(settings))


def embedding_model(settings: Settings) -> str:
    """The name that the embeddings of the model in use bear, without loading it."""
    from include.models.meaning import ClaimEncoder

    return ClaimEncoder.name if settings.embedding_model == BUNDLED else settings.embedding_model


def encoder(settings: Settings) -> "Encoder | ProviderEncoder":
    """The model that PODCAST_EMBEDDING_MODEL names: `bundled`, or LangChain's `provider:model`, whose answers are kept
    in a folder under `landing`."""
    if settings.embedding_model == BUNDLED:
        from include.models.meaning import claim_encoder

        return claim_encoder()
    from include.models.provider_embedding import ProviderEncoder

    return ProviderEncoder(settings.embedding_model, settings.landing / "embeddings", _dollars(settings))


def calls(settings: Settings) -> CallStore:
    """Where what is asked of a chat model is kept."""
    return CallStore(store.of(settings))


def _reader(settings: Settings) -> "ChatModel":
    return _chat_model(settings, settings.llm_model, settings.llm_price)


def _judge(settings: Settings) -> "ChatModel":
    if settings.llm_judge_model:
        return _chat_model(settings, settings.llm_judge_model, settings.llm_judge_price)
    return _chat_model(settings, settings.llm_model, settings.llm_price)


def _chat_model(settings: Settings, name: str, price: "Rates | None") -> "ChatModel":
    from include.models.chat import ChatModel
    from include.models.turns import Turns

    turns = Turns(
        settings.landing / "llm_turns" / re.sub(r"\W", "_", name),
        settings.llm_concurrency,
        settings.llm_requests_per_minute,
    )
    return ChatModel(
        name,
        calls(settings),
        _dollars(settings),
        turns=turns,
        own_rates=price,
        options=settings.llm_options,
        window_words=settings.window_words,
    )


def _dollars(settings: Settings) -> Budget:
    return dollars(settings, datetime.now(UTC).date())
