"""The events of a hosted response, in each platform's shape → words, thoughts, calls, speech."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest

from vivavoce.audio.pcm import encode_pcm16
from vivavoce.engines.realtime.reply_reader import ReplyReader
from vivavoce.engines.realtime.shapes import event_name
from vivavoce.engines.remote.errors import RemoteError
from vivavoce.hosted import HostedEvent
from vivavoce.types import (
    ClauseCut,
    ClauseSpoken,
    GenerationEnd,
    Speech,
    TextDelta,
    ThinkingDelta,
    ThinkingEnd,
    ToolCall,
    ToolCallDelta,
)

AUDIO = base64.b64encode(encode_pcm16(np.full(240, 0.5, np.float32))).decode()
DONE = {"type": "response.done", "response": {"status": "completed"}}
END = GenerationEnd("stop")


def read(*events: dict[str, Any], speaks: bool = True, first: int = 0) -> list[HostedEvent]:
    reader = ReplyReader("hosted", first, speaks=speaks)
    return [
        Speech(told.index, np.zeros(0, np.float32)) if isinstance(told, Speech) else told
        for event in events
        for told in reader.feed({**event, "type": event_name(event["type"])})
    ]


def part(item: str = "a", index: int = 0) -> dict[str, Any]:
    return {"item_id": item, "content_index": index}


def kinds(events: list[HostedEvent]) -> list[str]:
    return [type(event).__name__ for event in events]


@pytest.mark.parametrize("prefix", ["response.", "response.output_"])
def test_speech_and_its_words(prefix: str) -> None:
    events = read(
        {"type": f"{prefix}audio.delta", **part(), "delta": AUDIO},
        {"type": f"{prefix}audio_transcript.delta", **part(), "delta": "It is"},
        {"type": f"{prefix}audio_transcript.delta", **part(), "delta": " far."},
        {"type": f"{prefix}audio_transcript.done", **part(), "transcript": "It is far."},
        {"type": f"{prefix}audio.done", **part()},
        DONE,
    )
    assert kinds(events) == [
        "ClauseCut", "Speech", "TextDelta", "ClauseCut", "TextDelta", "ClauseCut", "ClauseSpoken", "GenerationEnd",
    ]  # fmt: skip
    assert [event for event in events if isinstance(event, ClauseCut)] == [
        ClauseCut(0, ""), ClauseCut(0, "It is"), ClauseCut(0, " far."),
    ]  # fmt: skip


def test_words_that_come_only_at_the_end() -> None:
    events = read({"type": "response.audio_transcript.done", **part(), "transcript": "All of it."}, DONE)
    assert events == [TextDelta("All of it."), ClauseCut(0, "All of it."), ClauseSpoken(0), END]


def test_a_written_reply_has_no_clauses() -> None:
    events = read({"type": "response.output_text.delta", **part(), "delta": "Hi"}, DONE, speaks=False)
    assert events == [TextDelta("Hi"), END]


def test_each_part_is_a_clause_and_they_count_on() -> None:
    events = read(
        {"type": "response.audio_transcript.delta", **part("a"), "delta": "One. "},
        {"type": "response.audio_transcript.delta", **part("b"), "delta": "Two."},
        DONE,
        first=3,
    )
    assert [event.index for event in events if isinstance(event, ClauseCut)] == [3, 4]
    assert [event for event in events if isinstance(event, ClauseSpoken)] == [ClauseSpoken(3), ClauseSpoken(4)]


@pytest.mark.parametrize("increment", ["delta", "arguments"])
def test_calls(increment: str) -> None:
    item = {"id": "fc", "type": "function_call", "call_id": "c", "name": "lamp", "arguments": ""}
    events = read(
        {"type": "response.output_item.added", "item": item},
        {"type": "response.function_call_arguments.delta", "call_id": "c", increment: '{"on":'},
        {"type": "response.function_call_arguments.delta", "call_id": "c", increment: "true}"},
        {"type": "response.function_call_arguments.done", "call_id": "c", "arguments": '{"on":true}'},
        {"type": "response.output_item.done", "item": {**item, "arguments": '{"on":true}'}},
        DONE,
    )
    assert events == [
        ToolCallDelta("c", "lamp", '{"on":'), ToolCallDelta("c", "lamp", "true}"),
        ToolCall("c", "lamp", '{"on":true}'), GenerationEnd("tool_calls"),
    ]  # fmt: skip


def test_thoughts() -> None:
    events = read(
        {"type": "response.thinking.delta", **part(), "delta": "Hm."},
        {"type": "response.thinking.done", **part(), "thinking": "Hm."},
        DONE,
    )
    assert events == [ThinkingDelta("Hm."), ThinkingEnd(), END]


def test_usage_and_length() -> None:
    usage = {"input_tokens": 5, "output_tokens": 3, "input_token_details": {"cached_tokens": 2}}
    response = {"status": "incomplete", "status_details": {"reason": "max_output_tokens"}, "usage": usage}
    assert read({"type": "response.done", "response": response}) == [GenerationEnd("length", 5, 2, 3)]


@pytest.mark.parametrize(
    ("response", "message"),
    [
        ({"status": "failed"}, "hosted: failed"),
        ({"status": "failed", "status_details": {"error": {"code": "rate_limit_exceeded"}}}, "too many requests"),
        ({"status": "failed", "status_details": {"error": {"code": "See https://x"}}}, "hosted: failed$"),
        ({"status": "incomplete", "status_details": {"reason": "content_filter"}}, "content_filter"),
        ({"status": "cancelled"}, "broke its reply off"),
    ],
)
def test_what_fails(response: dict[str, Any], message: str) -> None:
    with pytest.raises(RemoteError, match=message):
        read({"type": "response.done", "response": response})


def test_what_is_no_audio() -> None:
    for delta in ("%%%", "AAA="[:3]):
        with pytest.raises(RemoteError, match="no audio"):
            read({"type": "response.audio.delta", **part(), "delta": delta})
