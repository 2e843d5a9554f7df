"""Runs the migrations on the connection, and within the transaction, that `include.state.store` has begun."""

from alembic import context

from include.state.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
