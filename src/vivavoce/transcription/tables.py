"""The recordings that are read in the background."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from vivavoce.store.leases import LeasedRow


class RecordingTaskRow(LeasedRow):
    """A recording to be read: the request and, in the end, the result, both JSON.

    ``status`` is on the wire. Deleted after ``expires_at``.
    """

    __tablename__ = "recording_tasks"
    __table_args__ = (Index("ix_recording_tasks_status_leased_until", "status", "leased_until"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    owner: Mapped[str] = mapped_column(String(255), index=True)
    status: Mapped[str] = mapped_column(String(16))
    request: Mapped[str] = mapped_column(Text)
    result: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)
