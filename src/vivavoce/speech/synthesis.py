"""Clauses → audio → a file, overlapped: while one clause is encoded and sent the next is being spoken, a bounded way ahead.

Closing a generator stops what goes on behind it within one step of the synthesizer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import chain
from typing import TypeAlias

import numpy as np

from vivavoce.audio.encoding import Encoder, FileFormat
from vivavoce.audio.loudness import limited
from vivavoce.audio.resample import Resampler
from vivavoce.engines.base import Synthesizer
from vivavoce.errors import ClientError
from vivavoce.runtime.clause_synthesis import ClauseSynthesizer
from vivavoce.speaking_style import PLAIN, SpeakingStyle
from vivavoce.speech.subtitles import Subtitle, Subtitler, ends_sentence
from vivavoce.text.clauses import Clause
from vivavoce.types import ClauseSpoken, Samples, SpeakOptions, Speech

PIECES_AHEAD = 8
"""Pieces of speech (a sentence at most) that were made and not taken; beyond that the synthesizer waits."""

FIRST_BLOCK_S = 0.15
"""The first sound is encoded by itself: a clause of seconds would take tens of milliseconds."""

BLOCK_S = 1.0


@dataclass(frozen=True, slots=True)
class SynthesisOptions:
    """How to speak: ``voice`` as the synthesizer knows it; ``volume`` multiplies samples; ``pronounce`` replaces spellings."""

    voice: str
    speed: float = 1.0
    volume: float = 1.0
    pronounce: Callable[[str], str] = str
    style: SpeakingStyle = PLAIN

    def for_clause(self, clause: Clause) -> SpeakOptions:
        """What the synthesizer is asked for."""
        return SpeakOptions(self.voice, clause.language, self.speed, self.style)


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """What a file is like."""

    format: FileFormat
    rate_hz: int


async def speak(
    clauses: Iterable[Clause], options: SynthesisOptions, synthesizer: Synthesizer
) -> AsyncGenerator[Speech | ClauseSpoken, None]:
    """The speech of each clause in order, in pieces at the synthesizer's rate. Raises ``EngineError``, ``ClientError``.

    The synthesizer goes on when the first piece has been dealt with: encoding it and phonemizing the next clause at once would
    take turns at the interpreter's lock, and the first sound would wait for that.
    """
    pieces: asyncio.Queue[Speech | ClauseSpoken | None] = asyncio.Queue(PIECES_AHEAD)
    first_handled = asyncio.Event()
    speaking = asyncio.create_task(_speak_ahead(clauses, options, synthesizer, pieces, first_handled))
    try:
        while (piece := await pieces.get()) is not None:
            yield piece
            first_handled.set()
        await speaking
    finally:
        speaking.cancel()
        await asyncio.wait({speaking})


async def _speak_ahead(
    clauses: Iterable[Clause],
    options: SynthesisOptions,
    synthesizer: Synthesizer,
    pieces: asyncio.Queue[Speech | ClauseSpoken | None],
    first_handled: asyncio.Event,
) -> None:
    voice = ClauseSynthesizer(synthesizer)
    try:
        for index, clause in enumerate(clauses):
            pronounced = replace(clause, spoken=options.pronounce(clause.spoken))
            pieces_of_clause = voice.speak_with_pauses(pronounced, options.for_clause(clause))
            async with aclosing(pieces_of_clause):
                async for samples in pieces_of_clause:
                    await pieces.put(Speech(index, await louder(samples, options.volume)))
                    await first_handled.wait()
            await pieces.put(ClauseSpoken(index))
        voice.finish()
    except Exception:
        await pieces.put(None)  # what was made is taken first; then whoever waits for this task is told
        raise
    await pieces.put(None)


def left_undone(clauses: Iterable[Clause], options: SynthesisOptions, synthesizer: Synthesizer) -> tuple[str, ...]:
    """What of the style the voice cannot do in the languages of these clauses, by name."""
    voice = ClauseSynthesizer(synthesizer)
    return tuple(dict.fromkeys(chain.from_iterable(voice.left_undone(options.for_clause(each)) for each in clauses)))


async def louder(samples: Samples, volume: float) -> Samples:
    """``samples`` times ``volume``; peaks above the ceiling are turned down, on a thread."""
    changed = samples * np.float32(volume)
    return await asyncio.to_thread(limited, changed) if volume > 1 else changed


class FileEncoder:
    """Samples at ``source_hz`` into the bytes of one file. Encoding leaves the event loop."""

    def __init__(self, output_format: OutputFormat, source_hz: int) -> None:
        self._source_hz = source_hz
        self._resampler = Resampler(source_hz, output_format.rate_hz)
        self._encoder = Encoder(output_format.format, output_format.rate_hz)
        self._started = False
        self.samples_in = 0
        """Samples at ``source_hz`` that went in so far."""

    async def write(self, samples: Samples) -> AsyncGenerator[bytes, None]:
        """What the samples add to the file, a block at a time, so that the first leaves soon."""
        at = 0
        while at < len(samples):
            size = round((BLOCK_S if self._started else FIRST_BLOCK_S) * self._source_hz)
            block = samples[at : at + size]
            at += size
            self.samples_in += len(block)
            if data := await asyncio.to_thread(self._encoded, block):
                self._started = True
                yield data

    async def finish(self) -> bytes:
        """The end of the file."""
        return await asyncio.to_thread(self._finished)

    def _encoded(self, samples: Samples) -> bytes:
        return self._encoder.write(self._resampler.push(samples))

    def _finished(self) -> bytes:
        return self._encoder.write(self._resampler.flush()) + self._encoder.finish()


@dataclass(frozen=True, slots=True)
class SynthesisEnd:
    """Everything was spoken, in so many milliseconds of audio."""

    duration_ms: int


FileEvent: TypeAlias = bytes | Subtitle | SynthesisEnd
"""What comes while a file is made: its bytes, subtitles of what they hold, and last how long it is."""


async def synthesized_file(
    clauses: Sequence[Clause],
    options: SynthesisOptions,
    synthesizer: Synthesizer,
    output_format: OutputFormat,
    *,
    subtitles: bool = False,
) -> AsyncGenerator[FileEvent, None]:
    """A file as it is being made; with ``subtitles`` each sentence's comes after its audio.

    Raises as ``speak`` does, and ``ClientError`` when there is no sound in any of it.
    """
    encoder = FileEncoder(output_format, synthesizer.rate_hz)
    subtitler = Subtitler(synthesizer.rate_hz)
    clause: list[Samples] = []
    samples_made = 0
    async with aclosing(speak(clauses, options, synthesizer)) as pieces:
        async for piece in pieces:
            match piece:
                case Speech(samples=samples):
                    samples_made += len(samples)
                    if subtitles:
                        clause.append(samples)
                    async for data in encoder.write(samples):
                        yield data
                case ClauseSpoken(index=index) if subtitles:
                    subtitler.add(clauses[index].text, joined(clause))
                    clause.clear()
                    if ends_sentence(clauses[index].text) and (subtitle := subtitler.flush()) is not None:
                        yield subtitle
    if not samples_made:
        raise ClientError("There is nothing in the input that can be spoken.", param="input")
    if end := await encoder.finish():
        yield end
    if (last_subtitle := subtitler.flush()) is not None:
        yield last_subtitle
    yield SynthesisEnd(samples_made * 1000 // synthesizer.rate_hz)


def joined(pieces: Sequence[Samples]) -> Samples:
    """Pieces as one; nothing is nothing."""
    return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
