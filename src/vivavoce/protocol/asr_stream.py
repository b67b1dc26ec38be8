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
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.client_event_translation import read_event
from vivavoce.protocol.dialect import DialectName
from vivavoce.protocol.json_fields import Field, Json, an_object, checked, read_fields, without_nulls
from vivavoce.protocol.languages import requested_language
from vivavoce.protocol.model_names import model_behind
from vivavoce.protocol.session_config import SessionConfig, Transcription, TranscriptionPatch
from vivavoce.protocol.transcription import recognition_prompt
from vivavoce.protocol.turn_detection import read_turn_detection
from vivavoce.text.scripts import is_cjk

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


class _StreamOptions(msgspec.Struct, frozen=True):
    model: str | None = None
    language: Annotated[str, Meta(max_length=40)] | None = None
    prompt: Annotated[str, Meta(max_length=4000)] | None = None
    hotwords: tuple[Annotated[str, Meta(max_length=100)], ...] | UnsetType = UNSET
    full_rerun_on_commit: bool | UnsetType = UNSET
    enable_itn: bool | UnsetType = UNSET


def _read_format(value: Any, param: str) -> AudioFormat:
    fields = without_nulls(an_object(value, param))
    if fields.get("type") == "ogg":
        return AudioFormat(encoding="ogg_opus", rate_hz=RATE_HZ)
    return AudioFormat(rate_hz=checked(fields, _Format, param).rate)


def _read_transcription(value: Any, param: str) -> TranscriptionPatch:
    """What is given. ``hotwords`` and ``prompt`` are one hint: either of them takes the place of both."""
    stream_options: _StreamOptions = checked(without_nulls(an_object(value, param)), _StreamOptions, param)
    if stream_options.model is not None:
        model_behind(stream_options.model, "transcription", param=f"{param}.model")
    requested_language(stream_options.language, f"{param}.language")
    hotwords = () if stream_options.hotwords is UNSET else stream_options.hotwords
    hinted = stream_options.hotwords is not UNSET or stream_options.prompt is not None
    return TranscriptionPatch(
        model=UNSET if stream_options.model is None else stream_options.model,
        language=UNSET if stream_options.language is None else stream_options.language,
        prompt=recognition_prompt(stream_options.prompt, hotwords) if hinted else UNSET,
        full_rerun_on_commit=stream_options.full_rerun_on_commit,
        enable_itn=stream_options.enable_itn,
    )


FIELDS: Mapping[str, Field] = {
    "input_audio_format": Field("audio.input.format", _read_format),
    "transcription": Field("audio.input.transcription", _read_transcription),
    "turn_detection": Field("audio.input.turn_detection", read_turn_detection, nullable=True),
}


FIELDS_OF_OTHER_DIALECTS: Mapping[str, Field] = {
    "transcription": Field("input_audio_transcription", _read_transcription),
    "turn_detection": Field("turn_detection", read_turn_detection, nullable=True),
}
"""The same where the flat dialects have them."""


class AsrStream:
    """Translators of this dialect. Stateless."""

    name: DialectName = "stepfun"

    # ---- in

    def to_canonical(self, event: Json) -> Json:
        """A client's event in the canonical shape. Raises ``ClientError`` for events of other endpoints."""
        if event["type"] not in CLIENT_EVENTS:
            raise ClientError(f"unsupported event type '{str(event['type'])[:100]}'", param="type")
        # Whoever ends a stream commits, also under voice activity detection; it ends what is being said.
        return read_event(event, self.session_to_canonical, self.session_to_canonical, under_vad=True)

    def session_to_canonical(self, session: Any, param: str) -> Json:
        """The nested session as a canonical patch."""
        return {
            "kind": "transcription",
            **read_fields(an_object(session, param), param, FIELDS, FIELDS_OF_OTHER_DIALECTS),
        }

    # ---- out

    def to_client(self, event: ev.ServerEvent) -> list[Json]:
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
            item_object = {
                "id": item.id,
                "object": "realtime.item",
                "type": "message",
                "status": "in_progress",
                "role": "user",
                "content": [{"type": "input_audio"}],
            }
            return {"previous_item_id": previous, "item": item_object}
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
    transcription = config.transcription or Transcription()
    vad = config.turn_detection
    audio_input: Json = {
        "format": {
            "type": "ogg" if ogg else "pcm",
            "codec": "opus" if ogg else "pcm_s16le",
            "rate": config.input_audio_format.rate_hz,
            "bits": 16,
            "channel": 1,
        },
        "transcription": {
            "model": transcription.model or config.model,
            "language": transcription.language,
            "prompt": transcription.prompt,
            "full_rerun_on_commit": transcription.full_rerun_on_commit,
            "enable_itn": transcription.enable_itn,
        },
        "turn_detection": vad
        and {
            "type": vad.type,
            "prefix_padding_ms": vad.prefix_padding_ms,
            "silence_duration_ms": vad.silence_duration_ms,
            "threshold": vad.threshold,
        },
    }
    return {"id": session_id, "object": "realtime.session", "audio": {"input": audio_input}}


def _usage(event: ev.TranscriptionCompleted) -> Json:
    """The audio at a fixed rate; a word, or a Chinese character, is a token."""
    read = ceil(event.duration_s * TOKENS_PER_S)
    completion = sum(map(is_cjk, event.transcript)) + len(
        "".join(" " if is_cjk(character) else character for character in event.transcript).split()
    )
    return {"prompt_tokens": read, "completion_tokens": completion, "total_tokens": read + completion}


def _error(error: ev.ErrorBody, code: str | None) -> Json:
    is_server_error = error.type == "server_error"
    return {
        "type": "internal_error" if is_server_error else "invalid_request_error",
        "code": "internal_error" if is_server_error else CODES.get(code or "", "invalid_value"),
        "message": error.message,
        "param": error.param,
        "event_id": error.event_id,
    }
