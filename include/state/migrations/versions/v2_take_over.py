"""What was kept in the warehouse and in files moves into the tables of the state."""

from alembic import context, op

from include.state import earlier

revision = "v2"
down_revision = "v1"


def upgrade() -> None:
    given = context.config.attributes
    if given["takes_over"]:
        earlier.take_over(op.get_bind(), given["earlier"])
