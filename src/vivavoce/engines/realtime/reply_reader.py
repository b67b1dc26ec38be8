"""The events of one response of the other side's → words, thoughts, calls and speech. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any

from vivavoce.audio.pcm import decode_pcm16
from vivavoce.engines.realtime.errors import said_error
from vivavoce.engines.remote.errors import RemoteError
from vivavoce.hosted import HostedEvent
from vivavoce.types import (
    ClauseCut,
    ClauseSpoken,
    FinishReason,
    GenerationEnd,
    Speech,
    TextDelta,
    ThinkingDelta,
    ThinkingEnd,
    ToolCall,
    ToolCallDelta,
)


class ReplyReader:
    """Reads one response. ``engine`` is named in errors; ``first_clause`` is the index of its first spoken part; ``speaks``:
    what is written beside speech has its place in it.
    """

    def __init__(self, engine: str, first_clause: int, *, speaks: bool) -> None:
        self._engine = engine
        self._speaks = speaks
        self._first = first_clause
        self._parts: dict[tuple[str, int], int] = {}
        self._open: set[int] = set()
        self._words: dict[tuple[str, int], str] = {}
        self._names: dict[str, str] = {}
        self._whole_calls: set[str] = set()
        self._called = False

    @property
    def clauses(self) -> int:
        """The index after its last spoken part."""
        return self._first + len(self._parts)

    def feed(self, event: Mapping[str, Any]) -> Iterator[HostedEvent]:
        """The next event; exactly one ``GenerationEnd``, with the last. Raises ``RemoteError``, also for a failed response."""
        match event["type"]:
            case "response.audio_transcript.delta" | "response.text.delta":
                yield from self._write(event, str(event["delta"]))
            case "response.audio_transcript.done":
                yield from self._write(event, self._missing(event, "transcript"))
            case "response.text.done":
                yield from self._write(event, self._missing(event, "text"))
            case "response.audio.delta":
                yield from self._say(event)
            case "response.audio.done":
                yield from self._spoken([self._parts[part]] if (part := _part(event)) in self._parts else [])
            case "response.thinking.delta":
                yield ThinkingDelta(str(event["delta"]))
            case "response.thinking.done":
                yield ThinkingEnd()
            case "response.output_item.added":
                self._note_call(event["item"])
            case "response.function_call_arguments.delta":
                yield from self._call_delta(event)
            case "response.function_call_arguments.done":
                yield from self._call(event)
            case "response.output_item.done" if event["item"].get("type") == "function_call":
                self._note_call(event["item"])
                yield from self._call(event["item"])
            case "response.done" | "response.cancelled":
                yield from self._spoken(sorted(self._open))
                yield self._end(event.get("response") or {"status": "cancelled"})

    # ---- words and speech

    def _write(self, event: Mapping[str, Any], text: str) -> Iterator[HostedEvent]:
        if not text:
            return
        part = _part(event)
        self._words[part] = self._words.get(part, "") + text
        yield TextDelta(text)
        if self._speaks:
            yield ClauseCut(self._clause(part), text)

    def _missing(self, event: Mapping[str, Any], name: str) -> str:
        """What a ``done`` has beyond the deltas: some servers send words only then."""
        written, whole = self._words.get(_part(event), ""), str(event.get(name) or "")
        return whole[len(written) :] if whole.startswith(written) else ""

    def _say(self, event: Mapping[str, Any]) -> Iterator[HostedEvent]:
        try:
            samples = decode_pcm16(base64.b64decode(event["delta"], validate=True))
        except (binascii.Error, ValueError) as error:
            raise RemoteError(self._engine, "sent something that is no audio", away=True) from error
        part = _part(event)
        if part not in self._parts:
            yield ClauseCut(self._clause(part), "")
        yield Speech(self._clause(part), samples)

    def _clause(self, part: tuple[str, int]) -> int:
        if part not in self._parts:
            self._parts[part] = self.clauses
            self._open.add(self._parts[part])
        return self._parts[part]

    def _spoken(self, clauses: list[int]) -> Iterator[HostedEvent]:
        for clause in clauses:
            if clause in self._open:
                self._open.remove(clause)
                yield ClauseSpoken(clause)

    # ---- calls

    def _note_call(self, item: Mapping[str, Any]) -> None:
        if item.get("type") == "function_call":
            self._names[str(item["call_id"])] = str(item.get("name") or "")

    def _call_delta(self, event: Mapping[str, Any]) -> Iterator[HostedEvent]:
        """StepFun's documented sample has the increment in ``arguments``."""
        call_id = str(event["call_id"])
        arguments = event.get("delta", event.get("arguments"))
        yield ToolCallDelta(call_id, self._name_of(event), str(arguments or ""))

    def _call(self, event: Mapping[str, Any]) -> Iterator[HostedEvent]:
        call_id = str(event["call_id"])
        if call_id not in self._whole_calls:
            self._whole_calls.add(call_id)
            self._called = True
            yield ToolCall(call_id, self._name_of(event), str(event.get("arguments") or "{}"))

    def _name_of(self, event: Mapping[str, Any]) -> str:
        return self._names.get(str(event["call_id"])) or str(event.get("name") or "")

    # ---- the end

    def _end(self, response: Mapping[str, Any]) -> GenerationEnd:
        status, details = response.get("status"), response.get("status_details") or {}
        reason: FinishReason = "tool_calls" if self._called else "stop"
        if status == "failed":
            raise said_error(self._engine, details.get("error") or {})
        if status == "cancelled":
            raise RemoteError(self._engine, "broke its reply off", retriable=True)
        if status == "incomplete":
            if details.get("reason") == "content_filter":
                raise RemoteError(self._engine, "refuses what was to be said (content_filter)")
            reason = "length"
        usage = response.get("usage") or {}
        cached = (usage.get("input_token_details") or {}).get("cached_tokens") or 0
        tokens = (usage.get("input_tokens") or 0, cached, usage.get("output_tokens") or 0)
        return GenerationEnd(reason, *map(int, tokens))


def _part(event: Mapping[str, Any]) -> tuple[str, int]:
    """Which part an event is about. StepFun's documented samples leave both out."""
    return str(event.get("item_id") or ""), int(event.get("content_index") or 0)
