"""Recordings that are read in the background."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "v005_recording_tasks"
down_revision = "v004_vector_stores"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "recording_tasks",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("result", sa.Text, nullable=True),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("leased_until", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_recording_tasks"),
    )
    op.create_index("ix_recording_tasks_owner", "recording_tasks", ["owner"])
    op.create_index("ix_recording_tasks_status_leased_until", "recording_tasks", ["status", "leased_until"])
    op.create_index("ix_recording_tasks_expires_at", "recording_tasks", ["expires_at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("recording_tasks")
