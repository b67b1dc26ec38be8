"""Paths and model names at the upgrade: what is served, under which name, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from running import RunningServer, running
from vivavoce.config import load_config


@pytest.fixture(scope="module")
def aliased() -> Iterator[RunningServer]:
    tiers = {"aliases": {"kiosk-*": "step-1o-audio"}, "default": "step-audio-2-mini"}
    with running(load_config({"tiers": tiers}, profile="fake")) as started:
        yield started


async def created(server: RunningServer, path: str) -> dict[str, str]:
    async with connect(f"{server.ws}{path}") as socket:
        event = json.loads(await socket.recv())
    assert event["type"] == "session.created"
    session: dict[str, str] = event["session"]
    return session


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/v1/realtime?model=gpt-realtime-2025-08-28", "gpt-realtime-2025-08-28"),
        ("/v1/realtime?model=gpt-4o-mini-realtime-preview", "gpt-4o-mini-realtime-preview"),
        ("/v1/realtime?model=kiosk-3", "kiosk-3"),
        ("/step_plan/v1/realtime?model=stepaudio-2.5-realtime", "stepaudio-2.5-realtime"),
        ("/openai/v1/realtime?model=gpt-realtime", "gpt-realtime"),
        (
            "/openai/realtime?api-version=2025-04-01-preview&deployment=gpt-4o-realtime-preview",
            "gpt-4o-realtime-preview",
        ),
        ("/v1/realtime?intent=transcription", "step-audio-2-mini"),
        ("/v1/realtime?intent=transcription&model=gpt-4o-transcribe", "gpt-4o-transcribe"),
    ],
)
async def test_the_name_asked_for_is_echoed(aliased: RunningServer, path: str, model: str) -> None:
    assert (await created(aliased, path))["model"] == model


async def test_the_tier_behind_an_alias_answers(aliased: RunningServer) -> None:
    assert (await created(aliased, "/v1/realtime?model=kiosk-3"))["voice"] == "linjiajiejie"


@pytest.mark.parametrize(
    ("query", "voice"),
    [
        ("model=step-audio-2", "qingchunshaonv"),
        ("model=step-1o-audio", "linjiajiejie"),
        ("model=kiosk-3", "linjiajiejie"),
        ("model=gpt-realtime", "marin"),
        ("model=gpt-5-realtime-mini", "marin"),
        ("model=gpt-4o-realtime-preview", "alloy"),
        ("model=step-audio-2&dialect=openai", "marin"),
        ("model=step-audio-2&dialect=openai-beta", "alloy"),
        ("model=gpt-realtime&dialect=stepfun", "qingchunshaonv"),
    ],
)
async def test_a_session_begins_with_a_voice_its_clients_know(aliased: RunningServer, query: str, voice: str) -> None:
    session: dict[str, Any] = await created(aliased, f"/v1/realtime?{query}")
    flat = session.get("voice")
    assert (session["audio"]["output"]["voice"] if flat is None else flat) == voice


async def test_a_ga_client_of_a_stepfun_model_gets_a_voice_it_knows(aliased: RunningServer) -> None:
    async with connect(f"{aliased.ws}/v1/realtime?model=step-audio-2") as socket:
        created = json.loads(await socket.recv())["session"]
        assert (created["audio"]["output"]["voice"], created["voice"]) == ("marin", "qingchunshaonv")
        await socket.send('{"type": "session.update", "session": {"type": "realtime"}}')
        updated = json.loads(await socket.recv())["session"]
        assert updated["audio"]["output"]["voice"] == "marin"


def test_a_client_secret_describes_the_voice_it_will_begin_with(aliased: RunningServer) -> None:
    made = httpx.post(f"{aliased.http}/v1/realtime/client_secrets", json={}).json()
    assert made["session"]["audio"]["output"]["voice"] == "marin"
    assert httpx.post(f"{aliased.http}/v1/realtime/sessions", json={}).json()["voice"] == "alloy"


@pytest.mark.parametrize(
    "path",
    [
        "/v1/realtime",
        "/v1/realtime?model=kiosk",
        "/v1/realtime?model=whisper-1",
        "/v1/realtime?intent=transcription&model=gpt-17",
        "/openai/realtime?deployment=my-own",
        "/step_plan/v1/realtime?model=",
    ],
)
async def test_other_names_are_refused_before_the_upgrade(aliased: RunningServer, path: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await created(aliased, path)
    assert refused.value.response.status_code == 404
    error = json.loads(refused.value.response.body or b"")["error"]
    assert (error["code"], error["param"]) == ("model_not_found", "model")
