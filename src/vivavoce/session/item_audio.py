"""The audio of items clients create → samples for the recogniser; long audio piece by piece, so that nothing waits for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from vivavoce.audio.audio_format import AudioFormat
from vivavoce.audio.formats import open_decoder
from vivavoce.audio.ogg import MAX_OGG_BYTES
from vivavoce.errors import ClientError
from vivavoce.protocol.items import NewItem, Part
from vivavoce.types import Samples

PIECE_BYTES = 96_000
"""Two seconds of PCM16 at 24 kHz: some milliseconds of work."""

MAX_S = 2400.0
"""Of one part; no frame brings more but of Opus, of which a few megabytes are hours."""


class ItemAudio:
    """Decodes to ``rate_hz``."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._ahead: dict[int, tuple[bytes, Samples | ClientError]] = {}

    def decode_ahead(self, items: Iterable[NewItem], format: AudioFormat) -> Iterator[None]:
        """Decode what is long in ``items``, a piece with every step: ``decoded`` then has it at hand, or what is wrong."""
        self._ahead.clear()
        size = _piece_bytes(format)
        for audio in (part.audio for item in items for part in item.content if is_unread(part)):
            if audio is None or len(audio) <= size:
                continue
            pieces: list[Samples] = []
            outcome: Samples | ClientError
            try:
                for piece in self._pieces(audio, format, size):
                    pieces.append(piece)
                    yield
                outcome = np.concatenate(pieces)
            except ClientError as error:
                outcome = error
            self._ahead[id(audio)] = (audio, outcome)

    def decoded(self, audio: bytes, format: AudioFormat) -> Samples:
        """``float32[n]``. Raises ``ClientError`` when ``audio`` is not of this format, or too long."""
        source, outcome = self._ahead.pop(id(audio), (None, None))
        if source is not audio or outcome is None:
            return np.concatenate(list(self._pieces(audio, format, _piece_bytes(format))))
        if isinstance(outcome, ClientError):
            raise outcome
        return outcome

    def _pieces(self, audio: bytes, format: AudioFormat, size: int) -> Iterator[Samples]:
        decoder, left = open_decoder(format, self._rate_hz), MAX_S * self._rate_hz
        for at in range(0, len(audio), size):
            piece = decoder.push(audio[at : at + size])
            left -= len(piece)
            if left < 0:
                raise ClientError(f"The audio of an item may last {MAX_S:g} s.", code="audio_too_long")
            yield piece
        yield decoder.flush()


def is_unread(part: Part) -> bool:
    """Whether a part has audio that the recogniser has to read: none has whose words are told."""
    return part.type == "input_audio" and not isinstance(part.transcript, str)


def _piece_bytes(format: AudioFormat) -> int:
    return MAX_OGG_BYTES if format.encoding == "ogg_opus" else PIECE_BYTES
