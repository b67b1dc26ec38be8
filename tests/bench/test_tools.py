"""The tool bench: what counts as right, and that its table is sound."""

from __future__ import annotations

from jsonschema import validate

from vivavoce.bench.tool_turns import REQUESTS, SMALL_TALK, TOOLS, Request
from vivavoce.bench.tools import Answer, agrees, is_right
from vivavoce.types import ToolCall

PASTA = Request("…", "set_timer", {"minutes": 5, "label": ("pasta", "the pasta")})


def made(*arguments: str, name: str = "set_timer") -> Answer:
    return Answer("", tuple(ToolCall("c", name, given) for given in arguments), 0.0)


def test_what_is_right() -> None:
    good = '{"minutes": 5, "label": " The Pasta"}'
    assert is_right(PASTA, made(good))
    assert not is_right(PASTA, made())
    assert not is_right(PASTA, made(good, good))
    assert not is_right(PASTA, made(good, name="play_music"))
    assert not is_right(PASTA, made('{"minutes": 5}'))


def test_values_keep_their_kind() -> None:
    assert agrees({"on": True}, {"on": True})
    assert not agrees({"on": True}, {"on": 1})
    assert not agrees({"minutes": 5}, {"minutes": "5"})


def test_every_expected_call_fits_its_tool() -> None:
    parameters = {tool.name: tool.parameters for tool in TOOLS}
    for request in REQUESTS:
        first = {key: value[0] if isinstance(value, tuple) else value for key, value in request.arguments.items()}
        validate(first, parameters[request.tool])
    assert len(REQUESTS) >= 15
    assert len(SMALL_TALK) >= 15
