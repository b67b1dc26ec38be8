"""Ephemeral client secrets: making them, using them, what is refused; with openai-python and by hand."""

from __future__ import annotations

import asyncio
import json
import time
import warnings
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from openai import AsyncOpenAI, AuthenticationError
from starlette.requests import HTTPConnection as Connection
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from running import RunningServer, running
from vivavoce.config import load_config

ALICE = "alice-secret-1"
SECRETS = "/v1/realtime/client_secrets"
SESSIONS = "/v1/realtime/sessions"
TRANSCRIPTIONS = "/v1/realtime/transcription_sessions"


@pytest.fixture(scope="module")
def locked() -> Iterator[RunningServer]:
    with running(load_config({"auth": {"keys": {"alice": ALICE}}}, profile="fake")) as started:
        yield started


@pytest.fixture(autouse=True)
def _beta_is_deprecated_by_its_makers() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def client_of(server: RunningServer, key: str = ALICE) -> AsyncOpenAI:
    return AsyncOpenAI(api_key=key, base_url=f"{server.http}/v1", websocket_base_url=f"{server.ws}/v1", max_retries=0)


def post(server: RunningServer, path: str, body: Any, key: str = ALICE) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.post(server.http + path, content=content, headers={"Authorization": f"Bearer {key}"})


def secret(server: RunningServer, body: dict[str, Any] | None = None) -> str:
    answer = post(server, SECRETS, body or {})
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    return str(answer.json()["value"])


async def session_of(server: RunningServer, key: str, query: str = "") -> dict[str, Any]:
    """The session a connection with this key starts with."""
    headers = {"Authorization": f"Bearer {key}"}
    async with connect(f"{server.ws}/v1/realtime{query}", additional_headers=headers) as socket:
        session: dict[str, Any] = json.loads(await socket.recv())["session"]
    return session


# ---- how long its sessions last


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (SECRETS, {"max_session_duration_seconds": 1}),
        (SECRETS, {"session": {"type": "realtime", "max_session_duration_seconds": 1}}),
        (SESSIONS, {"model": "gpt-4o-realtime-preview", "max_session_duration_seconds": 1}),
        (TRANSCRIPTIONS, {"max_session_duration_seconds": 1}),
    ],
)
async def test_a_secrets_session_lasts_as_long_as_it_says(
    locked: RunningServer, path: str, body: dict[str, Any]
) -> None:
    made = (await asyncio.to_thread(post, locked, path, body)).json()
    assert made["max_session_duration_seconds"] == 1
    key = made["value"] if path == SECRETS else made["client_secret"]["value"]
    began = time.time()
    async with connect(f"{locked.ws}/v1/realtime", additional_headers={"Authorization": f"Bearer {key}"}) as socket:
        events = [json.loads(frame) async for frame in socket]
        assert socket.close_code == 1001
    assert events[0]["session"]["expires_at"] <= began + 2
    announced = [event for event in events if event["type"] == "rate_limits.updated"]
    assert [event["session"]["expires_in_seconds"] for event in announced] == [0.5]
    assert events[-1]["error"]["code"] == "session_expired"
    assert 0.9 < time.time() - began < 10


def test_a_secret_cannot_make_sessions_last_longer(locked: RunningServer) -> None:
    made = post(locked, SECRETS, {"max_session_duration_seconds": 10**6}).json()
    assert made["max_session_duration_seconds"] == 1800
    assert "max_session_duration_seconds" not in post(locked, SECRETS, {}).json()


@pytest.mark.parametrize("wrong", [0, -1, 1.5, "1", True])
@pytest.mark.parametrize("path", [SECRETS, SESSIONS, TRANSCRIPTIONS])
def test_a_wrong_length_is_refused(locked: RunningServer, path: str, wrong: Any) -> None:
    refused = post(locked, path, {"max_session_duration_seconds": wrong})
    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == "max_session_duration_seconds"


# ---- openai-python


async def test_a_ga_session(locked: RunningServer) -> None:
    async with client_of(locked) as client:
        made = await client.realtime.client_secrets.create(
            expires_after={"anchor": "created_at", "seconds": 60},
            session={
                "type": "realtime",
                "model": "gpt-realtime",
                "instructions": "Speak like a pirate.",
                "audio": {"output": {"voice": "marin"}},
                "tools": [{"type": "function", "name": "lamp", "parameters": {"type": "object"}}],
            },
        )
    assert made.value.startswith("ek_")
    assert made.expires_at == pytest.approx(time.time() + 60, abs=5)
    assert made.session.type == "realtime"
    assert (made.session.model, made.session.instructions) == ("gpt-realtime", "Speak like a pirate.")
    assert made.session.audio is not None
    assert made.session.audio.output is not None
    assert made.session.audio.output.voice == "marin"
    async with client_of(locked, made.value) as browser, browser.realtime.connect(model="gpt-realtime") as connection:
        created = await connection.recv()
    assert created.type == "session.created"
    assert created.session.type == "realtime"
    assert (created.session.model, created.session.instructions) == ("gpt-realtime", "Speak like a pirate.")


async def test_a_ga_transcription_session(locked: RunningServer) -> None:
    async with client_of(locked) as client:
        made = await client.realtime.client_secrets.create(
            session={
                "type": "transcription",
                "audio": {"input": {"transcription": {"model": "gpt-4o-transcribe", "language": "en"}}},
            }
        )
    assert made.expires_at == pytest.approx(time.time() + 600, abs=5)
    assert made.session.type == "transcription"
    assert made.session.audio is not None
    assert made.session.audio.input is not None
    assert made.session.audio.input.transcription is not None
    assert made.session.audio.input.transcription.language == "en"
    async with connect(f"{locked.ws}/v1/realtime?api_key={made.value}") as socket:
        assert json.loads(await socket.recv())["type"] == "session.created"


async def test_a_beta_session(locked: RunningServer) -> None:
    async with client_of(locked) as client:
        made = await client.beta.realtime.sessions.create(
            model="gpt-4o-realtime-preview",
            instructions="Speak like a pirate.",
            voice="coral",
            modalities=["text", "audio"],
            turn_detection={"type": "server_vad", "silence_duration_ms": 700},
            client_secret={"expires_after": {"anchor": "created_at", "seconds": 60}},
        )
        assert made.client_secret.value.startswith("ek_")
        assert made.client_secret.expires_at == pytest.approx(time.time() + 60, abs=5)
        assert (made.voice, made.instructions) == ("coral", "Speak like a pirate.")
        assert made.turn_detection is not None
        assert made.turn_detection.silence_duration_ms == 700
    async with (
        client_of(locked, made.client_secret.value) as browser,
        browser.beta.realtime.connect(model="gpt-4o-realtime-preview") as connection,
    ):
        created = await connection.recv()
    assert created.type == "session.created"
    assert (created.session.voice, created.session.instructions) == ("coral", "Speak like a pirate.")
    assert created.session.model == "gpt-4o-realtime-preview"


async def test_a_beta_transcription_session(locked: RunningServer) -> None:
    async with client_of(locked) as client:
        made = await client.beta.realtime.transcription_sessions.create(
            input_audio_format="pcm16",
            input_audio_transcription={"model": "whisper-1", "language": "en"},
            client_secret={"expires_at": {"anchor": "created_at", "seconds": 60}},
        )
    assert made.client_secret.value.startswith("ek_")
    assert made.client_secret.expires_at == pytest.approx(time.time() + 60, abs=5)
    assert made.input_audio_format == "pcm16"
    assert made.input_audio_transcription is not None
    assert made.input_audio_transcription.language == "en"
    async with connect(f"{locked.ws}/v1/realtime?intent=transcription&api_key={made.client_secret.value}") as socket:
        assert json.loads(await socket.recv())["type"] in ("session.created", "transcription_session.created")


async def test_openai_python_sees_a_wrong_key(locked: RunningServer) -> None:
    async with client_of(locked, "not-a-key") as client:
        with pytest.raises(AuthenticationError, match="Incorrect API key provided"):
            await client.realtime.client_secrets.create()


# ---- using a secret


async def test_it_comes_in_by_every_way(locked: RunningServer) -> None:
    value = secret(locked, {"session": {"type": "realtime", "instructions": "Hello."}})
    assert (await session_of(locked, value))["instructions"] == "Hello."
    for query in (f"?api_key={value}", f"?apiKey={value}"):
        async with connect(f"{locked.ws}/v1/realtime{query}") as socket:
            assert json.loads(await socket.recv())["session"]["instructions"] == "Hello."
    offered = [Subprotocol("realtime"), Subprotocol(f"openai-insecure-api-key.{value}")]
    async with connect(f"{locked.ws}/v1/realtime", subprotocols=offered) as socket:
        assert socket.subprotocol == "realtime"
        assert json.loads(await socket.recv())["session"]["instructions"] == "Hello."


async def test_the_model_is_the_secrets_then_the_querys_then_the_default(locked: RunningServer) -> None:
    fixed = secret(locked, {"session": {"type": "realtime", "model": "gpt-realtime"}})
    assert (await session_of(locked, fixed, "?model=gpt-realtime-mini"))["model"] == "gpt-realtime"
    free = secret(locked)
    assert (await session_of(locked, free, "?model=gpt-realtime-mini"))["model"] == "gpt-realtime-mini"
    assert (await session_of(locked, free))["model"] == "step-audio-2"


async def test_it_expires(locked: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    value = secret(locked, {"expires_after": {"anchor": "created_at", "seconds": 10}})
    assert await session_of(locked, value)
    ahead_s = time.time() + 10
    monkeypatch.setattr(locked.core.client_secrets, "_clock", lambda: ahead_s)
    with pytest.raises(InvalidStatus) as refused:
        await session_of(locked, value, "?model=step-audio-2")
    assert refused.value.response.status_code == 401


def test_it_opens_no_http_route(locked: RunningServer) -> None:
    value = secret(locked)
    for path in (SECRETS, SESSIONS, TRANSCRIPTIONS):
        assert post(locked, path, {}, key=value).status_code == 401


async def test_its_grant_carries_the_owner_and_the_session(locked: RunningServer) -> None:
    value = secret(locked, {"session": {"type": "realtime", "model": "gpt-realtime", "instructions": "Hello."}})
    headers = [(b"authorization", f"Bearer {value}".encode())]
    scope = {"type": "websocket", "path": "/v1/realtime", "headers": headers, "query_string": b""}
    grant = await locked.core.auth.admit(Connection(scope))
    assert grant is not None
    assert (grant.owner, grant.model, grant.dialect) == ("alice", "gpt-realtime", "openai")
    assert grant.patch is not None
    assert grant.patch.instructions == "Hello."


async def test_a_server_without_keys_makes_them_too(server: RunningServer) -> None:
    value = secret(server, {"session": {"type": "realtime", "instructions": "Hello."}})
    assert (await session_of(server, value))["instructions"] == "Hello."


def test_without_keys_a_strange_page_makes_none(server: RunningServer) -> None:
    answer = httpx.post(server.http + SECRETS, content=b"{}", headers={"Origin": "https://evil.example"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")


# ---- refusals


@pytest.mark.parametrize("path", [SECRETS, SESSIONS, TRANSCRIPTIONS])
def test_without_a_key_there_is_no_secret(locked: RunningServer, path: str) -> None:
    for key in ("wrong-secret", "ek_wrong"):
        answer = post(locked, path, {}, key=key)
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "invalid_api_key"


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        (SECRETS, {"expires_after": {"anchor": "created_at", "seconds": 9}}, "expires_after.seconds"),
        (SECRETS, {"expires_after": {"anchor": "created_at", "seconds": 7201}}, "expires_after.seconds"),
        (SECRETS, {"expires_after": {"seconds": "60"}}, "expires_after.seconds"),
        (SECRETS, {"expires_after": {"anchor": "now"}}, "expires_after.anchor"),
        (SECRETS, {"expires_after": 60}, "expires_after"),
        (SECRETS, {"session": "realtime"}, "session"),
        (SECRETS, {"session": {"type": "realtime", "model": 7}}, "session.model"),
        (
            SECRETS,
            {"session": {"type": "realtime", "audio": {"output": {"voice": "nobody"}}}},
            "session.audio.output.voice",
        ),
        (SECRETS, {"session": {"type": "realtime", "instructions": 7}}, "session.instructions"),
        (SESSIONS, {"client_secret": {"expires_after": {"seconds": 1}}}, "client_secret.expires_after.seconds"),
        (SESSIONS, {"client_secret": 1}, "client_secret"),
        (SESSIONS, {"voice": "nobody"}, "voice"),
        (SESSIONS, {"instructions": 7}, "instructions"),
        (SESSIONS, {"temperature": "hot"}, "temperature"),
        (SECRETS, {"session": {"type": "realtime", "instructions": "word " * 4000}}, "session.instructions"),
        (SESSIONS, {"instructions": "word " * 4000}, "instructions"),
        (TRANSCRIPTIONS, {"client_secret": {"expires_at": {"seconds": 1}}}, "client_secret.expires_at.seconds"),
    ],
)
def test_a_bad_field_is_named(locked: RunningServer, path: str, body: dict[str, Any], param: str) -> None:
    answer = post(locked, path, body)
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert error["param"] == param
    assert error["message"]


@pytest.mark.parametrize(("path", "body", "param"), [
    (SECRETS, {"session": {"type": "realtime", "model": "gpt-17"}}, "session.model"),
    (SESSIONS, {"model": "gpt-17"}, "model"),
])  # fmt: skip
def test_an_unknown_model_is_refused(locked: RunningServer, path: str, body: dict[str, Any], param: str) -> None:
    answer = post(locked, path, body)
    assert answer.status_code == 404
    assert (answer.json()["error"]["code"], answer.json()["error"]["param"]) == ("model_not_found", param)


@pytest.mark.parametrize("body", [b"{", b"[]", b"7", b"\xff", b"[" * 5_000])
def test_a_body_that_is_no_object_is_refused(locked: RunningServer, body: bytes) -> None:
    answer = post(locked, SECRETS, body)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_json"


def test_a_huge_body_is_not_read(locked: RunningServer) -> None:
    answer = post(locked, SECRETS, b'{"session": "' + b"x" * 256 * 1024 + b'"}')
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "request_too_large")


def test_there_is_a_bound() -> None:
    with running(load_config({"limits": {"client_secrets": 2}}, profile="fake")) as server:
        assert [post(server, SECRETS, {}).status_code for _ in range(3)] == [200, 200, 429]
        refused = post(server, SESSIONS, {})
        assert refused.headers["Retry-After"]
        assert refused.json()["error"]["type"] == "rate_limit_error"
