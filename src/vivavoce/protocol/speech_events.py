"""Streaming text to speech on the wire: events of ``/v1/realtime/audio`` (audio reference, section 2)."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from vivavoce.errors import ClientError
from vivavoce.protocol.json_fields import Json, checked, without_nulls
from vivavoce.protocol.json_text import MAX_FRAME_BYTES, readable

StreamFormat: TypeAlias = Literal["wav", "mp3", "flac", "opus", "pcm", "mp3_stream", "opus_stream", "flac_stream"]
Ratio: TypeAlias = Annotated[float, Meta(ge=0.5, le=2.0)]

MAX_DELTA_CHARACTERS = 1000
"""Characters of one ``tts.text.delta``."""


class Create(Struct, kw_only=True, frozen=True):
    """``tts.create``: how everything that follows is spoken."""

    voice_id: str
    response_format: StreamFormat = "mp3"
    sample_rate: Literal[8000, 16000, 22050, 24000, 48000] = 24000
    speed_ratio: Ratio = 1.0
    volume_ratio: Annotated[float, Meta(ge=0.1, le=2.0)] = 1.0
    mode: Literal["default", "sentence"] = "default"
    pronunciation_map: Any = None
    markdown_filter: bool = False
    features: dict[str, Any] = msgspec.field(default_factory=dict)
    instruction: str | None = None
    voice_label: dict[str, str | None] | None = None
    text_normalization: Literal["standard", "enhanced"] = "standard"
    timestamp: bool = False

    @property
    def pronunciations(self) -> list[str]:
        """The entries of the map, or of a list of maps. Raises ``ClientError``."""
        maps = self.pronunciation_map if isinstance(self.pronunciation_map, list) else [self.pronunciation_map or {}]
        read: list[_PronunciationMap] = [checked(each, _PronunciationMap, "data.pronunciation_map") for each in maps]
        return [entry for each in read for entry in each.tone]


class _PronunciationMap(Struct, frozen=True):
    tone: list[str] = msgspec.field(default_factory=list)


class SpeechTextDelta(Struct, kw_only=True, frozen=True):
    """``tts.text.delta``: more text."""

    text: Annotated[str, Meta(max_length=MAX_DELTA_CHARACTERS)]


class TextFlush(Struct, frozen=True):
    """``tts.text.flush``: speak what is there, although its sentence has not ended."""


class SpeechTextDone(Struct, frozen=True):
    """``tts.text.done``: no more text will come."""


SpeechEvent: TypeAlias = Create | SpeechTextDelta | TextFlush | SpeechTextDone

EVENTS: dict[str, type[Create] | type[SpeechTextDelta] | type[TextFlush] | type[SpeechTextDone]] = {
    "tts.create": Create,
    "tts.text.delta": SpeechTextDelta,
    "tts.text.flush": TextFlush,
    "tts.text.done": SpeechTextDone,
}


class _Frame(Struct, frozen=True):
    type: str
    data: dict[str, Any] | None = None


def read_event(frame: str | bytes, session_id: str) -> SpeechEvent:
    """One client frame. Raises ``ClientError`` naming the bad field; also for another session's."""
    if len(frame) > MAX_FRAME_BYTES:
        raise ClientError(f"A frame may have {MAX_FRAME_BYTES} bytes.", code="request_too_large")
    text = readable(frame, "frame")
    try:
        opened = msgspec.json.decode(text, type=_Frame)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ClientError("The frame is not JSON of the form {type, data}.", code="invalid_json") from error
    kind = EVENTS.get(opened.type)
    if kind is None:
        raise ClientError(f"There is no event '{opened.type[:60]}'.", code="invalid_value", param="type")
    data = without_nulls(opened.data or {})
    named_session = data.pop("session_id", session_id)
    if named_session != session_id:
        raise ClientError("This is not the connection's session_id.", param="data.session_id")
    event: SpeechEvent = checked(data, kind, "data")
    return event


def server_event(type: str, event_id: str, data: Json, **top: Any) -> str:
    """One server frame."""
    return msgspec.json.encode({"event_id": event_id, "type": type, **top, "data": data}).decode()
