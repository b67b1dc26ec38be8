"""How tools are told to the model: a few lines at the end of the system message, and a conversation to go by. Pure.

Every answer begins with one word: the name of a function, or ``talk``. So the model decides with its first token, and
how likely it thought the other way is known before anything is said (``decision.py``). Signatures are shorter than the JSON
that Qwen's own template would write. The text depends on nothing but the tools, so that it stays in the cache from turn to
turn, whatever is chosen.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from vivavoce.types import Tool, ToolCall

TALK = "talk"
"""What an answer in words begins with."""

_OPENING = "# Functions"
_OTHERWISE = (
    f"{TALK} - Everything else: greetings, feelings, opinions, stories, jokes, general knowledge, what the person tells "
    "about their life."
)
_RULES = (
    f"Begin every answer with one word: the name of the function that does what the person asks for, or {TALK}. After a "
    f"function's name come as JSON the values the person gave, and no others; after {TALK} your words. What is happening "
    f"now, news, prices and opening hours you do not know: a function finds them. What the person only tells you is {TALK}. "
    "For two things, two calls."
)

EXAMPLES: tuple[tuple[str, str], ...] = (
    ("Hello.", f"{TALK} Hello! How can I help you?"),
    ("Open the garage door.", 'open_door {"door": "garage"}'),
    ("My aunt bought a new car.", f"{TALK} Oh, what kind of car is it?"),
    ("帮我把音量调到二十", 'set_volume {"level": 20}'),
    ("Close the attic and turn it up to six.", 'close_window {"room": "attic"} set_volume {"level": 6}'),
    ("昨晚没睡好", f"{TALK} 辛苦了，今天早点休息吧。"),
    ("What's a ticket to the zoo?", 'find {"words": "zoo ticket price"}'),
    ("How many legs does a spider have?", f"{TALK} A spider has eight legs."),
    ("公园现在开门吗？", 'get_hours {"place": "公园"}'),
    ("关上窗户，再把音量调到六。", 'close_window {} set_volume {"level": 6}'),
    ("I painted the door of our garden house.", f"{TALK} That sounds nice. Which colour did you take?"),
)
"""What people said and what was answered, before every conversation with tools. Turns of a conversation teach a small model
more than examples in the instructions. The functions do not exist; the grammar keeps the model from calling them."""


def tools_told(tools: Sequence[Tool]) -> str:
    """The text that follows the system message."""
    return "\n".join([_OPENING, *map(_signature, tools), _OTHERWISE, _RULES])


def answer_told(words: str, calls: Sequence[ToolCall]) -> str:
    """An answer of the assistant as the model would have written it."""
    lines = [f"{TALK} {words}"] if words or not calls else []
    return "\n".join([*lines, *([" ".join(f"{call.name} {call.arguments}" for call in calls)] if calls else [])])


def schema_told(schema: Mapping[str, Any]) -> str:
    """How the model is told that its answer is JSON. The grammar holds it to it; only the values are its own."""
    written = json.dumps(schema, ensure_ascii=False)
    return f"# Form of the answer\nAnswer in nothing but JSON that fits this JSON Schema: {written}"


def _signature(tool: Tool) -> str:
    required = tool.parameters.get("required", ())
    given = ", ".join(
        f"{name}{'' if name in required else '?'}: {_kind(schema)}"
        for name, schema in tool.parameters.get("properties", {}).items()
    )
    return f"{tool.name}({given}) - {tool.description}"


def _kind(schema: Any) -> str:
    """The type of a parameter, in the fewest tokens that say it all."""
    if not isinstance(schema, Mapping):
        return "any"
    told = f" ({schema['description']})" if schema.get("description") else ""
    if "enum" in schema:
        return " | ".join(json.dumps(value, ensure_ascii=False) for value in schema["enum"]) + told
    if set(schema) <= {"type", "description", "title", "default", "minimum", "maximum"} and "type" in schema:
        return f"{schema['type']}{told}"
    return json.dumps(dict(schema), ensure_ascii=False)
