"""Clauses → audio → a file, overlapped: while one clause is encoded and sent the next is being spoken, a bounded way ahead.

Closing a generator stops what goes on behind it within one step of the speaker.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from vivavoce.audio.encoding import Encoder, FileFormat
from vivavoce.audio.loudness import limited
from vivavoce.audio.resample import Resampler
from vivavoce.engines.base import Speaker
from vivavoce.errors import ClientError
from vivavoce.runtime.clauses import Clause
from vivavoce.runtime.speaking import ClauseSpeaker
from vivavoce.speech.subtitles import Subtitle, Subtitler, ends_sentence
from vivavoce.types import ClauseSpoken, Samples, SpeakOptions, Speech

PIECES_AHEAD = 8
"""Pieces of speech (a sentence at most) that were made and not taken; beyond that the speaker waits."""

FIRST_BLOCK_S = 0.15
"""The first sound is encoded by itself: a clause of seconds would take tens of milliseconds."""

BLOCK_S = 1.0


@dataclass(frozen=True, slots=True)
class Manner:
    """How to speak: ``voice`` as the speaker knows it; ``volume`` multiplies samples; ``said`` is applied to what is spoken."""

    voice: str
    speed: float = 1.0
    volume: float = 1.0
    said: Callable[[str], str] = str


@dataclass(frozen=True, slots=True)
class FileShape:
    """What a file is like."""

    format: FileFormat
    rate_hz: int


async def speak(
    clauses: Iterable[Clause], manner: Manner, speaker: Speaker
) -> AsyncGenerator[Speech | ClauseSpoken, None]:
    """The speech of each clause in order, in pieces at the speaker's rate. Raises ``EngineError``, ``ClientError``.

    The speaker goes on when the first piece has been dealt with: encoding it and phonemizing the next clause at once would
    take turns at the interpreter's lock, and the first sound would wait for that.
    """
    pieces: asyncio.Queue[Speech | ClauseSpoken | None] = asyncio.Queue(PIECES_AHEAD)
    first_sent = asyncio.Event()
    speaking = asyncio.create_task(_speak_ahead(clauses, manner, speaker, pieces, first_sent))
    try:
        while (piece := await pieces.get()) is not None:
            yield piece
            first_sent.set()
        await speaking
    finally:
        speaking.cancel()
        await asyncio.wait({speaking})


async def _speak_ahead(
    clauses: Iterable[Clause],
    manner: Manner,
    speaker: Speaker,
    pieces: asyncio.Queue[Speech | ClauseSpoken | None],
    first_sent: asyncio.Event,
) -> None:
    voice = ClauseSpeaker(speaker)
    try:
        for index, clause in enumerate(clauses):
            said = replace(clause, spoken=manner.said(clause.spoken))
            made = voice.speak_with_pauses(said, SpeakOptions(manner.voice, clause.language, manner.speed))
            async with aclosing(made):
                async for samples in made:
                    await pieces.put(Speech(index, louder(samples, manner.volume)))
                    await first_sent.wait()
            await pieces.put(ClauseSpoken(index))
        voice.finish()
    except Exception:
        await pieces.put(None)  # what was made is taken first; then whoever waits for this task is told
        raise
    await pieces.put(None)


def louder(samples: Samples, volume: float) -> Samples:
    """``samples`` times ``volume``; what would be above full scale is held back."""
    changed = samples * np.float32(volume)
    return limited(changed) if volume > 1 else changed


class Recorder:
    """Samples at ``source_hz`` into the bytes of one file. Encoding leaves the event loop."""

    def __init__(self, shape: FileShape, source_hz: int) -> None:
        self._source_hz = source_hz
        self._resampler = Resampler(source_hz, shape.rate_hz)
        self._encoder = Encoder(shape.format, shape.rate_hz)
        self._begun = False
        self.taken = 0
        """Samples at ``source_hz`` that went in so far."""

    async def write(self, samples: Samples) -> AsyncGenerator[bytes, None]:
        """What the samples add to the file, a block at a time, so that the first leaves soon."""
        at = 0
        while at < len(samples):
            size = round((BLOCK_S if self._begun else FIRST_BLOCK_S) * self._source_hz)
            block = samples[at : at + size]
            at += size
            self.taken += len(block)
            if data := await asyncio.to_thread(self._encoded, block):
                self._begun = True
                yield data

    async def finish(self) -> bytes:
        """The end of the file."""
        return await asyncio.to_thread(self._finished)

    def _encoded(self, samples: Samples) -> bytes:
        return self._encoder.write(self._resampler.push(samples))

    def _finished(self) -> bytes:
        return self._encoder.write(self._resampler.flush()) + self._encoder.finish()


@dataclass(frozen=True, slots=True)
class Spoken:
    """Everything was spoken, in so many milliseconds of audio."""

    duration_ms: int


Made: TypeAlias = bytes | Subtitle | Spoken
"""What comes while a file is made: its bytes, subtitles of what they hold, and last how long it is."""


async def spoken_file(
    clauses: Sequence[Clause], manner: Manner, speaker: Speaker, shape: FileShape, *, subtitles: bool = False
) -> AsyncGenerator[Made, None]:
    """A file as it is being made; with ``subtitles`` each sentence's comes after its audio.

    Raises as ``speak`` does, and ``ClientError`` when there is no sound in any of it.
    """
    recorder = Recorder(shape, speaker.rate_hz)
    subtitler = Subtitler(speaker.rate_hz)
    clause: list[Samples] = []
    made = 0
    async with aclosing(speak(clauses, manner, speaker)) as pieces:
        async for piece in pieces:
            match piece:
                case Speech(samples=samples):
                    made += len(samples)
                    if subtitles:
                        clause.append(samples)
                    async for data in recorder.write(samples):
                        yield data
                case ClauseSpoken(index=index) if subtitles:
                    subtitler.add(clauses[index].text, joined(clause))
                    clause.clear()
                    if ends_sentence(clauses[index].text) and (subtitle := subtitler.flush()) is not None:
                        yield subtitle
    if not made:
        raise ClientError("There is nothing in the input that can be spoken.", param="input")
    if end := await recorder.finish():
        yield end
    if (rest := subtitler.flush()) is not None:
        yield rest
    yield Spoken(made * 1000 // speaker.rate_hz)


def joined(pieces: Sequence[Samples]) -> Samples:
    """Pieces as one; nothing is nothing."""
    return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
