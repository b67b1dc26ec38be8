"""The fake language model's choice of tools."""

from __future__ import annotations

import json

import pytest

from vivavoce.engines.fake import FakeLanguageModel
from vivavoce.types import GenerationOptions, Message, NamedTool, TextDelta, Tool, ToolCall, ToolChoice

FIRST = Tool(
    "first",
    "",
    {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "days": {"type": "integer", "minimum": 1},
            "unit": {"enum": ["c", "f"]},
            "more": {"type": "boolean"},
        },
        "required": ["city", "days", "unit"],
    },
)
SECOND = Tool("second", "", {})


async def calls(said: str, choice: ToolChoice) -> list[tuple[str, object]]:
    options = GenerationOptions(tools=(FIRST, SECOND), tool_choice=choice)
    events = [event async for event in FakeLanguageModel(1).generate([Message("user", said)], options)]
    return [(event.name, json.loads(event.arguments)) for event in events if isinstance(event, ToolCall)]


@pytest.mark.parametrize(
    ("said", "choice", "expected"),
    [
        ("hello", "auto", []),
        ("hello", "required", [("first", {"city": "fake", "days": 1, "unit": "c"})]),
        ("hello", NamedTool("second"), [("second", {})]),
        ("call second {}", "auto", [("second", {})]),
        ("call second {}", "required", [("second", {})]),
        ("call second {}", NamedTool("first"), [("first", {"city": "fake", "days": 1, "unit": "c"})]),
        ("call second {}", "none", []),
    ],
)
async def test_the_choice_is_kept(said: str, choice: ToolChoice, expected: list[tuple[str, object]]) -> None:
    assert await calls(said, choice) == expected


async def test_something_is_said_before_a_call() -> None:
    options = GenerationOptions(tools=(FIRST, SECOND))
    asked = Message("user", "say One moment. and call second {}")
    events = [event async for event in FakeLanguageModel(1).generate([asked], options)]
    assert events[0] == TextDelta("One moment.")
    assert ToolCall("call_second", "second", "{}") in events
