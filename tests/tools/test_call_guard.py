"""Calls that are not made: nobody asked, nobody said it, it was done already, or nobody said yes yet."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vivavoce.tools.call_guard import CallGuard, ConfirmPolicy, levels_of
from vivavoce.types import Message, Tool, ToolCall


def function(name: str, description: str, *arguments: str) -> Tool:
    properties = {argument: {"type": "string"} for argument in arguments}
    return Tool(name, description, {"type": "object", "properties": properties, "required": list(arguments)})


REFUND = function("request_refund", "Refund an order.", "order_id")
BOOK = function("book_table", "Book a table.", "day")
ORDER = function("get_order", "Look up an order.", "order_id")
TOOLS = (REFUND, BOOK, ORDER)


def guard(policy: ConfirmPolicy = "risky", acts: float | None = 1.0, language: str = "en") -> CallGuard:
    return CallGuard({tool.name: tool for tool in TOOLS}, policy, language, acts, levels=levels_of(TOOLS))


def call(name: str, **arguments: Any) -> ToolCall:
    return ToolCall("call_1", name, json.dumps(arguments))


SAID = (Message("user", "Refund order 47112, and a table on Friday."),)


def test_what_moves_money_waits_for_a_yes() -> None:
    refusal = guard().refusal(call("request_refund", order_id="47112"), SAID)
    assert refusal is not None
    assert refusal.confirms
    assert "47112" in refusal.text


@pytest.mark.parametrize(("policy", "asks"), [("never", False), ("risky", False), ("always", True)])
def test_the_policy_decides(policy: ConfirmPolicy, asks: bool) -> None:
    refusal = guard(policy).refusal(call("book_table", day="Friday"), SAID)
    assert (refusal is not None and refusal.confirms) == asks


def test_never_means_never() -> None:
    assert guard("never").refusal(call("request_refund", order_id="47112"), SAID) is None


def test_a_yes_is_for_the_call_that_was_asked_about() -> None:
    confirmed = CallGuard(
        {tool.name: tool for tool in TOOLS},
        "risky",
        "en",
        1.0,
        call("request_refund", order_id="47112"),
        levels_of(TOOLS),
    )
    assert confirmed.refusal(call("request_refund", order_id="47112"), SAID) is None
    assert confirmed.refusal(call("request_refund", order_id="47113"), SAID) is not None


def test_an_argument_nobody_said_is_asked_for() -> None:
    for name in ("request_refund", "get_order"):
        refusal = guard().refusal(call(name, order_id="12345"), SAID)
        assert refusal is not None
        assert not refusal.confirms
        assert "order id" in refusal.text


SLOT = function("book_slot", "Book an appointment.", "person", "day", "customer")
FOUND = (
    Message("user", "When am I booked? My number is K5512."),
    Message("assistant", "", (call("find_booking", customer="K5512"),)),
    Message("tool", '{"person": "Ms Brandt", "day": "Friday", "customer": "K5512"}', (), "call_1"),
    Message("assistant", "On Friday, with Ms Brandt."),
)


@pytest.mark.parametrize(
    ("said", "asks", "confirms"),
    [
        ("I need somebody else, too. Book it, please.", True, False),
        ("Book another one.", True, False),
        ("还想再约一个，帮我订一下。", True, False),
        ("Please book the same again.", True, True),
        ("Book Ms Brandt on Friday again.", False, False),
    ],
)
def test_what_was_found_about_one_thing_is_not_taken_for_another(said: str, asks: bool, confirms: bool) -> None:
    messages = (*FOUND, Message("user", said))
    own = CallGuard({SLOT.name: SLOT}, "risky", "en", 1.0, levels=levels_of((SLOT,)))
    refusal = own.refusal(call("book_slot", person="Ms Brandt", day="Friday", customer="K5512"), messages)
    assert (refusal is not None) == asks
    assert (refusal is not None and refusal.confirms) == confirms
    if refusal is not None and not confirms:
        assert refusal.question == "Could you tell me the person and the day?"


@pytest.mark.parametrize(
    ("said", "asks"),
    [
        ("I want to send something else back, too.", True),
        ("我还有一样东西要退。", True),
        ("There is another one, 47119, refund that.", False),
        ("Please refund it.", False),
    ],
)
def test_the_number_of_one_thing_is_not_that_of_another(said: str, asks: bool) -> None:
    messages = (Message("user", "Where is order 47112?"), Message("user", said))
    order = "47119" if "47119" in said else "47112"
    refusal = guard().refusal(call("request_refund", order_id=order), messages)
    assert refusal is not None
    assert refusal.confirms is not asks


def test_a_look_up_is_free() -> None:
    assert guard(acts=0.0).refusal(call("get_order", order_id="47112"), SAID) is None


def test_what_was_done_is_not_done_again() -> None:
    before = call("book_table", day="Friday")
    messages = (*SAID, Message("assistant", "", (before,)), Message("tool", '{"booked": true}', (), before.id), *SAID)
    refusal = guard().refusal(call("book_table", day="Friday"), messages)
    assert refusal is not None
    assert "booked" in refusal.text
    assert guard().refusal(call("book_table", day="Friday"), SAID) is None


@pytest.mark.parametrize(("acts", "withheld"), [(None, False), (1.0, False), (0.4, False), (0.1, True)])
def test_what_nobody_can_have_asked_for_is_not_on_offer(acts: float | None, withheld: bool) -> None:
    assert guard(acts=acts).withheld() == (frozenset({"request_refund", "book_table"}) if withheld else frozenset())


def test_an_unclear_request_is_asked_back() -> None:
    refusal = guard(acts=0.4).refusal(call("book_table", day="Friday"), SAID)
    assert refusal is not None
    assert refusal.confirms


def test_a_function_nobody_guards_is_let_through() -> None:
    assert guard().refusal(call("other"), SAID) is None


def test_what_may_be_left_out_and_nobody_said_is_left_out() -> None:
    parameters = {"type": "object", "properties": {"day": {}, "phone": {"type": "string"}}, "required": ["day"]}
    tool = Tool("book_table", "Book a table.", parameters)
    own = CallGuard({tool.name: tool}, "risky", "en", 1.0, levels=levels_of((tool,)))
    made = own.said(call("book_table", day="Friday", phone="555 1234"), SAID)
    assert json.loads(made.arguments) == {"day": "Friday"}
    assert own.refusal(made, SAID) is None
    said = (*SAID, Message("user", "My phone is 555 1234."))
    assert (
        json.loads(own.said(call("book_table", day="Friday", phone="555 1234"), said).arguments)["phone"] == "555 1234"
    )
