"""Keys of two owners, created while the server runs: neither sees or uses what is the other's; and nothing secret is logged."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from running import RunningServer, running
from vivavoce.cli import app
from vivavoce.config import load_config
from voicing import file_of, hum


@pytest.fixture(scope="module")
def server(database_url: str) -> Iterator[RunningServer]:
    settings: dict[str, Any] = {
        "storage": {"url": database_url},
        "net": {"fetch_audio": True, "allow_private": True},
        "auth": {"keys": {"root": "configured-secret-2"}},
    }
    with running(load_config(settings, profile="fake")) as started:
        yield started


def key_of(server: RunningServer, owner: str) -> str:
    url = server.core.config.storage.url
    assert url is not None
    env = {"VIVAVOCE_STORAGE__URL": url.get_secret_value(), "COLUMNS": "200"}
    result = CliRunner().invoke(app, ["keys", "create", owner], env=env)
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


@pytest.fixture
def ann(server: RunningServer) -> Iterator[httpx.Client]:
    with client_of(server, "ann") as client:
        yield client


@pytest.fixture
def ben(server: RunningServer) -> Iterator[httpx.Client]:
    with client_of(server, "ben") as client:
        yield client


def client_of(server: RunningServer, owner: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {key_of(server, owner)}"}
    return httpx.Client(base_url=f"{server.http}/v1", headers=headers, timeout=60)


def made(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_lists_and_things_are_ones_own(ann: httpx.Client, ben: httpx.Client) -> None:
    clip = {"file": ("a.wav", file_of(hum(200)))}
    file = made(ann.post("/files", data={"purpose": "storage"}, files=clip))
    voice = made(ann.post("/audio/voices", json={"file_id": file["id"]}))
    consent = made(
        ann.post("/audio/voice_consents", data={"name": "me", "language": "en"}, files={"recording": clip["file"]})
    )
    store = made(ann.post("/vector_stores", json={"name": "mine", "type": "text"}))
    things = {
        "/files": file["id"],
        "/audio/voices": voice["id"],
        "/audio/voice_consents": consent["id"],
        "/vector_stores": store["id"],
    }
    for path, id in things.items():
        assert [one["id"] for one in made(ann.get(path))["data"]] == [id], path
        assert made(ben.get(path))["data"] == [], path
        assert ann.get(f"{path}/{id}").status_code == 200, path
        assert ben.get(f"{path}/{id}").status_code == 404, path
        assert ben.delete(f"{path}/{id}").status_code == 404, path
    assert ben.get(f"/files/{file['id']}/content").status_code == 404
    assert ben.post("/audio/voices", json={"file_id": file["id"]}).status_code == 404
    assert ben.post(f"/audio/voices/{voice['id']}", json={"name": "taken"}).status_code == 404
    for method in ("GET", "POST", "DELETE"):
        assert ben.request(method, f"/audio/voices/{voice['id']}/refine").status_code == 404, method
    speech = {"model": "step-tts-2", "input": "Hello.", "voice": voice["id"]}
    assert ann.post("/audio/speech", json=speech).status_code == 200
    assert ben.post("/audio/speech", json=speech).json()["error"]["param"] == "voice"
    for path, id in reversed(things.items()):
        assert ann.delete(f"{path}/{id}").status_code == 200, path


def test_transcription_tasks_are_ones_own(ann: httpx.Client, ben: httpx.Client) -> None:
    body = {
        "audio": {"format": "wav", "url": "http://127.0.0.1:9/nothing.wav"},
        "request": {"model_name": "step-asr-1.1"},
    }
    task = made(ann.post("/audio/asr/file/submit", json=body))["task_id"]
    other = ben.post("/audio/asr/file/query", json={"task_id": task})
    unknown = ben.post("/audio/asr/file/query", json={"task_id": "nothing"})
    assert other.status_code == unknown.status_code == 404
    assert ann.post("/audio/asr/file/query", json={"task_id": task}).status_code != 404


def test_neither_keys_nor_audio_nor_words_of_a_voice_are_logged(
    ann: httpx.Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("uvicorn", "uvicorn.access", "uvicorn.error"):
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
        monkeypatch.setattr(logging.getLogger(name), "level", logging.DEBUG)
    audio = base64.b64encode(file_of(hum(210, seconds=1))).decode()
    content = [{"type": "input_audio", "input_audio": {"data": audio, "format": "wav"}}]
    with caplog.at_level(logging.DEBUG):
        chat = {"model": "step-audio-2", "messages": [{"role": "user", "content": content}]}
        made(ann.post("/chat/completions", json=chat))
        voice = made(ann.post("/audio/voices", data={"consent": "secret word"}, files={"file": file_of(hum(210))}))
        ann.delete(f"/audio/voices/{voice['id']}")
        ann.post("/chat/completions", json={**chat, "messages": [{"role": "user", "content": content}] * 1000})
        ann.post("/audio/speech", json={"model": "step-tts-2", "input": "please fail", "voice": "alloy"})
    served = ("vivavoce", "uvicorn")  # what `vivavoce serve` writes
    said = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith(served))
    assert "/v1/chat/completions" in said
    for secret in (ann.headers["Authorization"].removeprefix("Bearer "), "Bearer ", audio[:200], "secret word"):
        assert secret not in said
