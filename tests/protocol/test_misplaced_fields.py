"""Fields in another dialect's place are understood: clients moved from one to the other forget a field or two."""

from __future__ import annotations

import json
from typing import Any

import pytest

from protocol.refusals import refusal
from session.wired import Wired, message
from vivavoce.protocol.detection import DIALECTS
from vivavoce.protocol.dialect import DialectName, decode
from vivavoce.protocol.session_translation import EXTRAS, FLAT_FIELDS, NESTED_FIELDS, NESTED_RESPONSE_FIELDS
from vivavoce.session.outputs import StartReply

Json = dict[str, Any]

FLAT: list[DialectName] = ["stepfun", "openai_beta"]

VALUES: Json = {
    "kind": "transcription",
    "modalities": ["text"],
    "voice": "v2",
    "input_audio_format": "g711_ulaw",
    "output_audio_format": {"type": "audio/pcm", "rate": 16000},
    "transcription": {"model": "whisper-1", "language": "en"},
    "noise_reduction": {"type": "far_field"},
    "turn_detection": {"type": "server_vad", "energy_awakeness_threshold": 1000},
    "temperature": 0.7,
    "speed": 1.25,
    "voice_label": {"emotion": "高兴"},
    "instruction": "Softly.",
    "max_output_tokens": 100,
    "tool_choice": "lamp",
}
"""A value for each field that has two places, or two spellings."""


def placed(path: str, value: Any) -> Json:
    """A session with ``value`` at this dotted path."""
    for step in reversed(path.split(".")):
        value = {step: value}
    session: Json = value
    return session


def patch(dialect: DialectName, session: Json) -> Any:
    required = {"type": "realtime"} if dialect == "openai" else {}
    event: Any = decode(json.dumps({"type": "session.update", "session": {**required, **session}}), DIALECTS[dialect])
    return event.session


@pytest.mark.parametrize("name", ["voice", "speed", "transcription", "noise_reduction", "turn_detection"])
def test_a_level_that_was_left_out_is_no_reason_to_ignore_a_field(name: str) -> None:
    """``{"audio": {"voice": …}}`` was ignored without a word."""
    assert f"audio.{name}" in NESTED_FIELDS[name].also


@pytest.mark.parametrize("name", VALUES)
def test_every_field_means_the_same_in_either_place_in_every_dialect(name: str) -> None:
    fields = [table[name] for table in (FLAT_FIELDS, NESTED_FIELDS) if name in table]
    places = {path for field in fields for path in (field.path, *field.also)}
    read = [getattr(patch(dialect, placed(path, VALUES[name])), name) for dialect in DIALECTS for path in places]
    assert len(set(map(repr, read))) == 1, read


def test_no_field_is_forgotten() -> None:
    apart = {
        name
        for name in {*FLAT_FIELDS, *NESTED_FIELDS}
        if len({table[name].path for table in (FLAT_FIELDS, NESTED_FIELDS) if name in table}) == 2
        or name not in FLAT_FIELDS
        or name not in NESTED_FIELDS
    }
    assert apart <= set(VALUES)


@pytest.mark.parametrize("dialect", FLAT)
def test_off_is_off_in_either_place(dialect: DialectName) -> None:
    nulls = {"turn_detection": None, "transcription": None, "noise_reduction": None}
    read = patch(dialect, {"audio": {"input": nulls}})
    assert (read.turn_detection, read.transcription, read.noise_reduction) == (None, None, None)
    read = patch("openai", {"turn_detection": None, "input_audio_transcription": None})
    assert (read.turn_detection, read.transcription) == (None, None)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_dialects_own_place_counts_where_both_are_filled(dialect: DialectName) -> None:
    both = {"voice": "flat", "audio": {"output": {"voice": "nested"}}}
    assert patch(dialect, both).voice == ("nested" if dialect == "openai" else "flat")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_only_echoed_is_echoed_in_every_dialect(dialect: DialectName) -> None:
    given = dict.fromkeys(EXTRAS, "auto")
    wired = Wired(dialect)
    (updated,) = wired.send({"type": "session.update", "session": {"type": "realtime", **given}})
    assert {name: updated["session"][name] for name in EXTRAS} == given


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_refusal_names_the_place_the_client_chose(dialect: DialectName) -> None:
    required = {"type": "realtime"} if dialect == "openai" else {}
    for path in ("speed", "audio.output.speed"):
        event = {"type": "session.update", "session": {**required, **placed(path, 9)}}
        assert refusal(event, DIALECTS[dialect]).param == f"session.{path}"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_session_speaks_with_the_voice_it_was_given(dialect: DialectName) -> None:
    for session in ({"voice": "v2"}, {"audio": {"output": {"voice": "v2"}}}):
        wired = Wired(dialect)
        wired.send({"type": "session.update", "session": {"type": "realtime", **session}})
        wired.send(message("hello"), {"type": "response.create"})
        assert wired.commands(StartReply)[0].voice == "v2"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_response_is_overridden_in_either_place(dialect: DialectName) -> None:
    flat = {"voice": "v2", "max_response_output_tokens": 7, "output_audio_format": "g711_alaw"}
    nested = {"audio": {"output": {"voice": "v2", "format": {"type": "audio/pcma"}}}, "max_output_tokens": 7}
    for response in (flat, nested):
        wired = Wired(dialect)
        wired.send(message("hello"), {"type": "response.create", "response": response})
        (work,) = wired.commands(StartReply)
        assert (work.voice, work.options.max_tokens) == ("v2", 7)
    for modalities in ({"modalities": ["text"]}, {"output_modalities": ["text"]}):
        wired = Wired(dialect)
        wired.send(message("hello"), {"type": "response.create", "response": modalities})
        assert wired.commands(StartReply)[0].voice is None
    assert set(NESTED_RESPONSE_FIELDS) <= {*VALUES, "instructions", "tools", "parallel_tool_calls"}
