"""What the prompt of an answer in words holds beside the conversation. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from vivavoce.types import GenerationOptions

_ABILITIES = "# What is done for you when the person asks for it"
_DONE = "Say that something is done only if its result is there."

MAX_ABILITIES = 12
MAX_CHARACTERS = 80
"""Of one of them."""


def render_abilities(options: GenerationOptions) -> str:
    """What tools the assistant has, for those who ask; how they are called is decided elsewhere (``tool_prompt.py``)."""
    standing = [tool for tool in options.tools if tool.name not in options.transient][:MAX_ABILITIES]
    lines = [f"- {(tool.description or tool.name.replace('_', ' '))[:MAX_CHARACTERS]}" for tool in standing]
    return "\n".join([_ABILITIES, *lines, _DONE]) if lines else ""


def render_missing_argument(argument: str) -> str:
    """What the model is told where a call lacked a value that only the person can give."""
    return f"To do that you need to know: {argument.replace('_', ' ')}. Ask the person for it in one short question."


def render_schema(schema: Mapping[str, Any]) -> str:
    """How the model is told that its answer is JSON. The grammar holds it to it; only the values are its own."""
    schema_json = json.dumps(schema, ensure_ascii=False)
    return f"# Form of the answer\nAnswer in nothing but JSON that fits this JSON Schema: {schema_json}"
