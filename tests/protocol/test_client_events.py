"""What clients send: everything well-formed is understood, everything else is refused, and nothing else happens."""

from __future__ import annotations

import base64
import json
import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol.wire import client_events, spoiled
from vivavoce.errors import ClientError
from vivavoce.protocol import client_events as client
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.asr_stream import AsrStream
from vivavoce.protocol.detection import DIALECTS, UndetectedDialect, detect_and_decode
from vivavoce.protocol.dialect import Dialect, decode, encode
from vivavoce.protocol.session_config import SessionConfig, TurnDetection, patched
from vivavoce.protocol.stateless import Stateless

EVENTS = [(name, kind) for name in DIALECTS for kind in client_events(name)]
quick = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
CONFIG = SessionConfig(model="m", voice="v")


def test_every_client_event_is_sent_in_every_dialect() -> None:
    for name in DIALECTS:
        assert set(client.CLIENT_EVENTS) <= set(client_events(name))


def assert_meant(event: Any, sent: dict[str, Any]) -> None:
    """What came out is what was sent, field by field where the canonical name is the wire's."""
    assert event.event_id == sent.get("event_id")
    for field in ("item_id", "content_index", "audio_end_ms", "previous_item_id", "response_id"):
        if field in sent:
            assert getattr(event, field) == sent[field]
    if "audio" in sent:
        assert event.audio == base64.b64decode(sent["audio"])
    if "item" in sent:
        item = sent["item"]
        assert event.item.type == item["type"]
        assert [part.text for part in event.item.content] == [part.get("text") for part in item.get("content", [])]
    session = sent.get("session")
    if session is not None and session.get("instructions") is not None:
        assert event.session.instructions == session["instructions"]
    response = sent.get("response")
    if response is not None and "metadata" in response:
        assert event.response.metadata == response["metadata"]
    if response is not None and "input" in response:
        assert [item.id for item in event.response.input] == [item.get("id") for item in response["input"]]


@pytest.mark.parametrize(("name", "kind"), EVENTS)
@given(st.data())
@quick
def test_what_clients_send_is_understood(name: Any, kind: str, data: st.DataObject) -> None:
    sent = data.draw(client_events(name)[kind])
    event = decode(json.dumps(sent), DIALECTS[name])
    canonical = "session.update" if kind == "transcription_session.update" else kind
    assert type(event) is client.CLIENT_EVENTS[canonical]
    assert_meant(event, sent)


def assert_points_into(sent: Any, refusal: ClientError) -> None:
    """It names a field of what was sent, or one that is missing from it, by the client's own names; and is short."""
    assert len(refusal.message) < 500
    assert refusal.param is not None
    *way, last = re.findall(r"[^.\[\]]+|\[\.\.\.\]", refusal.param)
    for step in way:
        if step == "[...]":
            return
        sent = sent[int(step)] if isinstance(sent, list) else sent[step]
    if last in ("type", "session", "item") or isinstance(sent, list) or last == "[...]":
        return
    assert isinstance(sent, dict)
    assert last in sent or last in REQUIRED, refusal.param


REQUIRED = {"audio", "item_id", "name", "audio_end_ms", "content_index", "id"}
"""What may be missed in an event of well-known names."""


def echo(event: client.AnyClientEvent) -> None:
    """What was accepted must be fit to be shown."""
    if isinstance(event, client.SessionUpdate):
        config = patched(CONFIG, event.session, TurnDetection())
        for dialect in DIALECTS.values():
            assert encode(ev.SessionUpdated(session_id="s", session=config), dialect)


@pytest.mark.parametrize(("name", "kind"), EVENTS)
@given(st.data())
@quick
def test_what_is_spoiled_is_an_event_or_a_refusal(name: Any, kind: str, data: st.DataObject) -> None:
    sent = data.draw(client_events(name)[kind].flatmap(spoiled))
    frame = json.dumps(sent)
    try:  # any other exception would be a bug
        echo(decode(frame, DIALECTS[name]))
    except ClientError as refusal:
        if refusal.code != "invalid_json":
            assert_points_into(sent, refusal)
    with suppress(ClientError):
        event, dialect = detect_and_decode(frame, UndetectedDialect(name))
        assert dialect.name in DIALECTS
        echo(event)


@pytest.mark.parametrize(("dialect", "events"), [(AsrStream(), "openai"), (Stateless(), "stepfun")])
@given(st.data())
@quick
def test_the_other_sockets_name_the_event_that_is_bad(dialect: Dialect, events: Any, data: st.DataObject) -> None:
    kinds = client_events(events)
    sent = {**data.draw(kinds[data.draw(st.sampled_from(sorted(kinds)))].flatmap(spoiled)), "event_id": "mine"}
    refusals: list[ClientError] = []
    try:  # any other exception would be a bug
        decode(json.dumps(sent), dialect)
    except ClientError as refusal:
        refusals.append(refusal)
    assert all(refusal.event_id == "mine" for refusal in refusals)


@pytest.mark.parametrize("name", DIALECTS)
def test_an_event_no_parser_takes_is_named_where_python_wrote_it(name: Any) -> None:
    frame = json.dumps({"type": "session.update", "event_id": "mine", "session": {"temperature": float("nan")}})
    with pytest.raises(ClientError) as caught:
        decode(frame, DIALECTS[name])
    assert (caught.value.code, caught.value.event_id) == ("invalid_json", "mine")
    for broken in ("{", '"NaN"', "[NaN]", '{"event_id": NaN}', b"\xff", "[" * 9000):
        with pytest.raises(ClientError) as caught:
            decode(broken, DIALECTS[name])
        assert caught.value.event_id is None


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize(
    "value",
    ["NaN", "Infinity", "1e999", "-1e999", "9" * 400, "9" * 5000, r'"\ud800"', r'"\udc00\ud800"', "[" * 5000 + "]" * 5000,
     '{"a":' * 5000 + "1" + "}" * 5000, "[" * 200 + "]" * 200, '"' + "a" * 5000 + '"', "tru", ""],
)  # fmt: skip
def test_strange_values_anywhere(name: Any, value: str) -> None:
    places = [
        '{"type":"session.update","session":%s}',
        '{"type":"session.update","session":{"type":"realtime","tools":[{"type":"function","name":"a","parameters":{"x":%s}}]}}',
        '{"type":"session.update","session":{"type":"realtime","tracing":%s,"speed":%s}}',
        '{"type":"session.update","session":{"type":"realtime","max_response_output_tokens":%s,"max_output_tokens":%s}}',
        '{"type":"session.update","session":{"type":"realtime","audio":%s,"turn_detection":%s}}',
        '{"type":"conversation.item.create","item":{"type":"message","role":"user","content":%s}}',
        '{"type":"conversation.item.truncate","item_id":"i","audio_end_ms":%s}',
        '{"type":"response.create","response":{"metadata":{"a":%s},"input":%s}}',
        '{"type":"input_audio_buffer.append","audio":%s}',
        '{"type":%s}',
        '{"type":"response.cancel","event_id":%s}',
    ]
    for place in places:
        frame = place.replace("%s", value)
        with suppress(ClientError):
            echo(decode(frame, DIALECTS[name]))
        with suppress(ClientError):
            echo(decode(frame.encode(), DIALECTS[name]))


@pytest.mark.parametrize("name", DIALECTS)
@given(st.binary(max_size=40) | st.text(st.characters(), max_size=40))
@quick
def test_any_frame_is_an_event_or_a_refusal(name: Any, frame: str | bytes) -> None:
    with pytest.raises(ClientError):
        decode(frame, DIALECTS[name])
