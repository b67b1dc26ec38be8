"""Runs as a process of its own: a server with fake engines and without the libraries of any extra. Prints its answers as JSON.

What is absent is neither found nor imported, as on a machine where it was never installed.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

from vivavoce.extras import MODULES

ABSENT = frozenset({name for names in MODULES.values() for name in names} | {"httpx2"})


class PlainFinder(PathFinder):
    """Finds what is not in ``ABSENT``."""

    @classmethod
    def find_spec(
        cls, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """As every finder does."""
        return None if fullname.partition(".")[0] in ABSENT else super().find_spec(fullname, path, target)


sys.meta_path = [PlainFinder if finder is PathFinder else finder for finder in sys.meta_path]

import httpx  # noqa: E402

from chatting import wav  # noqa: E402
from running import RunningServer, running, talking, tone  # noqa: E402
from vivavoce.config import load_config  # noqa: E402
from vivavoce.errors import StoreError  # noqa: E402
from vivavoce.preflight import broken_references  # noqa: E402
from vivavoce.store.database import Database  # noqa: E402

RETRIEVAL = {"type": "retrieval", "function": {"name": "docs", "description": "d", "options": {"vector_store_id": "1"}}}
MCP = {"type": "mcp", "server_label": "desk", "server_url": "http://127.0.0.1:9/mcp", "require_approval": "never"}


def refused(answer: httpx.Response) -> list[Any]:
    """Status, code, message."""
    error = answer.json()["error"]
    return [answer.status_code, error["code"], error["message"]]


def asked_over_http(server: RunningServer) -> dict[str, Any]:
    """What works without the extras, and what is refused."""
    question = {"model": "step-audio-2", "messages": [{"role": "user", "content": "hello"}]}
    with httpx.Client(base_url=f"{server.http}/v1", timeout=30) as http:
        recording = {"file": ("tone.wav", wav(tone(1000)), "audio/wav")}
        document = {"file": ("notes.txt", b"some words", "text/plain")}
        speech = {"model": "step-tts-mini", "input": "Hello.", "voice": "cixingnansheng"}
        chat = http.post("/chat/completions", json=question)
        kept = http.post("/files", files=document, data={"purpose": "retrieval-text"}).json()
        return {
            "chat": bool(chat.json()["choices"][0]["message"]["content"]),
            "speech": http.post("/audio/speech", json=speech).status_code,
            "transcription": http.post("/audio/transcriptions", files=recording, data={"model": "step-asr"}).json(),
            "file deleted": http.delete(f"/files/{kept['id']}").json(),
            "vector stores": refused(http.get("/vector_stores")),
            "new vector store": refused(http.post("/vector_stores", json={"name": "a"})),
            "text of a document": refused(http.post("/files", files=document, data={"purpose": "file-extract"})),
            "search": refused(http.post("/search", json={"query": "news"})),
            "refinement": refused(http.post("/audio/voices/voice-1/refine")),
            "chat with retrieval": refused(http.post("/chat/completions", json={**question, "tools": [RETRIEVAL]})),
            "chat with MCP": refused(http.post("/responses", json={"model": "step-audio-2", "input": "a", "tools": [MCP]})),
        }  # fmt: skip


async def conversation(server: RunningServer) -> dict[str, Any]:
    """A spoken answer, and the refusal of a tool server."""
    async with talking(server) as client:
        await client.say("hello")
        await client.send(type="response.create")
        kinds = [event["type"] for event in await client.until("response.done")]
        await client.send(type="session.update", session={"tools": [RETRIEVAL]})
        refusal = (await client.until("error"))[-1]["error"]
    return {"spoken": "response.audio.delta" in kinds, "retrieval": [refusal["code"], refusal["message"]]}


def configured() -> list[str]:
    """The sentences on a configuration that names what is absent."""
    config = {
        "storage": {"url": "postgresql://db.example/voice"},
        "mcp": {"servers": {"desk": {"url": "http://127.0.0.1:9/mcp"}}},
        "web_search": {"provider": "brave", "api_key": "k"},
        "engines": {"speakers": ["hibari", "zipvoice"]},
    }
    return broken_references(load_config(config))


def opened_database() -> str:
    """What whoever opens a PostgreSQL database is told."""
    try:
        Database("postgresql://db.example/voice")
    except StoreError as error:
        return str(error)
    return ""


if __name__ == "__main__":
    with running(load_config(profile="fake")) as plain:
        answers = {**asked_over_http(plain), "realtime": asyncio.run(conversation(plain))}
    answers |= {"configured": configured(), "database": opened_database()}
    answers["imported"] = sorted(ABSENT & {name.partition(".")[0] for name in sys.modules})
    print(json.dumps(answers))
