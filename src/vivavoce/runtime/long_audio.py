"""Audio of any length to text: cut where nobody speaks, recognised piece by piece, timed against the whole.

What voice activity detection leaves out (silence, noise, music) never reaches the recogniser, so it can invent nothing
there. A piece is read with the end of the text before it as its prompt, so that names keep their spelling.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field, replace

import numpy as np

from vivavoce.engines.base import SpeechDetector, VadStream
from vivavoce.errors import EngineError
from vivavoce.runtime.recognition import Recognition
from vivavoce.runtime.vad_batcher import VadBatcher
from vivavoce.scheduling import Ticket, Urgency
from vivavoce.text.scripts import joined
from vivavoce.turns.pieces import GOOD_PAUSE_MS, PAUSE_MS, Piece, PieceCutter
from vivavoce.types import Confidence, Language, Samples, Token, TranscribeOptions, Transcript, TranscriptDelta, Word

MAX_WHOLE_TURN_S = 25.0
"""An utterance up to this long is recognised as a whole; a longer one in pieces, between which others have their turn."""

MAX_WHOLE_RECORDING_S = 12.0
"""The same of what is not live: a little more than what makes a piece."""

PIECE_S = 15.0
"""No piece is longer, even without a pause: others wait for it."""

BATCH_S = 20
"""Voice activity is detected so far ahead at a time, off the event loop: 60 ms of work."""

MIN_LANGUAGE_DETECTION_S = 4.0
"""A piece at least this long has a language of its own; a shorter one is in the language heard before."""

CARRIED_CHARACTERS = 120
"""So much of the text before is shown to the recogniser: about a sentence. More makes it repeat itself."""

CARRIED_WITHIN_MS = 5_000
"""After a longer pause somebody may talk about something else: nothing is carried over."""


@dataclass(frozen=True, slots=True)
class Segment:
    """What was said in one piece of a recording; times in ms from the recording's start.

    ``words`` and ``tokens`` are there when they were asked for, ``confidence`` when the recogniser tells; ``channel``
    (from 0) is there where channels are read by themselves.
    """

    text: str
    start_ms: int
    end_ms: int
    language: Language
    words: tuple[Word, ...] = ()
    tokens: tuple[Token, ...] = ()
    confidence: Confidence | None = None
    channel: int | None = None


@dataclass(slots=True)
class LongTranscript:
    """The segments of a recording so far, and their text as one."""

    text: str = ""
    segments: list[Segment] = field(default_factory=list)

    def add(self, segment: Segment) -> str:
        """Put the next segment behind the others; what the text has grown by."""
        previous, self.text = self.text, joined(self.text, segment.text.strip())
        self.segments.append(segment)
        return self.text[len(previous) :]


def most_spoken(segments: Iterable[Segment], default: Language | None) -> Language:
    """The language most of a recording is in; where nothing was said, ``default``, or else English."""
    spoken_ms: dict[Language, int] = {}
    for segment in segments:
        spoken_ms[segment.language] = spoken_ms.get(segment.language, 0) + segment.end_ms - segment.start_ms
    return max(spoken_ms, key=lambda language: spoken_ms[language], default=default or "en")


async def recognise(
    recognition: Recognition,
    vad: VadBatcher,
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
    previous: Segment | None = None
    ticket_owner = object() if owner is None else owner
    # Whoever waits for another turn, waits for less when a piece may end at every comma.
    cutter = PieceCutter(
        rate_hz=recognition.rate_hz,
        frame_samples=vad.detector.frame_samples,
        good_pause_ms=PAUSE_MS if urgency is Urgency.LONG else GOOD_PAUSE_MS,
        longest_s=PIECE_S,
    )
    async for piece in _pieces(samples, recognition.rate_hz, vad.detector, cutter):
        segment = await _transcribe_piece(recognition, samples, piece, options, previous, Ticket(urgency, ticket_owner))
        if segment is not None:
            yield segment
            previous = segment


async def transcribe_turn(
    recognition: Recognition,
    vad: VadBatcher,
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
    urgency, whole_s = (Urgency.ENDED_TURN, MAX_WHOLE_TURN_S) if live else (Urgency.RECORDING, MAX_WHOLE_RECORDING_S)
    if len(samples) <= whole_s * recognition.rate_hz:
        async with aclosing(recognition.transcript(samples, options, Ticket(urgency, owner))) as events:
            async for event in events:
                yield event
        return
    transcript = LongTranscript()
    urgency = Urgency.LONG if live else Urgency.RECORDING
    pieces = replace(options, encoding=False)  # how it sounds is asked of the whole
    with recognition.listening(samples, options) as listening:
        reading = recognise(recognition, vad, samples, pieces, urgency=urgency, owner=owner)
        async with aclosing(reading) as segments:
            async for segment in segments:
                yield TranscriptDelta(transcript.add(segment))
        perceived = None
        if listening is not None:
            listening.encoded(None)
            perceived = await listening.perceived(transcript.text)
    yield Transcript(transcript.text, most_spoken(transcript.segments, options.language), perceived=perceived)


async def recognise_all(
    recognition: Recognition, vad: VadBatcher, samples: Samples, options: TranscribeOptions, owner: object
) -> LongTranscript:
    """All of a recording nobody has just said, as ``recognise`` reads it. Raises ``EngineError``."""
    transcript = LongTranscript()
    async with aclosing(recognise(recognition, vad, samples, options, owner=owner)) as segments:
        async for segment in segments:
            transcript.add(segment)
    return transcript


async def _pieces(
    samples: Samples, rate_hz: int, detector: SpeechDetector, cutter: PieceCutter
) -> AsyncIterator[Piece]:
    if detector.rate_hz != rate_hz:
        raise EngineError("recognizer", f"hears at {rate_hz} Hz, voice activity detection at {detector.rate_hz} Hz")
    frame, stream = detector.frame_samples, detector.open()
    batch = BATCH_S * rate_hz // frame * frame
    for start in range(0, len(samples), batch):
        probabilities = await asyncio.to_thread(_probabilities, stream, samples[start : start + batch], frame)
        for piece in cutter.hear(probabilities):
            yield piece
    for piece in cutter.finish():
        yield piece


def _probabilities(stream: VadStream, samples: Samples, frame_samples: int) -> list[float]:
    """Speech probabilities of consecutive frames; the last one is filled up with silence. Blocking."""
    frames = np.pad(samples, (0, -len(samples) % frame_samples)).reshape(-1, frame_samples)
    return [stream.probability(frame) for frame in frames]


async def _transcribe_piece(
    recognition: Recognition,
    samples: Samples,
    piece: Piece,
    options: TranscribeOptions,
    previous: Segment | None,
    ticket: Ticket,
) -> Segment | None:
    """What was said in ``piece``; ``None`` if nothing was."""
    start, end = max(piece.start, 0), min(piece.end, len(samples))
    language = options.language
    if language is None and previous is not None and end - start < MIN_LANGUAGE_DETECTION_S * recognition.rate_hz:
        language = previous.language
    options = replace(options, language=language, prompt=_prompt(options.prompt, previous, piece))
    transcript = await recognition.piece(samples[start:end], options, ticket)
    if not transcript.text:
        return None
    return _placed(transcript, start * 1000 // recognition.rate_hz, end * 1000 // recognition.rate_hz)


def _prompt(prompt: str | None, previous: Segment | None, piece: Piece) -> str | None:
    """The caller's prompt, which says how names are spelled, and then what was said just now."""
    context = previous.text[-CARRIED_CHARACTERS:] if previous and piece.after_pause_ms < CARRIED_WITHIN_MS else None
    return " ".join(part for part in (prompt, context) if part) or None


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
