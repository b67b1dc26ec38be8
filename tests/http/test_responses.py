"""``/v1/responses``: the server's tools in it, what is refused and where, whose responses are whose, and when they are full."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from typing import Any

import httpx
import pytest
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from docs.thoughtful import ThoughtfulLanguageModel
from net.pages import served
from running import RunningServer, running
from tools.desk import running_desk
from tools.web_search.providing import Searxng
from vivavoce.config import load_config
from vivavoce.engines.fake import FakeLanguageModel
from vivavoce.errors import ClientError
from vivavoce.types import GenerationEvent, GenerationOptions, Message

Json = dict[str, Any]
EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
KEYS = {"mine": "mine-12345678", "yours": "yours-12345678"}
PAGE = "https://example.org/ferry"
LAMP = {"type": "function", "name": "lamp", "parameters": {"type": "object"}}


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    searxng = Searxng()
    searxng.find(PAGE, "The ferry", "The ferry leaves at nine.")
    with served(searxng) as port:
        flags = {
            "auth": {"keys": KEYS},
            "web_search": {"provider": "searxng", "url": f"http://127.0.0.1:{port}", "cache_s": 0, "fetch_pages": 0},
            "net": {"allow_private": True},
            "tools": {"builtin": ["clock"]},
            "knowledge": {"least_similarity": 0.3},
        }
        with running(load_config(flags, profile="fake")) as started:
            yield started


@pytest.fixture
def thoughtful(server: RunningServer) -> Iterator[RunningServer]:
    with server.with_model(ThoughtfulLanguageModel(4)):
        yield server


def http(server: RunningServer, owner: str = "mine") -> httpx.Client:
    return httpx.Client(base_url=f"{server.http}/v1", headers={"Authorization": f"Bearer {KEYS[owner]}"}, timeout=60)


def post(server: RunningServer, input: Any, owner: str = "mine", **fields: Any) -> httpx.Response:
    with http(server, owner) as client:
        return client.post("/responses", json={"model": "gpt-4o", "input": input, **fields})


def answered(server: RunningServer, input: Any, **fields: Any) -> Json:
    answer = post(server, input, **fields)
    assert answer.status_code == 200, answer.text
    response: Json = answer.json()
    return response


def refused(answer: httpx.Response, status: int = 400) -> tuple[str, str | None]:
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    return error["code"], error["param"]


def streamed(server: RunningServer, input: Any, **fields: Any) -> list[Json]:
    """The events of a stream, each valid and under its name."""
    answer = post(server, input, stream=True, **fields)
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = []
    for frame in answer.text.split("\n\n"):
        if frame and not frame.startswith(":"):
            name, data = frame.split("\n")
            event = json.loads(data.removeprefix("data: "))
            assert name == f"event: {event['type']}"
            EVENT.validate_python(event)
            events.append(event)
    return events


def text_of(response: Json) -> str:
    messages = [item for item in response["output"] if item["type"] == "message"]
    return "".join(part["text"] for message in messages for part in message["content"])


# ---- the server's tools


@pytest.mark.parametrize("kind", ["web_search", "web_search_preview", "web_search_preview_2025_03_11"])
def test_the_web_is_searched(server: RunningServer, kind: str) -> None:
    response = answered(
        server, 'call web_search {"query": "ferry"}', tools=[{"type": kind, "search_context_size": "low"}]
    )
    search, message = response["output"]
    assert (search["type"], search["status"]) == ("web_search_call", "completed")
    assert search["action"] == {"type": "search", "query": "ferry"}
    (part,) = message["content"]
    assert "leaves at nine" in part["text"]
    cited = {
        "type": "url_citation",
        "url": PAGE,
        "title": "The ferry",
        "start_index": 0,
        "end_index": len(part["text"]),
    }
    assert part["annotations"] == [cited]
    assert response["tools"] == [{"type": kind, "search_context_size": "low"}]


def test_a_stream_tells_of_a_search(server: RunningServer) -> None:
    events = streamed(server, 'call web_search {"query": "ferry"}', tools=[{"type": "web_search"}])
    kinds = [event["type"] for event in events]
    search = ["output_item.added", "web_search_call.in_progress", "web_search_call.searching"]
    assert kinds[2:7] == [f"response.{kind}" for kind in (*search, "web_search_call.completed", "output_item.done")]
    assert "response.output_text.annotation.added" in kinds


def test_documents_are_searched(server: RunningServer) -> None:
    with http(server) as client:
        file = {"file": ("terms.md", b"Goods can be returned within thirty days.")}
        file_id = client.post("/files", files=file, data={"purpose": "retrieval-text"}).json()["id"]
        store = client.post("/vector_stores", json={"name": "handbook"}).json()["id"]
        client.post(f"/vector_stores/{store}/files", json={"files": [{"file_id": file_id}]}).raise_for_status()
        deadline = time.monotonic() + 30
        while client.get(f"/vector_stores/{store}/files/{file_id}").json()["status"] == "in_progress":
            assert time.monotonic() < deadline
            time.sleep(0.05)
    tools = [{"type": "file_search", "vector_store_ids": [store]}]
    query = "Goods can be returned within how many days?"
    wanted: Json = {"tools": tools, "include": ["file_search_call.results"]}
    response = answered(server, f'call search_documents {{"query": "{query}"}}', **wanted)
    search, message = response["output"]
    assert (search["type"], search["queries"]) == ("file_search_call", [query])
    (result,) = search["results"]
    assert (result["file_id"], result["filename"]) == (file_id, "terms.md")
    assert "thirty days" in message["content"][0]["text"]
    (annotation,) = message["content"][0]["annotations"]
    assert (annotation["type"], annotation["file_id"]) == ("file_citation", file_id)
    forced = answered(server, query, tools=tools, tool_choice={"type": "file_search"})
    assert (forced["output"][0]["type"], forced["output"][0]["results"]) == ("file_search_call", None)


def test_a_store_that_is_not_there_is_refused(server: RunningServer) -> None:
    with http(server, "yours") as client:
        theirs = client.post("/vector_stores", json={"name": "handbook"}).json()["id"]
    tools = [LAMP, {"type": "file_search", "vector_store_ids": [theirs]}]
    told = refused(post(server, "Hi", tools=tools), 404)
    assert told == ("vector_store_not_found", "tools[1].vector_store_ids[0]")


def test_a_tool_server_is_called(server: RunningServer) -> None:
    with running_desk() as url:
        mcp = {"type": "mcp", "server_label": "desk", "server_url": url, "require_approval": "never"}
        secret = {**mcp, "headers": {"X-Secret": "hidden"}, "authorization": "hidden"}
        events = streamed(server, 'call find_room {"name": "Ada"}', tools=[secret])
    response = events[-1]["response"]
    call, _message = response["output"]
    assert (call["type"], call["server_label"], call["name"]) == ("mcp_call", "desk", "find_room")
    assert (json.loads(call["arguments"]), call["error"]) == ({"name": "Ada"}, None)
    assert "floor 7" in call["output"]
    assert "floor 7" in text_of(response)
    assert "response.mcp_call.completed" in [event["type"] for event in events]
    assert response["tools"] == [mcp]


def test_nobody_is_asked_for_approval_so_it_must_not_be_wanted(server: RunningServer) -> None:
    mcp = {"type": "mcp", "server_label": "desk", "server_url": "https://example.org/mcp"}
    for tool in (mcp, {**mcp, "require_approval": "always"}):
        told = refused(post(server, "Hi", tools=[LAMP, tool]))
        assert told == ("unsupported_value", "tools[1].require_approval")


def test_plug_ins_work_unseen(server: RunningServer) -> None:
    response = answered(server, "call clock {}")
    assert [item["type"] for item in response["output"]] == ["message"]


def test_only_allowed_tools_are_called(server: RunningServer) -> None:
    tools = [LAMP, {**LAMP, "name": "door"}]
    only = {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "door"}]}
    assert answered(server, "call lamp {}", tools=tools, tool_choice=only)["output"][0]["type"] == "message"
    must = {**only, "mode": "required"}
    (call,) = answered(server, "Hi", tools=tools, tool_choice=must)["output"]
    assert (call["type"], call["name"]) == ("function_call", "door")
    (call,) = answered(server, "Hi", tools=tools, tool_choice={"type": "function", "name": "lamp"})["output"]
    assert (call["type"], call["name"]) == ("function_call", "lamp")


def test_several_calls_at_once(thoughtful: RunningServer) -> None:
    tools = [LAMP, {**LAMP, "name": "door"}]
    first = answered(thoughtful, 'say and call lamp {} call door {"open": true}', tools=tools)
    assert [item["type"] for item in first["output"]] == ["message", "function_call", "function_call"]
    outputs = [
        {"type": "function_call_output", "call_id": item["call_id"], "output": "done"} for item in first["output"][1:]
    ]
    second = answered(thoughtful, outputs, previous_response_id=first["id"], tools=tools)
    assert text_of(second) == "You said: done"


def test_thinking_is_an_item_of_its_own(thoughtful: RunningServer) -> None:
    events = streamed(thoughtful, "please think")
    reasoning, message = events[-1]["response"]["output"]
    assert (reasoning["type"], reasoning["content"][0]["text"]) == ("reasoning", "They want me to think.")
    assert message["content"][0]["text"] == "You said: please think"
    kinds = [event["type"] for event in events]
    assert kinds[4:6] == ["response.reasoning_text.delta"] * 2
    again = answered(
        thoughtful,
        [{"role": "user", "content": "please think"}, reasoning, message, {"role": "user", "content": "Bye"}],
    )
    assert text_of(again) == "You said: Bye"


# ---- what is refused


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({"input": []}, "missing_required_parameter", "input"),
        ({"input": [1]}, "invalid_value", "input[0]"),
        ({"input": [{"role": "user"}]}, "missing_required_parameter", "input[0].content"),
        ({"input": [{"role": "king", "content": "Hi"}]}, "invalid_value", "input[0].role"),
        ({"input": [{"role": "user", "content": [{"type": "input_text"}]}]}, "missing_required_parameter",
         "input[0].content[0].text"),
        ({"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "x"}]}]}, "unsupported_content",
         "input[0].content[0]"),
        ({"input": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "!"}}]}]},
         "invalid_audio", "input[0].content[0].input_audio.data"),
        ({"input": [{"type": "computer_call", "id": "x"}]}, "invalid_value", "input[0].type"),
        ({"input": [{"type": "function_call_output", "call_id": "call_x", "output": "x"}]}, "invalid_tool_call_id",
         "input[0].call_id"),
        ({"input": [{"type": "function_call", "call_id": "x", "name": "f", "arguments": "["}]}, "invalid_value",
         "input[0].arguments"),
        ({"input": "word " * 9000}, "context_length_exceeded", "input"),
        ({"input": "Hi", "previous_response_id": "resp_x"}, "previous_response_not_found", "previous_response_id"),
        ({"input": "Hi", "tools": [{"type": "code_interpreter"}]}, "invalid_value", "tools[0].type"),
        ({"input": "Hi", "tools": [LAMP, LAMP]}, "invalid_value", "tools"),
        ({"input": "Hi", "tools": [{"type": "function", "name": "no blanks"}]}, "invalid_value", "tools[0].name"),
        ({"input": "Hi", "tools": [{"type": "file_search"}]}, "invalid_value", "tools[0].vector_store_ids"),
        ({"input": "Hi", "tools": [{"type": "file_search", "vector_store_ids": ["1"], "filters": {}}]},
         "unsupported_value", "tools[0].filters"),
        ({"input": "Hi", "tool_choice": "sometimes"}, "invalid_value", "tool_choice"),
        ({"input": "Hi", "tool_choice": {"type": "function", "name": "lamp"}}, "invalid_value", "tool_choice"),
        ({"input": "Hi", "text": {"format": {"type": "json_schema", "name": "x"}}}, "invalid_value", "text.format"),
        ({"input": "Hi", "text": {"format": {"type": "json_schema", "name": "x", "schema": {"type": 1}}}},
         "invalid_json_schema", "text.format.schema"),
        ({"input": "Hi", "max_output_tokens": 0}, "invalid_value", "max_output_tokens"),
        ({"input": "Hi", "background": True}, "unsupported_value", "background"),
        ({"input": "Hi", "conversation": "conv_1"}, "unsupported_value", "conversation"),
        ({"input": "Hi", "prompt": {"id": "pmpt_1"}}, "unsupported_value", "prompt"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("stream", [False, True])
def test_mistakes_are_named(server: RunningServer, body: Json, code: str, param: str, stream: bool) -> None:
    fields = {key: value for key, value in body.items() if key != "input"}
    assert refused(post(server, body["input"], stream=stream, **fields)) == (code, param)


def test_a_refused_tool_is_told_which_there_are(server: RunningServer) -> None:
    message = post(server, "Hi", tools=[{"type": "image_generation"}]).json()["error"]["message"]
    assert "function" in message
    assert "web_search" in message


class Strict(FakeLanguageModel):
    """Cannot hold an answer to any schema, which it says when it is asked for one."""

    async def generate(
        self, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        if options.schema is not None:
            raise ClientError("No schema.", code="unsupported_schema", param="response_format.json_schema.schema")
        async with aclosing(super().generate(messages, options)) as events:
            async for event in events:
                yield event


def test_a_schema_that_cannot_be_held_is_refused_in_its_place(server: RunningServer) -> None:
    text = {"format": {"type": "json_schema", "name": "x", "schema": {"not": {}}}}
    with server.with_model(Strict(4)):
        assert refused(post(server, "Hi", text=text)) == ("unsupported_schema", "text.format.schema")
        failed = streamed(server, "Hi", text=text)[-1]
    assert failed["type"] == "response.failed"
    assert failed["response"]["error"] == {"code": "invalid_prompt", "message": "No schema."}


# ---- long conversations


def test_a_conversation_too_long_loses_its_beginning_if_it_may(server: RunningServer) -> None:
    turns = [
        {"role": role, "content": f"{number} " + "word " * 300}
        for number in range(20)
        for role in ("user", "assistant")
    ]
    said = [{"role": "developer", "content": "Be brief."}, *turns, {"role": "user", "content": "Bye"}]
    assert refused(post(server, said)) == ("context_length_exceeded", "input")
    response = answered(server, said, truncation="auto")
    assert text_of(response) == "You said: Bye"
    assert 1500 < response["usage"]["input_tokens"] < 4096
    assert refused(post(server, "word " * 9000, truncation="auto")) == ("context_length_exceeded", "input")


# ---- whose they are


def test_a_response_is_its_owners(server: RunningServer) -> None:
    response = answered(server, "Hello", owner="mine")
    item = response["output"][0]["id"]
    with http(server, "yours") as yours:
        assert refused(yours.get(f"/responses/{response['id']}"), 404) == ("response_not_found", None)
        assert refused(yours.delete(f"/responses/{response['id']}"), 404) == ("response_not_found", None)
        assert refused(yours.get(f"/responses/{response['id']}/input_items"), 404) == ("response_not_found", None)
    going_on = post(server, "Hi", "yours", previous_response_id=response["id"])
    assert refused(going_on) == ("previous_response_not_found", "previous_response_id")
    referring = post(server, [{"type": "item_reference", "id": item}, {"role": "user", "content": "Hi"}], "yours")
    assert refused(referring) == ("item_not_found", "input[0].id")
    with http(server) as mine:
        assert mine.get(f"/responses/{response['id']}").json() == response
        gone = {"id": response["id"], "object": "response", "deleted": True}
        assert mine.delete(f"/responses/{response['id']}").json() == gone
        assert mine.get(f"/responses/{response['id']}").status_code == 404


def test_what_a_request_brought_is_listed(server: RunningServer) -> None:
    said = [
        {"role": "user", "content": "One"},
        {"role": "assistant", "content": "Two"},
        {"role": "user", "content": "Three"},
    ]
    response = answered(server, said)
    with http(server) as mine:
        path = f"/responses/{response['id']}/input_items"
        newest = mine.get(path, params={"limit": 2}).json()
        assert [item["content"][0]["text"] for item in newest["data"]] == ["Three", "Two"]
        assert (newest["has_more"], newest["last_id"]) == (True, newest["data"][1]["id"])
        rest = mine.get(path, params={"after": newest["last_id"]}).json()
        assert [item["content"][0]["text"] for item in rest["data"]] == ["One"]
        assert refused(mine.get(path, params={"after": "nothing"})) == ("invalid_value", "after")
        assert [item["role"] for item in mine.get(path, params={"order": "asc"}).json()["data"]] == [
            "user",
            "assistant",
            "user",
        ]


def test_a_key_is_needed(server: RunningServer) -> None:
    assert httpx.post(f"{server.http}/v1/responses", json={"model": "gpt-4o", "input": "Hi"}).status_code == 401
