"""JSON whose surrogates have lost their other half is read; whole pairs stay what they are."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.errors import ClientError
from vivavoce.protocol.bodies import Body, read_body
from vivavoce.protocol.detection import DIALECTS
from vivavoce.protocol.dialect import DialectName, decode
from vivavoce.protocol.json_text import parse_object, without_lone_surrogates

broken = st.text(st.characters(categories=["Cs", "Lu", "So", "Po"]) | st.sampled_from('\\"u\ud83d\ude00한語d8'))


def whole(text: str) -> str:
    """What UTF-16 makes of it."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


@given(broken, broken)
def test_every_half_is_replaced_and_every_pair_stays(key: str, value: str) -> None:
    for ascii_only in (True, False):
        text = json.dumps({key: [value]}, ensure_ascii=ascii_only)
        assert parse_object(text, "frame") == {whole(key): [whole(value)]}
        assert parse_object(text.encode("utf-8", "surrogatepass"), "frame") == {whole(key): [whole(value)]}


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_text_without_halves_is_not_touched(text: str) -> None:
    for ascii_only in (True, False):
        frame = json.dumps({text: text}, ensure_ascii=ascii_only).encode()
        assert without_lone_surrogates(frame) == frame


def test_an_escaped_backslash_begins_no_escape() -> None:
    assert parse_object(r'{"a": "\\ud83d", "b": "\\\ud83d"}', "frame") == {"a": r"\ud83d", "b": "\\\ufffd"}


@pytest.mark.parametrize(
    "data", [b'{"a": "\xed\xff"}', b'{"a": "\xff"}', b'{"a": "\xed', rb'{"a": "\ud8"}', b"[]", b"1"]
)
def test_what_is_wrong_for_another_reason_is_refused(data: bytes) -> None:
    with pytest.raises(ClientError) as caught:
        parse_object(data, "frame")
    assert caught.value.code == "invalid_json"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_event_is_read_and_a_bad_one_named(dialect: DialectName) -> None:
    frame = r'{"type": "conversation.item.delete", "event_id": "e\ud83d", "item_id": "\ude00x", "\ud83d": 1}'
    event: Any = decode(frame, DIALECTS[dialect])
    assert (event.event_id, event.item_id) == ("e\ufffd", "\ufffdx")
    with pytest.raises(ClientError) as caught:
        decode(
            r'{"type": "session.update", "event_id": "e1", "session": {"type": "realtime", "instructions": ["\ud83d"]}}',
            DIALECTS[dialect],
        )
    assert (caught.value.event_id, caught.value.param) == ("e1", "session.instructions")


def test_a_body_is_read() -> None:
    class AnswerMessage(Body):
        text: str

    assert read_body(rb'{"text": "cut \ud83d", "whole": "\ud83d\ude00"}', AnswerMessage).text == "cut \ufffd"
