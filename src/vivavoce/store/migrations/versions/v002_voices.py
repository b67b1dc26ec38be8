"""Voices of users, the consents they were made with, and the work of refining them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "v002_voices"
down_revision = "v001"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "voices",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("engine", sa.String(64), nullable=False),
        sa.Column("model", sa.String(128)),
        sa.Column("file_id", sa.String(64)),
        sa.Column("consent", sa.Text, nullable=False),
        sa.Column("clip", sa.String(64), nullable=False),
        sa.Column("transcript", sa.Text, nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("duration_ms", sa.Integer, nullable=False),
        sa.Column("sex", sa.String(8), nullable=False),
        sa.Column("similarity", sa.Double),
        sa.Column("recipe", sa.Text),
        sa.Column("pack", sa.String(64)),
        sa.Column("refined", sa.Boolean, nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_voices"),
        sa.UniqueConstraint("owner", "fingerprint", name="uq_voices_owner_fingerprint"),
    )
    op.create_index("ix_voices_owner_made_at", "voices", ["owner", "made_at"])
    op.create_table(
        "voice_consents",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("language", sa.String(35), nullable=False),
        sa.Column("recording", sa.String(64), nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_voice_consents"),
    )
    op.create_index("ix_voice_consents_owner_made_at", "voice_consents", ["owner", "made_at"])
    op.create_table(
        "voice_refinements",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("voice_id", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("planned", sa.Integer, nullable=False),
        sa.Column("before", sa.Double),
        sa.Column("after", sa.Double),
        sa.Column("kept", sa.Boolean, nullable=False),
        sa.Column("reason", sa.String(500)),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_voice_refinements"),
    )
    op.create_index("ix_voice_refinements_status", "voice_refinements", ["status"])
    op.create_index("ix_voice_refinements_voice_id_made_at", "voice_refinements", ["voice_id", "made_at"])


def downgrade() -> None:
    """Drop them, with what they hold."""
    for table in ("voice_refinements", "voice_consents", "voices"):
        op.drop_table(table)
