"""A server whose tier is served by a scripted hosted Realtime API, and what a client of it sees."""

from __future__ import annotations

import asyncio
import json
from contextlib import AbstractContextManager
from typing import Any

from hosted_upstream import Upstream
from running import RunningServer, Talker, running, silence, tone
from vivavoce.config import load_config
from vivavoce.config.engines import FAKE_ENGINES

SETTINGS = {
    "model": "far-model", "api_key": "sk-123", "first_s": 1.0, "between_s": 0.7, "pause_s": 0.1, "failures": 2,
    "voice": "their-voice", "voices": {"qingchunshaonv": "their-girl"},
}  # fmt: skip


def front_of(far: Upstream, **settings: Any) -> AbstractContextManager[RunningServer]:
    dialect = {} if far.shape == "stepfun" else {"dialect": far.shape}
    engine = "stepfun" if far.shape == "stepfun" else "openai"
    hosted = {"engine": engine, "settings": {**SETTINGS, **dialect, "url": far.url, **settings}}
    engines = {**FAKE_ENGINES.model_dump(), "instances": {"hosted": hosted}}
    tiers = {"served_by": {"step-audio-2": {"realtime": "hosted"}}}
    return running(load_config({"engines": engines, "tiers": tiers, "tools": {"builtin": ["calculator"]}}))


async def speak(talker: Talker, loud_ms: int = 600) -> list[dict[str, Any]]:
    """Say something, and hear the answer to its end."""
    await talker.append(tone(loud_ms) + silence(1500))
    events = await talker.until("response.done")
    await asyncio.sleep(0.25)
    return events


def status_of(events: list[dict[str, Any]]) -> str:
    return str(events[-1]["response"]["status"])


def failure_of(events: list[dict[str, Any]]) -> str:
    assert status_of(events) == "failed", events[-1]
    message = str(events[-1]["response"]["status_details"]["error"]["message"])
    assert "sk-123" not in json.dumps(events)
    assert "127.0.0.1" not in json.dumps(events)
    return message


def words_of(events: list[dict[str, Any]]) -> str:
    return "".join(event["delta"] for event in events if event["type"] == "response.audio_transcript.delta")
