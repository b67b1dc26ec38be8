"""Which calls leave, when, and with what: blanks where a value should be are nobody's words."""

from __future__ import annotations

import json
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from net.pages import Pages, served
from vivavoce.engines.llama.call_stream import Argument, CallStream, Closed, Opened
from vivavoce.engines.llama.tool_classifier import ReplyKind
from vivavoce.engines.llama.tool_reply import ToolReply, calls_answered
from vivavoce.types import GenerationOptions, Message, TextDelta, Tool, ToolCall, ToolCallDelta

Event: TypeAlias = TextDelta | ToolCallDelta | ToolCall

WEATHER = Tool(
    "get_weather",
    "Weather of a city.",
    {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "unit": {"type": "string"},
            "scale": {"enum": ["celsius", "fahrenheit"]},
        },
        "required": ["city"],
    },
)

SAID = "Paris, Rome, New York or Mytown? It is hot, in C."

LAMP = Tool("lamp", "Switches the lamp.", {"type": "object"})


def reply_to(
    written: str, *, kind: ReplyKind = "calls", said: str = SAID, **options: object
) -> tuple[ToolReply, list[Event]]:
    asked = GenerationOptions(tools=(WEATHER, LAMP), **options)  # type: ignore[arg-type]
    reply = ToolReply((Message("user", said),), asked, kind)
    events: list[Event] = []
    for char in written:
        events += reply.feed(char)
        if reply.over:
            return reply, events
    return reply, events


def weather(**arguments: object) -> str:
    return f"get_weather {json.dumps(arguments)}"


def calls_of(events: list[Event]) -> list[dict[str, object]]:
    return [json.loads(event.arguments) for event in events if isinstance(event, ToolCall)]


@pytest.mark.parametrize("blank", ["your_city", "<city>", "[location]", "unknown", "...", "Your City", "string", "any"])
def test_a_call_with_a_blank_it_needs_is_asked_for_again_in_words(blank: str) -> None:
    reply, events = reply_to(weather(city=blank))
    assert events == []
    assert (reply.again, reply.missing) == ("none", "city")


@pytest.mark.parametrize("city", ["Paris", "New York", "上海", "Mytown", "None-le-Vieux", 'say "{hi}, you" \\'])
def test_a_name_is_no_blank(city: str) -> None:
    reply, events = reply_to(weather(city=city))
    assert calls_of(events) == [{"city": city}]
    assert reply.again is None


@pytest.mark.parametrize(("written", "left"), [("paris", "Paris"), ("NEW YORK", "New York"), ("par", "par"), ("", "")])
def test_a_name_is_spelled_as_the_user_spelled_it(written: str, left: str) -> None:
    _, events = reply_to(weather(city=written), tool_choice="required")
    assert calls_of(events) == [{"city": left}]


def test_a_second_call_that_nobody_asked_for_ends_the_reply() -> None:
    """The first has left; a city out of the air does not follow it."""
    reply, events = reply_to(f"{weather(city='Paris')} {weather(city='Oslo')}")
    assert calls_of(events) == [{"city": "Paris"}]
    assert (reply.over, reply.again) == (True, None)


def test_instructions_ask_anew_for_what_was_called_before_the_last_answer() -> None:
    call, orders = ToolCall("c1", "get_weather", '{"city": "Paris"}'), Message("system", "Tell the weather in Paris.")
    told = (Message("assistant", "", (call,)), Message("tool", "sunny", (), "c1"))
    answer = Message("assistant", "It is sunny.")
    assert calls_answered((orders, *told)) == (call,)
    assert calls_answered((orders, *told, orders)) == (call,), "the client says the same again, to have the result told"
    assert calls_answered((orders, *told, answer, orders)) == ()
    assert calls_answered((Message("user", "Paris?"), *told, answer)) == (call,)


def test_an_optional_blank_is_left_out() -> None:
    _, events = reply_to(weather(city="Paris", unit="unknown"))
    assert calls_of(events) == [{"city": "Paris"}]


@pytest.mark.parametrize(
    ("said", "scale", "left"),
    [
        ("Paris, please.", "celsius", False),
        ("Paris, in Fahrenheit.", "fahrenheit", True),
        ("巴黎热吗？", "celsius", False),
        ("巴黎多少华氏度？", "fahrenheit", True),
    ],
)
def test_a_listed_value_nobody_chose_is_left_out_where_it_can_be(said: str, scale: str, left: bool) -> None:
    _, events = reply_to(weather(city="Paris", scale=scale), said=said)
    assert calls_of(events) == [{"city": "Paris", "scale": scale} if left else {"city": "Paris"}]


def test_who_insists_on_a_call_gets_it() -> None:
    reply, events = reply_to(weather(city="your_city"), tool_choice="required")
    assert calls_of(events) == [{"city": "your_city"}]
    assert reply.again is None


def test_arguments_leave_one_by_one_and_join_to_the_whole() -> None:
    _, events = reply_to(weather(city="Paris", unit="C", days=[1, {"and": "more, of it"}]))
    deltas = [event for event in events if isinstance(event, ToolCallDelta)]
    assert [delta.arguments for delta in deltas] == [
        '{"city": "Paris"', ', "unit": "C"', ', "days": [1, {"and": "more, of it"}]', "}"
    ]  # fmt: skip
    [whole] = [event for event in events if isinstance(event, ToolCall)]
    assert "".join(delta.arguments for delta in deltas) == whole.arguments
    assert {delta.id for delta in deltas} == {whole.id}


@pytest.mark.parametrize("x", [{"$ref": "{url}"}, {"$ref": "#/nowhere"}, {"$ref": "#/properties/x"}])
def test_what_a_schema_refers_to_elsewhere_is_not_fetched(x: dict[str, str]) -> None:
    """Clients and tool servers write schemas: one that says where to look would lead the server there."""
    pages = Pages()
    with served(pages) as port:
        x = {"$ref": x["$ref"].replace("{url}", f"http://127.0.0.1:{port}/schema")}
        odd = Tool("odd", "", {"type": "object", "properties": {"x": x}, "required": ["x"]})
        reply = ToolReply((Message("user", SAID),), GenerationOptions(tools=(odd,)), "calls")
        events = list(reply.feed('odd {"x": "Paris"}'))
    assert calls_of(events) == [{"x": "Paris"}]
    assert not pages.asked


def test_a_call_without_arguments() -> None:
    _, events = reply_to("lamp {}")
    assert calls_of(events) == [{}]


def test_several_calls_and_the_same_one_again() -> None:
    reply, events = reply_to(" ".join([weather(city="Paris"), "lamp {}", weather(city="Rome"), "lamp {}", "lamp {}"]))
    assert calls_of(events) == [{"city": "Paris"}, {}, {"city": "Rome"}]
    assert reply.over
    assert reply.again is None


def test_one_call_where_only_one_is_wanted() -> None:
    _, events = reply_to(weather(city="Paris") + " " + weather(city="Rome"), parallel_tool_calls=False)
    assert calls_of(events) == [{"city": "Paris"}]


def test_a_reply_that_goes_on_keeps_its_blank() -> None:
    _, events = reply_to(" and so on.", kind="words", continue_last_message=True)
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == " and so on."


def test_a_call_that_was_answered_is_asked_for_again_in_words() -> None:
    called = ToolCall("c1", "get_weather", '{"city":"Paris"}')
    history = (Message("user", SAID), Message("assistant", "", (called,)), Message("tool", "sunny", (), "c1"))
    reply = ToolReply(history, GenerationOptions(tools=(WEATHER, LAMP)), "calls")
    assert [*reply.feed(weather(city="Paris"))] == []
    assert (reply.over, reply.again) == (True, "none")
    other = ToolReply(history, GenerationOptions(tools=(WEATHER, LAMP)), "calls")
    assert calls_of([*other.feed(weather(city="Rome"))]) == [{"city": "Rome"}]


@given(
    arguments=st.dictionaries(st.text(min_size=1), st.recursive(
        st.integers() | st.booleans() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    ), max_size=4),
    data=st.data(),
)  # fmt: skip
def test_wherever_the_text_is_cut_the_same_arguments_come_out(
    arguments: dict[str, object], data: st.DataObject
) -> None:
    text = f"lamp {json.dumps(arguments, ensure_ascii=False)}"
    cut = data.draw(st.integers(0, len(text)))
    stream = CallStream()
    parts = [*stream.feed(text[:cut]), *stream.feed(text[cut:])]
    assert parts[0] == Opened("lamp")
    assert parts[-1] == Closed()
    assert {part.name: part.value for part in parts if isinstance(part, Argument)} == arguments
