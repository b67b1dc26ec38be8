"""The dialect of StepFun's streaming recognition (audio reference, section 3.3): a session that only transcribes.

It looks like OpenAI's generally available dialect, with formats of its own (PCM and Ogg Opus), and deltas whose ``text`` is
all that is certain so far and whose ``stash`` may still change (observed; the reference knows ``text`` only). The ``meta`` of
every event is its connection's business: the session's id and the time are not in an event.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from vivavoce.audio.audio_format import AudioFormat, RateHz
from vivavoce.errors import ClientError
from vivavoce.model_names import model_behind
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.client_shapes import read_event
from vivavoce.protocol.dialect import DialectName
from vivavoce.protocol.reading import Field, Json, an_object, checked, read_fields, without_nulls
from vivavoce.protocol.session_config import SessionConfig, Transcription, TranscriptionPatch
from vivavoce.protocol.turn_detection import read_turn_detection
from vivavoce.scripts import is_cjk

RATE_HZ: RateHz = 16_000
"""What a client sends when it does not say."""

TOKENS_PER_S = 12.5
"""As in transcriptions of files: what ``usage`` counts is made of it."""

CLIENT_EVENTS = (
    "session.update",
    "input_audio_buffer.append",
    "input_audio_buffer.commit",
    "input_audio_buffer.clear",
)

CODES: Mapping[str, str] = {
    "missing_required_parameter": "missing_param",
    "session_expired": "session_expired",
    "transcription_failed": "internal_error",
    "max_idle_timeout": "max_idle_timeout",
    "session_idle": "max_idle_timeout",
}
"""Our codes in the platform's words; what is not in the table is an ``invalid_value``."""


class _Format(msgspec.Struct, frozen=True):
    type: Literal["pcm"] = "pcm"
    codec: Literal["pcm_s16le"] = "pcm_s16le"
    rate: RateHz = RATE_HZ
    bits: Literal[16] = 16
    channel: Literal[1] = 1


class _Wanted(msgspec.Struct, frozen=True):
    model: str | None = None
    language: Annotated[str, Meta(max_length=40)] | None = None
    prompt: Annotated[str, Meta(max_length=4000)] | None = None
    hotwords: tuple[Annotated[str, Meta(max_length=100)], ...] | UnsetType = UNSET
    full_rerun_on_commit: bool | UnsetType = UNSET
    enable_itn: bool = True


def _read_format(value: Any, param: str) -> AudioFormat:
    given = without_nulls(an_object(value, param))
    if given.get("type") == "ogg":
        return AudioFormat(encoding="ogg_opus", rate_hz=RATE_HZ)
    return AudioFormat(rate_hz=checked(given, _Format, param).rate)


def _read_transcription(value: Any, param: str) -> TranscriptionPatch:
    """What is given. ``hotwords`` and ``prompt`` are one hint: either of them takes the place of both."""
    given: _Wanted = checked(without_nulls(an_object(value, param)), _Wanted, param)
    if given.model is not None:
        model_behind(given.model, "transcription", param=f"{param}.model")
    hints = [hint for hint in (", ".join(given.hotwords or ()), given.prompt) if hint]
    hinted = given.hotwords is not UNSET or given.prompt is not None
    return TranscriptionPatch(
        model=UNSET if given.model is None else given.model,
        language=UNSET if given.language is None else given.language,
        prompt=(". ".join(hints) or None) if hinted else UNSET,
        full_rerun_on_commit=given.full_rerun_on_commit,
    )


FIELDS: Mapping[str, Field] = {
    "input_audio_format": Field("audio.input.format", _read_format),
    "transcription": Field("audio.input.transcription", _read_transcription),
    "turn_detection": Field("audio.input.turn_detection", read_turn_detection, nullable=True),
}


ELSEWHERE: Mapping[str, Field] = {
    "transcription": Field("input_audio_transcription", _read_transcription),
    "turn_detection": Field("turn_detection", read_turn_detection, nullable=True),
}
"""Where the flat dialects have theirs."""


class AsrStream:
    """Translators of this dialect. Stateless."""

    name: DialectName = "stepfun"

    # ---- in

    def reshape_client(self, event: Json) -> Json:
        """A client's event in the canonical shape. Raises ``ClientError`` for events of other endpoints."""
        if event["type"] not in CLIENT_EVENTS:
            raise ClientError(f"unsupported event type '{str(event['type'])[:100]}'", param="type")
        # Whoever ends a stream commits, also under voice activity detection; it ends what is being said.
        return read_event(event, self.reshape_session, self.reshape_session, under_vad=True)

    def reshape_session(self, session: Any, param: str) -> Json:
        """The nested session as a canonical patch."""
        return {"kind": "transcription", **read_fields(an_object(session, param), param, FIELDS, ELSEWHERE)}

    # ---- out

    def reshape_server(self, event: ev.ServerEvent) -> list[Json]:
        """The events this endpoint has, without their ``meta``."""
        shaped = _shaped(event)
        if shaped is None:
            return []
        kind = ev.Error.wire_name() if isinstance(event, ev.TranscriptionFailed) else event.wire_name()
        return [{"event_id": event.event_id, "type": kind, **shaped}]


def _shaped(event: ev.ServerEvent) -> Json | None:
    match event:
        case ev.SessionCreated() | ev.SessionUpdated():
            return {"session": session_object(event.session, event.session_id)}
        case ev.SpeechStarted(audio_start_ms=start_ms, item_id=item_id):
            return {"audio_start_ms": start_ms, "item_id": item_id}
        case ev.SpeechStopped(audio_start_ms=start_ms, audio_end_ms=end_ms, item_id=item_id):
            return {"audio_start_ms": start_ms, "audio_end_ms": end_ms, "item_id": item_id}
        case ev.AudioCommitted(previous_item_id=previous, item_id=item_id):
            return {"item_id": item_id, "previous_item_id": previous}
        case ev.AudioCleared():
            return {}
        case ev.ItemCreated(previous_item_id=previous, item=item):
            shown = {
                "id": item.id,
                "object": "realtime.item",
                "type": "message",
                "status": "in_progress",
                "role": "user",
                "content": [{"type": "input_audio"}],
            }
            return {"previous_item_id": previous, "item": shown}
        case ev.Error(error=error):
            return {"error": _error(error, error.code)}
        case ev.TranscriptionFailed(error=error):
            return {"error": {**_error(error, "transcription_failed"), "item_id": event.item_id}}
    return _words(event)


def _words(event: ev.ServerEvent) -> Json | None:
    match event:
        case ev.TranscriptionDelta():
            return {
                "item_id": event.item_id,
                "content_index": event.content_index,
                "text": event.text,
                "stash": "",
                "start_time": event.start_ms,
                "end_time": event.end_ms,
            }
        case ev.TranscriptionCompleted():
            return {
                "item_id": event.item_id,
                "content_index": event.content_index,
                "transcript": event.transcript,
                "usage": _usage(event),
            }
    return None


def session_object(config: SessionConfig, session_id: str) -> Json:
    """The session as this endpoint shows it."""
    ogg = config.input_audio_format.encoding == "ogg_opus"
    wanted = config.transcription or Transcription()
    vad = config.turn_detection
    heard: Json = {
        "format": {
            "type": "ogg" if ogg else "pcm",
            "codec": "opus" if ogg else "pcm_s16le",
            "rate": config.input_audio_format.rate_hz,
            "bits": 16,
            "channel": 1,
        },
        "transcription": {
            "model": wanted.model or config.model,
            "language": wanted.language,
            "prompt": wanted.prompt,
            "full_rerun_on_commit": wanted.full_rerun_on_commit,
            "enable_itn": True,
        },
        "turn_detection": vad
        and {
            "type": vad.type,
            "prefix_padding_ms": vad.prefix_padding_ms,
            "silence_duration_ms": vad.silence_duration_ms,
            "threshold": vad.threshold,
        },
    }
    return {"id": session_id, "object": "realtime.session", "audio": {"input": heard}}


def _usage(event: ev.TranscriptionCompleted) -> Json:
    """The audio at a fixed rate; a word, or a Chinese character, is a token."""
    read = ceil(event.duration_s * TOKENS_PER_S)
    written = sum(map(is_cjk, event.transcript)) + len(
        "".join(" " if is_cjk(character) else character for character in event.transcript).split()
    )
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def _error(error: ev.ErrorBody, code: str | None) -> Json:
    ours = error.type == "server_error"
    return {
        "type": "internal_error" if ours else "invalid_request_error",
        "code": "internal_error" if ours else CODES.get(code or "", "invalid_value"),
        "message": error.message,
        "param": error.param,
        "event_id": error.event_id,
    }
