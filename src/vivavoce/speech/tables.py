"""Files of speech that have an address of their own for a while."""

from __future__ import annotations

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from vivavoce.store.tables import Base


class SpeechFileRow(Base):
    """A file of ``return_url``. ``digest`` is SHA-256 (hex) of the secret in its address; ``blob`` holds its bytes."""

    __tablename__ = "speech_files"
    __counted__ = "bytes"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    owner: Mapped[str] = mapped_column(String(255), index=True)
    blob: Mapped[str] = mapped_column(String(64))
    content_type: Mapped[str] = mapped_column(String(127))
    bytes: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)
