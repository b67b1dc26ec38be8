"""Tool calls in streamed text: the three forms, text that only looks like one, any way of cutting the stream."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.engines.llama.tool_calls import ToolCallParser
from vivavoce.types import TextDelta, ToolCall

NAMES = ("get_weather", "set_timer")
WEATHER = '{"name": "get_weather", "arguments": {"city": "北京"}}'
TIMER = '{"name": "set_timer", "arguments": {"seconds": 300}}'


def parse(pieces: Sequence[str]) -> tuple[str, list[tuple[str, str]]]:
    """The text and the calls of a reply that comes in ``pieces``."""
    parser = ToolCallParser(NAMES)
    events = [event for piece in pieces for event in parser.feed(piece)] + parser.finish()
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    return text, [(event.name, event.arguments) for event in events if isinstance(event, ToolCall)]


@pytest.mark.parametrize(
    "reply",
    [
        WEATHER,
        f"\n {WEATHER}\n",
        f"```json\n{WEATHER}\n```",
        f"```\n{WEATHER}```",
        f"```json\n{WEATHER}",
        f"<tool_call>\n{WEATHER}\n</tool_call>",
        f"<tool_call>{WEATHER}",
        '{"name": "get_weather", "parameters": {"city": "北京"}}',
        '{"name": "get_weather", "arguments": "{\\"city\\": \\"北京\\"}"}',
        '{"type": "function", "function": {"name": "get_weather", "arguments": {"city": "北京"}}}',
        '{"function": "get_weather", "parameters": {"city": "北京"}}',
    ],
)
def test_every_form_is_a_call_and_no_text(reply: str) -> None:
    assert parse(list(reply)) == ("", [("get_weather", '{"city": "北京"}')])


@pytest.mark.parametrize(
    "reply",
    [
        f"{WEATHER}\n{TIMER}",
        f"```json\n{WEATHER}\n{TIMER}\n```",
        f"<tool_call>\n{WEATHER}\n</tool_call>\n<tool_call>\n{TIMER}\n</tool_call>",
    ],
)
def test_several_calls(reply: str) -> None:
    text, calls = parse(list(reply))
    assert text == ""
    assert [name for name, _ in calls] == ["get_weather", "set_timer"]


def test_text_around_a_call_is_kept() -> None:
    assert parse([f"Let me look.\n\n{WEATHER}\n\nOne moment."]) == (
        "Let me look.One moment.",
        [("get_weather", '{"city": "北京"}')],
    )


@pytest.mark.parametrize(
    "reply",
    [
        "{smile} Hello there.",
        "{",
        '{"a": 1} is JSON.',
        '{"name": "Ann", "age": 3} is JSON.',
        '{"name": get_weather}',
        "```python\nprint(1)\n```\nThat prints one.",
        "a < b, and ` is a backtick",
        "  leading and trailing  \n",
    ],
)
def test_what_is_no_call_stays_text(reply: str) -> None:
    assert parse(list(reply)) == (reply, [])


def test_text_is_not_held_back_longer_than_needed() -> None:
    parser = ToolCallParser(NAMES)
    assert parser.feed("Hello") == [TextDelta("Hello")]
    assert parser.feed(" {") == []
    assert parser.feed("x") == [TextDelta(" {x")]


def test_a_call_cut_off_is_not_spoken() -> None:
    assert parse(["One moment. ", WEATHER[:-5]]) == ("One moment.", [])


@pytest.mark.parametrize(
    "reply",
    [
        '{"name": "joke", "arguments": {}}',
        '```json\n{"name": "joke", "arguments": {}}\n```',
        '<tool_call>\n{"name": "joke", "arguments": {}}\n</tool_call>',
        "<tool_call>none</tool_call>",
        '<tool_call>{"name": get_weather}</tool_call>',
        '<tool_call>{"name": get_wea',
        '{"name": "joke", "arguments": {"a',
    ],
)
def test_what_was_meant_as_a_call_but_is_none_is_not_spoken(reply: str) -> None:
    assert parse(list(f"Yes. {reply}")) == ("Yes.", [])


@pytest.mark.parametrize("arguments", ["[1]", '"no json"', "null"])
def test_arguments_that_are_no_object_are_left_to_be_judged(arguments: str) -> None:
    assert parse([f'{{"name": "get_weather", "arguments": {arguments}}}']) == ("", [("get_weather", arguments)])


def test_a_call_answered_before_is_a_repeated_one() -> None:
    parser = ToolCallParser(NAMES, [ToolCall("c1", "get_weather", '{"city":"北京"}')])
    assert parser.feed(WEATHER) == []
    assert parser.repeated


def test_a_repeated_call_counts_once() -> None:
    parser = ToolCallParser(NAMES)
    first, second = parser.feed(WEATHER + "\n"), parser.feed(WEATHER)
    assert [type(event) for event in first + second] == [ToolCall]
    assert parser.repeated


def test_calls_get_their_own_ids() -> None:
    events = ToolCallParser(NAMES).feed(WEATHER + TIMER)
    ids = {event.id for event in events if isinstance(event, ToolCall)}
    assert len(ids) == 2


_PIECES = st.sampled_from(
    [
        "{",
        "}",
        '"',
        "```",
        "`",
        "json",
        "\n",
        " ",
        "<tool_call>",
        "</tool_call>",
        "<",
        "Hi",
        "你",
        WEATHER,
        TIMER,
        "\\",
        "[",
        ":",
    ]
)
_CALLS = st.builds(
    lambda name, arguments: json.dumps({"name": name, "arguments": arguments}),
    st.sampled_from(NAMES),
    st.dictionaries(st.text(), st.text() | st.integers() | st.dictionaries(st.text(), st.text())),
)


def _cut(text: str, points: Sequence[int]) -> list[str]:
    edges = sorted({0, len(text), *(point % (len(text) + 1) for point in points)})
    return [text[start:end] for start, end in pairwise(edges)]


@given(st.lists(_PIECES | st.text(max_size=5), max_size=12), st.lists(st.integers(0, 500), max_size=8))
def test_the_way_the_stream_is_cut_does_not_matter(pieces: list[str], points: list[int]) -> None:
    reply = "".join(pieces)
    assert parse(_cut(reply, points)) == parse([reply])


@given(st.lists(st.text(), max_size=8))
def test_a_reply_without_the_names_comes_out_as_it_went_in(pieces: list[str]) -> None:
    reply = "".join(pieces)
    assert parse(pieces) == (reply, [])


@given(
    _CALLS, st.sampled_from(["{}", "```json\n{}\n```", "<tool_call>\n{}\n</tool_call>"]), st.lists(st.integers(0, 500))
)
def test_any_call_survives_any_cut(call: str, form: str, points: list[int]) -> None:
    text, calls = parse(_cut(form.replace("{}", call, 1), points))
    assert text == ""
    assert [(name, json.loads(arguments)) for name, arguments in calls] == [
        (json.loads(call)["name"], json.loads(call)["arguments"])
    ]
