"""The rows of voices users made: the voice, the consent it was made with, and the work of refining it.

``made_at`` is in microseconds of the epoch: lists are in its order.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from vivavoce.store.tables import Base


class VoiceRow(Base):
    """A voice of a user's. ``clip`` is the blob of its recording (flac), ``pack`` that of a match's vectors.

    ``fingerprint`` is of what it was made from, so that the same request made again finds it. ``consent`` is what was said
    about consent, by whom and when, as JSON; ``recipe`` a match's built-in voices with their parts, as JSON.
    """

    __tablename__ = "voices"
    __table_args__ = (
        UniqueConstraint("owner", "fingerprint"),
        Index("ix_voices_owner_made_at", "owner", "made_at"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    owner: Mapped[str] = mapped_column(String(255))
    fingerprint: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(255))
    kind: Mapped[str] = mapped_column(String(16))
    engine: Mapped[str] = mapped_column(String(64))
    model: Mapped[str | None] = mapped_column(String(128))
    file_id: Mapped[str | None] = mapped_column(String(64))
    consent: Mapped[str] = mapped_column(Text)
    clip: Mapped[str] = mapped_column(String(64))
    transcript: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(16))
    duration_ms: Mapped[int]
    sex: Mapped[str] = mapped_column(String(8))
    similarity: Mapped[float | None]
    recipe: Mapped[str | None] = mapped_column(Text)
    pack: Mapped[str | None] = mapped_column(String(64))
    refined: Mapped[bool]
    made_at: Mapped[int] = mapped_column(BigInteger)


class ConsentRow(Base):
    """A recording in which somebody agrees that a voice is made of theirs. ``recording`` is its blob."""

    __tablename__ = "voice_consents"
    __table_args__ = (Index("ix_voice_consents_owner_made_at", "owner", "made_at"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    owner: Mapped[str] = mapped_column(String(255))
    name: Mapped[str] = mapped_column(String(255))
    language: Mapped[str] = mapped_column(String(35))
    recording: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[int] = mapped_column(BigInteger)


class RefinementRow(Base):
    """One search for a better match. Scores are those of fresh sentences; ``seen_at`` is when it last made progress."""

    __tablename__ = "voice_refinements"
    __table_args__ = (Index("ix_voice_refinements_voice_id_made_at", "voice_id", "made_at"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    owner: Mapped[str] = mapped_column(String(255))
    voice_id: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(16), index=True)
    done: Mapped[int]
    planned: Mapped[int]
    before: Mapped[float | None]
    after: Mapped[float | None]
    kept: Mapped[bool]
    reason: Mapped[str | None] = mapped_column(String(500))
    made_at: Mapped[int] = mapped_column(BigInteger)
    seen_at: Mapped[int] = mapped_column(BigInteger)
