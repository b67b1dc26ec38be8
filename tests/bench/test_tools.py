"""The tool bench: what counts as right, and that its tables are sound."""

from __future__ import annotations

from typing import Any

from jsonschema import validate
from tool_calls_measure import HALVES, ToolAnswer, agrees, is_right, measure
from tool_turns import TOOLS, ExpectedCall, Has, ToolTurn, has, turn

from vivavoce.engines.fake import FakeLanguageModel
from vivavoce.types import ToolCall

PASTA = turn("…", "set_timer", minutes=5, label=("pasta", "the pasta"))


def made(*arguments: str, name: str = "set_timer", text: str = "") -> ToolAnswer:
    return ToolAnswer(text, tuple(ToolCall("c", name, given) for given in arguments), 0.0)


def test_what_is_right() -> None:
    good = '{"minutes": 5, "label": " The Pasta"}'
    assert is_right(PASTA, made(good))
    assert not is_right(PASTA, made())
    assert not is_right(PASTA, made(good, good))
    assert not is_right(PASTA, made(good, name="play_music"))
    assert not is_right(PASTA, made('{"minutes": 5}'))


def test_two_calls_are_both_wanted_in_any_order() -> None:
    both = ToolTurn("…", (ExpectedCall("get_time", {"city": "Rome"}), ExpectedCall("get_time", {"city": "Oslo"})))
    assert is_right(both, made('{"city": "Oslo"}', '{"city": "Rome"}', name="get_time"))
    assert not is_right(both, made('{"city": "Rome"}', '{"city": "Rome"}', name="get_time"))


def test_where_nothing_is_to_be_called_words_are_wanted() -> None:
    assert is_right(ToolTurn("Hello."), made(text="Hi."))
    assert not is_right(ToolTurn("Hello."), made(text=" "))
    assert not is_right(ToolTurn("Hello."), made("{}", text="Hi."))


def test_values_keep_their_kind() -> None:
    assert agrees({"on": True}, {"on": True})
    assert not agrees({"on": True}, {"on": 1})
    assert not agrees({"minutes": 5}, {"minutes": "5"})
    assert agrees({"text": has("meeting", ("four", "4"))}, {"text": "The Meeting is at 4."})
    assert not agrees({"text": has("meeting", ("four", "4"))}, {"text": "The meeting."})


def test_every_expected_call_fits_its_tool() -> None:
    parameters = {tool.name: tool.parameters for tool in TOOLS}
    for requests, _ in HALVES.values():
        for wanted in (wanted for request in requests for wanted in request.calls):
            validate({key: _first(value) for key, value in wanted.arguments.items()}, parameters[wanted.tool])
        assert {wanted.tool for request in requests for wanted in request.calls} == set(parameters)
        assert sum(any("\u4e00" <= char <= "\u9fff" for char in request.said) for request in requests) >= 10


def test_halves_share_no_turn_and_are_large_enough() -> None:
    said = [turn.said for half in HALVES.values() for turns in half for turn in turns]
    assert len(set(said)) == len(said)
    assert sum(len(requests) for requests, _ in HALVES.values()) >= 60
    assert all(len(others) >= 30 for _, others in HALVES.values())


async def test_a_model_that_never_calls_is_right_only_where_nothing_is_wanted() -> None:
    score = await measure(FakeLanguageModel(1), None, "dev")
    requests, _ = HALVES["dev"]
    assert score.right == sum(not request.calls for request in requests)
    assert score.false_calls == 0
    assert len(score.wrong) == len(requests) - score.right


def _first(value: Any) -> Any:
    if isinstance(value, Has):
        return value.groups[0][0]
    return value[0] if isinstance(value, tuple) else value
