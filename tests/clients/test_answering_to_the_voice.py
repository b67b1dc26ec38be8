"""Answering to the voice and thinking aloud, with the real models over a socket."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from running import RunningServer, Talker, talking
from vivavoce.bench.http import http_target
from vivavoce.bench.scenarios.dialogue import Caller, play
from vivavoce.bench.scenarios.scoring import CHECKS, points, score, transcript
from vivavoce.bench.scenarios.scripts import ScenarioScript, scripts
from vivavoce.bench.turn import Target
from vivavoce.types import Samples

pytestmark = pytest.mark.real

PATIENCE_S = 300.0
STOPS_WITHIN_S = 0.15
QUESTION = (
    "I had 12 apples, gave 3 to a friend and 4 to my sister, and bought twice as many as were left. How many now?"
)
FEWEST_POINTS = 0.7
"""The share of a dialogue's points that a small model has to get."""


async def points_of(server: RunningServer, script: ScenarioScript) -> tuple[int, int, str]:
    """Play a scenario, whole or not: the points, of how many, and what was said."""
    async with http_target(server.address, model="step-audio-2", voice=script.caller) as http:

        async def speak(text: str, script: ScenarioScript) -> Samples:
            _, samples = await http.speech(text, script.spoken)
            return samples

        target = Target("", timeout_s=PATIENCE_S).at(server.address)
        scored = score(await play(target, script, Caller(speak), lambda _turn: None))
    got, of = points(scored)
    return got, of, transcript(scored)


def first_turn_of(name: str, language: str) -> ScenarioScript:
    [script] = [one for one in scripts() if (one.persona, one.language) == (name, language)]
    return replace(script, turns=script.turns[:1])


async def test_a_sad_voice_is_heard_and_answered_to(real_server: RunningServer) -> None:
    got, of, said = await points_of(real_server, first_turn_of("support", "en"))
    assert of == len(CHECKS)
    assert got >= of - 1, said


@pytest.mark.slow
@pytest.mark.parametrize("script", [one for one in scripts() if not one.recordings], ids=lambda script: script.name)
async def test_every_scenario_is_played_as_it_should(real_server: RunningServer, script: ScenarioScript) -> None:
    got, of, said = await points_of(real_server, script)
    assert got >= FEWEST_POINTS * of, said


def kinds(events: Sequence[str]) -> list[str]:
    """Thoughts and sounds, in the order they came."""
    named = {"response.thinking.delta": "thought", "response.audio.delta": "audio"}
    return [named[event] for event in events if event in named]


async def is_quiet(talker: Talker, seconds: float = 1.0) -> bool:
    """Whether neither a thought nor a sound comes for so long."""
    try:
        async with asyncio.timeout(seconds):
            while not kinds([json.loads(await talker.socket.recv())["type"]]):
                pass
    except TimeoutError:
        return True
    return False


async def asked(talker: Talker) -> None:
    """Ask for a reply to the question."""
    content = [{"type": "input_text", "text": QUESTION}]
    await talker.send(type="conversation.item.create", item={"type": "message", "role": "user", "content": content})
    await talker.send(type="response.create")


async def test_thoughts_come_between_the_sounds_and_stop_with_them(real_server: RunningServer) -> None:
    async with talking(real_server, "model=step-audio-r1.1") as talker:
        talker.patience_s = PATIENCE_S
        await asked(talker)
        order = kinds([event["type"] for event in await talker.until("response.done")])
        first = order.index("audio")
        assert "thought" in order[:first]
        assert "thought" in order[first:]
        await asked(talker)
        await talker.until("response.thinking.delta")
        await talker.send(type="response.cancel")
        cancelled_s, late_s = time.monotonic(), 0.0
        async with asyncio.timeout(PATIENCE_S):
            while (event := json.loads(await talker.socket.recv()))["type"] != "response.done":
                late_s = time.monotonic() - cancelled_s if kinds([event["type"]]) else late_s
        assert event["response"]["status"] == "cancelled"
        assert late_s < STOPS_WITHIN_S
        assert await is_quiet(talker)
