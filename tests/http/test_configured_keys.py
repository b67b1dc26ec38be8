"""Keys of the configuration with limits: they hold as those of created keys do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pydantic import ValidationError
from websockets.exceptions import InvalidStatus

from running import RunningServer, running, talking
from vivavoce.config import load_config
from vivavoce.http.maintenance import KEYS_EVERY_S

KEYS = {"free": "key-of-the-free", "limited": "key-of-the-limited"}
LIMITS: dict[str, Any] = {
    "scopes": ["realtime", "chat"],
    "requests_per_minute": 20,
    "tokens_per_minute": 1000,
    "sessions": 1,
}


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running(load_config({"auth": {"keys": KEYS, "limits": {"limited": LIMITS}}}, profile="fake")) as started:
        yield started


def get(server: RunningServer, name: str, path: str) -> httpx.Response:
    return httpx.get(f"{server.http}{path}", headers={"Authorization": f"Bearer {KEYS[name]}"})


def test_scopes(server: RunningServer) -> None:
    refused = get(server, "limited", "/v1/files")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "insufficient_scope")
    assert get(server, "free", "/v1/files").status_code == 200


async def test_conversations_at_once_and_they_last(server: RunningServer) -> None:
    query = f"model=step-audio-2&api_key={KEYS['limited']}"
    async with talking(server, query) as talker:
        await talker.next()
        with pytest.raises(InvalidStatus) as refused:
            async with talking(server, query):
                pass
        assert "may hold 1 conversations" in json.loads(refused.value.response.body)["error"]["message"]
        await asyncio.sleep(KEYS_EVERY_S * 1.5)  # when conversations of revoked keys are ended
        await talker.send(type="input_audio_buffer.clear")
        await talker.until("input_audio_buffer.cleared")


async def test_client_secrets_made_with_it(server: RunningServer) -> None:
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {KEYS['limited']}"}) as client:
        made = await client.post(f"{server.http}/v1/realtime/client_secrets", json={})
    async with talking(server, f"model=step-audio-2&api_key={made.json()['value']}") as talker:
        assert (await talker.next())["type"] == "session.created"


def test_requests_a_minute(server: RunningServer) -> None:
    statuses = [get(server, "limited", "/v1/models").status_code for _ in range(25)]
    assert statuses[-1] == 429
    assert get(server, "free", "/v1/models").status_code == 200


def test_limits_need_a_key() -> None:
    with pytest.raises(ValidationError, match="there is no key of 'bob' in 'keys' for its 'limits'"):
        load_config({"auth": {"keys": KEYS, "limits": {"bob": LIMITS}}})
