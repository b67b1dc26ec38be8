"""The contention bench: short turns in one conversation while another waits for the transcript of minutes of speech."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from vivavoce.bench.questions import Question
from vivavoce.bench.turn import LEAD_IN_MS, Target
from vivavoce.client.events import WIRE_RATE_HZ
from vivavoce.client.streaming import MicrophoneStream, chunks_of, running
from vivavoce.types import Samples

PAUSE_MS = 400
"""Between the sentences of the long turn."""

BREATH_MS = 200
"""Between the sentences of a short turn: too short to end it."""

SILENCE_MS = 800
"""What ends a short turn."""

DELTA = "conversation.item.input_audio_transcription.delta"
COMMITTED = "input_audio_buffer.committed"
COMPLETED = "conversation.item.input_audio_transcription.completed"


PATIENCE_S = 600.0


@dataclass(frozen=True, slots=True)
class ShortTurn:
    """When words of a turn came, in milliseconds: the first after it began, all of them after it ended.

    ``partial_ms`` is ``None`` where no words came before the turn was over.
    """

    partial_ms: float | None
    final_ms: float


@dataclass(frozen=True, slots=True)
class Contention:
    """Short turns alone, and beside a long one that took ``long_s`` seconds for ``spoken_s`` seconds of speech."""

    spoken_s: float
    long_s: float
    alone: Sequence[ShortTurn] = field(default_factory=tuple)
    beside: Sequence[ShortTurn] = field(default_factory=tuple)


def together(questions: Sequence[Question], pause_ms: int) -> Question:
    """All of them said in one turn."""
    pause = np.zeros(WIRE_RATE_HZ * pause_ms // 1000, np.float32)
    samples = np.concatenate([part for question in questions for part in (question.samples, pause)])[: -len(pause)]
    before_last_ms = (len(samples) - len(questions[-1].samples)) * 1000 / WIRE_RATE_HZ
    return replace(
        questions[-1], samples=samples, speech_end_ms=before_last_ms + questions[-1].speech_end_ms, text=None
    )


def long_turn(questions: Sequence[Question], seconds: float) -> Samples:
    """The questions over and over, with pauses, so long: ``float32[n]`` at 24 kHz."""
    once = together(questions, PAUSE_MS).samples
    return np.tile(once, int(np.ceil(seconds * WIRE_RATE_HZ / len(once))))[: int(seconds * WIRE_RATE_HZ)]


async def short_turn(target: Target, question: Question) -> ShortTurn:
    """Speak a question in real time, in a conversation of its own that makes no replies. Raises ``ConnectError``."""
    async with target.connect() as client:
        await client.update_session(
            {"turn_detection": {"type": "server_vad", "silence_duration_ms": SILENCE_MS, "create_response": False}}
        )
        lead = np.zeros(int(LEAD_IN_MS * WIRE_RATE_HZ / 1000), np.float32)
        microphone = MicrophoneStream(client, np.concatenate([lead, question.samples]))
        async with running(microphone.run()):
            first = await client.wait_for(DELTA, COMMITTED, timeout_s=PATIENCE_S)
            completed = await client.wait_for(COMPLETED, timeout_s=PATIENCE_S)
        began_s, ended_s = (microphone.spoken_at_s(LEAD_IN_MS + at) for at in (0.0, question.speech_end_ms))
        partial_ms = (first.arrived_s - began_s) * 1000 if first.type == DELTA else None
        return ShortTurn(partial_ms, (completed.arrived_s - ended_s) * 1000)


async def _transcribe_long(target: Target, samples: Samples, started: asyncio.Event) -> float:
    """Push to talk; how many seconds the transcript took."""
    async with target.connect() as client:
        await client.update_session({"turn_detection": None})
        for chunk in chunks_of(samples, chunk_ms=1000):
            await client.append(chunk)
        began_s = time.perf_counter()
        await client.send("input_audio_buffer.commit")
        started.set()
        completed = await client.wait_for(COMPLETED, timeout_s=PATIENCE_S)
        return completed.arrived_s - began_s


async def run_contention(
    target: Target, questions: Sequence[Question], *, seconds: float, count: int = 5
) -> Contention:
    """``count`` short turns of three questions each, alone; then one after the other while a long turn is transcribed."""
    turns = [together([questions[(at + more) % len(questions)] for more in range(3)], BREATH_MS) for at in range(count)]
    alone = [await short_turn(target, turn) for turn in turns]
    samples, started, beside = long_turn(questions, seconds), asyncio.Event(), list[ShortTurn]()
    transcribing = asyncio.create_task(_transcribe_long(target, samples, started))
    await started.wait()
    while not transcribing.done():
        beside.append(await short_turn(target, turns[len(beside) % len(turns)]))
    return replace(Contention(seconds, await transcribing), alone=alone, beside=beside)
