"""Tools whose names begin as words do."""

from __future__ import annotations

from vivavoce.engines.llama.name_map import Naming
from vivavoce.types import GenerationOptions, Message, NamedTool, TextDelta, Tool, ToolCall, ToolCallDelta

TOOLS = tuple(Tool(name, "", {}) for name in ("talk", "talk_to_agent", "do_talk", "lamp"))


def test_the_model_knows_them_by_other_names_and_nobody_else_does() -> None:
    naming = Naming(TOOLS)
    options = GenerationOptions(tools=TOOLS, tool_choice=NamedTool("talk"), withheld=frozenset({"talk", "lamp"}))
    told = naming.options(options)
    assert [tool.name for tool in told.tools] == ["do_do_talk", "do_talk_to_agent", "do_talk", "lamp"]
    assert (told.tool_choice, told.withheld) == (NamedTool("do_do_talk"), frozenset({"do_do_talk", "lamp"}))
    assert told.tools[3] == TOOLS[3]
    call = ToolCall("c1", "talk", "{}")
    [message] = naming.messages([Message("assistant", "Well.", tool_calls=(call,))])
    assert message.tool_calls[0].name == "do_do_talk"
    assert naming.event(message.tool_calls[0]) == call
    assert naming.event(ToolCallDelta("c1", "do_talk_to_agent", "{")).name == "talk_to_agent"  # type: ignore[union-attr]
    assert naming.event(ToolCall("c1", "do_talk", "{}")) == ToolCall("c1", "do_talk", "{}")
    assert naming.event(TextDelta("do_talk_to_agent")) == TextDelta("do_talk_to_agent")


def test_all_others_keep_their_names() -> None:
    naming, options = Naming(TOOLS[3:]), GenerationOptions(tools=TOOLS[3:], tool_choice="required")
    assert naming.options(options) == options
