"""What calling a function does: as its owner says, else by its name and description."""

from __future__ import annotations

import pytest

from vivavoce.protocol.tool_config import FunctionHints, FunctionTool
from vivavoce.tools.effects import EffectLevel, effect_level
from vivavoce.types import Tool


@pytest.mark.parametrize(
    ("name", "description", "level"),
    [
        ("get_weather", "The weather of a city.", "none"),
        ("lookup_order", "Look up an order by its number.", "none"),
        ("check_refund_status", "Tells how far a refund is.", "none"),
        ("list_transfers", "", "none"),
        ("calculate", "Calculates.", "none"),
        ("request_refund", "Refund an order.", "risky"),
        ("transferMoney", "Sends money to somebody.", "risky"),
        ("cancel_booking", "", "risky"),
        ("delete_account", "", "risky"),
        ("cancel_timer", "Cancels the timer.", "acts"),
        ("book_appointment", "Books a slot.", "acts"),
        ("unlock_door", "Unlocks the door.", "acts"),
        ("set_temperature", "", "acts"),
        ("tuikuan", "为订单办理退款。", "risky"),
        ("yuyue", "预约医生。", "acts"),
        ("chaxun", "天气情况。", "none"),
    ],
)
def test_the_name_and_the_description_tell(name: str, description: str, level: EffectLevel) -> None:
    assert effect_level(Tool(name, description, {})) == level


@pytest.mark.parametrize(
    ("function", "level"),
    [
        (FunctionTool(name="frobnicate"), "none"),
        (FunctionTool(name="frobnicate", x_effects=True), "acts"),
        (FunctionTool(name="request_refund", x_effects=False), "none"),
        (FunctionTool(name="frobnicate", annotations=FunctionHints(destructive_hint=True)), "risky"),
        (FunctionTool(name="request_refund", annotations=FunctionHints(read_only_hint=True)), "none"),
        (FunctionTool(name="delete_draft", annotations=FunctionHints(destructive_hint=False)), "acts"),
    ],
)
def test_what_the_owner_says_counts(function: FunctionTool, level: EffectLevel) -> None:
    assert effect_level(function.as_tool()) == level


@pytest.mark.parametrize(
    ("name", "description"),
    [
        ("end_contract", "End a customer's contract."),
        ("stop_service", "Stops the supply at an address."),
        ("leave", "End the membership."),
        ("terminate", "终止合同。"),
        ("block_card", "Block a card."),
        ("send_money", "Send money to somebody."),
    ],
)
def test_what_ends_something_for_good_is_asked_about(name: str, description: str) -> None:
    assert effect_level(Tool(name, description, {})) == "risky"


@pytest.mark.parametrize(
    ("name", "description"),
    [
        ("stop_music", "Stop the music."),
        ("end_call", "End the call."),
        ("send_message", "Send a message."),
        ("get_plan", "See when a plan ends."),
    ],
)
def test_what_can_be_had_back_is_not(name: str, description: str) -> None:
    assert effect_level(Tool(name, description, {})) != "risky"
