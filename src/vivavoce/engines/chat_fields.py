"""What chat requests in OpenAI's form share, those of the built-in language model and those to servers elsewhere. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from vivavoce.text.scripts import written_language
from vivavoce.types import Message

REMINDERS = {
    "en": "(Answer in English.)",
    "zh": "（请用中文回答。）",
    "ja": "（日本語で答えてください。）",
}
"""In what language to answer, in that language: small models drift into another one."""

RULES_RESTATED = {"en": "(Rules for your answer: {})", "zh": "（回答的规则：{}）", "ja": "（答えの規則：{}）"}
"""Rules of the instructions, said again."""


def in_script(texts: Mapping[str, str], text: str) -> str:
    """The one of ``texts`` for the language ``text`` is written in; in English where there is none."""
    return texts.get(written_language(text) or "en", texts["en"])


def call_fields(message: Message) -> dict[str, Any]:
    """The fields of ``message`` that tell of calls, as far as it has any: those it makes, or the one it answers."""
    fields: dict[str, Any] = {}
    if message.tool_calls:
        fields["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": _object(call.arguments)}}
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        fields["tool_call_id"] = message.tool_call_id
    return fields


def _object(arguments: str) -> str:
    """``arguments`` if they are a JSON object, which is all that chat templates read; else one that holds them."""
    try:
        fits = isinstance(json.loads(arguments), dict)
    except ValueError:
        fits = False
    return arguments if fits else json.dumps({"arguments": arguments}, ensure_ascii=False)
