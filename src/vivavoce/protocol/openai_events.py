"""What OpenAI's two dialects tell alike, and unlike StepFun: no thoughts, transcripts only on request, whole responses."""

from __future__ import annotations

import msgspec

from vivavoce.protocol import server_events as ev
from vivavoce.protocol.json_fields import Json
from vivavoce.protocol.usage import OPENAI_RATES, usage_object

REASONS = frozenset({"turn_detected", "client_cancelled", "max_output_tokens", "content_filter"})
"""Why a response may have ended, in OpenAI's types; any other cause is told by ``status_details.error`` alone."""


def hidden(event: ev.ServerEvent) -> bool:
    """Whether an event is not for this client: thoughts and transcripts it did not ask for.

    Thoughts are no part of an item in any case: OpenAI's types know no such part, and would fail at it.
    """
    match event:
        case ev.PartAdded() | ev.PartDone():
            return event.part.type == "thinking"
        case ev.ResponseThinkingDelta() | ev.ThinkingDone():
            return not event.requested
        case ev.TranscriptionDelta() | ev.TranscriptionCompleted() | ev.TranscriptionFailed() | ev.VoicePerception():
            return not event.requested
        case _:
            return False


def plain_event(event: ev.ServerEvent) -> Json:
    """An event without what is only for dialects to know: indices count without thoughts, transcripts have ``usage``."""
    plain: Json = msgspec.to_builtins(event, builtin_types=(bytes,))
    plain.pop("requested", None)
    match event:
        case ev.PartEvent() | ev.ItemTruncated():
            plain["content_index"] -= plain.pop("thoughts_before")
        case ev.VoicePerception():
            plain |= plain.pop("facts")
        case ev.SpeechStopped():
            del plain["audio_start_ms"]
        case ev.TranscriptionDelta():
            del plain["text"], plain["start_ms"], plain["end_ms"]
        case ev.TranscriptionCompleted():
            plain["usage"] = transcription_usage(plain.pop("duration_s"))
    return plain


def transcription_usage(seconds: float) -> Json:
    """What a transcript cost: so much audio was heard for it."""
    return {"type": "duration", "seconds": seconds}


def response_object(response: ev.ResponseObject, output: list[Json]) -> Json:
    """The response but for what it was made with, which the dialects write differently."""
    shaped: Json = msgspec.to_builtins(response)
    del shaped["config"]
    details = response.status_details
    if details is not None and details.reason not in REASONS:
        shaped["status_details"].pop("reason", None)
    usage = None if response.usage is None else usage_object(response.usage, OPENAI_RATES)
    return {**shaped, "output": output, "usage": usage, "metadata": shaped.get("metadata")}
