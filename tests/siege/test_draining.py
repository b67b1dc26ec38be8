"""A server that is told to stop lets all that streams come to its end, over HTTP too; when the time is over, it says so."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from running import until_ready
from vivavoce.cli.serve import listen, make_server
from vivavoce.config import load_config
from vivavoce.engines.fake import FakeLanguageModel, FakeSynthesizer

CHAT = {"model": "step-audio-2", "messages": [{"role": "user", "content": "one two three"}]}


@dataclass
class Held:
    """The engines stop after their first piece, until they are let go on."""

    begun: int = 0
    go_on: asyncio.Event = field(default_factory=asyncio.Event)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    held = Held()
    for engine, name in ((FakeLanguageModel, "generate"), (FakeSynthesizer, "speak")):
        whole = getattr(engine, name)

        async def pieces(self: Any, *arguments: Any, whole: Any = whole) -> AsyncIterator[Any]:
            async for piece in whole(self, *arguments):
                yield piece
                held.begun += 1
                await held.go_on.wait()

        monkeypatch.setattr(engine, name, pieces)
    held.go_on.set()  # while the server starts
    return held


@asynccontextmanager
async def served(folder: Path, held: Held, drain_s: float) -> AsyncIterator[tuple[uvicorn.Server, httpx.AsyncClient]]:
    """A server that holds back; told to stop at the end at the latest."""
    storage = {"url": f"sqlite:///{folder / 'vivavoce.db'}", "blobs": str(folder / "blobs")}
    config = load_config({"port": 0, "storage": storage, "limits": {"drain_s": drain_s}}, profile="fake")
    server = make_server(config, None)
    with listen("127.0.0.1", 0) as listening:
        running = asyncio.create_task(server._serve(sockets=[listening]))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        await until_ready(server.config.app)  # type: ignore[arg-type]
        held.begun = 0
        held.go_on.clear()
        async with httpx.AsyncClient(base_url=url, timeout=30) as client:
            try:
                yield server, client
            finally:
                server.should_exit = True
                held.go_on.set()
                async with asyncio.timeout(30):
                    await running


async def stop(server: uvicorn.Server, client: httpx.AsyncClient, held: Held, *, begun: int = 1) -> None:
    """Tell it to stop, once so many things have begun; returns when it begins nothing more."""
    while held.begun < begun:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    server.should_exit = True
    async with asyncio.timeout(10):
        while (await client.get("/readyz")).json()["checks"]["admission"]["reason"] != "draining":  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def events(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> list[str]:
    async with client.stream("POST", path, json=body) as answer:
        assert answer.status_code == 200
        return [line.removeprefix("data: ") async for line in answer.aiter_lines() if line.startswith("data: ")]


async def test_what_was_begun_comes_to_its_end_and_nothing_more_is_begun(tmp_path: Path, held: Held) -> None:
    """Before, answers over HTTP had five seconds, and new ones were begun all the while."""
    async with served(tmp_path, held, drain_s=30) as (server, client):
        streaming = asyncio.create_task(events(client, "/v1/chat/completions", {**CHAT, "stream": True}))
        whole = asyncio.create_task(client.post("/v1/chat/completions", json=CHAT))
        await stop(server, client, held)
        refused = await client.get("/v1/models")
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "server_stopping")
        assert int(refused.headers["retry-after"]) > 0
        assert refused.headers["connection"] == "close"
        with pytest.raises(InvalidStatus) as denied:
            async with connect(str(client.base_url).replace("http", "ws") + "/v1/realtime?model=step-audio-2"):
                pass
        assert denied.value.response.status_code == 503
        assert (await client.get("/livez")).status_code == 200
        held.go_on.set()
        assert (await streaming)[-1] == "[DONE]"
        assert (await whole).json()["choices"][0]["message"]["content"] == "You said: one two three"


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("/v1/chat/completions", {**CHAT, "stream": True}, lambda last: last["error"]["code"]),
        (
            "/v1/responses",
            {"model": "step-audio-2", "input": "one two", "stream": True},
            lambda last: last["response"]["error"]["message"],
        ),
        (
            "/v1/audio/speech",
            {"model": "step-tts-2", "input": "One. Two.", "voice": "marin", "stream_format": "sse"},
            lambda last: last["error"]["code"],
        ),
    ],
)
async def test_a_stream_whose_time_is_over_says_so(
    tmp_path: Path, held: Held, path: str, body: dict[str, Any], told: Any
) -> None:
    """Before, it ended in the midst, as if it were whole."""
    async with served(tmp_path, held, drain_s=0.2) as (server, client):
        streaming = asyncio.create_task(events(client, path, body))
        await stop(server, client, held)
        assert told(json.loads((await streaming)[-1])) in ("server_stopping", "The server is going down; try again.")


async def test_an_answer_that_is_not_begun_in_time_is_refused_and_sound_breaks_off(tmp_path: Path, held: Held) -> None:
    speech = {"model": "step-tts-2", "input": "One. Two.", "voice": "marin", "response_format": "pcm"}
    async with served(tmp_path, held, drain_s=0.2) as (server, client):
        whole = asyncio.create_task(client.post("/v1/chat/completions", json=CHAT))
        sound = asyncio.create_task(client.post("/v1/audio/speech", json=speech))
        await stop(server, client, held, begun=2)
        assert ((await whole).status_code, (await whole).json()["error"]["code"]) == (503, "server_stopping")
        with pytest.raises(httpx.RemoteProtocolError):
            await sound


async def until_closed(socket: ClientConnection) -> list[dict[str, Any]]:
    """What comes until the server says that it goes away."""
    heard = []
    try:
        while True:
            heard.append(json.loads(await socket.recv()))
    except ConnectionClosed as error:
        closed = error.rcvd
    assert closed is not None
    assert closed.code == 1001
    return heard


async def test_a_socket_that_speaks_is_told_and_a_silent_one_is_closed_at_once(tmp_path: Path, held: Held) -> None:
    async with served(tmp_path, held, drain_s=1.0) as (server, client):
        url = str(client.base_url).replace("http", "ws") + "/v1/realtime/audio?model=step-tts-2"
        async with connect(url) as speaking, connect(url) as silent:
            opened = json.loads(await speaking.recv())
            wanted = {"session_id": opened["data"]["session_id"], "voice_id": "marin"}
            await speaking.send(json.dumps({"type": "tts.create", "data": wanted}))
            delta = {"session_id": wanted["session_id"], "text": "One two three. "}
            await speaking.send(json.dumps({"type": "tts.text.delta", "data": delta}))
            await speaking.send(json.dumps({"type": "tts.text.flush", "data": {"session_id": wanted["session_id"]}}))
            stopping = asyncio.create_task(stop(server, client, held))
            assert [event["type"] for event in await until_closed(silent)] == ["tts.connection.done"]
            heard = await until_closed(speaking)
            assert heard[-1]["type"] == "tts.response.error"
            assert heard[-1]["data"]["code"] == "503"
            await stopping
