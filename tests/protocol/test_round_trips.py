"""A session shown and sent back is the same session, in every dialect."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol.generating import configs
from vivavoce.audio.audio_format import AudioFormat
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.client_events import SessionUpdate
from vivavoce.protocol.detection import DIALECTS
from vivavoce.protocol.dialect import decode, encode
from vivavoce.protocol.session_config import SessionConfig, SessionPatch, TurnDetection, patched

slow = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("name", DIALECTS)
@given(st.data())
@slow
def test_a_session_sent_back_is_the_same_session(name: Any, data: st.DataObject) -> None:
    dialect = DIALECTS[name]
    config = data.draw(configs(name))
    frame = encode(ev.SessionUpdated(event_id="e", session_id="s", session=config), dialect)[0]
    shown = json.loads(frame)["session"]
    # what the shown session leaves out is what a new session has
    fresh = SessionConfig(model=config.model, voice="other", turn_detection=TurnDetection(threshold=0.25))

    patch = msgspec.convert(dialect.session_to_canonical(shown, "session"), SessionPatch)
    assert patched(fresh, patch, TurnDetection()) == config

    update = decode(json.dumps({"type": "session.update", "session": shown}), dialect)
    assert update == SessionUpdate(session=patch)


@pytest.mark.parametrize("name", ["openai_beta", "openai"])
@given(st.data())
@slow
def test_a_transcription_session_sent_back_hears_the_same(name: Any, data: st.DataObject) -> None:
    dialect = DIALECTS[name]
    config = data.draw(configs(name, "transcription"))
    event = ev.SessionUpdated(event_id="e", session_id="s", session=config)
    shown = json.loads(encode(event, dialect)[0])["session"]
    kind = "transcription_session.update" if name == "openai_beta" else "session.update"
    update = decode(json.dumps({"type": kind, "session": shown}), dialect)
    assert isinstance(update, SessionUpdate)
    again = patched(SessionConfig(model="m", voice="v"), update.session, TurnDetection())
    heard = ("kind", "input_audio_format", "transcription", "noise_reduction", "turn_detection", "extras")
    assert [getattr(again, field) for field in heard] == [getattr(config, field) for field in heard]


FORMATS = [
    ("pcm16", {"type": "audio/pcm"}, AudioFormat(), "pcm16", {"type": "audio/pcm", "rate": 24000}),
    ("pcm16_24000", {"type": "audio/pcm", "rate": 24000}, AudioFormat(), "pcm16", {"type": "audio/pcm", "rate": 24000}),
    *(
        (f"pcm16_{rate}", {"type": "audio/pcm", "rate": rate}, AudioFormat(rate_hz=rate), f"pcm16_{rate}",
         {"type": "audio/pcm", "rate": rate})
        for rate in (8000, 16000, 48000)
    ),
    ("g711_ulaw", {"type": "audio/pcmu"}, AudioFormat(encoding="g711_ulaw", rate_hz=8000), "g711_ulaw",
     {"type": "audio/pcmu"}),
    ("g711_alaw", {"type": "audio/pcma"}, AudioFormat(encoding="g711_alaw", rate_hz=8000), "g711_alaw",
     {"type": "audio/pcma"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "described", "format", "shown_name", "shown_object"), FORMATS)
def test_a_format_is_understood_and_shown_in_the_dialects_way(
    name: str, described: dict[str, Any], format: AudioFormat, shown_name: str, shown_object: dict[str, Any]
) -> None:
    config = SessionConfig(model="m", voice="v", input_audio_format=format, output_audio_format=format)
    event = ev.SessionUpdated(event_id="e", session_id="s", session=config)
    for flat in ("stepfun", "openai_beta"):
        for spelling in (name, described):
            session = {"input_audio_format": spelling, "output_audio_format": spelling}
            update: Any = decode(json.dumps({"type": "session.update", "session": session}), DIALECTS[flat])
            assert (update.session.input_audio_format, update.session.output_audio_format) == (format, format)
        shown = json.loads(encode(event, DIALECTS[flat])[0])["session"]
        assert (shown["input_audio_format"], shown["output_audio_format"]) == (shown_name, shown_name)
    audio = {"input": {"format": described}, "output": {"format": described}}
    update = decode(
        json.dumps({"type": "session.update", "session": {"type": "realtime", "audio": audio}}), DIALECTS["openai"]
    )
    assert (update.session.input_audio_format, update.session.output_audio_format) == (format, format)
    shown = json.loads(encode(event, DIALECTS["openai"])[0])["session"]["audio"]
    assert (shown["input"]["format"], shown["output"]["format"]) == (shown_object, shown_object)


def test_extras_are_patched_one_by_one() -> None:
    config = SessionConfig(model="m", voice="v", extras={"tracing": "auto", "truncation": "auto"})
    patch = msgspec.convert(
        DIALECTS["openai"].session_to_canonical(
            {"type": "realtime", "tracing": None, "reasoning": {"effort": "low"}}, "session"
        ),
        SessionPatch,
    )
    assert patched(config, patch, TurnDetection()).extras == {"truncation": "auto", "reasoning": {"effort": "low"}}
