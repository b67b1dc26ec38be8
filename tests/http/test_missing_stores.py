"""A tool for documents whose vector store is not there, or somebody else's, is refused where it is declared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from running import RunningServer, running, talking
from vivavoce.config import load_config

KEYS = {"mine": "mine-12345678", "yours": "yours-12345678"}
NOBODYS = "123456789012345678"
FUNCTION = {"type": "function", "function": {"name": "lamp", "parameters": {"type": "object"}}}

Json = dict[str, Any]


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running(load_config({"auth": {"keys": KEYS}}, profile="fake")) as started:
        yield started


@pytest.fixture(scope="module")
def stores(server: RunningServer) -> dict[str, str]:
    """A store of each owner."""
    return {owner: post(server, owner, "/vector_stores", {"name": "papers"}).json()["id"] for owner in KEYS}


def post(server: RunningServer, owner: str, path: str, body: Json) -> httpx.Response:
    headers = {"Authorization": f"Bearer {KEYS[owner]}"}
    return httpx.post(f"{server.http}/v1{path}", json=body, headers=headers, timeout=60)


def nested(store: str) -> Json:
    return {"type": "retrieval", "function": {"description": "papers", "options": {"vector_store_id": store}}}


def flat(store: str) -> Json:
    return {"type": "retrieval", "description": "papers", "options": {"vector_store_id": store}}


def flattest(store: str) -> Json:
    return {"type": "retrieval", "description": "papers", "vector_store_id": store}


FORMS = [
    (nested, "function.options.vector_store_id"),
    (flat, "options.vector_store_id"),
    (flattest, "vector_store_id"),
]


@pytest.mark.parametrize(("form", "at"), FORMS)
@pytest.mark.parametrize("whose", ["nobody", "yours"])
def test_by_chat(server: RunningServer, stores: dict[str, str], form: Any, at: str, whose: str) -> None:
    body = {"model": "step-audio-2", "messages": [{"role": "user", "content": "Hi"}]}
    tools = [FUNCTION, form(stores["mine"]), form(stores.get(whose, NOBODYS))]
    answer = post(server, "mine", "/chat/completions", {**body, "tools": tools})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (404, "vector_store_not_found", f"tools[2].{at}")
    assert post(server, "mine", "/chat/completions", {**body, "tools": tools[:2]}).status_code == 200


@pytest.mark.parametrize(
    ("path", "wrap", "within"),
    [
        ("/realtime/client_secrets", lambda session: {"session": session}, "session."),
        ("/realtime/sessions", lambda session: session, ""),
    ],
)
@pytest.mark.parametrize(("form", "at"), FORMS)
def test_with_a_client_secret(
    server: RunningServer, stores: dict[str, str], path: str, wrap: Any, within: str, form: Any, at: str
) -> None:
    for whose, status in (("nobody", 404), ("yours", 404), ("mine", 200)):
        session = {"model": "gpt-realtime", "tools": [form(stores.get(whose, NOBODYS))]}
        answer = post(server, "mine", path, wrap(session))
        assert answer.status_code == status, answer.text
        if status == 404:
            error = answer.json()["error"]
            assert (error["code"], error["param"]) == ("vector_store_not_found", f"{within}tools[0].{at}")


@pytest.mark.parametrize("model", ["step-audio-2", "gpt-4o-realtime-preview", "gpt-realtime"])
@pytest.mark.parametrize(("form", "at"), FORMS)
async def test_in_a_conversation(server: RunningServer, stores: dict[str, str], model: str, form: Any, at: str) -> None:
    """The session keeps the tools it had, and goes on."""
    more: Json = {"type": "realtime"} if model == "gpt-realtime" else {}
    async with talking(server, f"model={model}&api_key={KEYS['mine']}") as talker:
        await talker.next()
        kept = {**more, "instructions": "Be brief.", "tools": [form(stores["mine"])]}
        await talker.send(type="session.update", session=kept)
        before = (await talker.until("session.updated"))[-1]["session"]["tools"]
        for whose in ("nobody", "yours"):
            wrong = {**more, "instructions": "Be loud.", "tools": [FUNCTION, form(stores.get(whose, NOBODYS))]}
            await talker.send(type="session.update", event_id="mine_1", session=wrong)
            error = (await talker.next())["error"]
            assert (error["code"], error["param"]) == ("vector_store_not_found", f"session.tools[1].{at}")
            assert error["event_id"] == "mine_1"
        wrong_response = {"tools": [form(NOBODYS)], "instructions": "Hi"}
        await talker.send(type="response.create", event_id="mine_2", response=wrong_response)
        error = (await talker.next())["error"]
        assert (error["code"], error["param"]) == ("vector_store_not_found", f"response.tools[0].{at}")
        assert error["event_id"] == "mine_2"
        await talker.send(type="session.update", session=more)
        after = (await talker.until("session.updated"))[-1]["session"]
    assert after["tools"] == before
    assert after["instructions"] == "Be brief."
