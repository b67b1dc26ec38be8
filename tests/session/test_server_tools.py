"""Tools of the server in a session: what the history knows of them, what clients see, what an interruption leaves of them."""

from __future__ import annotations

from typing import Any

import pytest

from session.driving import VAD, Driven, speech
from session.test_prompt_builder import written_turn
from session.test_voice_turn import spoken_turn
from vivavoce.protocol import client_events as client
from vivavoce.protocol import mcp_events as mcp
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.item_translation import ga_item
from vivavoce.protocol.items import Item, NewItem, Part
from vivavoce.protocol.session_config import FunctionTool, SessionPatch
from vivavoce.protocol.tool_config import McpServerDeclaration, WebSearchDeclaration
from vivavoce.session.inputs import Notification, ToolsListed, ToolsNotListed
from vivavoce.session.outputs import ListTools, Prefill, StartReply
from vivavoce.types import (
    ApprovalNeeded,
    Citation,
    ClauseCut,
    ClauseSpoken,
    GenerationEnd,
    ReplyEnd,
    ServerToolEnded,
    ServerToolStarted,
    Speech,
    TextDelta,
    ToolCall,
    ToolResult,
)

SEARCH = ToolCall("c1", "web_search", '{"query": "ferry"}')
FOUND = ToolResult("It leaves at nine.", (Citation("Ferry", url="https://example.org"),))
DESK = McpServerDeclaration(server_label="desk", server_url="http://desk")
END = (GenerationEnd("stop"), ReplyEnd())


def started(call: ToolCall = SEARCH, **more: Any) -> ServerToolStarted:
    return ServerToolStarted(call, "web_search", **more)


def ended(call: ToolCall = SEARCH, result: ToolResult = FOUND, **more: Any) -> ServerToolEnded:
    return ServerToolEnded(call, "web_search", result, f"told: {result.text}", **more)


def with_tools(*tools: Any, vad: Any = None) -> Driven:
    driven = Driven(vad, audio_lead_ms=1000)
    driven.take(client.SessionUpdate(session=SessionPatch(tools=tools)))
    return driven


def test_declared_tools_reach_the_reply_and_the_prefill() -> None:
    driven = with_tools(WebSearchDeclaration(), FunctionTool(name="lamp"))
    assert driven.commands(Prefill)[-1].tools == (WebSearchDeclaration(),)
    written_turn(driven, "when does it leave?")
    work = driven.commands(StartReply)[-1]
    assert work.tools == (WebSearchDeclaration(),)
    assert [tool.name for tool in work.options.tools] == ["lamp"]


def test_what_was_found_is_history_and_its_sources_are_the_answers() -> None:
    driven = with_tools(WebSearchDeclaration())
    written_turn(driven, "when does it leave?")
    driven.reply(started(), ended(), TextDelta("At nine."), ClauseCut(0, "At nine."), ClauseSpoken(0), *END)
    item = driven.events(ev.ResponseDone)[-1].response.output[0]
    assert [citation.title for call in item.calls_before for citation in call.citations] == ["Ferry"]
    written_turn(driven, "thanks")
    _, call, result, answer, _ = driven.commands(StartReply)[-1].messages[1:]
    assert call.tool_calls == (SEARCH,)
    assert (result.role, result.content, result.tool_call_id) == ("tool", "told: It leaves at nine.", "c1")
    assert answer.content == "At nine."


def test_beside_a_function_the_call_carries_it() -> None:
    driven = with_tools(WebSearchDeclaration(), FunctionTool(name="lamp"))
    written_turn(driven, "when does it leave? And dim the light.")
    lamp = ToolCall("c2", "lamp", "{}")
    driven.reply(started(), ended(), lamp, GenerationEnd("tool_calls"), ReplyEnd())
    output = NewItem(type="function_call_output", call_id="c2", output="dimmed")
    driven.take(client.ItemCreate(item=output), client.ResponseCreate())
    messages = driven.commands(StartReply)[-1].messages[2:]
    assert [message.role for message in messages] == ["assistant", "tool", "assistant", "tool"]
    assert [message.content for message in messages] == ["", "told: It leaves at nine.", "", "dimmed"]


def searching(*before: Any) -> Driven:
    """A spoken reply whose search is at work."""
    driven = with_tools(WebSearchDeclaration(), vad=VAD)
    spoken_turn(driven)
    driven.reply(
        started(), TextDelta("One moment. "), ClauseCut(0, "One moment. "), Speech(0, speech(800)), ClauseSpoken(0)
    )
    driven.reply(*before)
    driven.wait(2.0)
    return driven


def test_words_that_filled_silence_are_said_but_are_no_answer() -> None:
    driven = with_tools(WebSearchDeclaration())
    written_turn(driven, "when does it leave?")
    driven.reply(TextDelta("One moment. ", filler=True), TextDelta("At nine."), *END)
    item = driven.events(ev.ResponseDone)[-1].response.output[0]
    assert "One moment. At nine." in str(ga_item(item))
    assert "fillers" not in ga_item(item)
    written_turn(driven, "thanks")
    *_, answer, _ = driven.commands(StartReply)[-1].messages
    assert answer.content == "At nine."


@pytest.mark.parametrize(
    ("words", "answer"),
    [("One mo", ""), ("One moment.", ""), ("Well. One moment. At nine.", "Well. At nine."), ("At nine.", "At nine.")],
)
def test_a_filler_is_no_part_of_an_answer_wherever_it_was_cut(words: str, answer: str) -> None:
    said = (Part(type="audio", transcript=words),)
    assert Item(id="a", role="assistant", content=said, fillers=("One moment.",)).answer == answer


@pytest.mark.parametrize("heard_ms", [200, 2000])
def test_who_speaks_into_a_filler_has_not_been_answered(heard_ms: int) -> None:
    driven = with_tools(WebSearchDeclaration(), vad=VAD)
    spoken_turn(driven, text="When does the ferry leave tomorrow?")
    driven.reply(TextDelta("One moment. ", filler=True), ClauseCut(0, "One moment. "), Speech(0, speech(800)))
    driven.wait(heard_ms / 1000)
    spoken_turn(driven, text="No, on Sunday.")
    messages = driven.commands(StartReply)[-1].messages[1:]
    assert all(message.role == "user" for message in messages)
    words = " ".join(message.content for message in messages)
    assert "tomorrow" in words
    assert "Sunday" in words


def a_short_noise(driven: Driven) -> None:
    driven.hear(160, 0.9)
    driven.hear(320, 0.0)
    driven.transcript("")


def test_a_search_that_was_cut_off_for_nothing_is_made_again_first() -> None:
    driven = searching()
    a_short_noise(driven)
    work = driven.commands(StartReply)[-1]
    assert work.calls == (SEARCH,)
    assert work.messages[-1].content == "One moment. "
    driven.reply(started(), ended())
    a_short_noise(driven)
    again = driven.commands(StartReply)[-1]
    assert again.calls == ()
    assert [message.content for message in again.messages[2:]] == ["", "told: It leaves at nine.", "One moment. "]
    assert again.options.continue_last_message


def test_what_was_found_before_a_noise_is_not_searched_again() -> None:
    driven = searching(ended(), TextDelta("It leaves"))
    a_short_noise(driven)
    work = driven.commands(StartReply)[-1]
    assert work.calls == ()
    assert [message.role for message in work.messages[2:]] == ["assistant", "tool", "assistant"]
    assert work.messages[-1].content == "One moment. It leaves"


def test_a_call_that_had_not_begun_when_it_was_cut_is_still_made() -> None:
    driven = with_tools(DESK, vad=VAD)
    driven.take(ToolsListed(driven.commands(ListTools)[0].item_id, ()))
    spoken_turn(driven)
    call = ToolCall("c1", "book", "{}")
    driven.reply(ApprovalNeeded(call, "desk", "book"), GenerationEnd("tool_calls"), ReplyEnd())
    request = driven.events(ev.ResponseDone)[-1].response.output[0]
    answer = NewItem(type="mcp_approval_response", approval_request_id=request.id, approve=True)
    driven.take(client.ItemCreate(item=answer))
    a_short_noise(driven)
    assert [call.id for call in driven.commands(StartReply)[-1].calls] == [request.id]


# ---- tool servers, announced


def listed(driven: Driven, *names: str) -> str:
    work = driven.commands(ListTools)[-1]
    driven.take(ToolsListed(work.item_id, tuple({"name": name} for name in names)))
    return str(work.item_id)


def test_a_new_server_is_asked_once_and_the_client_told() -> None:
    driven = with_tools(DESK)
    item_id = listed(driven, "find")
    item = driven.session.conversation.get(item_id)
    assert (item.type, item.status, item.server_label, item.tools) == (
        "mcp_list_tools", "completed", "desk", ({"name": "find"},),
    )  # fmt: skip
    assert driven.events(mcp.McpListCompleted)[0].item_id == item_id
    driven.take(client.SessionUpdate(session=SessionPatch(tools=(DESK, FunctionTool(name="lamp")))))
    assert len(driven.commands(ListTools)) == 1
    driven.take(client.ItemDelete(item_id=item_id))
    written_turn(driven, "hello")
    assert [message.content for message in driven.commands(StartReply)[-1].messages[1:]] == ["hello"]


def test_a_server_that_does_not_answer() -> None:
    driven = with_tools(DESK)
    item_id = driven.commands(ListTools)[-1].item_id
    driven.take(ToolsNotListed(item_id, "no"))
    assert driven.events(mcp.McpListFailed)[0].item_id == item_id
    assert not driven.events(ev.Error)
    driven.take(ToolsNotListed(None, "cannot be reached"))
    assert driven.events(ev.Error)[0].error.code == "tool_server_failed"


def test_calls_are_items_with_what_came_of_them() -> None:
    driven = with_tools(DESK)
    listed(driven, "find")
    written_turn(driven, "where is it?")
    label: dict[str, Any] = {"label": "desk", "original_name": "find"}
    failing = ToolCall("c2", "find", "{}")
    fresh = driven.reply(started(**label), started(failing, **label), ended(**label))
    assert driven.names(fresh) == [
        *(
            "conversation.item.created", "response.output_item.added", "response.mcp_call_arguments.delta",
            "response.mcp_call_arguments.done", "response.mcp_call.in_progress",
        ) * 2,
        "response.mcp_call.completed", "response.output_item.done",
    ]  # fmt: skip
    driven.reply(ended(failing, ToolResult("no such room", failed=True), **label), TextDelta("There."), *END)
    good, bad, _ = driven.events(ev.ResponseDone)[-1].response.output
    assert (good.output, good.error) == ("It leaves at nine.", None)
    assert (bad.output, bad.error) == (None, {"type": "tool_execution_error", "message": "no such room"})
    written_turn(driven, "thanks")
    messages = driven.commands(StartReply)[-1].messages[2:]
    assert [message.role for message in messages] == ["assistant", "tool", "assistant", "tool", "assistant", "user"]


def test_a_call_that_is_cut_off_is_incomplete() -> None:
    driven = with_tools(DESK)
    written_turn(driven, "where is it?")
    driven.reply(started(label="desk", original_name="find"))
    driven.take(client.ResponseCancel())
    [item] = driven.events(ev.ResponseDone)[-1].response.output
    assert item.status == "incomplete"
    assert isinstance(item.error, dict)
    assert item.error["type"] == "tool_execution_error"
    assert driven.events(mcp.McpCallFailed)


@pytest.mark.parametrize("approve", [True, False])
def test_the_clients_answer_goes_on_by_itself(approve: bool) -> None:
    driven = with_tools(DESK)
    written_turn(driven, "book it")
    call = ToolCall("c1", "desk_book", "{}")
    driven.reply(ApprovalNeeded(call, "desk", "book"), GenerationEnd("tool_calls"), ReplyEnd())
    [request] = driven.events(ev.ResponseDone)[-1].response.output
    assert (request.type, request.name, request.status) == ("mcp_approval_request", "book", "completed")
    answer = NewItem(type="mcp_approval_response", approval_request_id=request.id, approve=approve)
    driven.take(client.ItemCreate(item=answer))
    work = driven.commands(StartReply)[-1]
    assert [(call.id, call.name) for call in work.calls] == ([(request.id, "desk_book")] if approve else [])
    if approve:
        driven.reply(started(work.calls[0], label="desk", original_name="book"))
        assert driven.events(ev.OutputItemAdded)[-1].item.approval_request_id == request.id
    else:
        assert "did not allow" in work.messages[-1].content
    driven.take(client.ItemCreate(item=answer))
    assert driven.events(ev.Error)[-1].error.param == "item.approval_request_id"


# ---- notices


def test_a_notice_waits_for_silence() -> None:
    driven = Driven(VAD)
    driven.hear(320, 0.9)
    driven.take(Notification("The timer is over."))
    assert not driven.commands(StartReply)
    driven.hear(320, 0.0)
    driven.transcript("tell me something")
    driven.whole_reply(("Sure.", 500))
    driven.take(Notification("The oven is hot."))
    driven.wait(3)
    assert "The timer is over." in driven.commands(StartReply)[1].messages[-1].content
    driven.whole_reply(("The timer is over.", 500))
    driven.wait(3)
    assert "The oven is hot." in driven.commands(StartReply)[2].messages[-1].content
    driven.whole_reply(("The oven is hot.", 500))
    driven.wait(3)
    assert len(driven.commands(StartReply)) == 3
