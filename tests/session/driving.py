"""A session without a socket: a clock one can turn, engines one can play, a client that speaks in one line."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import Any, TypeVar

import numpy as np

from vivavoce.protocol.server_events import ServerEvent
from vivavoce.protocol.session_config import SessionConfig, TurnDetection
from vivavoce.session.inputs import (
    PartialTranscript,
    Recognised,
    Replied,
    SessionInput,
    SpeechProbabilities,
    TimerFired,
)
from vivavoce.session.known_voices import KnownVoices
from vivavoce.session.options import SessionOptions
from vivavoce.session.outputs import Listen, Output, Send, StartReply, Transcribe, TranscribePartially, WakeAt
from vivavoce.session.session import Session
from vivavoce.types import ClauseCut, ClauseSpoken, GenerationEnd, ReplyEnd, ReplyEvent, Speech, TextDelta, Transcript

E = TypeVar("E", bound=ServerEvent)
O = TypeVar("O", bound=Output)  # noqa: E741

VAD = TurnDetection(prefix_padding_ms=100, silence_duration_ms=200)
FRAME_MS = 32


def pcm(milliseconds: int, level: float = 0.5) -> bytes:
    """A tone at 24 kHz as PCM16."""
    n = milliseconds * 24
    return (np.sin(np.arange(n) / 10) * level * 32767).astype("<i2").tobytes()


def speech(milliseconds: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Synthetic speech at 24 kHz."""
    return np.full(milliseconds * 24, 0.1, np.float32)


class Driven:
    """Feeds inputs and remembers all that came out."""

    def __init__(self, vad: TurnDetection | None = None, **options: Any) -> None:
        numbers = count(1)
        config = SessionConfig(model="step-audio-2", voice="v1", turn_detection=vad)
        self.session = Session(
            SessionOptions(
                config=config, turn_detection=VAD, voices=KnownVoices({"v1", "v2"}), context_tokens=4096, **options
            ),
            new_id=lambda prefix: f"{prefix}_{next(numbers)}",
        )
        self.now = 100.0
        self.outputs: list[Output] = self.session.open()
        self.wake_at: float | None = None

    def take(self, *inputs: SessionInput) -> list[Output]:
        """Feed inputs one after another; returns what came of them."""
        fresh: list[Output] = []
        for session_input in inputs:
            fresh += self.session.receive(session_input, self.now)
        self.outputs += fresh
        for output in fresh:
            if isinstance(output, WakeAt):
                self.wake_at = output.at
        return fresh

    def wait(self, seconds: float) -> list[Output]:
        """Let time pass, ticking whenever the session asked to be woken."""
        fresh: list[Output] = []
        deadline = self.now + seconds
        while self.wake_at is not None and self.wake_at <= deadline:
            self.now, self.wake_at = max(self.now, self.wake_at), None
            fresh += self.take(TimerFired())
        self.now = deadline
        return fresh + self.take(TimerFired())

    def hear(self, milliseconds: int, probability: float) -> list[Output]:
        """Audio of this length whose frames the detector finds this probable; plays client and detector."""
        from vivavoce.protocol.client_events import AudioAppend

        fresh = self.take(AudioAppend(audio=pcm(milliseconds)))
        for listen in [output for output in fresh if isinstance(output, Listen)]:
            frames = listen.frames
            fresh += self.take(SpeechProbabilities(frames.position, [probability] * len(frames.frames)))
        return fresh

    def live(self, milliseconds: int, probability: float, *, piece_ms: int = 20) -> list[Output]:
        """As ``hear``, as a microphone sends it: a piece comes when it has been spoken."""
        fresh: list[Output] = []
        for _ in range(milliseconds // piece_ms):
            fresh += self.wait(piece_ms / 1000)
            fresh += self.hear(piece_ms, probability)
        return fresh

    def prompts(self) -> list[list[str]]:
        """The words of every prompt, without the system message."""
        return [[message.content for message in work.messages[1:]] for work in self.commands(StartReply)]

    def transcript(self, text: str, language: str = "en") -> list[Output]:
        """Answer the newest transcription."""
        work = self.commands(Transcribe)[-1]
        return self.take(Recognised(work.item_id, work.content_index, Transcript(text, language)))

    def partially_transcribed(self, text: str, language: str = "en") -> list[Output]:
        """Answer the newest reading of what is being said."""
        work = self.commands(TranscribePartially)[-1]
        return self.take(PartialTranscript(work.item_id, work.until, Transcript(text, language)))

    def reply(self, *events: ReplyEvent) -> list[Output]:
        """Play the reply pipeline for the newest reply."""
        response_id = self.commands(StartReply)[-1].response_id
        return self.take(*(Replied(response_id, event) for event in events))

    def whole_reply(self, *clauses: tuple[str, int]) -> list[Output]:
        """A reply of clauses (text, milliseconds of speech) and its end."""
        events: list[ReplyEvent] = []
        for index, (text, milliseconds) in enumerate(clauses):
            events += [
                TextDelta(text),
                ClauseCut(index, text),
                Speech(index, speech(milliseconds)),
                ClauseSpoken(index),
            ]
        return self.reply(*events, GenerationEnd("stop", 10, 4, 3), ReplyEnd())

    def events(self, cls: type[E], outputs: Iterable[Output] | None = None) -> list[E]:
        """Server events of a class."""
        source = self.outputs if outputs is None else outputs
        return [output.event for output in source if isinstance(output, Send) and isinstance(output.event, cls)]

    def commands(self, cls: type[O]) -> list[O]:
        """Commands of a class."""
        return [output for output in self.outputs if isinstance(output, cls)]

    def names(self, outputs: Iterable[Output]) -> list[str]:
        """Wire names of the events among ``outputs`` that every dialect spells, repeated deltas folded."""
        names = [output.event.wire_name() for output in outputs if isinstance(output, Send)]
        names = [name for name in names if name not in ("conversation.item.done", "rate_limits.updated")]
        return [name for at, name in enumerate(names) if at == 0 or name != names[at - 1]]
