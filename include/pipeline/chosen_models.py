"""Who finds, scores, embeds and compares claims, as the settings say: the offline model, or a chat model by name."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from include.claims.claim import Extractor, Scorer
from include.models.calls import CallStore
from include.settings import Settings

if TYPE_CHECKING:
    from include.models.chat import ChatModel
    from include.models.embedding import Encoder, ProviderEncoder
    from include.themes.judge import StoryJudge

OFFLINE = "offline"
_CALLS = "llm_calls"


def extractor(settings: Settings) -> Extractor:
    """The extractor that PODCAST_LLM_MODEL names."""
    if settings.llm_model == OFFLINE:
        from include.claims.languages import EnglishOnly
        from include.claims.offline.extractor import OfflineExtractor

        return EnglishOnly(OfflineExtractor())
    from include.claims.chat.extractor import ChatExtractor

    return ChatExtractor(_chat_model(settings))


def scorer(settings: Settings) -> Scorer:
    """The scorer that PODCAST_LLM_MODEL names."""
    if settings.llm_model == OFFLINE:
        from include.claims.offline.extractor import OfflineScorer

        return OfflineScorer()
    from include.claims.chat.scorer import ChatScorer

    return ChatScorer(_chat_model(settings))


def story_judge(settings: Settings, folder: str = _CALLS) -> "StoryJudge | None":
    """The chat model that PODCAST_LLM_MODEL names, as a judge of which claims tell the same story; None offline. Its
    answers are kept in that folder under `landing`."""
    if settings.llm_model == OFFLINE:
        return None
    from include.themes.judge import StoryJudge

    return StoryJudge(_chat_model(settings, folder))


def encoder(settings: Settings) -> "Encoder | ProviderEncoder":
    """The model that PODCAST_EMBEDDING_MODEL names: `bundled`, or LangChain's `provider:model`."""
    from include.models.embedding import ProviderEncoder
    from include.models.meaning import claim_encoder

    if settings.embedding_model == "bundled":
        return claim_encoder()
    return ProviderEncoder(settings.embedding_model)


def calls(settings: Settings, folder: str = _CALLS) -> CallStore:
    """Where a step keeps what it asks of a chat model; empty while nothing is asked."""
    return CallStore(settings.landing / folder)


def _chat_model(settings: Settings, folder: str = _CALLS) -> "ChatModel":
    from include.models.budget import dollars
    from include.models.chat import ChatModel

    return ChatModel(
        settings.llm_model,
        calls(settings, folder),
        dollars(settings, datetime.now(UTC).date()),
        own_rates=settings.llm_price,
        requests_per_minute=settings.llm_requests_per_minute,
    )
