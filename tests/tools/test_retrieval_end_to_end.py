"""Ask about an uploaded PDF: over the socket and by chat, with fake engines and with the real ones."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from knowledge.documents import pdf
from running import RunningServer, running, talking
from vivavoce.config import load_config

TOOL = {
    "type": "retrieval",
    "function": {"description": "Facts about the Aurora laptops: battery, prices, weight.", "options": {}},
}
CALL = 'call search_documents {"query": "How long does the battery of the Aurora 3 last?"}'


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running(load_config({"knowledge": {"least_similarity": 0.1}}, profile="fake")) as server:
        yield server


def knowing(server: RunningServer, path: Path) -> str:
    """A vector store with this document in it, read."""
    with httpx.Client(base_url=f"{server.http}/v1", timeout=60) as http:
        store = str(http.post("/vector_stores", json={"name": "manual"}).json()["id"])
        upload = http.post("/files", files={"file": (path.name, path.read_bytes())}, data={"purpose": "retrieval-text"})
        file = upload.json()["id"]
        http.post(f"/vector_stores/{store}/files", json={"files": [{"file_id": file}]})
        deadline = time.monotonic() + 60
        while (row := http.get(f"/vector_stores/{store}/files/{file}").json())["status"] == "in_progress":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert row["status"] == "completed", row
        return store


def tool_for(store: str, **options: str) -> dict[str, Any]:
    function = {**TOOL["function"], "options": {"vector_store_id": store, **options}}  # type: ignore[dict-item]
    return {"type": "retrieval", "function": function}


def chat(server: RunningServer, store: str, question: str) -> dict[str, Any]:
    body = {
        "model": "step-audio-2",
        "messages": [{"role": "user", "content": question}],
        "tools": [tool_for(store)],
        "temperature": 0,
    }
    answer = httpx.post(f"{server.http}/v1/chat/completions", json=body, timeout=120)
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["choices"][0]["message"])


async def ask(server: RunningServer, store: str, question: str) -> list[dict[str, Any]]:
    """The events of one turn of a Realtime session."""
    async with talking(server) as talker:
        await talker.next()
        await talker.send(type="session.update", session={"modalities": ["text"], "tools": [tool_for(store)]})
        await talker.until("session.updated")
        await talker.say(question)
        await talker.send(type="response.create")
        return await talker.until("response.done")


def test_by_chat(server: RunningServer, tmp_path: Path) -> None:
    store = knowing(server, pdf(tmp_path / "aurora.pdf"))
    message = chat(server, store, CALL)
    assert "eleven hours" in message["content"]
    assert not message.get("tool_calls")


async def test_over_the_socket(server: RunningServer, tmp_path: Path) -> None:
    store = knowing(server, pdf(tmp_path / "aurora.pdf"))
    events = await ask(server, store, CALL)
    told = json.dumps(events)
    assert "eleven hours" in told
    assert "aurora.pdf" in told


def test_a_store_of_somebody_else_is_refused(server: RunningServer) -> None:
    body = {
        "model": "step-audio-2",
        "messages": [{"role": "user", "content": CALL}],
        "tools": [tool_for("123456789012345678")],
    }
    answer = httpx.post(f"{server.http}/v1/chat/completions", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "vector_store_not_found")


@pytest.mark.real
async def test_the_right_number_from_a_pdf(real_server: RunningServer, tmp_path: Path) -> None:
    store = knowing(real_server, pdf(tmp_path / "aurora.pdf"))
    for question, number in (
        ("How long does the battery of the Aurora 3 last?", ("eleven", "11")),
        ("What is the price of the Aurora 3?", ("499",)),
    ):
        said = json.dumps(await ask(real_server, store, question))
        done = json.loads(said)[-1]["response"]["output"]
        assert any(one in json.dumps(done[-1]) for one in number), done
