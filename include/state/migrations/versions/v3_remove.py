"""What was taken over is removed where it was."""

from alembic import context, op

from include.state import earlier

revision = "v3"
down_revision = "v2"


def upgrade() -> None:
    earlier.remove(op.get_bind(), context.config.attributes["earlier"])
