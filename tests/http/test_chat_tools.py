"""Tools of the server in chat completions, over real sockets: searching, tool servers, plug-ins."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from chatting import Json, post, request, stream
from docs.thoughtful import ThoughtfulLanguageModel
from net.pages import served
from running import RunningServer, running
from tools.desk import running_desk
from tools.web_search.providing import Searxng
from vivavoce.config import load_config

SEARCH = {"type": "web_search", "function": {"description": "news of the harbour"}}
ASKED = 'call web_search {"query": "ferry"}'
PAGE = "https://example.org/ferry"


@pytest.fixture(scope="module")
def searxng() -> Searxng:
    searxng = Searxng()
    searxng.find(PAGE, "The ferry", "The ferry leaves at nine.")
    return searxng


@pytest.fixture(scope="module")
def server(searxng: Searxng) -> Iterator[RunningServer]:
    with served(searxng) as port:
        flags = {
            "web_search": {"provider": "searxng", "url": f"http://127.0.0.1:{port}", "cache_s": 0, "fetch_pages": 0},
            "net": {"allow_private": True},
            "tools": {"builtin": ["clock", "timers"]},
            "knowledge": {"least_similarity": 0.3},
        }
        with running(load_config(flags, profile="fake")) as started:
            yield started


def answered(server: RunningServer, body: Json) -> Json:
    answer = post(server, body)
    assert answer.status_code == 200, answer.text
    (choice,) = answer.json()["choices"]
    assert choice["finish_reason"] == "stop"
    message: Json = choice["message"]
    return message


def test_a_search_is_made_and_shown_as_stepfun_shows_it(server: RunningServer) -> None:
    message = answered(server, request(ASKED, tools=[SEARCH], tool_choice="auto"))
    assert "leaves at nine" in message["content"]
    (call,) = message["tool_calls"]
    assert (call["type"], call["function"]["name"]) == ("web_search", "step_websearch")
    assert json.loads(call["function"]["arguments"]) == {"keyword": "ferry"}
    (result,) = call["function"]["results"]
    assert (result["index"], result["url"], result["title"]) == (1, PAGE, "The ferry")


def test_the_results_come_before_the_words(server: RunningServer) -> None:
    streamed = stream(server, request(ASKED, tools=[SEARCH]))
    (call,) = streamed.calls[0]
    assert (call["type"], call["results"][0]["url"]) == ("web_search", PAGE)
    deltas = [chunk["choices"][0]["delta"] for chunk in streamed.chunks]
    assert "tool_calls" in deltas[1]
    assert "leaves at nine" in streamed.text[0]


def test_what_was_searched_before_is_part_of_the_answer(server: RunningServer) -> None:
    body = request(ASKED, tools=[SEARCH])
    body["messages"] += [answered(server, body), {"role": "user", "content": "Thanks"}]
    assert answered(server, body)["content"] == "You said: Thanks"


@pytest.mark.parametrize("answer", [{"status": 500}, {"status": 429}, {"body": b"<html>Welcome to our hotel</html>"}])
def test_a_search_that_fails_is_owned_up_to(server: RunningServer, searxng: Searxng, answer: Json) -> None:
    searxng.put("/search", **answer)
    try:
        message = answered(server, request(ASKED, tools=[SEARCH]))
    finally:
        del searxng.places["/search"]
    assert "could not look it up" in message["content"]
    (call,) = message["tool_calls"]
    assert (call["type"], call["function"]["results"]) == ("web_search", [])


@pytest.mark.parametrize("streams", [True, False])
def test_hanging_up_gives_the_search_up(server: RunningServer, searxng: Searxng, streams: bool) -> None:
    searxng.was_asked.clear()
    searxng.disconnected.clear()
    searxng.places["/search"] = "hangs"
    patient = {"type": "web_search", "function": {"options": {"timeout_seconds": 60}}}
    body = json.dumps(request(ASKED, tools=[patient], stream=streams)).encode()
    head = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    try:
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            assert searxng.was_asked.wait(20)
        assert searxng.disconnected.wait(20)
    finally:
        del searxng.places["/search"]


def test_both_kinds_of_tools_in_one_turn(server: RunningServer) -> None:
    lamp = {"type": "function", "function": {"name": "lamp", "parameters": {"type": "object"}}}
    body = request('call lamp {} call web_search {"query": "ferry"}', tools=[SEARCH, lamp])
    with server.with_model(ThoughtfulLanguageModel(4)):
        (choice,) = post(server, body).json()["choices"]
        streamed = stream(server, body)
    assert choice["finish_reason"] == "tool_calls"
    search, call = choice["message"]["tool_calls"]
    assert (search["type"], search["function"]["results"][0]["url"]) == ("web_search", PAGE)
    assert (call["type"], call["function"]["name"]) == ("function", "lamp")
    assert [one["type"] for one in streamed.calls[0]] == ["web_search", "function"]
    answer = {"role": "tool", "tool_call_id": call["id"], "content": "The lamp is on."}
    body["messages"] += [choice["message"], answer]
    assert answered(server, body)["content"] == "You said: The lamp is on."


def test_openais_way_to_search(server: RunningServer) -> None:
    body = request(ASKED, web_search_options={"search_context_size": "low"})
    message = answered(server, body)
    assert "tool_calls" not in message
    (annotation,) = message["annotations"]
    assert annotation["type"] == "url_citation"
    assert annotation["url_citation"] == {
        "url": PAGE,
        "title": "The ferry",
        "start_index": 0,
        "end_index": len(message["content"]),
    }
    streamed = stream(server, body)
    assert streamed.calls[0] == []
    (told,) = [c["choices"][0]["delta"] for c in streamed.chunks if "annotations" in c["choices"][0]["delta"]]
    assert told["annotations"][0]["url_citation"]["url"] == PAGE


def test_a_tool_server_works_unseen(server: RunningServer) -> None:
    with running_desk() as url:
        mcp = {"type": "mcp", "server_label": "desk", "server_url": url}
        message = answered(server, request('call find_room {"name": "Ada"}', tools=[mcp]))
    assert "tool_calls" not in message
    assert "Room Ada is on floor 7." in message["content"]


def test_plug_ins_are_there_without_being_declared(server: RunningServer) -> None:
    message = answered(server, request('call timer {"action": "set", "seconds": 60}'))
    assert "Timers only work in a live conversation." in message["content"]


def test_documents_are_searched(server: RunningServer) -> None:
    """The whole of StepFun's documented flow: a file, a store, a question."""
    with httpx.Client(base_url=f"{server.http}/v1", timeout=30) as http:
        file = {"file": ("terms.md", b"Goods can be returned within thirty days.")}
        file_id = http.post("/files", files=file, data={"purpose": "retrieval-text"}).json()["id"]
        store = http.post("/vector_stores", json={"name": "handbook", "type": "text"}).json()["id"]
        http.post(f"/vector_stores/{store}/files", json={"files": [{"file_id": file_id}]}).raise_for_status()
        deadline = time.monotonic() + 30
        while http.get(f"/vector_stores/{store}/files/{file_id}").json()["status"] == "in_progress":
            assert time.monotonic() < deadline
            time.sleep(0.05)
    options = {"vector_store_id": store, "prompt_template": "From the handbook: {{knowledge}}"}
    tool = {"type": "retrieval", "function": {"name": "handbook", "description": "the terms", "options": options}}
    message = answered(
        server, request('call handbook {"query": "Goods can be returned within how many days?"}', tools=[tool])
    )
    assert "tool_calls" not in message
    assert "thirty days" in message["content"]
