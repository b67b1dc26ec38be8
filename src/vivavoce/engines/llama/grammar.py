"""What a reply may look like when tools are on offer, as a grammar for llama.cpp. Pure.

llama.cpp is built here with llguidance (https://github.com/guidance-ai/llguidance), whose Lark-like grammars hold JSON
Schemas as they are, references included. Whether a reply is words or calls is decided before (``tool_classifier.py``). Calls
stand in a row and their arguments fit the schema; words hold neither JSON nor the tags of the models' own template.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cachetools import LRUCache, cached
from llguidance import LLMatcher

from vivavoce.digests import text_digest
from vivavoce.engines.llama.call_stream import opening
from vivavoce.errors import ClientError
from vivavoce.types import GenerationOptions, NamedTool, Tool

MAX_CALLS = 8
"""Calls in one reply. Small models would go on without end."""

_CHECKED_CHARACTERS = 4 * 1024 * 1024
"""Of schemas of tools that are kept, ready for a grammar."""

_SPELLING = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
_NO_CJK = "^[^\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]*$"
_FREE = frozenset({"type", "title", "description", "default", "examples"})
_WORDS = r"said: /([^\s<{`]|<[^t])([^<{]|<[^t]|\{[^\x22\s<{])*/"


def words_grammar(options: GenerationOptions) -> str:
    """The grammar of a reply in words, or in JSON that fits the ``schema``."""
    body = _WORDS if options.schema is None else _json(options.schema)
    return f"%llguidance {{}}\nstart: said\n{body}\n"


def calls_grammar(options: GenerationOptions, *, latin: bool = False) -> str:
    """The grammar of a reply of calls. Raises ``LookupError``: no such tool to choose.

    ``latin``: nobody has used Chinese, Japanese or Korean characters, so free words of arguments hold none: a model that is
    shown examples in Chinese would ask for the weather of 巴黎 where somebody said Paris.
    """
    choice = options.tool_choice
    offered = [tool for tool in options.tools if tool.name not in options.withheld]
    tools = tuple(tool for tool in offered if not isinstance(choice, NamedTool) or tool.name == choice.name)
    if not tools:
        raise LookupError(choice)
    several = options.parallel_tool_calls and not isinstance(choice, NamedTool)
    rules = [
        "%llguidance {}",
        "start: calls",
        f'calls: call (" " call){{0,{MAX_CALLS - 1}}}' if several else "calls: call",
        "call: " + " | ".join(f"tool_{index}" for index in range(len(tools))),
        *(_rule(index, tool, latin) for index, tool in enumerate(tools)),
    ]
    return "\n".join(rules) + "\n"


def check_schema(schema: Mapping[str, Any]) -> None:
    """Whether a reply can be held to ``schema``: llama.cpp would leave a grammar out that it cannot follow, unsaid.

    Blocking: a millisecond, longer for large schemas. Raises ``ClientError`` (``unsupported_schema``).
    """
    complaint = LLMatcher.validate_grammar(f"%llguidance {{}}\nstart: said\n{_json(schema)}\n")
    if complaint:
        reason = complaint.partition("failed to compile JSON schema: ")[2].partition("\n")[0] or complaint
        raise ClientError(
            f"Answers cannot be held to this JSON Schema: {reason[:200]}",
            code="unsupported_schema",
            param="response_format.json_schema.schema",
        )


def _json(schema: Mapping[str, Any]) -> str:
    """Words that are JSON. ``oneOf`` counts as ``anyOf``."""
    guidance = {**_SPELLING, "coerce_one_of": True}
    return f"said: %json {json.dumps({**schema, 'x-guidance': guidance}, ensure_ascii=False)}"


def _rule(index: int, tool: Tool, latin: bool) -> str:
    quoted = json.dumps(opening(tool.name), ensure_ascii=False)
    parameters = _in_latin(tool.parameters) if latin else tool.parameters
    return f"tool_{index}: {quoted} %json {_arguments(json.dumps(parameters, ensure_ascii=False))}"


def _in_latin(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """A tool's schema, whose strings that may be anything hold no Chinese, Japanese or Korean."""
    properties = {name: _latin(of) for name, of in parameters.get("properties", {}).items()}
    return {**parameters, "properties": properties} if properties else dict(parameters)


def _latin(schema: Any) -> Any:
    free = isinstance(schema, dict) and schema.get("type") == "string" and schema.keys() <= _FREE
    return {**schema, "pattern": _NO_CJK} if free else schema


@cached(LRUCache[bytes, str](_CHECKED_CHARACTERS, getsizeof=len), key=text_digest)
def _arguments(parameters: str) -> str:
    """A tool's schema, for an object without anything that was not asked for, unless the schema says otherwise.

    What grammars do not know (``uniqueItems``, ``not``) is left to the check of the written call. A schema that cannot be
    followed at all becomes an object of its arguments' names: it would take the grammar of all other tools along.
    """
    schema = json.loads(parameters)
    guidance = {**_SPELLING, "coerce_one_of": True, "lenient": True}
    closed = {"additionalProperties": False} if "$ref" not in schema else {}
    exact = json.dumps({"type": "object", **closed, **schema, "x-guidance": guidance}, ensure_ascii=False)
    if not LLMatcher.validate_grammar(f"%llguidance {{}}\nstart: called\ncalled: %json {exact}\n"):
        return exact
    required = list(schema.get("required", ()))
    names: dict[str, Any] = {name: {} for name in (*schema.get("properties", {}), *required)}
    loose = {"type": "object", "properties": names, "required": required, **closed, "x-guidance": _SPELLING}
    return json.dumps(loose, ensure_ascii=False)
