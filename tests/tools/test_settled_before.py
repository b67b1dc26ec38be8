"""What is settled before the model writes, by what a turn seems to want."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import pytest

from vivavoce.engines.fake import FakeEmbedder
from vivavoce.intents.classifier import Intent, IntentClassifier, load_heads
from vivavoce.intents.turn import TurnIntent
from vivavoce.tools.base import CallContext, ServerTool, ToolResult
from vivavoce.tools.confirmations import Confirmations
from vivavoce.tools.reply_plan import ReplyPlanner
from vivavoce.types import GenerationOptions, Message, NamedTool, Tool, ToolCall, ToolChoice

FIND = Tool("find_order", "Find an order.", {"type": "object", "properties": {"order_id": {"type": "string"}}})


class Seems(IntentClassifier):
    """Whatever is said seems to want this."""

    def __init__(self, **probabilities: float) -> None:
        super().__init__(FakeEmbedder(), load_heads())
        self._seems = dict.fromkeys(get_args(Intent), 0.0) | probabilities

    async def probabilities(self, texts: Sequence[str]) -> list[Mapping[str, float]] | None:
        return [self._seems for _ in texts]


@dataclass(frozen=True)
class Planned(ReplyPlanner):
    """Every turn wants the same."""

    wants: TurnIntent

    async def _intent(self, messages: Sequence[Message]) -> TurnIntent:
        return self.wants


@pytest.mark.parametrize(
    ("says", "act", "documents", "asks"),
    [
        ("How long is the guarantee?", 0.02, 0.97, True),
        ("How long is the guarantee?", 0.02, 0.7, False),
        ("Extend the guarantee.", 0.9, 0.97, False),
        ("Where is order four seven one one two?", 0.02, 0.97, False),
    ],
)
async def test_whether_documents_are_asked_for_and_nothing_else(
    says: str, act: float, documents: float, asks: bool
) -> None:
    planner = ReplyPlanner(Seems(act=act, documents=documents), Confirmations(), "risky")
    messages = (Message("user", says),)
    plan = await planner.plan(messages, GenerationOptions(tools=(FIND,)), (), CallContext("me", messages))
    assert plan.asks_documents == asks


async def test_what_the_assistant_is_is_no_question_for_a_function() -> None:
    planner = ReplyPlanner(Seems(act=0.9), Confirmations(), "risky")
    messages = (Message("system", "You are Ada."), Message("user", "Are you a robot?"))
    plan = await planner.plan(messages, GenerationOptions(tools=(FIND,)), (), CallContext("me", messages))
    assert plan.begun == "I'm Ada, an AI assistant, not a human being."
    assert plan.guard is None


@pytest.mark.parametrize(("says", "begun"), [("What is my job?", "Your job is"), ("What is my order number?", "")])
async def test_what_a_function_may_know_is_not_answered_from_what_was_said(says: str, begun: str) -> None:
    messages = (
        *(Message("user", text) for text in ("I'm a plumber.", "I lost my order slip.")),
        Message("assistant", "Oh."),
        Message("user", says),
    )
    planner = ReplyPlanner(Seems(), Confirmations(), "risky")
    plan = await planner.plan(messages, GenerationOptions(tools=(FIND,)), (), CallContext("me", messages))
    assert plan.begun == begun


@pytest.mark.parametrize(("recall", "acts", "told"), [(0.8, 0.0, True), (0.2, 0.0, False), (0.8, 0.9, False)])
async def test_what_came_up_before_is_told_again_instead_of_looked_up(recall: float, acts: float, told: bool) -> None:
    found = ToolCall("call_1", "find_order", "{}")
    messages = (
        Message("user", "Where is my kettle?"),
        Message("assistant", "", (found,)),
        Message("tool", '{"arrives": "Friday", "time": "14:20"}', tool_call_id="call_1"),
        Message("assistant", "It comes on Friday."),
        Message("user", "At what time was that, the kettle?"),
    )
    planner = Planned(None, Confirmations(), "risky", TurnIntent("", acts, 0.9, 0.0, recall=recall))
    plan = await planner.plan(messages, GenerationOptions(tools=(FIND,)), (), CallContext("me", messages))
    assert ("14:20" in plan.note) == told
    assert (plan.options.tool_choice == "none") == told


ACTING = Tool("refund_order", "Refund an order.", {"type": "object"})
LOOKING = Tool("get_order", "Look up an order.", {"type": "object"})


@pytest.mark.parametrize(
    ("says", "acts", "left_out"),
    [
        ("It is order 50268, the handle broke. Please refund it.", 1.0, True),
        ("Refund order 50268.", 1.0, True),
        ("Please look up order 50268.", 1.0, False),
        ("Where is my refund for order 50268?", 1.0, False),
        ("My order 50268, please.", 1.0, False),
        ("Refund order 50268.", 0.7, False),
    ],
)
async def test_who_surely_wants_an_act_is_not_told_a_look_up(says: str, acts: float, left_out: bool) -> None:
    planner = Planned(None, Confirmations(), "risky", TurnIntent(says, acts, 0.0, 0.0, whole_acts=acts))
    messages = (Message("user", says),)
    plan = await planner.plan(messages, GenerationOptions(tools=(LOOKING, ACTING)), (), CallContext("me", messages))
    assert (plan.options.withheld == {"get_order"}) == left_out


class Searches(ServerTool):
    kind = "retrieval"
    tool = Tool("search_documents", "", {})
    timeout_s = 1.0

    async def arguments_in_advance(
        self, messages: Sequence[Message], intent: TurnIntent | None
    ) -> Mapping[str, Any] | None:
        return {"query": messages[-1].content}

    async def run(self, arguments: Mapping[str, Any], context: CallContext) -> ToolResult:
        return ToolResult("")


@pytest.mark.parametrize(
    ("says", "status", "functions", "searched"),
    [
        ("What is open on my bill? Contract 48213.", 0.8, (LOOKING,), False),
        ("What is open on my bill? Contract 48213.", 0.8, (), True),
        ("What is open on a bill?", 0.8, (LOOKING,), True),
        ("How large is hall 1204?", 0.1, (LOOKING,), True),
    ],
)
async def test_what_has_a_number_and_is_the_users_own_is_for_functions(
    says: str, status: float, functions: tuple[Tool, ...], searched: bool
) -> None:
    planner = Planned(None, Confirmations(), "risky", TurnIntent(says, 0.0, 0.9, 0.0, status=status))
    messages, tool = (Message("user", says),), Searches()
    options = GenerationOptions(tools=(*functions, tool.tool))
    plan = await planner.plan(messages, options, (tool,), CallContext("me", messages))
    assert bool(plan.calls) == searched


@pytest.mark.parametrize(
    ("says", "quoted"), [("How much will I get back for it?", True), ("How much is a lid?", False)]
)
async def test_what_a_function_told_is_quoted_to_who_points_back_at_it(says: str, quoted: bool) -> None:
    made, tool = ToolCall("call_1", "refund_order", '{"order": "50268"}'), Searches()
    messages = (
        Message("user", "Refund order 50268."),
        Message("assistant", "", (made,)),
        Message("tool", '{"refunded": true, "amount": 112.5}', tool_call_id="call_1"),
        Message("assistant", "Done."),
        Message("user", says),
    )
    planner = Planned(None, Confirmations(), "risky", TurnIntent(says, 0.0, 0.95, 0.0))
    options = GenerationOptions(tools=(ACTING, tool.tool))
    plan = await planner.plan(messages, options, (tool,), CallContext("me", messages))
    assert plan.calls
    assert ("112.5" in plan.note) == quoted
    assert plan.asks_documents != quoted


@pytest.mark.parametrize(
    ("functions", "status", "choice"),
    [
        ((LOOKING, ACTING), 0.9, NamedTool("get_order")),
        ((LOOKING, FIND), 0.9, "auto"),
        ((LOOKING,), 0.6, "auto"),
        ((ACTING,), 0.9, "auto"),
    ],
)
async def test_the_only_function_that_may_tell_is_called(
    functions: tuple[Tool, ...], status: float, choice: ToolChoice
) -> None:
    says = "Where is order 50268?"
    planner = Planned(None, Confirmations(), "risky", TurnIntent(says, 0.0, 0.5, 0.0, status=status))
    messages = (Message("user", says),)
    plan = await planner.plan(messages, GenerationOptions(tools=functions), (), CallContext("me", messages))
    assert plan.options.tool_choice == choice


@pytest.mark.parametrize(("acts", "status", "likely"), [(0.95, 0.0, True), (0.5, 0.0, False), (0.0, 0.6, True)])
async def test_a_call_is_likely_where_a_turn_surely_wants_one(acts: float, status: float, likely: bool) -> None:
    says = "The order is 50268."
    intent = TurnIntent(says, acts, 0.0, 0.0, whole_acts=acts, status=status)
    messages = (Message("user", says),)
    context = CallContext("me", messages)
    plan = await Planned(None, Confirmations(), "risky", intent).plan(
        messages, GenerationOptions(tools=(LOOKING, ACTING)), (), context
    )
    assert plan.options.likely_call is likely


async def test_a_result_is_no_reason_to_act() -> None:
    book = Tool("book_table", "Book a table.", {"type": "object"})
    found = ToolCall("call_1", "find_order", "{}")
    messages = (
        Message("user", "Where is it? It is order 4711."),
        Message("assistant", "", (found,)),
        Message("tool", "{}", tool_call_id="call_1"),
    )
    for whole, withheld in ((0.1, True), (0.9, False)):
        planner = Planned(None, Confirmations(), "risky", TurnIntent("", 0.74, 0.9, 0.0, whole_acts=whole))
        plan = await planner.plan(messages, GenerationOptions(tools=(FIND, book)), (), CallContext("me", messages))
        assert ("book_table" in plan.options.withheld) == withheld
