"""What Alembic runs to run a migration: on the connection ``Database.migrate`` opened, in its transaction."""

from __future__ import annotations

from alembic import context

from vivavoce.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
