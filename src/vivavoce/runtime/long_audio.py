"""Audio of any length to text: cut where nobody speaks, recognised piece by piece, timed against the whole.

What voice activity detection leaves out (silence, noise, music) never reaches the recogniser, so it can invent nothing
there. A piece is read with the end of the text before it as its prompt, so that names keep their spelling.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, replace

import numpy as np

from vivavoce.engines.base import SpeechDetector, SpeechStream
from vivavoce.errors import EngineError
from vivavoce.runtime.ears import Ears
from vivavoce.runtime.recognition import Recognition
from vivavoce.runtime.scheduling import Ticket, Urgency
from vivavoce.scripts import joined
from vivavoce.turns.pieces import GOOD_PAUSE_MS, PAUSE_MS, Piece, PieceCutter
from vivavoce.types import Confidence, Language, Samples, Token, TranscribeOptions, Transcript, TranscriptDelta, Word

WHOLE_S = 25.0
"""An utterance up to this long is recognised as a whole; a longer one in pieces, between which others have their turn."""

WHOLE_ASIDE_S = 12.0
"""The same of what is not live: a little more than what makes a piece."""

PIECE_S = 15.0
"""No piece is longer, even without a pause: others wait for it."""

BATCH_S = 20
"""Voice activity is detected so far ahead at a time, off the event loop: 60 ms of work."""

SURE_S = 4.0
"""A piece at least this long has a language of its own; a shorter one is in the language heard before."""

CARRIED_CHARACTERS = 120
"""So much of the text before is shown to the recogniser: about a sentence. More makes it repeat itself."""

CARRIED_WITHIN_MS = 5_000
"""After a longer pause somebody may talk about something else: nothing is carried over."""


@dataclass(frozen=True, slots=True)
class Segment:
    """What was said in one piece of a recording; times in ms from the recording's start.

    ``words`` and ``tokens`` are there when they were asked for, ``confidence`` when the recogniser tells.
    """

    text: str
    start_ms: int
    end_ms: int
    language: Language
    words: tuple[Word, ...] = ()
    tokens: tuple[Token, ...] = ()
    confidence: Confidence | None = None


async def recognise(
    recognition: Recognition,
    ears: Ears,
    samples: Samples,
    options: TranscribeOptions,
    *,
    urgency: Urgency = Urgency.RECORDING,
    owner: object = None,
) -> AsyncGenerator[Segment, None]:
    """The segments of a recording (``float32[n]`` at ``recognition.rate_hz``), each as soon as it is known.

    ``owner`` is who shares turns at the recogniser with others; if it is ``None``, this recording is one by itself. Nothing
    comes out of a recording without speech. Closing the generator stops the work after the step under way. Raises
    ``EngineError``.
    """
    before: Segment | None = None
    whose = object() if owner is None else owner
    # Whoever waits for another turn, waits for less when a piece may end at every comma.
    cutter = PieceCutter(
        rate_hz=recognition.rate_hz,
        frame_samples=ears.detector.frame_samples,
        good_pause_ms=PAUSE_MS if urgency is Urgency.LONG else GOOD_PAUSE_MS,
        longest_s=PIECE_S,
    )
    async for piece in _pieces(samples, recognition.rate_hz, ears.detector, cutter):
        heard = await _heard(recognition, samples, piece, options, before, Ticket(urgency, whose))
        if heard is not None:
            yield heard
            before = heard


async def transcribed(
    recognition: Recognition,
    ears: Ears,
    samples: Samples,
    options: TranscribeOptions,
    owner: object,
    *,
    live: bool = True,
) -> AsyncGenerator[TranscriptDelta | Transcript, None]:
    """What somebody has said and waits for, as ``Recognizer.transcribe`` yields it; a long one piece by piece.

    What is not ``live`` (audio a client has put into an item) comes after what is, and in shorter pieces: whoever speaks
    meanwhile waits for one of them. Raises ``EngineError``.
    """
    urgency, whole_s = (Urgency.AWAITED, WHOLE_S) if live else (Urgency.RECORDING, WHOLE_ASIDE_S)
    if len(samples) <= whole_s * recognition.rate_hz:
        async with aclosing(recognition.transcript(samples, options, Ticket(urgency, owner))) as events:
            async for event in events:
                yield event
        return
    text, spoken_ms = "", dict[Language, int]()
    urgency = Urgency.LONG if live else Urgency.RECORDING
    reading = recognise(recognition, ears, samples, options, urgency=urgency, owner=owner)
    async with aclosing(reading) as segments:
        async for segment in segments:
            longer = joined(text, segment.text.strip())
            yield TranscriptDelta(longer[len(text) :])
            text = longer
            length_ms = segment.end_ms - segment.start_ms
            spoken_ms[segment.language] = spoken_ms.get(segment.language, 0) + length_ms
    language = max(spoken_ms, key=lambda spoken: spoken_ms[spoken], default=options.language or "en")
    yield Transcript(text, language)


async def _pieces(
    samples: Samples, rate_hz: int, detector: SpeechDetector, cutter: PieceCutter
) -> AsyncIterator[Piece]:
    if detector.rate_hz != rate_hz:
        raise EngineError("recognizer", f"hears at {rate_hz} Hz, voice activity detection at {detector.rate_hz} Hz")
    frame, stream = detector.frame_samples, detector.open()
    batch = BATCH_S * rate_hz // frame * frame
    for start in range(0, len(samples), batch):
        heard = await asyncio.to_thread(_probabilities, stream, samples[start : start + batch], frame)
        for piece in cutter.hear(heard):
            yield piece
    for piece in cutter.finish():
        yield piece


def _probabilities(stream: SpeechStream, samples: Samples, frame: int) -> list[float]:
    """Speech probabilities of consecutive frames; the last one is filled up with silence. Blocking."""
    whole = np.pad(samples, (0, -len(samples) % frame)).reshape(-1, frame)
    return [stream.probability(one) for one in whole]


async def _heard(
    recognition: Recognition,
    samples: Samples,
    piece: Piece,
    options: TranscribeOptions,
    before: Segment | None,
    ticket: Ticket,
) -> Segment | None:
    """What was said in ``piece``; ``None`` if nothing was."""
    start, end = max(piece.start, 0), min(piece.end, len(samples))
    language = options.language
    if language is None and before is not None and end - start < SURE_S * recognition.rate_hz:
        language = before.language
    options = replace(options, language=language, prompt=_prompt(options.prompt, before, piece))
    transcript = await recognition.piece(samples[start:end], options, ticket)
    if not transcript.text:
        return None
    return _placed(transcript, start * 1000 // recognition.rate_hz, end * 1000 // recognition.rate_hz)


def _prompt(given: str | None, before: Segment | None, piece: Piece) -> str | None:
    """The caller's prompt, which says how names are spelled, and then what was said just now."""
    carried = before.text[-CARRIED_CHARACTERS:] if before and piece.after_pause_ms < CARRIED_WITHIN_MS else None
    return " ".join(part for part in (given, carried) if part) or None


def _placed(transcript: Transcript, start_ms: int, end_ms: int) -> Segment:
    words = tuple(
        replace(word, start_ms=start_ms + word.start_ms, end_ms=min(start_ms + word.end_ms, end_ms))
        for word in transcript.words
    )
    return Segment(
        transcript.text,
        words[0].start_ms if words else start_ms,
        words[-1].end_ms if words else end_ms,
        transcript.language,
        words,
        transcript.tokens,
        transcript.confidence,
    )
