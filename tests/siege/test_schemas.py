"""JSON Schemas that are none: refused wherever a client may send one, and never a failure of the server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from running import RunningServer, running, talking
from vivavoce.config import load_config
from vivavoce.protocol.json_fields import schema_complaint
from vivavoce.tools.mcp.servers import _listed

NO_SCHEMAS: list[Any] = [
    {"$schema": []},
    {"$schema": {}},
    {"$schema": 7},
    {"$schema": "http://["},
    {"$id": "http://["},
    {"type": "object", "properties": {"a": {"$ref": "http://["}}},
    {"type": "object", "properties": {"a": {"pattern": "["}}},
    {"type": "object", "properties": {"a": {"$schema": []}}},
    {"type": "object", "properties": []},
    {"$ref": []},
    {"$id": []},
    {"type": "object", "required": {}},
]


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running(load_config({}, profile="fake")) as started:
        yield started


def bodies(schema: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    function = {"name": "f", "parameters": schema}
    messages = [{"role": "user", "content": "Hi"}]
    shape = {"type": "json_schema", "name": "x", "schema": schema}
    chat = {"model": "step-audio-2", "messages": messages}
    yield "/v1/chat/completions", {**chat, "tools": [{"type": "function", "function": function}]}
    yield "/v1/chat/completions", {**chat, "response_format": {"type": "json_schema", "json_schema": shape}}
    yield "/v1/responses", {"model": "step-audio-2", "input": "Hi", "tools": [{"type": "function", **function}]}
    yield "/v1/responses", {"model": "step-audio-2", "input": "Hi", "text": {"format": shape}}
    yield "/v1/realtime/client_secrets", {"session": {"type": "realtime", "tools": [{"type": "function", **function}]}}


@pytest.mark.parametrize("schema", NO_SCHEMAS)
async def test_what_is_no_schema_is_refused(server: RunningServer, schema: Any) -> None:
    async with httpx.AsyncClient(timeout=30) as client:
        for path, body in bodies(schema):
            answer = await client.post(server.http + path, json=body)
            assert answer.status_code in (200, 400), (path, answer.text)
    async with talking(server) as talker:
        tool = {"type": "function", "name": "f", "parameters": schema}
        await talker.send(type="session.update", session={"tools": [tool]})
        while (await talker.next())["type"] not in ("error", "session.updated"):
            pass
        await talker.say("Hi")
        await talker.send(type="response.create")
        response = (await talker.until("response.done"))[-1]["response"]
        assert response["status"] == "completed"


@pytest.mark.parametrize("schema", NO_SCHEMAS)
def test_what_is_no_schema_of_a_tool_server_is_left_out(schema: Any) -> None:
    class AnswerMessage:
        name, description, title, annotations, input_schema = "f", "does", None, None, schema

    listed = _listed(AnswerMessage())
    assert listed is None or not schema_complaint(json.dumps(dict(listed.schema)))
