"""Created keys against a running server, on both databases: in at once, out at once, no more than allowed."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from openai import OpenAI, RateLimitError
from typer.testing import CliRunner
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from running import RunningServer, running, talking
from vivavoce.cli import app
from vivavoce.config import load_config
from vivavoce.http.scopes import scope_of
from vivavoce.permissions import SCOPES

CONFIGURED = "configured-secret-1"


@pytest.fixture(scope="module")
def locked(database_url: str) -> Iterator[RunningServer]:
    settings: dict[str, Any] = {"storage": {"url": database_url}, "auth": {"keys": {"root": CONFIGURED}}}
    with running(load_config(settings, profile="fake")) as started:
        yield started


def keys(server: RunningServer, *arguments: str) -> str:
    """What the command says, run on the server's database as from another terminal."""
    url = server.core.config.storage.url
    assert url is not None
    env = {"VIVAVOCE_STORAGE__URL": url.get_secret_value(), "COLUMNS": "200"}
    result = CliRunner().invoke(app, ["keys", *arguments], env=env)
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


def create(server: RunningServer, *arguments: str) -> tuple[str, str]:
    """A key and its id."""
    secret = keys(server, "create", *arguments)
    line = next(line for line in keys(server, "list").splitlines() if f"vv_…{secret[-4:]}" in line)
    return secret, line.split()[0]


def get(server: RunningServer, secret: str, path: str = "/v1/files") -> httpx.Response:
    return httpx.get(f"{server.http}{path}", headers={"Authorization": f"Bearer {secret}"})


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def test_a_key_opens_at_once_and_never_again_once_revoked(locked: RunningServer) -> None:
    secret, key_id = create(locked, "alice")
    assert get(locked, secret).status_code == 200
    assert get(locked, CONFIGURED).status_code == 200
    keys(locked, "revoke", key_id)
    refused = get(locked, secret)
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "invalid_api_key")
    assert get(locked, CONFIGURED).status_code == 200
    assert "revoked" in keys(locked, "list")


def test_two_keys_of_two_owners_and_two_of_one(locked: RunningServer) -> None:
    first, second, other = (create(locked, owner)[0] for owner in ("ann", "ann", "ben"))
    form = {"data": {"purpose": "user_data"}, "files": {"file": ("a.txt", b"x")}}
    made = httpx.post(f"{locked.http}/v1/files", headers=bearer(first), **form).json()  # type: ignore[arg-type]
    assert [file["id"] for file in get(locked, second).json()["data"]] == [made["id"]]
    assert get(locked, other).json()["data"] == []
    assert get(locked, other, f"/v1/files/{made['id']}").status_code == 404


async def test_a_revoked_keys_conversations_end(locked: RunningServer) -> None:
    secret, key_id = await asyncio.to_thread(create, locked, "alice")
    staying, _ = await asyncio.to_thread(create, locked, "alice")
    url = f"{locked.ws}/v1/realtime?model=step-audio-2"
    async with (
        connect(url, additional_headers=bearer(secret)) as going,
        connect(url, additional_headers=bearer(staying)) as other,
    ):
        assert json.loads(await going.recv())["type"] == "session.created"
        await asyncio.to_thread(keys, locked, "revoke", key_id)
        async with asyncio.timeout(20):
            await going.wait_closed()
        assert going.close_code == 1008
        assert json.loads(await other.recv())["type"] == "session.created"
        await other.ping()
    with pytest.raises(InvalidStatus) as refused:
        async with connect(url, additional_headers=bearer(secret)):
            pass
    assert refused.value.response.status_code == 401


@pytest.mark.parametrize("path", ["realtime/audio?model=step-tts-2", "realtime/asr/stream"])
async def test_other_sockets_count_as_conversations_and_end_with_their_key(locked: RunningServer, path: str) -> None:
    secret, key_id = await asyncio.to_thread(create, locked, "alice", "--sessions", "1")
    url = f"{locked.ws}/v1/{path}"
    async with connect(url, additional_headers=bearer(secret)) as socket:
        await socket.recv()
        with pytest.raises(InvalidStatus) as refused:
            await connect(url, additional_headers=bearer(secret))
        assert refused.value.response.status_code == 429
        await asyncio.to_thread(keys, locked, "revoke", key_id)
        async with asyncio.timeout(20):
            await socket.wait_closed()
        assert socket.close_code == 1008


async def test_a_revoked_keys_client_secrets_open_nothing(locked: RunningServer) -> None:
    secret, key_id = await asyncio.to_thread(create, locked, "alice")
    async with httpx.AsyncClient(headers=bearer(secret)) as client:
        made = (await client.post(f"{locked.http}/v1/realtime/client_secrets", json={})).json()["value"]
    async with connect(f"{locked.ws}/v1/realtime", additional_headers=bearer(made)) as socket:
        assert json.loads(await socket.recv())["type"] == "session.created"
    await asyncio.to_thread(keys, locked, "revoke", key_id)
    with pytest.raises(InvalidStatus) as refused:
        async with connect(f"{locked.ws}/v1/realtime", additional_headers=bearer(made)):
            pass
    assert refused.value.response.status_code == 401


def test_a_scope_opens_its_doors_and_no_others(locked: RunningServer) -> None:
    secret, _ = create(locked, "alice", "--scope", "files")
    assert get(locked, secret).status_code == 200
    assert get(locked, secret, "/v1/models").status_code == 200
    refused = httpx.post(f"{locked.http}/v1/search", headers=bearer(secret), json={"query": "x"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "insufficient_scope")
    assert refused.json()["error"]["type"] == "permission_error"
    refused = httpx.post(f"{locked.http}/v1/realtime/client_secrets", headers=bearer(secret), json={})
    assert refused.status_code == 403


async def test_a_scope_holds_for_sockets(locked: RunningServer) -> None:
    secret, _ = await asyncio.to_thread(create, locked, "alice", "--scope", "audio")
    with pytest.raises(InvalidStatus) as refused:
        async with connect(f"{locked.ws}/v1/realtime?model=step-audio-2", additional_headers=bearer(secret)):
            pass
    assert refused.value.response.status_code == 403


def paths_of(route: Any) -> Iterator[str]:
    """Of a route, and of all routes in an included router."""
    if hasattr(route, "path"):
        yield route.path
    for inner in getattr(getattr(route, "original_router", None), "routes", ()):
        yield from paths_of(inner)


def test_every_route_has_its_scope(locked: RunningServer) -> None:
    """A new one must be thought of: until then only keys that open everything open it."""
    paths = [path for route in locked.app.routes for path in paths_of(route)]
    ours = [path for path in paths if "/v1/" in path or path.startswith("/openai/")]
    assert len(ours) > 15
    assert {scope_of(path) for path in ours} <= {None, *SCOPES}


def test_requests_a_minute(locked: RunningServer) -> None:
    secret, _ = create(locked, "alice", "--rpm", "3")
    other, _ = create(locked, "alice", "--rpm", "3")
    assert [get(locked, secret).status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    refused = get(locked, secret)
    assert refused.json()["error"]["code"] == "rate_limit_exceeded"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert get(locked, other).status_code == 200
    with OpenAI(base_url=f"{locked.http}/v1", api_key=secret, max_retries=0) as client, pytest.raises(RateLimitError):
        client.models.list()


async def test_conversations_at_once(locked: RunningServer) -> None:
    secret, _ = await asyncio.to_thread(create, locked, "alice", "--sessions", "1")
    url = f"{locked.ws}/v1/realtime?model=step-audio-2"
    async with connect(url, additional_headers=bearer(secret)):
        with pytest.raises(InvalidStatus) as refused:
            async with connect(url, additional_headers=bearer(secret)):
                pass
        assert refused.value.response.status_code == 429
        assert refused.value.response.headers["Retry-After"]
    assert await asyncio.to_thread(locked.all_seats_free)
    async with connect(url, additional_headers=bearer(secret)) as again:
        assert json.loads(await again.recv())["type"] == "session.created"


async def test_tokens_a_minute(locked: RunningServer) -> None:
    """A conversation may spend more than is left; then its next reply has to wait, and so has every request."""
    secret, _ = await asyncio.to_thread(create, locked, "alice", "--tpm", "5")
    async with talking(locked, f"model=step-audio-2&api_key={secret}") as talker:
        for status in ("completed", "failed"):
            await talker.say("one two three four five six")
            await talker.send(type="response.create")
            done = (await talker.until("response.done"))[-1]["response"]
            assert done["status"] == status
    error = done["status_details"]["error"]
    assert (error["type"], error["code"]) == ("rate_limit_error", "rate_limit_exceeded")
    assert "5 tokens a minute" in error["message"]
    refused = get(locked, secret)
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 60


async def test_a_reply_that_is_cancelled_counts_as_well(locked: RunningServer) -> None:
    secret, _ = await asyncio.to_thread(create, locked, "alice", "--tpm", "5")
    async with talking(locked, f"model=step-audio-2&api_key={secret}") as talker:
        for status in ("cancelled", "failed"):
            await talker.say("one two three four five six " * 200)
            await talker.send(type="response.create")
            await talker.until("response.created")
            if status == "cancelled":
                await talker.send(type="response.cancel")
            done = (await talker.until("response.done"))[-1]["response"]
            assert done["status"] == status


def test_a_created_key_locks_a_server_that_was_open(database_url: str) -> None:
    """At once, without a restart; and so it stays when the key is over, until it is forgotten."""
    with running(load_config({"storage": {"url": database_url}, "auth": {"open": True}}, profile="fake")) as server:
        for line in keys(server, "list").splitlines()[1:]:
            keys(server, "revoke", line.split()[0])
        keys(server, "forget")
        assert get(server, "whatever").status_code == 200
        secret, key_id = create(server, "alice")
        assert get(server, "whatever").status_code == 401
        assert get(server, secret).status_code == 200
        keys(server, "revoke", key_id)
        assert get(server, "whatever").status_code == 401
        keys(server, "forget")
        assert get(server, "whatever").status_code == 200


def test_no_created_key_is_ever_logged(
    locked: RunningServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("uvicorn", "uvicorn.access", "uvicorn.error"):
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
        monkeypatch.setattr(logging.getLogger(name), "level", logging.DEBUG)
    secret, _ = create(locked, "alice", "--rpm", "2")
    with caplog.at_level(logging.DEBUG):
        for _ in range(4):
            get(locked, secret)
            httpx.get(f"{locked.http}/v1/files?api_key={secret}", headers={"X-Trace-Id": "mine"})
    said = "\n".join(
        record.getMessage() for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))
    )
    assert "/v1/files" in said
    assert secret not in said
