"""What the engines make of a pause: the raw evidence of the end-of-turn model, and what each piece of it cost."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import numpy as np

from vivavoce.bench.endpointing_turns import RATE_HZ, SpokenTurn
from vivavoce.engines.base import EndOfTurnModel, LanguageModel, Recognizer
from vivavoce.runtime.recognition import final_transcript
from vivavoce.session.default_prompt import system_prompt
from vivavoce.turns.unfinished_words import without_final_mark
from vivavoce.types import GenerationOptions, Language, Message, TranscribeOptions

SCORED_AT_MS = (100, 300, 600)
"""Silence after which the sound is scored, and scored again; the words are read at the first."""

_GREETING = "Hello, how can I help you?"


@dataclass(frozen=True, slots=True)
class ScoredPause:
    """The evidence of one pause. ``sounds`` are the scores after each of ``SCORED_AT_MS``; ``*_cost_ms`` what they took."""

    turn: str
    speaker: str
    language: Language
    question: str | None
    number: int
    final: bool
    speech_ms: int
    sounds: tuple[float, ...]
    text: str
    text_language: Language
    sentence_end: float | None
    sound_cost_ms: float
    text_cost_ms: float
    sentence_end_cost_ms: float


@dataclass(frozen=True, slots=True)
class ListeningEngines:
    """Those that are asked about a pause."""

    scorer: EndOfTurnModel
    recognizer: Recognizer
    language_model: LanguageModel


async def scored_pauses(turns: Sequence[SpokenTurn], engines: ListeningEngines) -> AsyncIterator[ScoredPause]:
    """Every pause of every turn, its end included. Raises ``EngineError``."""
    for turn in turns:
        for number in range(len(turn.pauses) + 1):
            yield await _scored(turn, number, engines)


async def _scored(turn: SpokenTurn, number: int, engines: ListeningEngines) -> ScoredPause:
    window = int(engines.scorer.window_s * RATE_HZ)
    begin = time.perf_counter()
    sounds = [
        await engines.scorer.score(turn.heard(number, silence_ms)[-window:].astype(np.float32))
        for silence_ms in SCORED_AT_MS
    ]
    sound_cost = (time.perf_counter() - begin) / len(SCORED_AT_MS)
    begin = time.perf_counter()
    heard = turn.heard(number, SCORED_AT_MS[0])
    transcript = await final_transcript(engines.recognizer.transcribe(heard, TranscribeOptions()))
    text_cost = time.perf_counter() - begin
    begin = time.perf_counter()
    sentence_end = await _sentence_end(transcript.text, turn.question, engines.language_model)
    sentence_end_cost = time.perf_counter() - begin
    return ScoredPause(
        turn=turn.name,
        speaker=turn.speaker,
        language=turn.language,
        question=turn.question,
        number=number,
        final=number == len(turn.pauses),
        speech_ms=turn.speech_ms(number),
        sounds=tuple(sounds),
        text=transcript.text,
        text_language=transcript.language,
        sentence_end=sentence_end,
        sound_cost_ms=sound_cost * 1000,
        text_cost_ms=text_cost * 1000,
        sentence_end_cost_ms=sentence_end_cost * 1000,
    )


async def _sentence_end(text: str, question: str | None, model: LanguageModel) -> float | None:
    if not (words := without_final_mark(text)):
        return None
    before = (Message("system", system_prompt("")), Message("assistant", question or _GREETING))
    return await model.sentence_end((*before, Message("user", words)), GenerationOptions(slot=0))
