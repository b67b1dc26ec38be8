"""Plays a scenario against a server, by voice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from vivavoce.audio.pcm import encode_pcm16
from vivavoce.bench.exchanges import Conversation, Exchange
from vivavoce.bench.scenarios.moods import MOODS, in_mood
from vivavoce.bench.scenarios.scripts import ScenarioScript, ScenarioTurn
from vivavoce.bench.turn import Target
from vivavoce.client.connection import RealtimeClient
from vivavoce.client.errors import ConnectError
from vivavoce.client.events import WIRE_RATE_HZ
from vivavoce.client.recording import read_audio
from vivavoce.personas import persona
from vivavoce.types import Samples

WITHOUT_PERCEPTION = "step-1o-audio"
"""The tier with the same language model that hears words only."""

_TRANSCRIPT = "conversation.item.input_audio_transcription.completed"

Speak = Callable[[str, ScenarioScript], Awaitable[Samples]]
"""Words to samples at 24 kHz, in the caller's voice and language."""


class PlayedScenarioTurn(msgspec.Struct, frozen=True, kw_only=True):
    """A turn and what came of it. ``perceived``: what the server told of the voice. ``failure``: why there is no more."""

    scenario: str
    number: int
    heard: str = ""
    answer: str = ""
    perceived: tuple[str, ...] = ()
    note: str = ""
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Caller:
    """How a scripted caller speaks: ``speak`` in its voice, recordings from ``folder``."""

    speak: Speak
    folder: Path | None = None

    async def says(self, turn: ScenarioTurn, script: ScenarioScript) -> Samples:
        """The samples of a turn, at 24 kHz."""
        if script.recordings:
            if self.folder is None:
                raise ConnectError("There is no folder of recordings.")
            return read_audio(self.folder / "emotion" / turn.say)
        spoken = await self.speak(turn.say, script)
        return await asyncio.to_thread(in_mood, spoken, WIRE_RATE_HZ, MOODS[turn.mood])


async def play(
    target: Target, script: ScenarioScript, caller: Caller, on_turn: Callable[[object], object]
) -> list[PlayedScenarioTurn]:
    """All turns in one conversation. A turn that fails is kept with its failure, and so are those behind it.

    Raises ``ConnectError`` when the conversation cannot be opened.
    """
    who = persona(script.persona)
    session = who.session(script.spoken) | ({} if script.perceives else {"include": []})
    model = who.model if script.perceives else WITHOUT_PERCEPTION
    played: list[PlayedScenarioTurn] = []
    async with replace(target, model=model).connect() as client:
        await client.update_session({**session, "turn_detection": None})
        for sentence in script.before:
            await _heard(client, await caller.speak(sentence, script), target.timeout_s)
        await client.update_session({"turn_detection": {"type": "server_vad"}})
        conversation = Conversation(client, _no_function, timeout_s=target.timeout_s)
        for number, turn in enumerate(script.turns, start=1):
            try:
                exchange = await conversation.speak(turn.say, await caller.says(turn, script))
                played.append(_played(script, number, exchange))
            except ConnectError as error:
                played.append(PlayedScenarioTurn(scenario=script.name, number=number, failure=str(error)))
                break
            finally:
                on_turn(turn)
    done = len(played)
    return played + [
        PlayedScenarioTurn(scenario=script.name, number=number, failure="not reached")
        for number in range(done + 1, len(script.turns) + 1)
    ]


async def _heard(client: RealtimeClient, samples: Samples, timeout_s: float) -> None:
    """Let the server hear how somebody speaks, and nothing of what they say: the item is deleted."""
    await client.append(encode_pcm16(samples))
    await client.send("input_audio_buffer.commit")
    transcript = await client.wait_for(_TRANSCRIPT, timeout_s=timeout_s)
    await client.send("conversation.item.delete", item_id=transcript.text("item_id"))
    await client.wait_for("conversation.item.deleted", timeout_s=timeout_s)


def _played(script: ScenarioScript, number: int, exchange: Exchange) -> PlayedScenarioTurn:
    emotion = exchange.perceived.get("emotion") or {}
    labels = [emotion["label"]] if emotion else []
    return PlayedScenarioTurn(
        scenario=script.name,
        number=number,
        heard=exchange.heard,
        answer=exchange.answer,
        perceived=(*labels, *exchange.perceived.get("cues", ())),
        note=exchange.perceived.get("note") or "",
        failure="" if exchange.answer else "no words",
    )


def _no_function(_name: str, _arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"error": "unknown function"}
