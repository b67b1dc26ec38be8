"""The rows of vector stores. The passages themselves are the index's."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from vivavoce.store.leases import LeasedRow
from vivavoce.store.tables import Base


class VectorStoreRow(Base):
    """A vector store: files that are searched together. ``details`` is JSON (OpenAI's ``metadata``)."""

    __tablename__ = "vector_stores"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    owner: Mapped[str] = mapped_column(String(255), index=True)
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str] = mapped_column(Text)
    details: Mapped[str] = mapped_column(Text)
    created_at: Mapped[int] = mapped_column(BigInteger)
    last_active_at: Mapped[int] = mapped_column(BigInteger)
    expires_after_days: Mapped[int | None]


class VectorStoreFileRow(LeasedRow):
    """A file in a vector store, and how far it has been read into the index.

    ``status`` is on the wire. ``embedder`` made its vectors. ``attributes`` is JSON.
    ``position`` counts up, so that files added in the same second have an order.
    """

    __tablename__ = "vector_store_files"
    __counted__ = "usage_bytes"
    __table_args__ = (Index("ix_vector_store_files_status_leased_until", "status", "leased_until"),)

    store_id: Mapped[str] = mapped_column(ForeignKey("vector_stores.id", ondelete="CASCADE"), primary_key=True)
    file_id: Mapped[str] = mapped_column(ForeignKey("files.id", ondelete="CASCADE"), primary_key=True, index=True)
    position: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(String(16))
    progress: Mapped[float]
    error_code: Mapped[str | None] = mapped_column(String(32))
    error_message: Mapped[str | None] = mapped_column(String(500))
    description: Mapped[str] = mapped_column(String(255))
    attributes: Mapped[str] = mapped_column(Text)
    passage_tokens: Mapped[int | None]
    overlap_tokens: Mapped[int | None]
    embedder: Mapped[str | None] = mapped_column(String(255))
    passages: Mapped[int]
    usage_bytes: Mapped[int] = mapped_column(BigInteger)
    batch_id: Mapped[str | None] = mapped_column(String(64), index=True)
    created_at: Mapped[int] = mapped_column(BigInteger)
