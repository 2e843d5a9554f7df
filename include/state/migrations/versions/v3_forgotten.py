"""What was removed at its owner's request is known by its hashes."""

from alembic import op
from sqlalchemy import Column, DateTime, String

revision = "v3"
down_revision = "v2"


def upgrade() -> None:
    op.create_table(
        "forgotten",
        Column("mark", String(64), primary_key=True),
        Column("forgotten_at", DateTime, nullable=False),
    )
