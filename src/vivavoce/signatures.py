"""A tool as one line for a prompt, and how many tokens it takes: fewer than the JSON that chat templates would write. Pure.

``name(required: type, optional?: type) - description``
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from vivavoce.text.token_estimates import estimate_text
from vivavoce.types import GenerationOptions, Tool

RULES_TOKENS = 540
"""What a language model is told so that it calls tools at the right time (``engines/llama/tool_prompt.py``)."""

_SIMPLE = frozenset({"type", "description", "title", "default", "minimum", "maximum"})

SHORTENINGS = ((600, 120, 24), (300, 0, 8), (120, 0, 0), (40, 0, 0))
"""How a signature gets shorter, step by step: characters of its description and of each parameter's, values of an enum."""


def signature(tool: Tool) -> str:
    """The line a tool is told in: with ``tool.brief`` behind its name if it has one, else with all there is to say."""
    if tool.brief is not None:
        return f"{tool.name}{tool.brief}"
    properties = tool.parameters.get("properties", {})
    parameters = ", ".join(f"{_name(tool, name)}: {_kind(schema)}" for name, schema in properties.items())
    return f"{tool.name}({parameters}) - {tool.description}"


def shortened(tool: Tool, max_tokens: int) -> str:
    """A ``brief`` for a signature of about ``max_tokens``: descriptions are cut, nested schemas become their type, enums lose
    values.

    The last step names only the first parameters, required ones before others, so that a tool of any size can be told.
    """
    max_tokens -= estimate_text(tool.name)
    for description, of_parameter, values in SHORTENINGS:
        line = _brief(tool, description, of_parameter, values)
        if estimate_text(line) <= max_tokens:
            return line
    names = [_name(tool, name) for name in _required_first(tool)]
    while names and estimate_text(line := f"({', '.join(names)}, …)") > max_tokens:
        names = names[: len(names) * 3 // 4]
    return line if names else ""


def estimate_tool(tool: Tool) -> int:
    """About how many tokens the prompt tells of ``tool``, rather more."""
    return 1 + estimate_text(signature(tool))


def estimate_tools(options: GenerationOptions) -> int:
    """About how many tokens the prompt tells of tools: each that is told, and the rules of calling any."""
    hidden = options.transient & options.withheld
    tool_tokens = sum(estimate_tool(tool) for tool in options.tools if tool.name not in hidden)
    return tool_tokens + RULES_TOKENS if options.tools else 0


def _brief(tool: Tool, description: int, of_parameter: int, values: int) -> str:
    properties = tool.parameters.get("properties", {})
    parameters = ", ".join(
        f"{_name(tool, name)}: {_brief_kind(properties[name], of_parameter, values)}" for name in _required_first(tool)
    )
    return f"({parameters}) - {_cut(tool.description, description)}"


def _required_first(tool: Tool) -> list[str]:
    required = set(tool.parameters.get("required", ()))
    return sorted(tool.parameters.get("properties", {}), key=lambda name: name not in required)


def _name(tool: Tool, name: str) -> str:
    return name if name in tool.parameters.get("required", ()) else f"{name}?"


def _kind(schema: Any) -> str:
    """The type of a parameter, in the fewest tokens that say it all."""
    if not isinstance(schema, Mapping):
        return "any"
    described = f" ({schema['description']})" if schema.get("description") else ""
    if "enum" in schema:
        return " | ".join(json.dumps(value, ensure_ascii=False) for value in schema["enum"]) + described
    if set(schema) <= _SIMPLE and "type" in schema:
        return f"{schema['type']}{described}"
    return json.dumps(dict(schema), ensure_ascii=False)


def _brief_kind(schema: Any, description: int, values: int) -> str:
    if not isinstance(schema, Mapping):
        return "any"
    described = (
        f" ({_cut(str(schema['description']), description)})" if description and schema.get("description") else ""
    )
    if (listed := schema.get("enum")) and values:
        values_shown = " | ".join(json.dumps(value, ensure_ascii=False) for value in listed[:values])
        return f"{values_shown}{' | …' if len(listed) > values else ''}{described}"
    kind = schema.get("type", "any")
    return f"{kind if isinstance(kind, str) else 'any'}{described}"


def _cut(text: str, max_characters: int) -> str:
    return text if len(text) <= max_characters else f"{text[:max_characters].rstrip()}…"
