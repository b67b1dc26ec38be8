"""Turns with pauses in them for the endpointing bench: said by the project's own voices, or recordings cut at quiet places.

Pauses are put where people hesitate: the whole sentence is spoken, then cut where it is quietest near the mark, so that what is
before the pause sounds as speech does that goes on.
"""

from __future__ import annotations

import re
import tomllib
import zlib
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from vivavoce.audio.resample import resample
from vivavoce.audio.silence import trim
from vivavoce.bench.recognition import read_recordings
from vivavoce.client.recording import read_audio
from vivavoce.engines.base import Synthesizer
from vivavoce.types import Language, Samples, SpeakOptions

RATE_HZ = 16_000
EARLIER_PAUSE_MS = 400
"""How long a turn's earlier pauses last when a later one is scored."""

HELD_OUT_VOICES: Mapping[Language, tuple[str, ...]] = {
    "en": ("am_puck", "bf_emma"),
    "zh": ("zf_xiaoyi", "zm_yunyang"),
    "ja": ("jf_tebukuro", "jf_gongitsune"),
}
"""Voices of the bench; the end-of-turn model has been fitted with others."""

LONGEST_S = 20.0
"""Longer recordings are no turns."""

_WINDOW_MS = 30
_SEARCH_MS = 200
_EDGE_MS = 250
"""No pause this close to the beginning or the end."""


@dataclass(frozen=True, slots=True)
class TurnText:
    """What to say: sentences, each with the places of its pauses as shares of its letters, and the question before."""

    language: Language
    question: str | None
    sentences: tuple[tuple[str, tuple[float, ...]], ...]


@dataclass(frozen=True, slots=True)
class SpokenTurn:
    """``samples`` (``float32[n]`` at ``RATE_HZ``) without pauses, which belong at the positions ``pauses``, ascending.

    ``noise`` is the amplitude (RMS) of noise behind everything.
    """

    name: str
    speaker: str
    language: Language
    question: str | None
    samples: Samples
    pauses: tuple[int, ...]
    noise: float = 0.0

    def heard(self, pause: int, silence_ms: int) -> Samples:
        """What has been heard ``silence_ms`` into the pause of this number; the last one is the end of the turn."""
        ends = [*self.pauses[:pause], (*self.pauses, len(self.samples))[pause]]
        pieces: list[Samples] = []
        begin = 0
        for number, end in enumerate(ends):
            length_ms = silence_ms if number == len(ends) - 1 else EARLIER_PAUSE_MS
            pieces += [self.samples[begin:end], np.zeros(length_ms * RATE_HZ // 1000, np.float32)]
            begin = end
        heard = np.concatenate(pieces)
        return (heard + self.noise * _noise(len(heard))).astype(np.float32) if self.noise else heard

    def speech_ms(self, pause: int) -> int:
        """From the beginning of the turn to this pause."""
        spoken = (*self.pauses, len(self.samples))[pause]
        return spoken * 1000 // RATE_HZ + pause * EARLIER_PAUSE_MS


def read_texts(table: str, languages: Sequence[Language] | None = None) -> list[TurnText]:
    """The turns of a TOML table: by language a list of ``[question before, words]``, with ``|`` and ``||`` for pauses.

    ``||`` stands between two sentences, which are said one by one.
    """
    return [
        TurnText(language, question or None, tuple(_marked(part) for part in words.split("||")))
        for language, turns in tomllib.loads(table).items()
        if languages is None or language in languages
        for question, words in turns
    ]


def held_out_texts(languages: Sequence[Language] | None = None) -> list[TurnText]:
    """What the bench says."""
    return read_texts(files("vivavoce.bench").joinpath("endpointing_turns.toml").read_text(encoding="utf-8"), languages)


async def speak_turns(
    synthesizer: Synthesizer,
    texts: Sequence[TurnText],
    voices: Mapping[Language, Sequence[str]],
    *,
    known: Collection[str] = (),
) -> AsyncGenerator[SpokenTurn, None]:
    """``texts`` by the ``voices`` of their languages in turn, but for turns whose names are ``known``; the languages mixed.

    Raises ``EngineError``.
    """
    order = sorted(enumerate(texts), key=lambda turn: zlib.crc32(str(turn[0]).encode()))
    for number, text in order:
        speakers = voices[text.language]
        name = f"{text.language}-{number}"
        if name not in known:
            yield await _spoken(synthesizer, name, text, speakers[number % len(speakers)])


def cut_recording(name: str, speaker: str, language: Language, samples: Samples, count: int = 2) -> SpokenTurn:
    """A recording as a turn, cut at ``count`` quiet places. ``samples`` begin and end with speech."""
    shares = [number / (count + 1) for number in range(1, count + 1)]
    return SpokenTurn(name, speaker, language, None, samples, _quiet_places(samples, shares))


def recorded_turns(manifest: Path, languages: Sequence[Language] | None = None) -> list[SpokenTurn]:
    """The recordings of a manifest (JSON lines: file, language) that hold speech, each cut at two quiet places.

    Raises ``ManifestError`` and ``RecordingError``.
    """
    turns: list[SpokenTurn] = []
    for row in read_recordings(manifest):
        if row.language is None or (languages and row.language not in languages):
            continue
        samples = trim(read_audio(row.path, rate_hz=RATE_HZ), RATE_HZ)
        if RATE_HZ <= len(samples) <= LONGEST_S * RATE_HZ:
            name = f"{row.path.parent.name}/{row.path.name}"
            turns.append(cut_recording(name, row.path.stem.rsplit("_", 1)[0], row.language, samples))
    return turns


async def _spoken(synthesizer: Synthesizer, name: str, text: TurnText, voice: str) -> SpokenTurn:
    pieces: list[Samples] = []
    pauses: list[int] = []
    length = 0
    for sentence, shares in text.sentences:
        said = [piece async for piece in synthesizer.speak(sentence, SpeakOptions(voice, text.language))]
        samples = resample(np.concatenate(said), synthesizer.rate_hz, RATE_HZ)
        if length:
            pauses.append(length)
        pauses += [length + place for place in _quiet_places(samples, shares)]
        pieces.append(samples)
        length += len(samples)
    return SpokenTurn(name, voice, text.language, text.question, np.concatenate(pieces), tuple(pauses))


def _marked(text: str) -> tuple[str, tuple[float, ...]]:
    """The sentence without its marks, and where they were."""
    parts = text.strip().split("|")
    letters = [len(re.findall(r"\w", part)) for part in parts]
    shares = tuple(float(sum(letters[:number]) / sum(letters)) for number in range(1, len(parts)))
    space = " " if text.isascii() else ""
    return space.join(part.strip() for part in parts), shares


def _quiet_places(samples: Samples, shares: Sequence[float]) -> tuple[int, ...]:
    """The quietest place near each share of ``samples``."""
    window, edge = _WINDOW_MS * RATE_HZ // 1000, _EDGE_MS * RATE_HZ // 1000
    power = np.convolve(samples.astype(np.float64) ** 2, np.ones(window) / window, "same")
    positions = np.arange(len(samples))
    places = set()
    for share in shares:
        distance = (positions - share * len(samples)) / (_SEARCH_MS * RATE_HZ / 1000)
        cost = np.log(power + 1e-7) + 4 * distance**2
        inside = cost[edge : len(samples) - edge]
        if len(inside):
            places.add(edge + int(np.argmin(inside)))
    return tuple(sorted(places))


def _noise(length: int) -> Samples:
    """Noise that falls with the frequency, as of rooms and streets; always the same. RMS 1."""
    white = np.random.default_rng(length).standard_normal(length)
    spectrum = np.fft.rfft(white)
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    coloured = np.fft.irfft(spectrum, length)
    noise: Samples = (coloured / (np.sqrt(np.mean(coloured**2)) + 1e-9)).astype(np.float32)
    return noise
