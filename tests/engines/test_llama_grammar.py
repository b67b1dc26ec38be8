"""The grammar of a reply with tools, and the text that tells of them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from llguidance import LLMatcher

from vivavoce.engines.llama.answer_prompt import render_schema
from vivavoce.engines.llama.grammar import calls_grammar, check_schema, words_grammar
from vivavoce.engines.llama.tool_prompt import render_answer, render_tools
from vivavoce.errors import ClientError
from vivavoce.types import GenerationOptions, NamedTool, Tool, ToolCall, ToolChoice

CITY = Tool("city", "A city.", {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]})
OPEN = Tool('say "hi"', "Odd.", {"type": "object", "additionalProperties": {"type": "string"}})


def rules_of(grammar: str) -> dict[str, str]:
    """The rules by name."""
    lines = grammar.splitlines()
    assert lines[0] == "%llguidance {}"
    return dict(line.split(": ", 1) for line in lines[1:])


def grammar(choice: ToolChoice, *, parallel: bool = True) -> dict[str, str]:
    """The rules of calls."""
    return rules_of(
        calls_grammar(GenerationOptions(tools=(CITY, OPEN), tool_choice=choice, parallel_tool_calls=parallel))
    )


def test_words_hold_no_call() -> None:
    rules = rules_of(words_grammar(GenerationOptions(tools=(CITY,))))
    assert rules["start"] == "said"
    matcher = re.compile(rules["said"].strip("/"))
    assert matcher.fullmatch("It is 3 < 4, {so} to say.")
    assert not matcher.match('{"name": "city"}')
    assert not matcher.fullmatch('Well. {"name": "city"}')
    assert not matcher.fullmatch("Well. <tool_call>")


def test_a_named_tool_is_the_only_one_and_called_once() -> None:
    rules = grammar(NamedTool("city"))
    assert rules["call"] == "tool_0"
    assert rules["calls"] == "call"
    assert "city" in rules["tool_0"]
    assert "tool_1" not in rules


def test_parallel_calls() -> None:
    assert grammar("auto")["calls"] == 'call (" " call){0,7}'
    assert grammar("auto", parallel=False)["calls"] == "call"


def test_a_tool_that_is_not_there() -> None:
    with pytest.raises(LookupError):
        grammar(NamedTool("joke"))


def test_objects_are_closed_unless_their_schema_opens_them() -> None:
    rules = grammar("auto")
    closed, opened = (json.loads(rules[f"tool_{n}"].split("%json ")[1].strip()) for n in (0, 1))
    assert closed["additionalProperties"] is False
    assert opened["additionalProperties"] == {"type": "string"}


X: list[dict[str, Any]] = [
    {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
    {"type": "string", "format": "of-our-own"},
    {"not": {"type": "string"}},
    {"oneOf": [{"type": "string"}, {"type": "integer"}]},
    {"type": "string", "pattern": "(?=a)a"},
    {"$ref": "#/$defs/nowhere"},
    {"$ref": "http://127.0.0.1:1/schema"},
    {"type": "integer", "minimum": 2, "maximum": 1},
]


@pytest.mark.parametrize("x", X)
def test_a_tool_that_is_more_than_a_grammar_can_follow_spoils_no_other(x: dict[str, Any]) -> None:
    """llama.cpp leaves out a grammar it refuses: every tool's calls would be free."""
    odd = Tool("odd", "", {"type": "object", "properties": {"x": x}, "required": ["x"]})
    grammar = calls_grammar(GenerationOptions(tools=(odd, CITY)))
    assert not LLMatcher.validate_grammar(grammar)
    schema = json.loads(rules_of(grammar)["tool_0"].split("%json ")[1])
    assert schema["properties"].keys() == {"x"}
    assert (schema["required"], schema["additionalProperties"]) == (["x"], False)


def test_a_name_is_quoted_for_the_grammar() -> None:
    literal = grammar("auto")["tool_1"].split(" %json")[0]
    assert json.loads(literal) == 'say "hi" '


def test_answers_are_told_as_they_are_written() -> None:
    call = ToolCall("c1", "city", '{"name": "Rome"}')
    assert render_answer("Hello.", ()) == "talk Hello."
    assert render_answer("", ()) == "talk "
    assert render_answer("", (call, call)) == 'city {"name": "Rome"} city {"name": "Rome"}'
    assert render_answer("Let me see.", (call,)) == 'talk Let me see.\ncity {"name": "Rome"}'


def test_tools_are_told_as_signatures() -> None:
    unit = {"enum": ["c", "f"], "description": "the scale"}
    tags = {"type": "array", "items": {"type": "string"}}
    tool = Tool(
        "f", "Does f.", {"properties": {"a": {"type": "integer"}, "unit": unit, "tags": tags}, "required": ["a"]}
    )
    told = render_tools(GenerationOptions(tools=(tool, CITY)))
    assert (
        'f(a: integer, unit?: "c" | "f" (the scale), tags?: {"type": "array", "items": {"type": "string"}}) - Does f.'
        in told
    )
    assert "city(name: string) - A city." in told


PERSON = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


def test_words_that_are_json() -> None:
    rules = words_grammar(GenerationOptions(schema=PERSON)).splitlines()
    assert rules[1] == "start: said"
    assert json.loads(rules[2].removeprefix("said: %json "))["properties"] == PERSON["properties"]
    assert words_grammar(GenerationOptions(schema=PERSON, tools=(CITY,))).splitlines() == rules


@pytest.mark.parametrize("schema", [{}, {"type": "object"}, PERSON, {"oneOf": [PERSON, CITY.parameters]}])
def test_schemas_that_can_be_followed(schema: dict[str, Any]) -> None:
    check_schema(schema)


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"not": PERSON}, "not"),
        ({"$ref": "#/$defs/none"}, "does not exist"),
        ({"type": "integer", "minimum": 2, "maximum": 1}, "Unsat"),
    ],
)
def test_schemas_that_cannot(schema: dict[str, Any], reason: str) -> None:
    with pytest.raises(ClientError, match=reason) as refused:
        check_schema(schema)
    assert refused.value.code == "unsupported_schema"


def test_a_schema_is_told() -> None:
    assert render_schema(PERSON).endswith(json.dumps(PERSON))
