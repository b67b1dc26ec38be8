"""Vector stores, the files in them, and on PostgreSQL their passages; a SQLite store keeps those in an index of its own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "v004_vector_stores"
down_revision = "v003_speech_files"

PASSAGES = (
    """
CREATE TABLE indexed_documents (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    store_id VARCHAR(32) NOT NULL,
    file_id VARCHAR(64) NOT NULL,
    ready BOOLEAN NOT NULL,
    UNIQUE (store_id, file_id),
    FOREIGN KEY (store_id, file_id) REFERENCES vector_store_files (store_id, file_id) ON DELETE CASCADE
)""",
    """
CREATE TABLE passages (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    document BIGINT NOT NULL REFERENCES indexed_documents (number) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL,
    headings TEXT NOT NULL,
    page INTEGER,
    text TEXT NOT NULL,
    words TSVECTOR NOT NULL,
    sketch BYTEA NOT NULL,
    vector BYTEA NOT NULL,
    UNIQUE (document, ordinal)
)""",
    """
CREATE INDEX ix_passages_words ON passages USING gin (words)
""",
    """
CREATE TABLE index_model (name VARCHAR(255) PRIMARY KEY, centre BYTEA NOT NULL, turn BYTEA NOT NULL)
""",
)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "vector_stores",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("details", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("last_active_at", sa.BigInteger, nullable=False),
        sa.Column("expires_after_days", sa.Integer),
        sa.PrimaryKeyConstraint("id", name="pk_vector_stores"),
    )
    op.create_index("ix_vector_stores_owner", "vector_stores", ["owner"])
    op.create_table(
        "vector_store_files",
        sa.Column("store_id", sa.String(32), nullable=False),
        sa.Column("file_id", sa.String(64), nullable=False),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("progress", sa.Double, nullable=False),
        sa.Column("error_code", sa.String(32)),
        sa.Column("error_message", sa.String(500)),
        sa.Column("description", sa.String(255), nullable=False),
        sa.Column("attributes", sa.Text, nullable=False),
        sa.Column("passage_tokens", sa.Integer),
        sa.Column("overlap_tokens", sa.Integer),
        sa.Column("embedder", sa.String(255)),
        sa.Column("passages", sa.Integer, nullable=False),
        sa.Column("usage_bytes", sa.BigInteger, nullable=False),
        sa.Column("batch_id", sa.String(64)),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("leased_until", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("store_id", "file_id", name="pk_vector_store_files"),
        sa.ForeignKeyConstraint(
            ["store_id"], ["vector_stores.id"], name="fk_vector_store_files_store_id_vector_stores", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["file_id"], ["files.id"], name="fk_vector_store_files_file_id_files", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_vector_store_files_file_id", "vector_store_files", ["file_id"])
    op.create_index("ix_vector_store_files_batch_id", "vector_store_files", ["batch_id"])
    op.create_index("ix_vector_store_files_status_leased_until", "vector_store_files", ["status", "leased_until"])
    if op.get_bind().dialect.name == "postgresql":
        for statement in PASSAGES:
            op.execute(statement)


def downgrade() -> None:
    """Drop them, with what they hold."""
    if op.get_bind().dialect.name == "postgresql":
        for table in ("passages", "indexed_documents", "index_model"):
            op.drop_table(table)
    op.drop_table("vector_store_files")
    op.drop_table("vector_stores")
