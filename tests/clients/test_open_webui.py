"""Open WebUI against the running server: its requests as it writes them, and what it reads of the answers.

Sources: ``backend/open_webui/routers/audio.py``, ``routers/openai.py`` and ``retrieval/utils.py`` of open-webui, which asks by
aiohttp and requests. Voices and speech models are asked for without a key, whatever is configured.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import numpy as np
import pytest

from chatting import chunks_of, question, wav
from clients.speaking import spoken
from running import RunningServer, running
from vivavoce.config import load_config

KEY = "open-webui-secret"
BEARER = {"Authorization": f"Bearer {KEY}"}
AIOHTTP = {"Accept": "*/*", "Accept-Encoding": "gzip, deflate", "User-Agent": "Python/3.11 aiohttp/3.13.2"}
REQUESTS = {
    "User-Agent": "python-requests/2.32.5",
    "Accept-Encoding": "gzip, deflate",
    "Accept": "*/*",
    "Connection": "keep-alive",
}


@pytest.fixture(scope="module")
def locked() -> Iterator[RunningServer]:
    with running(load_config({"auth": {"keys": {"webui": KEY}}}, profile="fake")) as started:
        yield started


def send(
    server: RunningServer, method: str, path: str, headers: dict[str, str], body: bytes | None = None
) -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=120)
    try:
        connection.request(method, f"/v1{path}", body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def posted(server: RunningServer, path: str, body: Any) -> bytes:
    """As aiohttp posts JSON."""
    headers = {**AIOHTTP, "Content-Type": "application/json", **BEARER}
    status, answer = send(server, "POST", path, headers, json.dumps(body).encode())
    assert status == 200, answer
    return answer


def transcribed(server: RunningServer, file: bytes, name: str, **fields: str) -> tuple[int, Any]:
    """As requests posts ``files`` and ``data``: the fields first, and no type for the file."""
    boundary = "6a1f0c0f6c5a4d0b9a0e5d7b8c9d0e1f"
    disposition = f"--{boundary}\r\nContent-Disposition: form-data; name="
    parts = [f'{disposition}"{key}"\r\n\r\n{value}\r\n' for key, value in fields.items()]
    head = f'{disposition}"file"; filename="{name}"\r\n\r\n'
    body = "".join([*parts, head]).encode() + file + f"\r\n--{boundary}--\r\n".encode()
    headers = {**REQUESTS, **BEARER, "Content-Type": f"multipart/form-data; boundary={boundary}"}
    status, answer = send(server, "POST", "/audio/transcriptions", headers, body)
    return status, json.loads(answer)


def test_its_drop_down_has_every_voice_that_can_be_used(locked: RunningServer) -> None:
    status, answer = send(locked, "GET", "/audio/voices", REQUESTS)
    assert status == 200
    voices = {voice["id"]: voice["name"] for voice in json.loads(answer).get("voices", [])}
    assert {"alloy", "shimmer", "qingchunshaonv", "af_bella", "zf_xiaoxiao"} <= set(voices)
    for voice in voices:
        assert posted(locked, "/audio/speech", {"input": "Hi.", "voice": voice, "model": "tts-1"})


def test_it_lists_the_models_that_speak(locked: RunningServer) -> None:
    status, answer = send(locked, "GET", "/audio/models", REQUESTS)
    assert status == 200
    models = json.loads(answer).get("models", [])
    assert {"tts-1", "tts-1-hd", "kokoro"} <= {model["id"] for model in models}
    assert all(model["name"] for model in models)


def test_only_these_two_lists_are_given_without_the_key(locked: RunningServer) -> None:
    for path in ("/models", "/audio/voices/alloy/preview", "/audio/system_voices?model=step-tts-2"):
        assert send(locked, "GET", path, REQUESTS)[0] == 401
    for path in ("/audio/voices", "/audio/models"):
        assert send(locked, "GET", path, REQUESTS | {"Authorization": "Bearer wrong-secret-1"})[0] == 401


@pytest.mark.parametrize(
    ("model", "voice"),
    [
        ("tts-1", "alloy"),
        ("tts-1-hd", "nova"),
        ("kokoro", "af_bella"),
        ("kokoro", "af_bella+af_sky"),
        ("kokoro", "af_bella(2)+af_sky(1)"),
        ("hexgrad/Kokoro-82M", "af_heart"),
        ("speaches-ai/Kokoro-82M-v1.0-ONNX", "af_heart"),
        ("tts-1", "en-US-AriaNeural"),
        ("tts-1", "zh-CN-XiaoxiaoNeural"),
        ("tts-1-1106", "en-US-AvaMultilingualNeural"),
    ],
)
def test_it_reads_an_answer_aloud(locked: RunningServer, model: str, voice: str) -> None:
    answer = posted(locked, "/audio/speech", {"input": "Hello there.", "voice": voice, "model": model})
    assert answer[:3] == b"ID3" or answer[:1] == b"\xff", "it keeps what comes as .mp3"


@pytest.mark.parametrize("field", ["voice", "model"])
def test_a_wrong_name_is_refused_with_some_that_are_right(locked: RunningServer, field: str) -> None:
    body = {"input": "Hi.", "voice": "alloy", "model": "tts-1", field: "de-DE-KatjaNeural"}
    headers = {**AIOHTTP, "Content-Type": "application/json", **BEARER}
    status, answer = send(locked, "POST", "/audio/speech", headers, json.dumps(body).encode())
    error = json.loads(answer)["error"]  # shown to its user as "External: …"
    assert (status, error["param"]) == (400 if field == "voice" else 404, field)
    assert ("alloy" if field == "voice" else "tts-1") in error["message"]


@pytest.mark.parametrize(
    "model",
    ["", "whisper-1", "whisper-large-v3", "Systran/faster-whisper-medium", "Systran/faster-distil-whisper-large-v3"],
)
def test_it_hears(locked: RunningServer, model: str) -> None:
    """The model is empty until somebody configures one."""
    status, answer = transcribed(locked, question(), "0f0e4a6c.wav", model=model)
    assert (status, answer["text"]) == (200, "I heard 1000 milliseconds.")
    status, answer = transcribed(locked, question(), "0f0e4a6c.wav", model=model, language="en")
    assert (status, answer["text"]) == (200, "I heard 1000 milliseconds.")


def test_a_model_that_does_not_hear_is_refused_with_some_that_do(locked: RunningServer) -> None:
    status, answer = transcribed(locked, question(), "a.wav", model="gpt-17")
    assert (status, answer["error"]["param"]) == (404, "model")
    assert "whisper-1" in answer["error"]["message"]


def test_it_lists_the_models_that_chat(locked: RunningServer) -> None:
    status, answer = send(locked, "GET", "/models", {**AIOHTTP, **BEARER})
    assert status == 200
    assert "step-audio-2" in {model["id"] for model in json.loads(answer)["data"]}


def test_it_chats(locked: RunningServer) -> None:
    body = {
        "stream": True,
        "model": "step-audio-2",
        "messages": [{"role": "user", "content": "Good morning."}],
        "stream_options": {"include_usage": True},
    }
    chunks = list(chunks_of(posted(locked, "/chat/completions", body).decode()))
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]
    assert "".join(delta.get("content") or "" for delta in deltas) == "You said: Good morning."
    assert chunks[-1]["usage"]["total_tokens"] > 0


def test_it_gives_a_chat_a_title(locked: RunningServer) -> None:
    body = {
        "model": "step-audio-2",
        "messages": [{"role": "user", "content": "### Task:\nGenerate a concise, 3-5 word title."}],
        "stream": False,
        "max_completion_tokens": 1000,
    }
    answer = json.loads(posted(locked, "/chat/completions", body))
    assert answer["choices"][0]["message"]["content"].startswith("You said: ### Task:")


@pytest.mark.parametrize("model", ["sentence-transformers/all-MiniLM-L6-v2", "text-embedding-3-small"])
def test_it_embeds_documents(locked: RunningServer, model: str) -> None:
    """With the model it starts with, and the one it fills in for OpenAI's API."""
    answer = json.loads(posted(locked, "/embeddings", {"input": ["A ferry.", "A fox."], "model": model}))
    assert [len(one["embedding"]) for one in answer["data"]] == [256, 256]


# ---- the real engines


@pytest.mark.real
def test_a_blend_of_voices_is_understood(real_server: RunningServer) -> None:
    body = {"input": "The train leaves at half past seven.", "voice": "af_bella(2)+af_sky(1)", "model": "kokoro"}
    speech = posted(real_server, "/audio/speech", body)
    status, answer = transcribed(real_server, speech, "speech.mp3", model="Systran/faster-whisper-base")
    assert status == 200
    assert "train leaves at half past seven" in answer["text"].lower()


@pytest.mark.real
def test_what_the_user_says_is_heard(real_server: RunningServer) -> None:
    status, answer = transcribed(real_server, wav(spoken("Good morning, everybody.")), "a.wav", model="", language="en")
    assert status == 200
    assert "good morning" in answer["text"].lower()


@pytest.mark.real
def test_a_question_lies_nearest_to_its_answer(real_server: RunningServer) -> None:
    texts = ["When does the ferry leave?", "The boat departs at nine.", "Foxes are shy."]
    answer = json.loads(posted(real_server, "/embeddings", {"input": texts, "model": "text-embedding-3-small"}))
    question, *others = np.array([one["embedding"] for one in answer["data"]])
    boat, fox = np.array(others) @ question
    assert boat > fox
