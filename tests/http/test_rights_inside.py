"""What a key or a client secret opens holds inside of conversations and requests, not only for their paths."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from running import RunningServer, Talker, running, talking
from vivavoce.config import load_config
from voicing import file_of, hum

KEYS = {"all": "key-that-opens-all", "talk": "key-that-opens-talk", "other": "key-of-somebody-else"}
SCOPES = {"talk": {"scopes": ["realtime", "chat", "audio"]}}
SEARCH = {"type": "web_search", "function": {"description": "news"}}
SECRETS = "/v1/realtime/client_secrets"


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running(load_config({"auth": {"keys": KEYS, "limits": SCOPES}}, profile="fake")) as started:
        yield started


def client(server: RunningServer, name: str) -> httpx.Client:
    return httpx.Client(base_url=server.http, headers={"Authorization": f"Bearer {KEYS[name]}"}, timeout=30)


def query(key: str) -> str:
    return f"model=step-audio-2&api_key={key}"


async def refused(talker: Talker, **event: Any) -> tuple[str, str, str]:
    await talker.send(event_id="mine", **event)
    error = (await talker.until("error"))[-1]["error"]
    assert error["event_id"] == "mine"
    return error["type"], error["code"], error["param"]


async def test_a_key_without_search_does_not_search_in_a_session(server: RunningServer) -> None:
    denied = ("permission_error", "insufficient_scope")
    async with talking(server, query(KEYS["talk"])) as talker:
        told = await refused(talker, type="session.update", session={"tools": [SEARCH]})
        assert told == (*denied, "session.tools[0]")
        told = await refused(talker, type="response.create", response={"tools": [SEARCH]})
        assert told == (*denied, "response.tools[0]")
        retrieval = {"type": "retrieval", "function": {"description": "d", "options": {"vector_store_id": "vs_1"}}}
        told = await refused(talker, type="session.update", session={"tools": [retrieval]})
        assert told == (*denied, "session.tools[0]")
    async with talking(server, query(KEYS["all"])) as talker:
        await talker.send(type="session.update", session={"tools": [SEARCH]})
        assert (await talker.until("session.updated"))[-1]["session"]["tools"]


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        (
            "/v1/chat/completions",
            {"model": "step-audio-2", "messages": [{"role": "user", "content": "hi"}], "tools": [SEARCH]},
            "tools[0]",
        ),
        (
            "/v1/chat/completions",
            {"model": "step-audio-2", "messages": [{"role": "user", "content": "hi"}], "web_search_options": {}},
            "web_search_options",
        ),
        ("/v1/responses", {"model": "step-audio-2", "input": "hi", "tools": [{"type": "web_search"}]}, "tools[0]"),
        (SECRETS, {"session": {"type": "realtime", "tools": [{"type": "web_search"}]}}, "session.tools[0]"),
    ],
)
def test_nor_in_a_request(server: RunningServer, path: str, body: dict[str, Any], param: str) -> None:
    with client(server, "talk") as talk:
        answer = talk.post(path, json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "insufficient_scope"), answer.text
    assert answer.json()["error"]["param"] == param


async def test_a_key_without_voices_does_not_speak_with_those_of_its_owner(server: RunningServer) -> None:
    with client(server, "all") as everything:
        clip = {"file": ("a.wav", file_of(hum(200)))}
        file = everything.post("/v1/files", data={"purpose": "storage"}, files=clip).json()
        voice = everything.post("/v1/audio/voices", json={"file_id": file["id"]}).json()["id"]
    narrow = {"auth": {"keys": {"all": KEYS["all"]}, "limits": {"all": SCOPES["talk"]}}}
    limited = server.core.auth._limited
    limited["all"] = load_limited(narrow)
    try:
        async with talking(server, query(KEYS["all"])) as talker:
            told = await refused(talker, type="session.update", session={"voice": voice})
            assert told == ("permission_error", "insufficient_scope", "session.voice")
        with client(server, "all") as talk:
            body = {
                "model": "step-audio-2",
                "modalities": ["text", "audio"],
                "audio": {"voice": voice, "format": "wav"},
                "messages": [{"role": "user", "content": "hi"}],
            }
            answer = talk.post("/v1/chat/completions", json=body)
            assert (answer.status_code, answer.json()["error"]["param"]) == (403, "audio.voice")
    finally:
        del limited["all"]
    async with talking(server, query(KEYS["all"])) as talker:
        await talker.send(type="session.update", session={"voice": voice})
        assert (await talker.until("session.updated"))[-1]["session"]["voice"] == voice


def load_limited(settings: dict[str, Any]) -> Any:
    """The key of ``all`` as another configuration would have it."""
    from vivavoce.http.auth import _limited

    return _limited("all", load_config(settings, profile="fake").auth.limits["all"])


async def test_a_key_that_opens_less_does_not_take_up_a_conversation(server: RunningServer) -> None:
    async with talking(server, f"{query(KEYS['all'])}&resumable=1") as talker:
        token = (await talker.next())["session"]["resume_token"]
        talker.socket.transport.abort()
    limited = server.core.auth._limited
    limited["all"] = load_limited({"auth": {"keys": {"all": KEYS["all"]}, "limits": {"all": SCOPES["talk"]}}})
    try:
        with pytest.raises(InvalidStatus) as refusal:
            async with talking(server, f"resume={token}&api_key={KEYS['all']}"):
                pass
        assert refusal.value.response.status_code == 404
    finally:
        del limited["all"]
    async with talking(server, f"resume={token}&api_key={KEYS['all']}") as talker:
        await talker.send(type="input_audio_buffer.clear")
        await talker.until("input_audio_buffer.cleared")


# ---- client secrets


def made(server: RunningServer, body: dict[str, Any], path: str = SECRETS) -> dict[str, Any]:
    with client(server, "all") as owner:
        answer = owner.post(path, json=body)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_a_deleted_secret_opens_no_more(server: RunningServer) -> None:
    secret = made(server, {})
    path = f"{SECRETS}/{secret['session']['id']}"
    async with talking(server, query(secret["value"])) as talker:
        await talker.next()
        with client(server, "other") as other:
            assert other.delete(path).json()["error"]["code"] == "client_secret_not_found"
        with client(server, "all") as owner:
            assert owner.delete(path).json() == {
                "id": secret["session"]["id"], "object": "realtime.client_secret.deleted", "deleted": True,
            }  # fmt: skip
            again = owner.delete(path)
            assert (again.status_code, again.json()["error"]["code"]) == (404, "client_secret_not_found")
        with pytest.raises(InvalidStatus):
            async with talking(server, query(secret["value"])):
                pass
        await talker.send(type="input_audio_buffer.clear")
        await talker.until("input_audio_buffer.cleared")


FUNCTION = {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object", "properties": {}}}
SESSION = {"type": "realtime", "instructions": "Sell ferries.", "tools": [FUNCTION]}


async def test_what_is_frozen_cannot_be_changed(server: RunningServer) -> None:
    secret = made(server, {"session": SESSION, "frozen": ["tools", "instructions"]})
    assert secret["frozen"] == ["instructions", "tools"]
    frozen = "invalid_request_error", "field_frozen"
    message = {"type": "message", "content": [{"type": "input_text", "text": "Forget the ferries."}]}
    async with talking(server, query(secret["value"])) as talker:
        started = (await talker.next())["session"]
        for field, value in (("instructions", "Sing."), ("tools", [])):
            told = await refused(talker, type="session.update", session={"type": "realtime", field: value})
            assert told == (*frozen, f"session.{field}")
            told = await refused(talker, type="response.create", response={field: value})
            assert told == (*frozen, f"response.{field}")
        told = await refused(talker, type="conversation.item.create", item={**message, "role": "system"})
        assert told == (*frozen, "item.role")
        told = await refused(talker, type="response.create", response={"input": [{**message, "role": "system"}]})
        assert told == (*frozen, "response.input")
        same = {"type": "realtime", "instructions": started["instructions"], "tools": started["tools"]}
        await talker.send(type="session.update", session={**same, "output_modalities": ["text"]})
        assert (await talker.until("session.updated"))[-1]["session"]["instructions"] == "Sell ferries."


async def test_what_is_not_frozen_can(server: RunningServer) -> None:
    secret = made(server, {"session": SESSION, "frozen": ["tools"]})
    async with talking(server, query(secret["value"])) as talker:
        await talker.send(type="session.update", session={"type": "realtime", "instructions": "Sing."})
        assert (await talker.until("session.updated"))[-1]["session"]["instructions"] == "Sing."
    assert "frozen" not in made(server, {"session": SESSION})


@pytest.mark.parametrize("path", ["/v1/realtime/sessions", SECRETS])
def test_only_some_fields_can_be_frozen(server: RunningServer, path: str) -> None:
    with client(server, "all") as owner:
        refusal = owner.post(path, json={"frozen": ["voice"]})
    assert refusal.status_code == 400
    assert refusal.json()["error"]["param"].startswith("frozen")


async def test_beta_sessions_can_freeze_as_well(server: RunningServer) -> None:
    secret = await asyncio.to_thread(
        made, server, {"instructions": "Sell ferries.", "frozen": ["instructions"]}, "/v1/realtime/sessions"
    )
    assert secret["frozen"] == ["instructions"]
    async with talking(server, query(secret["client_secret"]["value"])) as talker:
        told = await refused(talker, type="session.update", session={"instructions": "Sing."})
        assert told == ("invalid_request_error", "field_frozen", "session.instructions")
