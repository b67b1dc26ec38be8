"""A voice made by matching becomes a clone when an engine for it is loaded; the server outlives that engine's process."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from engines.sherpa.tiny import make_pocket, make_zipvoice
from running import RunningServer, running, talking
from vivavoce.config import load_config
from vivavoce.engines.fake import FakeCloningSynthesizer
from vivavoce.engines.sherpa.synthesizer import SherpaSynthesizer
from vivavoce.errors import ClientError
from voicing import file_of, hum


@contextmanager
def served(
    folder: Path, database_url: str, *synthesizers: str, **settings: Any
) -> Iterator[tuple[RunningServer, httpx.Client]]:
    config = load_config({"storage": {"url": database_url, "blobs": str(folder / "blobs")}}, profile="fake")
    engines = config.engines.model_copy(update={"speakers": ("fake", *synthesizers), "settings": settings})
    with (
        running(config.model_copy(update={"engines": engines})) as server,
        httpx.Client(base_url=server.http, timeout=60) as client,
    ):
        yield server, client


def made(client: httpx.Client, **fields: str) -> dict[str, Any]:
    answer = client.post("/v1/audio/voices", data=fields, files={"file": ("a.wav", file_of(hum(231)))})
    assert answer.status_code == 200, answer.text
    voice: dict[str, Any] = answer.json()
    return voice


def spoken(client: httpx.Client, voice: str, text: str = "Hello there.") -> httpx.Response:
    body = {"model": "step-tts-2", "input": text, "voice": voice, "response_format": "wav"}
    return client.post("/v1/audio/speech", json=body)


def test_a_match_becomes_a_clone_later_and_a_match_again(tmp_path: Path, database_url: str) -> None:
    with served(tmp_path, database_url) as (_, client):
        match = made(client)
        assert match["kind"] == "match"
    with served(tmp_path, database_url, "fake_clone") as (_, client):
        clone = client.post(f"/v1/audio/voices/{match['id']}", json={"kind": "clone"}).json()
        assert (clone["kind"], clone["engine"], clone["similarity"]) == ("clone", "fake_clone", None)
        assert clone["languages"] == ["en", "ja", "zh"]
        assert spoken(client, match["id"]).status_code == 200
        assert made(client, name="another")["kind"] == "clone"
        assert made(client, name="a third", kind="match")["kind"] == "match"
    with served(tmp_path, database_url) as (_, client):
        refused = spoken(client, match["id"])
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "voice_engine_not_loaded")
        back = client.post(f"/v1/audio/voices/{match['id']}", json={"kind": "match"}).json()
        assert (back["kind"], back["engine"]) == ("match", "fake")
        assert spoken(client, match["id"]).status_code == 200


def test_a_clip_the_engine_cannot_clone_is_refused_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(self: Any, name: str, clip: Any, rate_hz: int, transcript: str) -> None:
        raise ClientError("It cannot be cloned.", code="cloning_unavailable", param="kind")

    monkeypatch.setattr(FakeCloningSynthesizer, "add_clone", refuse)
    with served(tmp_path, f"sqlite:///{tmp_path / 'vivavoce.db'}", "fake_clone") as (_, client):
        for _ in range(2):  # the second is not told that it is there already
            answer = client.post("/v1/audio/voices", files={"file": ("a.wav", file_of(hum(231)))})
            assert (answer.status_code, answer.json()["error"]["code"]) == (400, "cloning_unavailable")
        assert client.get("/v1/audio/voices").json()["data"] == []
        assert [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == []
        match = made(client, kind="match")
        answer = client.post(f"/v1/audio/voices/{match['id']}", json={"kind": "clone"})
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "kind")
        assert client.get(f"/v1/audio/voices/{match['id']}").json()["kind"] == "match"
        assert spoken(client, match["id"]).status_code == 200


@pytest.mark.parametrize(("engine", "make"), [("zipvoice", make_zipvoice), ("pocket", make_pocket)])
def test_the_server_outlives_the_process_that_clones(tmp_path: Path, engine: str, make: Callable[[Path], Path]) -> None:
    pytest.importorskip("sherpa_onnx")
    settings = {engine: {"folder": str(make(tmp_path / engine))}}
    with served(tmp_path, f"sqlite:///{tmp_path / 'vivavoce.db'}", engine, **settings) as (server, client):
        voice = made(client)
        assert (voice["kind"], voice["engine"]) == ("clone", engine)
        first = spoken(client, voice["id"])
        assert first.status_code == 200, first.text
        synthesizer = server.core.engines.synthesizer.synthesizers[engine]
        assert isinstance(synthesizer, SherpaSynthesizer)
        assert synthesizer._process.pid is not None
        os.kill(synthesizer._process.pid, signal.SIGKILL)
        assert len(spoken(client, voice["id"]).content) == len(first.content)
        assert client.get("/health").status_code == 200


async def test_a_conversation_speaks_with_a_clone_and_interrupts_it(tmp_path: Path) -> None:
    pytest.importorskip("sherpa_onnx")
    settings = {"zipvoice": {"folder": str(make_zipvoice(tmp_path / "zipvoice"))}}
    url = f"sqlite:///{tmp_path / 'vivavoce.db'}"
    with served(tmp_path, url, "zipvoice", **settings) as (server, client):
        voice = await asyncio.to_thread(made, client)
        synthesizer = server.core.engines.synthesizer.synthesizers["zipvoice"]
        assert isinstance(synthesizer, SherpaSynthesizer)
        before = synthesizer._process.pid
        synthesizer._process._patience_s = 60.0  # this machine may be busy
        async with talking(server) as talker:
            await talker.until("session.created")
            await talker.send(type="session.update", session={"voice": voice["id"]})
            await talker.until("session.updated")
            await talker.say("The boat went slowly up the river, and nobody on board said a word. " * 40)
            await talker.send(type="response.create")
            await talker.until("response.audio.delta")
            await talker.send(type="response.cancel")
            ended = (await talker.until("response.done"))[-1]
            assert ended["response"]["status"] == "cancelled"
            await talker.say("Hello there.")
            await talker.send(type="response.create")
            events = await talker.until("response.done")
            assert events[-1]["response"]["status"] == "completed"
            assert any(event["type"] == "response.audio.delta" for event in events)
        assert synthesizer._process.pid == before
