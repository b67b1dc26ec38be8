"""Arguments that somebody said, and those that a model made up."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.tools.provenance import said_in, unsaid_arguments
from vivavoce.tools.rendering import render
from vivavoce.types import Message, ToolResult

ORDER = {"type": "object", "properties": {"order_id": {"type": "string"}}, "required": ["order_id"]}


def unsaid(says: str, arguments: dict[str, Any], schema: dict[str, Any] | None = None, *before: Message) -> list[str]:
    required = {"type": "object", "properties": {}, "required": list(arguments)}
    return unsaid_arguments(arguments, schema or required, said_in([*before, Message("user", says)]))


@pytest.mark.parametrize(
    ("says", "arguments"),
    [
        ("Where is order 47112?", {"order_id": "47112"}),
        ("Where is order four seven one one two?", {"order_id": "47112"}),
        ("It's 4711 2.", {"order_id": 47112}),
        ("order 47 112 please", {"order_id": "47112"}),
        ("订单四七一一二", {"order_id": "47112"}),
        ("我的手机是幺三八零零幺三八零零零", {"phone": "13800138000"}),
        ("flight LH 454", {"flight": "LH454"}),
        ("Book Doctor Weber on Tuesday at ten", {"doctor": "Dr. Weber", "date": "2026-12-01", "time": "10:00"}),
        ("明天下午三点约王医生", {"doctor": "王医生", "date": "2026-12-01", "time": "15:00"}),
        ("Send fifty euros to Anna", {"recipient": "Anna", "amount": 50}),
        ("Send 250 euros to Ana", {"recipient": "Anna", "amount": 250.0}),
        ("The kettle is broken, refund it", {"reason": "The item arrived defective"}),
        ("What's the weather in NYC?", {"city": "New York City"}),
        ("巴黎天气怎么样？", {"city": "Paris"}),
        ("What is the weather in Beijing?", {"city": "北京"}),
        ("Two nights please", {"nights": 2}),
        ("make it loud", {"level": "loud", "on": True}),
    ],
)
def test_what_was_said_may_be_called_with(says: str, arguments: dict[str, Any]) -> None:
    assert unsaid(says, arguments) == []


@pytest.mark.parametrize(
    ("says", "arguments", "names"),
    [
        ("查一下我的订单", {"order_id": "12345"}, ["order_id"]),
        ("Check my order.", {"order_id": "12345"}, ["order_id"]),
        ("Check my order.", {"order_id": "your order number"}, ["order_id"]),
        ("Check my order.", {"order_id": "unknown"}, ["order_id"]),
        ("Check my order.", {"order_id": ""}, ["order_id"]),
        ("Refund order 47112.", {"order_id": "47112", "amount": 129.9}, ["amount"]),
        ("Book an appointment.", {"doctor": "Dr. Smith", "date": "2026-12-01"}, ["doctor", "date"]),
        ("Transfer fifty euros.", {"recipient": "John Doe", "amount": 50}, ["recipient"]),
        ("No, four seven one three two.", {"order_id": "47112"}, ["order_id"]),
        ("The order is AB 12.", {"order_id": "CD 12"}, ["order_id"]),
    ],
)
def test_what_nobody_said_is_named(says: str, arguments: dict[str, Any], names: list[str]) -> None:
    assert unsaid(says, arguments) == names


def test_what_may_be_left_out_is_not_asked_for() -> None:
    assert unsaid("Refund order 47112.", {"order_id": "47112", "note": ""}, ORDER) == []


def test_a_function_and_the_instructions_can_tell_it() -> None:
    told = (
        Message("system", "The caller's account is 990017."),
        Message("tool", '{"order_id": "55501"}', (), "call_1"),
    )
    assert unsaid("Refund it.", {"order_id": "55501"}, None, *told) == []
    assert unsaid("Close it.", {"account": "990017"}, None, *told) == []


def test_neither_the_assistant_nor_a_document_can() -> None:
    document = Message("tool", render(ToolResult("Hotline 0800 55501."), 500, ""), (), "call_1")
    assert unsaid("Refund it.", {"order_id": "55501"}, None, Message("assistant", "Order 55501?"), document) == [
        "order_id"
    ]


@pytest.mark.parametrize(
    ("says", "arguments", "missing"),
    [
        ("I want to see another doctor, book it.", {"doctor": "Doctor Lee", "day": "Friday"}, ["doctor", "day"]),
        ("I want to see another doctor, book it.", {"doctor": "doctor"}, ["doctor"]),
        ("Book me with Doctor Lee on Friday.", {"doctor": "Dr Lee", "day": "Friday"}, []),
        ("Book me with Doctor Lee on Friday.", {"doctor": "Lee", "day": "Fri"}, []),
        ("Book me with Doctor Lee tomorrow.", {"doctor": "Dr. Lee", "day": "Friday"}, []),
        ("Book me with Lee on the 5th.", {"doctor": "Dr. Lee", "day": "Friday"}, []),
        ("Number P3087, book Doctor Lee.", {"doctor": "Dr. Lee", "day": "Tuesday"}, ["day"]),
        ("我还想看一位别的医生，编号P3087。", {"doctor": "张医生", "day": "周五"}, ["doctor", "day"]),
        ("请约星期五的张医生。", {"doctor": "张医生", "day": "周五"}, []),
        ("请约五号的张医生。", {"doctor": "张大夫", "day": "周五"}, []),
        ("换一位老师吧。", {"contact": "王老师"}, ["contact"]),
        ("Tell Mrs Brandt I am late.", {"contact": "Ms Brandt"}, []),
    ],
)
def test_a_title_is_no_name_and_a_day_has_to_be_said(says: str, arguments: dict[str, str], missing: list[str]) -> None:
    assert unsaid(says, arguments) == missing


@pytest.mark.parametrize(
    ("says", "amount", "is_said"),
    [
        ("给我妈转两千。", "2,000", True),
        ("给我妈转一千五。", "1500", True),
        ("给我妈转两万块。", "20000元", True),
        ("Send two hundred and fifty euros.", "250.00", True),
        ("Send 1,200 dollars.", "$1,200", True),
        ("Send 1,200 dollars.", "1300", False),
        ("给我妈转两千。", "20,000", False),
        ("Send two hundred and fifty euros.", 250, True),
        ("给我妈转一千五。", 1500, True),
        ("给我妈转一千五。", 1050, False),
    ],
)
def test_an_amount_is_compared_as_a_number(says: str, amount: object, is_said: bool) -> None:
    assert unsaid(says, {"amount": amount}) == ([] if is_said else ["amount"])


@pytest.mark.parametrize(("says", "missing"), [("Wake me at six in the morning.", []), ("Wake me, please.", ["time"])])
def test_a_time_of_the_day_may_be_told_in_full(says: str, missing: list[str]) -> None:
    assert unsaid(says, {"time": "06:00 AM"}) == missing


def test_a_relative_may_be_called_otherwise() -> None:
    assert unsaid("给我妈转两千。", {"recipient": "妈妈"}) == []
    assert unsaid("给我爸转两千。", {"recipient": "妈妈"}) == ["recipient"]


def test_an_enum_is_the_schemas_own_words() -> None:
    schema = {"properties": {"mode": {"enum": ["eco", "boost"]}}, "required": ["mode"]}
    assert unsaid("Make it strong.", {"mode": "boost"}, schema) == []


def test_nested_arguments_are_looked_into() -> None:
    schema = {
        "properties": {"items": {"type": "array", "items": {"properties": {"id": {"type": "string"}}}}},
        "required": ["items"],
    }
    assert unsaid("Order item 4711.", {"items": [{"id": "4711"}]}, schema) == []
    assert unsaid("Order item 4711.", {"items": [{"id": "4711"}, {"id": "9921"}]}, schema) == ["items"]


@given(st.integers(min_value=100, max_value=10**12), st.integers(min_value=100, max_value=10**12))
def test_any_number_said_is_said_and_no_other(said: int, other: int) -> None:
    assert unsaid(f"It is {said}.", {"order_id": str(said)}) == []
    if other != said:
        assert unsaid(f"It is {said}.", {"order_id": str(other)}) == ["order_id"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    ),
    st.text(),
)
def test_whatever_is_called_with_is_weighed(value: object, says: str) -> None:
    assert unsaid(says, {"any": value}) in ([], ["any"])
