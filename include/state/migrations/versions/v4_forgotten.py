"""A state that was made before there was anything to forget gets the table that `v1` makes now: what moves to another
database is copied as soon as that has the tables."""

from alembic import op
from sqlalchemy import Column, DateTime, Text

revision = "v4"
down_revision = "v3"


def upgrade() -> None:
    op.create_table(
        "forgotten",
        Column("mark", Text, primary_key=True),
        Column("forgotten_at", DateTime, nullable=False),
        if_not_exists=True,
    )
