"""The turn bench: speak questions into a running server in real time, as a client would, and measure each turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from ssl import SSLContext
from typing import Any

from vivavoce.bench.measure import TurnMeasure, measure
from vivavoce.bench.questions import Question
from vivavoce.client.address import ServerAddress
from vivavoce.client.connection import RealtimeClient, connect
from vivavoce.client.errors import ConnectError
from vivavoce.client.turn import speak_turn

LEAD_IN_MS = 500.0
"""Silence before each question: nobody speaks in the very instant the microphone opens."""


@dataclass(frozen=True, slots=True)
class Target:
    """The server under test and how to talk to it."""

    url: str
    model: str = "step-audio-2"
    voice: str | None = None
    api_key: str | None = None
    timeout_s: float = 60.0
    tls: SSLContext | None = None

    def at(self, server: ServerAddress) -> Target:
        """The same of this server."""
        return replace(self, url=server.url, api_key=server.api_key, tls=server.tls)

    def connect(self, *, marks: bool = False) -> AbstractAsyncContextManager[RealtimeClient]:
        """A conversation with it."""
        return connect(self.url, model=self.model, api_key=self.api_key, tls=self.tls, marks=marks)


OnMeasure = Callable[[TurnMeasure], None]


async def ask(target: Target, question: Question) -> TurnMeasure:
    """One question in a conversation of its own, so that no turn is helped or burdened by the one before it.

    A refused or broken conversation is a failed turn, not an exception: the bench goes on and counts it.
    """
    session: dict[str, Any] = {"turn_detection": {"type": "server_vad"}}
    if target.voice is not None:
        session["voice"] = target.voice
    try:
        async with target.connect(marks=True) as client:
            await client.update_session(session)
            turn = await speak_turn(client, question.samples, lead_in_ms=LEAD_IN_MS, timeout_s=target.timeout_s)
    except ConnectError as error:
        return TurnMeasure(question.name, question.language, question.pause_ms, failure=str(error), asked=question.text)
    return measure(question, turn)


async def ask_in_turn(
    target: Target, questions: Sequence[Question], *, runs: int, on_measure: OnMeasure
) -> list[TurnMeasure]:
    """Every question ``runs`` times, one conversation after the other."""
    measures: list[TurnMeasure] = []
    for question in [question for _ in range(runs) for question in questions]:
        measures.append(await ask(target, question))
        on_measure(measures[-1])
    return measures


async def ask_at_once(
    target: Target, questions: Sequence[Question], *, parallel: int, runs: int, on_measure: OnMeasure
) -> list[list[TurnMeasure]]:
    """``runs`` rounds of ``parallel`` conversations that start together, each with the next question of the list."""
    rounds: list[list[TurnMeasure]] = []
    for number in range(runs):
        asked = [questions[(number * parallel + slot) % len(questions)] for slot in range(parallel)]
        rounds.append(list(await asyncio.gather(*(ask(target, question) for question in asked))))
        for one in rounds[-1]:
            on_measure(one)
    return rounds
