"""Which dialect a connection speaks: by the handshake, else by the first event that tells."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from vivavoce.errors import ClientError
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.client_events import AudioAppend, SessionUpdate
from vivavoce.protocol.detection import DIALECTS, UndetectedDialect, detect, detect_and_decode
from vivavoce.protocol.dialect import Dialect, DialectName, encode
from vivavoce.protocol.session_config import SessionConfig

BETA_LIBRARY = ["realtime", "openai-insecure-api-key.null", "openai-beta.realtime-v1"]
NESTED = {"type": "function", "function": {"name": "lamp"}}
FLAT = {"type": "function", "name": "lamp"}


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("stepfun", "stepfun"),
        ("openai", "openai"),
        ("ga", "openai"),
        ("openai-beta", "openai_beta"),
        ("beta", "openai_beta"),
    ],
)
def test_the_query_decides_before_all_else(query: str, name: DialectName) -> None:
    for default in DIALECTS:
        assert detect(query, "realtime=v1", BETA_LIBRARY, default) is DIALECTS[name]


@pytest.mark.parametrize("query", ["", "esperanto", "OPENAI"])
def test_an_unknown_dialect_is_refused(query: str) -> None:
    with pytest.raises(ClientError) as caught:
        detect(query, None, [], "stepfun")
    assert caught.value.param == "dialect"


HANDSHAKES: list[tuple[str | None, list[str]]] = [
    ("realtime=v1", []),
    ("assistants=v2, realtime=v1", []),
    (None, BETA_LIBRARY),
    ("realtime=v1", BETA_LIBRARY),
]


@pytest.mark.parametrize(("header", "subprotocols"), HANDSHAKES)
def test_header_and_sub_protocol_mean_the_beta_but_not_for_a_stepfun_model(
    header: str | None, subprotocols: list[str]
) -> None:
    assert detect(None, header, subprotocols, "openai") is DIALECTS["openai_beta"]
    assert detect(None, header, subprotocols, "openai_beta") is DIALECTS["openai_beta"]
    own_client = detect(None, header, subprotocols, "stepfun")
    assert isinstance(own_client, UndetectedDialect)
    assert own_client.name == "stepfun"


@pytest.mark.parametrize("default", DIALECTS)
def test_without_a_word_the_connection_is_open(default: DialectName) -> None:
    dialect = detect(None, "assistants=v2", ["realtime"], default)
    assert isinstance(dialect, UndetectedDialect)
    assert dialect.name == default


def told(event: dict[str, Any], assumed: DialectName) -> Dialect:
    return detect_and_decode(json.dumps(event), UndetectedDialect(assumed))[1]


def update(**session: Any) -> dict[str, Any]:
    return {"type": "session.update", "session": session}


@pytest.mark.parametrize(
    ("event", "name"),
    [
        (update(type="realtime"), "openai"),
        (update(type="transcription"), "openai"),
        ({"type": "response.create", "response": {"output_modalities": ["text"]}}, "openai"),
        ({"type": "response.create", "response": {"audio": {"output": {"voice": "v"}}}}, "openai"),
        (
            {
                "type": "conversation.item.create",
                "item": {"role": "assistant", "content": [{"type": "output_text", "text": "t"}]},
            },
            "openai",
        ),
        (update(turn_detection={"type": "server_vad", "energy_awakeness_threshold": 2500}), "stepfun"),
        (update(tools=[NESTED]), "stepfun"),
        ({"type": "response.create", "response": {"tools": [NESTED]}}, "stepfun"),
        ({"type": "transcription_session.update", "session": {}}, "openai_beta"),
    ],
)
def test_an_event_that_tells_settles_the_dialect_whatever_was_assumed(event: dict[str, Any], name: DialectName) -> None:
    for assumed in DIALECTS:
        assert told(event, assumed) is DIALECTS[name]


@pytest.mark.parametrize(
    "event",
    [
        update(),
        update(instructions="i", tools=[FLAT]),
        update(modalities=["text", "audio"], turn_detection=None, input_audio_transcription=None),
        {"type": "response.create"},
        {"type": "response.create", "response": None},
        {"type": "response.create", "session": {"instructions": "Say hello."}},
        {
            "type": "conversation.item.create",
            "item": {"role": "user", "content": [{"type": "input_text", "text": "t"}]},
        },
    ],
)
def test_an_event_that_could_be_anyones_settles_for_what_was_assumed(event: dict[str, Any]) -> None:
    assert told(event, "stepfun") is DIALECTS["stepfun"]
    assert told(event, "openai_beta") is DIALECTS["openai_beta"]


def test_a_flat_session_is_not_ga() -> None:
    assert told(update(modalities=["text"]), "openai") is DIALECTS["openai_beta"]


def test_other_events_settle_nothing() -> None:
    dialect = UndetectedDialect("stepfun")
    event, after = detect_and_decode('{"type":"input_audio_buffer.append","audio":"AAA="}', dialect)
    assert isinstance(event, AudioAppend)
    assert after is dialect


def test_a_refused_update_settles_nothing_and_is_refused_in_its_own_words() -> None:
    event = update(type="realtime", audio={"output": {"speed": 9}})
    with pytest.raises(ClientError) as caught:
        told(event, "stepfun")
    assert caught.value.param == "session.audio.output.speed"


def test_only_the_first_session_has_all_spellings() -> None:
    config = SessionConfig(model="m", voice="v")
    created = json.loads(
        encode(ev.SessionCreated(event_id="e", session_id="s", session=config), UndetectedDialect("stepfun"))[0]
    )["session"]
    assert created["type"] == "realtime"
    assert created["output_modalities"] == ["audio"]
    assert created["audio"]["output"]["voice"] == created["voice"] == "v"
    assert created["max_response_output_tokens"] == created["max_output_tokens"] == 4096
    updated = json.loads(
        encode(ev.SessionUpdated(event_id="e", session_id="s", session=config), UndetectedDialect("stepfun"))[0]
    )["session"]
    assert "audio" not in updated


GA_UPDATE = {"type": "session.update", "session": {"type": "realtime"}}


@pytest.mark.parametrize(
    ("update", "ga_voice", "voice"),
    [
        (GA_UPDATE, "marin", "marin"),
        ({**GA_UPDATE, "session": {"type": "realtime", "audio": {"output": {"voice": "cedar"}}}}, "marin", "cedar"),
        (GA_UPDATE, None, msgspec.UNSET),
        ({**GA_UPDATE, "session": {"type": "transcription"}}, "marin", msgspec.UNSET),
        ({"type": "session.update", "session": {"modalities": ["text"]}}, "marin", msgspec.UNSET),
    ],
)
def test_a_client_that_turns_out_to_speak_ga_gets_its_voice(update: Any, ga_voice: str | None, voice: object) -> None:
    event, _ = detect_and_decode(json.dumps(update), UndetectedDialect("stepfun", ga_voice))
    assert isinstance(event, SessionUpdate)
    assert event.session.voice == voice


def test_before_anything_is_settled_each_dialect_is_shown_its_voice() -> None:
    created = ev.SessionCreated(event_id="e", session_id="s", session=SessionConfig(model="m", voice="qingchunshaonv"))
    for ga_voice, shown in (("marin", "marin"), (None, "qingchunshaonv")):
        session = json.loads(encode(created, UndetectedDialect("stepfun", ga_voice))[0])["session"]
        assert (session["voice"], session["audio"]["output"]["voice"]) == ("qingchunshaonv", shown)


def test_only_a_connection_that_begins_in_stepfuns_dialect_changes_its_voice() -> None:
    for default in DIALECTS:
        dialect = detect(None, None, [], default, "marin")
        assert isinstance(dialect, UndetectedDialect)
        assert dialect.ga_voice == ("marin" if default == "stepfun" else None)
