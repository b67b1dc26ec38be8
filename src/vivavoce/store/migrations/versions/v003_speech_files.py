"""Files of speech that have an address of their own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "v003_speech_files"
down_revision = "v002_voices"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "speech_files",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("blob", sa.String(64), nullable=False),
        sa.Column("content_type", sa.String(127), nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_speech_files"),
    )
    op.create_index("ix_speech_files_owner", "speech_files", ["owner"])
    op.create_index("ix_speech_files_expires_at", "speech_files", ["expires_at"])


def downgrade() -> None:
    """Drop it; the blobs of its rows stay behind."""
    op.drop_table("speech_files")
