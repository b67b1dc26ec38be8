"""What the built-in voices sound like to the verifier: a table made once, so that a clip is matched without synthesis.

``vivavoce voices measure`` makes it: every Kokoro voice reads ``SENTENCES`` in English, and the verifier and the pitch tracker
listen. It holds for one network of each, which it names.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from vivavoce.types import Sex

SENTENCES = (
    "The birch canoe slid on the smooth planks, and the boy was there when the sun rose.",
    "Would you mind telling me how to get to the station from here?",
    "It was a warm evening in June, and nobody wanted to go home before the music had stopped.",
)
_FILES = ("stock_voices.json", "stock_voices_fake.json")


@dataclass(frozen=True, slots=True)
class MeasuredVoice:
    """One voice. ``embedding`` is the verifier's direction of length 1; ``pitch_hz`` the median."""

    name: str
    embedding: NDArray[np.float32]
    pitch_hz: float

    @property
    def sex(self) -> Sex:
        """As its name says: the second letter is ``f`` or ``m``."""
        return "female" if self.name[1] == "f" else "male"


@dataclass(frozen=True, slots=True)
class MeasuredVoices:
    """The voices of ``synthesizer`` (which network speaks) as ``network`` (which network listens) hears them."""

    synthesizer: str
    network: str
    voices: tuple[MeasuredVoice, ...]

    def embeddings(self) -> NDArray[np.float32]:
        """``float32[voices, m]``."""
        return np.stack([voice.embedding for voice in self.voices])

    def pitches_hz(self) -> NDArray[np.float64]:
        """``float64[voices]``."""
        return np.array([voice.pitch_hz for voice in self.voices])


@cache
def shipped_tables() -> tuple[MeasuredVoices, ...]:
    """The tables shipped with Vivavoce: of its own engines, and of the fake ones."""
    folder = files("vivavoce.voices")
    return tuple(read_table(folder.joinpath(name).read_text(encoding="utf-8")) for name in _FILES)


def measured_voices(synthesizer: str, network: str) -> MeasuredVoices | None:
    """The table of these two networks; ``None`` where none is shipped."""
    return next(
        (table for table in shipped_tables() if (table.synthesizer, table.network) == (synthesizer, network)), None
    )


def read_table(text: str) -> MeasuredVoices:
    """A table as ``write_table`` wrote it."""
    table = json.loads(text)
    return MeasuredVoices(table["speaker"], table["network"], tuple(_voices(table["voices"])))


def write_table(table: MeasuredVoices) -> str:
    """JSON, a line a voice; embeddings as base64 of ``float16``."""
    rows = ",\n".join(
        f"  {json.dumps(voice.name)}: "
        + json.dumps({"pitch_hz": round(voice.pitch_hz, 1), "embedding": _packed(voice.embedding)})
        for voice in table.voices
    )
    head = f'"speaker": {json.dumps(table.synthesizer)},\n"network": {json.dumps(table.network)},'
    return f'{{\n{head}\n"voices": {{\n{rows}\n}}\n}}\n'


def _voices(rows: Mapping[str, Mapping[str, str]]) -> Iterable[MeasuredVoice]:
    for name, row in rows.items():
        vector = np.frombuffer(base64.b64decode(row["embedding"]), "<f2").astype(np.float32)
        yield MeasuredVoice(name, vector / np.linalg.norm(vector), float(row["pitch_hz"]))


def _packed(vector: NDArray[np.float32]) -> str:
    return base64.b64encode(vector.astype("<f2").tobytes()).decode()
