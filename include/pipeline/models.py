"""Who finds, scores, embeds and compares claims, as the settings say: the offline model, or a chat model by name.

What was asked of a chat model lives in two places: `raw.llm_calls`, and while a step runs, a folder that the step can
write to without the warehouse. `export_calls` fills the folder, `import_calls` takes in what came new.
"""

import time
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import duckdb

from include.claims.claim import Extractor, Scorer
from include.settings import Settings
from include.warehouse.database import append, records, transaction

if TYPE_CHECKING:
    from include.models.chat import ChatModel
    from include.models.embedding import Encoder, ProviderEncoder
    from include.themes.judge import Comparison, StoryJudge

OFFLINE = "offline"
_CALLS = "llm_calls"


def extractor(settings: Settings) -> Extractor:
    """The extractor that PODCAST_LLM_MODEL names."""
    if settings.llm_model == OFFLINE:
        from include.claims.offline.extractor import OfflineExtractor

        return OfflineExtractor()
    from include.claims.chat.extractor import ChatExtractor

    return ChatExtractor(_chat_model(settings))


def scorer(settings: Settings) -> Scorer:
    """The scorer that PODCAST_LLM_MODEL names."""
    if settings.llm_model == OFFLINE:
        from include.claims.offline.extractor import OfflineScorer

        return OfflineScorer()
    from include.claims.chat.extractor import ChatScorer

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


def export_calls(connection: duckdb.DuckDBPyConnection, day: date, settings: Settings) -> None:
    """Lays out the calls by which the day's claims were found and scored, so that none of them is made again."""
    if settings.llm_model == OFFLINE:
        return
    from include.models.chat import CallStore

    rows = records(
        connection,
        """
        select calls.* from raw.llm_calls as calls
        where provider_model = $model and task <> 'same_story' and (
            subject_id in (select episode_id from raw.episodes where partition_date = $day)
            or subject_id in (select claim_id from raw.claims where partition_date = $day)
        )
        """,
        {"model": settings.llm_model, "day": day},
    )
    CallStore(settings.landing / _CALLS).load(rows)


def export_verdicts(
    connection: duckdb.DuckDBPyConnection, comparisons: "Sequence[Comparison]", judge: "StoryJudge", settings: Settings
) -> None:
    """Lays out the calls by which these pairs were compared before, so that none of them is made again."""
    from include.models.chat import CallStore

    rows = records(
        connection,
        "select * from raw.llm_calls where call_key in (select unnest($keys))",
        {"keys": judge.keys(comparisons)},
    )
    CallStore(settings.landing / _CALLS).load(rows)


def import_calls(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Takes the calls that were made since into `raw.llm_calls`; a call that is there already stays.

    The folder keeps what is younger than a day: a step of another day may be at work, and find its answers there if it
    has to start again.
    """
    folder = settings.landing / _CALLS
    if settings.llm_model == OFFLINE or not folder.is_dir():
        return
    from include.models.chat import ANSWERED, CallStore

    with transaction(connection):
        known = dict(connection.execute("select call_key, status from raw.llm_calls").fetchall())
        new = [row for row in CallStore(folder).records() if known.get(row["call_key"]) not in ANSWERED]
        keys = [row["call_key"] for row in new]
        connection.execute("delete from raw.llm_calls where list_contains($keys, call_key)", {"keys": keys})
        append(connection, "raw.llm_calls", new)
    long_ago = time.time() - 86_400
    for file in folder.glob("*.json"):
        if file.stat().st_mtime < long_ago:
            file.unlink()


def _chat_model(settings: Settings, folder: str = _CALLS) -> "ChatModel":
    from include.models.budget import dollars
    from include.models.chat import CallStore, ChatModel

    return ChatModel(
        settings.llm_model,
        CallStore(settings.landing / folder),
        dollars(settings, datetime.now(UTC).date()),
    )
