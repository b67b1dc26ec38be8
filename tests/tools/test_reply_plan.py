"""What is planned of a reply by what the turn wants."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from vivavoce.intents.turn import TurnIntent
from vivavoce.tools.base import CallContext
from vivavoce.tools.confirmations import Confirmations
from vivavoce.tools.reply_plan import ReplyPlanner
from vivavoce.types import GenerationOptions, Message, Tool, ToolCall

REFUND = Tool("request_refund", "Refund an order.", {"type": "object"})
LOOK_UP = Tool("get_weather", "The weather in a city.", {"type": "object"})
QUESTION = Message("user", "How is the weather in Paris?")
CALL = ToolCall("call_1", "get_weather", '{"city": "Paris"}')
FOUND = (Message("assistant", "", (CALL,)), Message("tool", '{"sky": "clear"}', tool_call_id="call_1"))


class Planner(ReplyPlanner):
    """Takes every turn for a question."""

    async def _intent(self, messages: Sequence[Message]) -> TurnIntent:
        return ASKING


ASKING = TurnIntent(QUESTION.content, acts=0.01, documents=0.9, current=0.1)


@pytest.mark.parametrize(("messages", "warned"), [((QUESTION,), True), ((QUESTION, *FOUND), False)])
async def test_what_was_found_is_told_without_a_warning_that_nothing_was_done(
    messages: tuple[Message, ...], warned: bool
) -> None:
    planner = Planner(None, Confirmations(), "risky")
    plan = await planner.plan(
        messages, GenerationOptions(tools=(REFUND, LOOK_UP)), (), CallContext("me", messages, "en")
    )
    assert ("Nothing has been done" in plan.note) is warned
