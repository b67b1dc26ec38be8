"""What the server says, in canonical form (Realtime reference, section 5). One class an event, the wire name written once.

``event_id`` is stamped by the session when the event goes out. Fields every documented event may carry are always sent,
also where a documented sample leaves them out: official clients rely on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from vivavoce.protocol.items import Item, Part
from vivavoce.protocol.server_objects import ErrorBody as ErrorBody
from vivavoce.protocol.server_objects import ResponseObject as ResponseObject
from vivavoce.protocol.server_objects import ResponseStatus as ResponseStatus
from vivavoce.protocol.server_objects import SessionLimit as SessionLimit
from vivavoce.protocol.server_objects import StatusDetails as StatusDetails
from vivavoce.protocol.session_config import SessionConfig
from vivavoce.voice_facts import VoiceFacts


class ServerEvent(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """Base of all server events."""

    event_id: str = ""

    @classmethod
    def wire_name(cls) -> str:
        """The canonical wire name."""
        return str(cls.__struct_config__.tag)


class Error(ServerEvent, frozen=True, kw_only=True, tag="error"):
    """Something went wrong; the session stays open."""

    error: ErrorBody


class SessionCreated(ServerEvent, frozen=True, kw_only=True, tag="session.created"):
    """First event of a connection. ``expires_at`` is in seconds of the epoch, ``resume_token`` our extension for clients that
    asked to be able to resume.

    ``conversation_id`` names the conversation to dialects that announce it.
    """

    session_id: str
    session: SessionConfig
    expires_at: int | None = None
    conversation_id: str | None = None
    resume_token: str | None = None


class SessionUpdated(ServerEvent, frozen=True, kw_only=True, tag="session.updated"):
    """The whole session after an update."""

    session_id: str
    session: SessionConfig
    expires_at: int | None = None


class SpeechStarted(ServerEvent, frozen=True, kw_only=True, tag="input_audio_buffer.speech_started"):
    """The user began to speak; ``audio_start_ms`` counts input audio since the session began."""

    audio_start_ms: int
    item_id: str


class SpeechStopped(ServerEvent, frozen=True, kw_only=True, tag="input_audio_buffer.speech_stopped"):
    """The user stopped speaking. ``audio_start_ms`` is when they began, for dialects that say it again."""

    audio_start_ms: int
    audio_end_ms: int
    item_id: str


class TimeoutTriggered(ServerEvent, frozen=True, kw_only=True, tag="input_audio_buffer.timeout_triggered"):
    """Nobody spoke for ``idle_timeout_ms`` after a reply; the silence between became a user item."""

    audio_start_ms: int
    audio_end_ms: int
    item_id: str


class AudioCommitted(ServerEvent, frozen=True, kw_only=True, tag="input_audio_buffer.committed"):
    """The buffer became a user item."""

    previous_item_id: str | None
    item_id: str


class AudioCleared(ServerEvent, frozen=True, kw_only=True, tag="input_audio_buffer.cleared"):
    """The buffer is empty."""


class ItemCreated(ServerEvent, frozen=True, kw_only=True, tag="conversation.item.created"):
    """An item entered the conversation."""

    previous_item_id: str | None
    item: Item


class ItemDone(ServerEvent, frozen=True, kw_only=True, tag="conversation.item.done"):
    """An item of the conversation has its final content (only GA spells it)."""

    previous_item_id: str | None
    item: Item


class ItemRetrieved(ServerEvent, frozen=True, kw_only=True, tag="conversation.item.retrieved"):
    """An item the client asked for."""

    item: Item


class ItemDeleted(ServerEvent, frozen=True, kw_only=True, tag="conversation.item.deleted"):
    """An item left the conversation."""

    item_id: str


class ItemTruncated(ServerEvent, frozen=True, kw_only=True, tag="conversation.item.truncated"):
    """An assistant item's audio and transcript were cut. ``thoughts_before`` as in ``PartEvent``."""

    item_id: str
    content_index: int
    audio_end_ms: int
    thoughts_before: int = 0


class TranscriptionDelta(
    ServerEvent, frozen=True, kw_only=True, tag="conversation.item.input_audio_transcription.delta"
):
    """More of what the user said: ``delta`` is the increment, ``text`` all so far; ``start_ms`` to ``end_ms`` of the audio.

    ``requested`` tells, here and in the other two, whether the client's configuration asks for these events.
    """

    item_id: str
    content_index: int
    delta: str
    text: str
    start_ms: int
    end_ms: int
    requested: bool


class TranscriptionCompleted(
    ServerEvent, frozen=True, kw_only=True, tag="conversation.item.input_audio_transcription.completed"
):
    """What the user said, in ``duration_s`` seconds of audio."""

    item_id: str
    content_index: int
    transcript: str
    duration_s: float
    requested: bool


class TranscriptionFailed(
    ServerEvent, frozen=True, kw_only=True, tag="conversation.item.input_audio_transcription.failed"
):
    """The recogniser failed on this item."""

    item_id: str
    content_index: int
    error: ErrorBody
    requested: bool


class VoicePerception(ServerEvent, frozen=True, kw_only=True, tag="voice.perception"):
    """How a turn of the user's sounds, after its transcript (ours, no platform's). ``requested`` as in transcripts."""

    item_id: str
    facts: VoiceFacts
    requested: bool


class ResponseCreated(ServerEvent, frozen=True, kw_only=True, tag="response.created"):
    """A response began."""

    response: ResponseObject


class ResponseDone(ServerEvent, frozen=True, kw_only=True, tag="response.done"):
    """A response ended, whatever the outcome."""

    response: ResponseObject


class ResponseEvent(ServerEvent, frozen=True, kw_only=True):
    """Base of events inside a response."""

    response_id: str
    output_index: int


class OutputItemAdded(ResponseEvent, frozen=True, kw_only=True, tag="response.output_item.added"):
    """An output item began."""

    item: Item


class OutputItemDone(ResponseEvent, frozen=True, kw_only=True, tag="response.output_item.done"):
    """An output item ended."""

    item: Item


class PartEvent(ResponseEvent, frozen=True, kw_only=True):
    """Base of events inside a content part.

    ``thoughts_before`` counts the item's thinking parts before this one: dialects that hide thoughts count without them.
    """

    item_id: str
    content_index: int
    thoughts_before: int = 0


class PartAdded(PartEvent, frozen=True, kw_only=True, tag="response.content_part.added"):
    """A content part began, empty."""

    part: Part


class PartDone(PartEvent, frozen=True, kw_only=True, tag="response.content_part.done"):
    """A content part ended."""

    part: Part


class ResponseTextDelta(PartEvent, frozen=True, kw_only=True, tag="response.text.delta"):
    """More text."""

    delta: str


class ResponseTextDone(PartEvent, frozen=True, kw_only=True, tag="response.text.done"):
    """The whole text."""

    text: str


class AudioDelta(PartEvent, frozen=True, kw_only=True, tag="response.audio.delta"):
    """More audio, in the session's output format."""

    delta: bytes


class AudioDone(PartEvent, frozen=True, kw_only=True, tag="response.audio.done"):
    """No more audio."""


class AudioTranscriptDelta(PartEvent, frozen=True, kw_only=True, tag="response.audio_transcript.delta"):
    """More of the words being spoken."""

    delta: str


class AudioTranscriptDone(PartEvent, frozen=True, kw_only=True, tag="response.audio_transcript.done"):
    """All the words spoken."""

    transcript: str


class ArgumentsDelta(ResponseEvent, frozen=True, kw_only=True, tag="response.function_call_arguments.delta"):
    """More of a function call's arguments."""

    item_id: str
    call_id: str
    name: str
    delta: str


class ArgumentsDone(ResponseEvent, frozen=True, kw_only=True, tag="response.function_call_arguments.done"):
    """The arguments, whole: a JSON object as text."""

    item_id: str
    call_id: str
    name: str
    arguments: str


class ResponseThinkingDelta(PartEvent, frozen=True, kw_only=True, tag="response.thinking.delta"):
    """More of what the model thinks; never spoken. ``requested``: the client asked for thoughts."""

    delta: str
    requested: bool = False


class ThinkingDone(PartEvent, frozen=True, kw_only=True, tag="response.thinking.done"):
    """All it thought. ``requested``: the client asked for thoughts."""

    thinking: str
    requested: bool = False


class RateLimits(ServerEvent, frozen=True, kw_only=True, tag="rate_limits.updated"):
    """What is left of the limits: objects with ``name``, ``limit``, ``remaining``, ``reset_seconds``.

    ``session`` is ours, in the one that announces the session's end: a type of event of our own would stop clients that
    know the documented ones only.
    """

    rate_limits: tuple[Mapping[str, Any], ...]
    session: SessionLimit | UnsetType = UNSET


class OutputAudioCleared(ServerEvent, frozen=True, kw_only=True, tag="output_audio_buffer.cleared"):
    """Audio that was not played is forgotten."""

    response_id: str
