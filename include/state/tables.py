"""The tables of the operational state. Times are UTC without zone; `changed_at` is when a row was last written.

What changes here changes by a migration under `include/state/migrations`.
"""

from typing import Any

import sqlalchemy
from sqlalchemy import JSON, BigInteger, Column, Date, DateTime, Double, Index, Integer, MetaData, Table, TypeDecorator


class Text(TypeDecorator[str]):
    """What somebody else wrote, such as a model's answer, without what PostgreSQL or UTF-8 cannot hold."""

    impl = sqlalchemy.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        return value and value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


metadata = MetaData()

# grain: a cap (`kind`: usd or audio-hours) and calendar day; what is spent or reserved of it, in billionths
budgets = Table(
    "budgets",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("spent", BigInteger, nullable=False),
)

# grain: a cap, calendar day and spender; what this one has of it
reservations = Table(
    "reservations",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("token", Text, primary_key=True),
    Column("amount", BigInteger, nullable=False),
)

# grain: something that one process at a time may do, and the process that is at it
turns = Table(
    "turns",
    metadata,
    Column("what", Text, primary_key=True),
    Column("process", Text, nullable=False),
    Column("until", DateTime, nullable=False),
)

# grain: a question asked of a chat model; what keeps anything from being asked twice
llm_calls = Table(
    "llm_calls",
    metadata,
    Column("call_key", Text, primary_key=True),
    Column("subject_id", Text),
    Column("task", Text),
    Column("provider_model", Text),
    Column("prompt_version", Text),
    Column("input_tokens", BigInteger),
    Column("output_tokens", BigInteger),
    Column("cost_usd", Double),
    Column("latency_seconds", Double),
    Column("status", Text, nullable=False),
    Column("error", Text),
    Column("answer", Text),
    Column("called_at", DateTime),
    Column("changed_at", DateTime, nullable=False),
    Index("llm_calls_by_change", "changed_at"),
)

# grain: a try of a source at a recording; what keeps anything from being transcribed or paid twice
transcription_jobs = Table(
    "transcription_jobs",
    metadata,
    Column("job_key", Text, primary_key=True),
    Column("episode_id", Text, nullable=False),
    Column("partition_date", Date),
    Column("source", Text),
    Column("try_number", Integer),
    Column("status", Text, nullable=False),
    Column("audio_url", Text),
    Column("estimated_hours", Double),
    Column("estimated_cost_usd", Double),
    Column("sent_url", Text),
    Column("service_id", Text),
    Column("spent_on", Date),
    Column("hours", Double),
    Column("cost_usd", Double),
    Column("error", Text),
    Column("model", Text),
    Column("language", Text),
    Column("marks", JSON),
    Column("segments", Text),
    Column("begun_at", DateTime),
    Column("ended_at", DateTime),
    Column("interruptions", Integer),
    Column("changed_at", DateTime, nullable=False),
    Index("transcription_jobs_by_episode", "episode_id"),
    Index("transcription_jobs_by_change", "changed_at"),
)

# grain: a digest and recipient; what keeps a mail from being sent twice
deliveries = Table(
    "deliveries",
    metadata,
    Column("digest_date", Date, primary_key=True),
    Column("recipient", Text, primary_key=True),
    Column("status", Text, nullable=False),
    Column("channel", Text),
    Column("message_id", Text),
    Column("pending_at", DateTime),
    Column("sent_at", DateTime),
    Column("error", Text),
    Column("due_at", DateTime),
    Column("changed_at", DateTime, nullable=False),
    Index("deliveries_by_status", "status"),
    Index("deliveries_by_change", "changed_at"),
)

# grain: a digest, recipient and rank; the insights that a mail held
sent_insights = Table(
    "sent_insights",
    metadata,
    Column("digest_date", Date, primary_key=True),
    Column("recipient", Text, primary_key=True),
    Column("rank", Integer, primary_key=True),
    Column("claim_id", Text),
    Column("theme_id", Text),
    Index("sent_insights_by_recipient", "recipient", "digest_date"),
)

# grain: something that its owner had removed, by the SHA-256 of what it is known by; it is not taken in again
forgotten = Table(
    "forgotten",
    metadata,
    Column("mark", Text, primary_key=True),
    Column("forgotten_at", DateTime, nullable=False),
)
