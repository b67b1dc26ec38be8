"""Vectors of passages may be kept elsewhere: in a table of pgvector's type, which the index makes where there is pgvector."""

from __future__ import annotations

from alembic import op

revision = "v006_passage_vectors"
down_revision = "v005_recording_tasks"


def upgrade() -> None:
    """Allow passages without a sketch and a vector of their own."""
    if op.get_bind().dialect.name == "postgresql":
        for column in ("sketch", "vector"):
            op.alter_column("passages", column, nullable=True)


def downgrade() -> None:
    """Passages whose vectors are elsewhere go, and their files are read again."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TABLE IF EXISTS passage_vectors")
        op.execute("DELETE FROM indexed_documents WHERE number IN (SELECT document FROM passages WHERE vector IS NULL)")
        for column in ("sketch", "vector"):
            op.alter_column("passages", column, nullable=False)
