"""The dialect of StepFun's streaming recognition (audio reference, section 3.3): a session that only transcribes.

It looks like OpenAI's generally available dialect, with formats of its own (PCM, and Ogg Opus, which becomes PCM here), a
``meta`` in every event, and deltas whose ``text`` is all that is certain so far and whose ``stash`` may still change (observed;
the reference knows ``text`` only).
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from vivavoce.audio.ogg import OggOpusDecoder
from vivavoce.audio.pcm import BYTES_PER_SAMPLE, encode_pcm16
from vivavoce.errors import ClientError
from vivavoce.model_names import model_behind
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.dialect import DialectName
from vivavoce.protocol.reading import Field, Json, an_object, checked, read_fields, without_nulls
from vivavoce.protocol.session_config import AudioFormat, RateHz, SessionConfig, Transcription, TranscriptionPatch
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
}
"""Our codes in the platform's words; what is not in the table is an ``invalid_value``."""


MOST_OGG_BYTES = 32 * 1024
"""Of one append, some seconds: they are decoded at once, and more would take longer than others can wait."""


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
        return AudioFormat(rate_hz=RATE_HZ)  # what it is decoded to: it describes itself
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


@dataclass(slots=True)
class _Heard:
    """From when to when an item lasts, in ms of the stream; ``None``: it goes on."""

    start_ms: int
    end_ms: int | None = None


class AsrStream:
    """Translators of one connection: they remember its session and how much audio has come.

    ``now_ms`` tells the time for ``meta`` (ms of the epoch).
    """

    name: DialectName = "stepfun"

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._session_id = ""
        self._config = AudioFormat(rate_hz=RATE_HZ)
        self._vad = False
        self._ogg: OggOpusDecoder | None = None
        self._received_ms = 0.0
        self._committed_ms = 0
        self._heard: dict[str, _Heard] = {}

    # ---- in

    def reshape_client(self, event: Json) -> Json:
        """A client's event in the canonical shape. Raises ``ClientError`` for events of other endpoints."""
        kind = event["type"]
        if kind not in CLIENT_EVENTS:
            raise ClientError(f"unsupported event type '{str(kind)[:100]}'", param="type")
        match kind:
            case "session.update":
                return {**event, "session": self.reshape_session(event.get("session"), "session")}
            case "input_audio_buffer.append":
                return self._appended(event)
            case "input_audio_buffer.commit":
                # Whoever ends a stream commits, also under voice activity detection; it ends what is being said.
                return {**event, "under_vad": True}
        return event

    def reshape_session(self, session: Any, param: str) -> Json:
        """The nested session as a canonical patch."""
        patch = read_fields(an_object(session, param), param, FIELDS)
        if "input_audio_format" in patch:
            ogg = session["audio"]["input"]["format"].get("type") == "ogg"
            self._ogg = OggOpusDecoder(RATE_HZ) if ogg else None
        return {"kind": "transcription", **patch}

    def _appended(self, event: Json) -> Json:
        """More audio as PCM, counted. Raises ``ClientError``."""
        audio = event.get("audio")
        if not isinstance(audio, str):
            return event
        if self._ogg is None:
            self._received(len(audio) * 3 // 4)
            return event
        try:
            if len(audio) * 3 // 4 > MOST_OGG_BYTES:
                raise ClientError(f"An append may have {MOST_OGG_BYTES} bytes of Ogg.")
            pcm = encode_pcm16(self._ogg.push(b64decode(audio, validate=True)))
        except binascii.Error as error:
            raise ClientError("The audio is not base64.", param="audio") from error
        except ClientError as error:
            error.param = "audio"
            raise
        self._received(len(pcm))
        return {**event, "audio": pcm}

    def _received(self, size: int) -> None:
        self._received_ms += size / BYTES_PER_SAMPLE / self._config.rate_hz * 1000

    # ---- out

    def reshape_server(self, event: ev.ServerEvent) -> list[Json]:
        """The events this endpoint has, each with its ``meta``."""
        shaped = self._shaped(event)
        if shaped is None:
            return []
        meta = {"session_id": self._session_id, "timestamp": self._now_ms()}
        kind = ev.Error.wire_name() if isinstance(event, ev.TranscriptionFailed) else event.wire_name()
        return [{"event_id": event.event_id, "type": kind, "meta": meta, **shaped}]

    def _shaped(self, event: ev.ServerEvent) -> Json | None:
        match event:
            case ev.SessionCreated() | ev.SessionUpdated():
                return self._session(event)
            case ev.SpeechStarted(audio_start_ms=start_ms, item_id=item_id):
                self._heard[item_id] = _Heard(start_ms)
                return {"audio_start_ms": start_ms, "item_id": item_id}
            case ev.SpeechStopped(audio_end_ms=end_ms, item_id=item_id):
                heard = self._of(item_id)
                heard.end_ms = end_ms
                return {"audio_start_ms": heard.start_ms, "audio_end_ms": end_ms, "item_id": item_id}
            case ev.AudioCommitted(previous_item_id=previous, item_id=item_id):
                heard = self._of(item_id)
                heard.end_ms = self._committed_ms = round(self._received_ms) if heard.end_ms is None else heard.end_ms
                return {"item_id": item_id, "previous_item_id": previous}
            case ev.AudioCleared():
                self._committed_ms = round(self._received_ms)
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
        return self._words(event)

    def _words(self, event: ev.ServerEvent) -> Json | None:
        match event:
            case ev.TranscriptionDelta():
                heard = self._of(event.item_id)
                return {
                    "item_id": event.item_id,
                    "content_index": event.content_index,
                    "text": event.text,
                    "stash": "",
                    "start_time": heard.start_ms,
                    "end_time": round(self._received_ms) if heard.end_ms is None else heard.end_ms,
                }
            case ev.TranscriptionCompleted():
                self._heard.pop(event.item_id, None)
                return {
                    "item_id": event.item_id,
                    "content_index": event.content_index,
                    "transcript": event.transcript,
                    "usage": _usage(event),
                }
            case ev.TranscriptionFailed(error=error):
                self._heard.pop(event.item_id, None)
                return {"error": {**_error(error, "transcription_failed"), "item_id": event.item_id}}
            case ev.Error(error=error):
                if error.code == "input_audio_buffer_commit_empty" and self._vad:
                    return None
                return {"error": _error(error, error.code)}
        return None

    def _session(self, event: ev.SessionCreated | ev.SessionUpdated) -> Json:
        self._session_id = event.session_id
        self._config = event.session.input_audio_format
        self._vad = event.session.turn_detection is not None
        return {"session": session_object(event.session, event.session_id, ogg=self._ogg is not None)}

    def _of(self, item_id: str) -> _Heard:
        """The times of an item; without voice activity detection it begins where the last one ended."""
        return self._heard.setdefault(item_id, _Heard(self._committed_ms))


def session_object(config: SessionConfig, session_id: str, *, ogg: bool) -> Json:
    """The session as this endpoint shows it."""
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
