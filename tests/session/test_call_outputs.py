"""Outputs of functions: only of calls there are, and each call has one."""

from __future__ import annotations

from typing import Any

import pytest

from session.wired import Wired, message
from vivavoce.protocol.dialect import DialectName
from vivavoce.session.outputs import StartReply
from vivavoce.types import GenerationEnd, ReplyEnd, ToolCall, ToolCallDelta

Json = dict[str, Any]

every_dialect = pytest.mark.parametrize("dialect", ["openai", "openai_beta", "stepfun"])

LAMP = {"type": "function", "name": "lamp", "parameters": {"type": "object"}}


def output(call_id: str, **fields: Any) -> Json:
    item = {"type": "function_call_output", "call_id": call_id, "output": "on"}
    return {"type": "conversation.item.create", "item": item, **fields}


def call(call_id: str) -> Json:
    item = {"type": "function_call", "call_id": call_id, "name": "lamp", "arguments": "{}"}
    return {"type": "conversation.item.create", "item": item}


def asked(dialect: DialectName) -> Wired:
    """A session whose reply is being made."""
    wired = Wired(dialect)
    wired.send({"type": "session.update", "session": {"type": "realtime", "tools": [LAMP]}})
    wired.send(message("light, please"), {"type": "response.create"})
    return wired


def accepted(answers: list[Json]) -> bool:
    return not any(answer["type"] == "error" for answer in answers)


@every_dialect
def test_an_unknown_call_cannot_be_answered(dialect: DialectName) -> None:
    error = Wired(dialect).error(output("call_9", event_id="e1"))
    assert (error["code"], error["param"], error["event_id"]) == ("invalid_tool_call_id", "item.call_id", "e1")
    assert error["message"] == "Tool call ID 'call_9' not found in conversation."


@every_dialect
def test_a_call_is_answered_once(dialect: DialectName) -> None:
    wired = asked(dialect)
    wired.reply(ToolCall("call_1", "lamp", "{}"), GenerationEnd("tool_calls"), ReplyEnd())
    assert accepted(wired.send(output("call_1")))
    error = wired.error(output("call_1"))
    assert (error["code"], error["param"]) == ("invalid_tool_call_id", "item.call_id")
    assert len(wired.session.conversation) == 3


@every_dialect
def test_a_call_may_be_answered_before_its_response_is_done(dialect: DialectName) -> None:
    wired = asked(dialect)
    wired.reply(ToolCallDelta("call_1", "lamp", "{}"))
    assert accepted(wired.send(output("call_1")))


@every_dialect
def test_a_history_is_replayed_in_order(dialect: DialectName) -> None:
    wired = Wired(dialect)
    for event in (
        message("light"),
        call("a"),
        output("a"),
        message("more"),
        call("b"),
        call("c"),
        output("c"),
        output("b"),
    ):
        assert accepted(wired.send(event))
    assert len(wired.session.conversation) == 8


@every_dialect
def test_models_may_give_two_calls_one_id(dialect: DialectName) -> None:
    """``call_0`` in every response, as some do: both are answered, a third output is one too many."""
    wired = Wired(dialect)
    for event in (call("call_0"), output("call_0"), call("call_0"), output("call_0")):
        assert accepted(wired.send(event))
    assert wired.error(output("call_0"))["code"] == "invalid_tool_call_id"


@every_dialect
def test_an_output_that_was_deleted_is_no_answer(dialect: DialectName) -> None:
    """Clients that change an item delete it and make it anew."""
    wired = Wired(dialect)
    wired.send(call("a"))
    (created, *_) = wired.send(output("a"))
    wired.send({"type": "conversation.item.delete", "item_id": created["item"]["id"]})
    assert accepted(wired.send(output("a")))


@every_dialect
def test_a_response_of_its_own_input_knows_the_calls_in_it_and_in_the_conversation(dialect: DialectName) -> None:
    wired = Wired(dialect)
    wired.send(call("a"))

    def respond(*input: Json) -> list[Json]:
        return wired.send({"type": "response.create", "response": {"conversation": "none", "input": list(input)}})

    assert accepted(respond(output("a")["item"]))
    assert accepted(respond(call("z")["item"], output("z")["item"]))
    (error,) = respond(message("hi")["item"], output("nobody")["item"])
    assert (error["error"]["code"], error["error"]["param"]) == ("invalid_tool_call_id", "response.input[1].call_id")


@every_dialect
def test_a_call_made_out_of_band_may_be_answered(dialect: DialectName) -> None:
    wired = Wired(dialect)
    respond = {"conversation": "none", "tools": [LAMP], "input": [message("light")["item"]]}
    wired.send({"type": "response.create", "response": respond})
    assert wired.commands(StartReply)
    wired.reply(ToolCall("call_1", "lamp", "{}"), GenerationEnd("tool_calls"), ReplyEnd())
    assert accepted(wired.send(output("call_1")))
    assert wired.error(output("call_1"))["code"] == "invalid_tool_call_id"
