"""Functions with effects in a conversation: asked for, confirmed, declined, put right; what the client sees of each."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from tools.scripted import Scripted, replied, said
from vivavoce.runtime.reply import ReplyRequest
from vivavoce.tools.base import CallContext
from vivavoce.tools.confirmations import Confirmations
from vivavoce.tools.reply_plan import ReplyPlanner
from vivavoce.tools.tool_run import ToolRun
from vivavoce.types import GenerationOptions, Message, ReplyEvent, Tool, ToolCall, ToolCallDelta

REFUND = Tool(
    "request_refund",
    "Refund an order.",
    {"type": "object", "properties": {"order_id": {"type": "string"}}, "required": ["order_id"]},
)
QUESTION = "Shall I refund order 47112?"


def call(order: str) -> ToolCall:
    return ToolCall("call_1", "request_refund", json.dumps({"order_id": order}))


class Talk:
    """A conversation with a scripted model, planned as the catalogue plans one."""

    def __init__(self) -> None:
        self.planner = ReplyPlanner(None, Confirmations(), "risky")
        self.messages: list[Message] = []

    async def turn(self, says: str, *rounds: Sequence[str | ToolCall]) -> tuple[Scripted, list[ReplyEvent]]:
        self.messages.append(Message("user", says))
        model, messages = Scripted(*rounds), tuple(self.messages)
        context = CallContext("me", messages, "en")
        plan = await self.planner.plan(messages, GenerationOptions(tools=(REFUND,)), (), context)
        run = ToolRun(
            (), context, plan.calls, guard=plan.guard, note=plan.note, confirmations=self.planner.confirmations
        )
        events = await replied(model, ReplyRequest(messages, plan.options, server_tools=run))
        self.messages.append(Message("assistant", said(events)))
        return model, events


def calls(events: Sequence[ReplyEvent]) -> list[ToolCall]:
    return [event for event in events if isinstance(event, ToolCall)]


async def test_a_refund_is_asked_about_and_made_after_a_yes() -> None:
    talk = Talk()
    _, events = await talk.turn("Refund order 47112.", [call("47112")], [QUESTION])
    assert said(events) == QUESTION
    assert not [event for event in events if isinstance(event, ToolCall | ToolCallDelta)], "nothing is seen of it"
    model, events = await talk.turn("Yes, please.", ["The model is not asked."])
    assert [(one.name, one.arguments) for one in calls(events)] == [("request_refund", '{"order_id": "47112"}')]
    assert not model.asked
    assert said(events) == ""


async def test_a_question_that_does_not_name_it_is_replaced() -> None:
    _, events = await Talk().turn("Refund order 47112.", [call("47112")], ["I have refunded your order!"])
    assert "47112" in said(events)
    assert said(events).endswith("?")
    assert "have refunded" not in said(events)


async def test_what_was_done_is_not_done_anew_for_a_number_put_right() -> None:
    talk = Talk()
    talk.messages = [
        Message("user", "Refund order 47112."),
        Message("assistant", "", (call("47112"),)),
        Message("tool", '{"refunded": true}', tool_call_id="call_1"),
        Message("assistant", "Done."),
    ]
    model, events = await talk.turn("Sorry, I meant 47132.", ["I see."])
    assert not calls(events)
    assert model.asked


async def test_a_no_ends_it() -> None:
    talk = Talk()
    await talk.turn("Refund order 47112.", [call("47112")], [QUESTION])
    model, events = await talk.turn("No, don't.", ["All right."])
    assert said(events) == "All right."
    messages, options = model.asked[0]
    assert "said no" in messages[-1].content
    assert options.withheld == {"request_refund"}


async def test_a_correction_is_asked_about_anew() -> None:
    talk = Talk()
    await talk.turn("Refund order 47112.", [call("47112")], [QUESTION])
    _, events = await talk.turn("No, four seven one three two.", ["Shall I refund order 47132?"])
    assert said(events) == "Shall I refund order 47132?"
    _, events = await talk.turn("Yes.", ["-"])
    assert json.loads(calls(events)[0].arguments) == {"order_id": "47132"}


async def test_a_yes_later_means_something_else() -> None:
    talk = Talk()
    await talk.turn("Refund order 47112.", [call("47112")], [QUESTION])
    await talk.turn("Is it going to rain?", ["Perhaps."])
    model, events = await talk.turn("Yes.", ["Good."])
    assert said(events) == "Good."
    assert not calls(events)
    assert model.asked


@pytest.mark.parametrize("rounds", [[[call("47112")], [QUESTION]]])
async def test_the_call_is_made_once(rounds: list[Sequence[str | ToolCall]]) -> None:
    talk = Talk()
    await talk.turn("Refund order 47112.", *rounds)
    _, events = await talk.turn("Yes.", ["-"])
    made = calls(events)[0]
    talk.messages[-1] = Message("assistant", "", (made,))
    talk.messages += [Message("tool", '{"refunded": true}', (), made.id), Message("assistant", "It is done.")]
    _, events = await talk.turn("Refund order 47112.", [call("47112")], ["It has been refunded already."])
    assert not calls(events)
    assert said(events) == "It has been refunded already."


async def test_what_nobody_said_is_asked_for_without_the_model() -> None:
    model, events = await Talk().turn("Refund my order.", [call("12345")], ["Never asked."])
    assert said(events) == "Could you tell me the order id?"
    assert len(model.asked) == 1
    assert not calls(events)
