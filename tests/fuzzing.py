"""What no client should send: valid events of a dialect, spoiled. The same seed makes the same frames."""

from __future__ import annotations

import base64
import copy
import json
import random
from collections.abc import Callable
from typing import Any

from vivavoce.errors import ClientError
from vivavoce.protocol.dialect import DialectName

Json = dict[str, Any]

STATE_CODES = {
    "conversation_already_has_active_response",
    "rate_limit_exceeded",
    "input_audio_buffer_commit_empty",
    "response_cancel_not_active",
    "output_audio_buffer_empty",
    "invalid_request",
    "invalid_json",
    "request_too_large",
}
"""Refusals for which no field is at fault: the moment is wrong, or the frame is no event at all."""

JUNK: list[Any] = [
    None, True, False, 0, -1, 2**63, 10**40, 1e308, -0.5, "", " ", "x", "\x00", "%%%", "AAA", "9" * 5000, "语" * 300,
    [], {}, [[]], [None], {"type": "x"}, {"": {}}, {"$": 1}, [{"type": "message"}], "root", "nobody", "inf", "null",
    "cut \ud83d", {"\ude00": "\ud83d"},
]  # fmt: skip
VADS: list[Any] = [
    None,
    {"type": "server_vad"},
    {"type": "server_vad", "prefix_padding_ms": 0, "silence_duration_ms": 100},
    {"type": "server_vad", "create_response": False, "interrupt_response": False},
    {"type": "server_vad", "energy_awakeness_threshold": 2500},
    {"type": "server_vad", "idle_timeout_ms": 1000},
    {"type": "semantic_vad", "eagerness": "high"},
]
FLAT_TOOL = {"type": "function", "name": "lamp", "description": "d", "parameters": {"type": "object"}}
NESTED_TOOL = {"type": "function", "function": {"name": "lamp", "description": "d", "parameters": {"type": "object"}}}
FLAT_FORMATS: list[Any] = ["pcm16", "g711_ulaw", "g711_alaw", "pcm16_8000", "pcm16_48000"]
GA_FORMATS: list[Any] = [
    {"type": "audio/pcm", "rate": 24000},
    {"type": "audio/pcmu"},
    {"type": "audio/pcm", "rate": 48000},
]


class Fuzzer:
    """Makes frames of one dialect. ``transcribing`` allows the session to become one that only writes down."""

    def __init__(self, seed: int, dialect: DialectName, *, transcribing: bool = True) -> None:
        self.chance = random.Random(f"{seed} {dialect}")
        self.dialect = dialect
        self.transcribing = transcribing
        self.known_ids = ["a", "b", "root", "nobody"]
        self._count = 0

    def frame(self) -> tuple[str | bytes, str | None]:
        """A frame and its ``event_id``, if it has one that can be read."""
        event = self._event()
        self._count += 1
        event["event_id"] = f"fuzz_{self._count}"
        if self.chance.random() < 0.8:
            for _ in range(self.chance.randint(1, 3)):
                self._spoil(event)
        text = json.dumps(event, ensure_ascii=self.chance.random() < 0.5)
        if any("\ud800" <= character <= "\udfff" for character in text):
            text = json.dumps(event)  # no socket sends half a surrogate pair but escaped
        if self.chance.random() < 0.04:
            return self._broken(text), None
        event_id = event.get("event_id")
        return text, event_id.replace("\ud83d", "\ufffd") or None if isinstance(event_id, str) else None

    def _event(self) -> Json:
        one_of = self.chance.choice
        makers: list[Callable[[], Json]] = [
            lambda: {"type": "session.update", "session": self._session()},
            lambda: {"type": "input_audio_buffer.append", "audio": self._audio()},
            lambda: {"type": "input_audio_buffer.append", "audio": self._audio()},
            lambda: {"type": "input_audio_buffer.commit"},
            lambda: {"type": "input_audio_buffer.clear"},
            lambda: {"type": "conversation.item.create", "item": self._item(), "previous_item_id": self._id()},
            lambda: {"type": "conversation.item.create", "item": self._item()},
            lambda: {"type": "conversation.item.delete", "item_id": self._id()},
            lambda: {"type": "conversation.item.retrieve", "item_id": self._id()},
            lambda: {
                "type": "conversation.item.truncate",
                "item_id": self._id(),
                "content_index": one_of([0, 0, 1]),
                "audio_end_ms": one_of([0, 700, 10**6]),
            },
            lambda: {"type": "response.create"},
            lambda: {"type": "response.create", "response": self._overrides()},
            lambda: {"type": "response.cancel"},
            lambda: {"type": "output_audio_buffer.clear"},
        ]
        if self.dialect == "openai_beta" and self.transcribing and self.chance.random() < 0.01:
            return {"type": "transcription_session.update", "session": {}}
        return one_of(makers)()

    def _id(self) -> str:
        return self.chance.choice(self.known_ids[-12:] + self.known_ids[:4])

    def _audio(self) -> str:
        size = self.chance.choice([0, 2, 960, 9_600, 48_000])
        audio = self.chance.choice([b"\0\0", b"\x10\x40"]) * (size // 2)
        encoded = base64.encodebytes if self.chance.random() < 0.1 else base64.b64encode
        return encoded(audio + b"\0" if self.chance.random() < 0.05 else audio).decode()

    def _session(self) -> Json:
        one_of, fields = self.chance.choice, self._ga_session() if self.dialect == "openai" else self._flat_session()
        kept: Json = {name: fields[name] for name in self.chance.sample(sorted(fields), self.chance.randint(0, 4))}
        if self.dialect == "openai":
            kept["type"] = "transcription" if self.transcribing and self.chance.random() < 0.02 else "realtime"
        if one_of([True, False]):
            kept["instructions"] = "Be brief."
        return kept

    def _flat_session(self) -> Json:
        one_of = self.chance.choice
        return {
            "modalities": one_of([["text"], ["text", "audio"]]),
            "voice": one_of(["nobody", "linjiajiejie", "alloy"]),
            "input_audio_format": one_of(FLAT_FORMATS),
            "output_audio_format": one_of(FLAT_FORMATS),
            "input_audio_transcription": one_of([None, {"model": "m", "language": "en"}]),
            "turn_detection": copy.deepcopy(one_of(VADS)),
            "tools": [copy.deepcopy(one_of([FLAT_TOOL, NESTED_TOOL]))],
            "tool_choice": one_of(["auto", "none", "required", {"type": "function", "name": "lamp"}]),
            "temperature": 0.8,
            "max_response_output_tokens": one_of([1, 100, "inf"]),
        }

    def _ga_session(self) -> Json:
        one_of = self.chance.choice
        return {
            "output_modalities": one_of([["text"], ["audio"]]),
            "tools": [copy.deepcopy(FLAT_TOOL)],
            "tool_choice": one_of(["auto", "none", "required", {"type": "function", "name": "lamp"}]),
            "max_output_tokens": one_of([1, 100, "inf"]),
            "tracing": "auto",
            "audio": {
                "input": {"format": one_of(GA_FORMATS).copy(), "turn_detection": copy.deepcopy(one_of(VADS))},
                "output": {"format": one_of(GA_FORMATS).copy(), "speed": one_of([0.5, 1.5])},
            },
        }

    def _item(self) -> Json:
        one_of = self.chance.choice
        said = [{"type": "input_text", "text": "hi"}, {"type": "input_audio", "audio": self._audio()}]
        reply = "output_text" if self.dialect == "openai" else "text"
        item: Json = one_of(
            [
                {"type": "message", "role": "user", "content": self.chance.sample(said, self.chance.randint(1, 2))},
                {"type": "message", "role": "assistant", "content": [{"type": reply, "text": "well"}]},
                {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "be kind"}]},
                {"type": "function_call", "call_id": "c", "name": "lamp", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "c", "output": "done"},
            ]
        )
        if one_of([True, False, False]):
            item["id"] = self._id()
        return item

    def _overrides(self) -> Json:
        one_of, overrides = self.chance.choice, self._session()
        overrides.pop("type", None)
        if one_of([True, False]):
            overrides["conversation"] = one_of(["auto", "none"])
        if one_of([True, False, False]):
            overrides["input"] = [one_of([self._item(), {"type": "item_reference", "id": self._id()}])]
        if one_of([True, False, False]):
            overrides["metadata"] = {"k": "v"}
        return overrides

    # ---- spoiling

    def _spoil(self, event: Json) -> None:
        inner: Any = event
        while True:
            keys: list[Any] = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
            if not keys:
                return
            key = self.chance.choice(keys)
            if isinstance(inner[key], dict | list) and self.chance.random() < 0.75:
                inner = inner[key]
                continue
            self._spoil_field(inner, key)
            return

    def _spoil_field(self, inner: Any, key: Any) -> None:
        match self.chance.randrange(6):
            case 0:
                del inner[key]
            case 1 if isinstance(inner, dict):
                inner[f"{key}_"] = inner.pop(key)
            case 2:
                inner[key] = [inner[key]]
            case 3 if isinstance(inner[key], str):
                inner[key] = self.chance.choice(
                    [inner[key][:-1], inner[key] + "=", inner[key].upper(), inner[key] * 50]
                )
            case 4:
                deep: Any = inner[key]
                for _ in range(self.chance.choice([3, 70, 200])):
                    deep = {"x": deep} if self.chance.random() < 0.5 else [deep]
                inner[key] = deep
            case _:
                inner[key] = copy.deepcopy(self.chance.choice(JUNK))

    def _broken(self, text: str) -> str | bytes:
        at = self.chance.randrange(1, len(text))
        noise = self.chance.randbytes(40)
        cut: list[str | bytes] = [
            text[:at],
            text[at:],
            "[" * 20_000,
            '{"type":' * 5_000,
            noise,
            b"\xff" + text.encode(),
        ]
        return self.chance.choice(cut)


def assert_names_its_fault(error: ClientError | Any, event_id: str | None) -> None:
    """The documented promise: which event, and which field of it where one is at fault."""
    assert error.message
    assert len(error.message) < 2000
    assert (error.event_id or None) == event_id, (error.message, error.event_id, event_id)
    assert error.param or error.code in STATE_CODES, error.message
