"""Base64 is read however it is written, where that can mean one thing only."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.refusals import refusal
from vivavoce.protocol.base64_text import from_base64
from vivavoce.protocol.detection import DIALECTS
from vivavoce.protocol.dialect import DialectName, decode

every_dialect = pytest.mark.parametrize("dialect", DIALECTS)


@given(
    st.binary(max_size=200),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["", "\n", "\r\n", " ", "\t"]),
    st.integers(1, 76),
)
def test_line_breaks_alphabet_and_padding_are_free(
    data: bytes, web: bool, padded: bool, between: str, width: int
) -> None:
    text = (base64.urlsafe_b64encode if web else base64.b64encode)(data).decode()
    text = text if padded else text.rstrip("=")
    lines = [text[at : at + width] for at in range(0, len(text), width)]
    assert from_base64(between.join([*lines, ""])) == data


@pytest.mark.parametrize(
    "text", ["%%%", "A", "AAAAA", "AA==AA==", "AAA=A", "é", "AAAA\0", "data:audio/pcm;base64,AAAA"]
)
def test_what_is_no_base64_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_base64(text)


def append(audio: Any) -> dict[str, Any]:
    return {"type": "input_audio_buffer.append", "audio": audio}


def recording(audio: Any) -> dict[str, Any]:
    content = [{"type": "input_audio", "audio": audio}]
    return {"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": content}}


@every_dialect
@pytest.mark.parametrize("text", ["AAEC\nAwQF\n", "AAEC\r\nAwQF", " AAECAwQF"])
def test_audio_may_be_broken_into_lines(dialect: DialectName, text: str) -> None:
    event: Any = decode(json.dumps(append(text)), DIALECTS[dialect])
    assert event.audio == bytes(range(6))
    event = decode(json.dumps(recording(text)), DIALECTS[dialect])
    assert event.item.content[0].audio == bytes(range(6))


@every_dialect
@pytest.mark.parametrize("audio", ["%%%", 5, None, ["AAAA"]])
def test_audio_that_is_none_is_refused_where_it_stands(dialect: DialectName, audio: Any) -> None:
    assert refusal(append(audio), DIALECTS[dialect]).param == "audio"
    if audio is not None:
        assert refusal(recording(audio), DIALECTS[dialect]).param == "item.content[0].audio"


@every_dialect
def test_audio_may_not_be_missing(dialect: DialectName) -> None:
    error = refusal({"type": "input_audio_buffer.append"}, DIALECTS[dialect])
    assert (error.param, error.code) == ("audio", "missing_required_parameter")
