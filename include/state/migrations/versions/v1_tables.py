"""The tables of the state, as they were first."""

from alembic import op
from sqlalchemy import JSON, BigInteger, Column, Date, DateTime, Double, Integer, Text

revision = "v1"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "budgets",
        Column("kind", Text, primary_key=True),
        Column("day", Date, primary_key=True),
        Column("spent", BigInteger, nullable=False),
    )
    op.create_table(
        "reservations",
        Column("kind", Text, primary_key=True),
        Column("day", Date, primary_key=True),
        Column("token", Text, primary_key=True),
        Column("amount", BigInteger, nullable=False),
    )
    op.create_table(
        "turns",
        Column("what", Text, primary_key=True),
        Column("process", Text, nullable=False),
        Column("until", DateTime, nullable=False),
    )
    op.create_table(
        "llm_calls",
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
    )
    op.create_index("llm_calls_by_change", "llm_calls", ["changed_at"])
    op.create_table(
        "transcription_jobs",
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
    )
    op.create_index("transcription_jobs_by_episode", "transcription_jobs", ["episode_id"])
    op.create_index("transcription_jobs_by_change", "transcription_jobs", ["changed_at"])
    op.create_table(
        "deliveries",
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
    )
    op.create_index("deliveries_by_status", "deliveries", ["status"])
    op.create_index("deliveries_by_change", "deliveries", ["changed_at"])
    op.create_table(
        "sent_insights",
        Column("digest_date", Date, primary_key=True),
        Column("recipient", Text, primary_key=True),
        Column("rank", Integer, primary_key=True),
        Column("claim_id", Text),
        Column("theme_id", Text),
    )
    op.create_index("sent_insights_by_recipient", "sent_insights", ["recipient", "digest_date"])
    op.create_table(
        "forgotten",
        Column("mark", Text, primary_key=True),
        Column("forgotten_at", DateTime, nullable=False),
    )
