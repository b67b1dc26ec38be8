"""How tools are told to the model: a few lines at the end of the system message. Pure.

Signatures are shorter than the JSON that Qwen's own template would write. The text depends on nothing but
the tools, so that it stays in the cache from turn to turn, whatever is chosen.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from vivavoce.types import Tool

_OPENING = "# Functions"
_RULES = """\
When the person asks for what a function does or knows, write nothing but a call of it, with the values the person gave; \
for two things, two calls. Never make up what a function knows. Else answer in words. For example:
"Open the garage door" - {"name": "open_door", "arguments": {"door": "garage"}}
"How much money do I have?" - {"name": "get_balance", "arguments": {}}
"Is the shop in Rome open?" - {"name": "get_hours", "arguments": {"shop": "Rome"}}
"Lock the garage door and turn it up to six" - {"name": "lock_door", "arguments": {"door": "garage"}}
{"name": "set_volume", "arguments": {"level": 6}}
"What's a ticket to the zoo?" - {"name": "find", "arguments": {"words": "zoo ticket price"}}
"帮我把音量调到二十" - {"name": "set_volume", "arguments": {"level": 20}}
"广州的地铁几点关门？" - {"name": "get_metro", "arguments": {"place": "广州"}}
"公园现在开门吗？" - {"name": "get_hours", "arguments": {"shop": "公园"}}
"查一下今天的股价" - {"name": "find", "arguments": {"words": "今天股价"}}
"I like this door" - "It is a nice one, isn't it?"
"昨晚没睡好" - "辛苦了，今天早点休息吧。\""""
"""The functions of the examples do not exist; the grammar keeps the model from calling them."""


def tools_told(tools: Sequence[Tool]) -> str:
    """The text that follows the system message."""
    return "\n".join([_OPENING, *map(_signature, tools), _RULES])


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
