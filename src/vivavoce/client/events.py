"""A server event as it came off the wire, stamped with the moment it arrived."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vivavoce.audio.pcm import decode_pcm16
from vivavoce.types import Samples

WIRE_RATE_HZ = 24_000
"""Both directions of the protocol carry pcm16 mono at this rate (Realtime reference 8)."""


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """One event: its type, when it arrived (seconds on ``time.perf_counter``), and all its fields."""

    type: str
    arrived_s: float
    fields: Mapping[str, Any]

    def text(self, key: str) -> str:
        """A string field; empty when it is absent or ``null``."""
        return str(self.fields.get(key) or "")

    def nested(self, key: str) -> Mapping[str, Any]:
        """An object field (``response``, ``item``, ``error``, ``session``); empty when absent."""
        value = self.fields.get(key)
        return value if isinstance(value, Mapping) else {}

    @property
    def response_id(self) -> str:
        """The response the event belongs to, wherever this event type keeps it."""
        return self.text("response_id") or str(self.nested("response").get("id") or "")

    @property
    def samples(self) -> Samples:
        """The audio of a ``response.audio.delta``, ``float32[n]`` at 24 kHz."""
        return decode_pcm16(base64.b64decode(self.text("delta"), validate=True))

    @property
    def error_message(self) -> str:
        """What an ``error`` event says, with its code."""
        error = self.nested("error")
        code = error.get("code")
        message = str(error.get("message") or "unknown error")
        return f"{message} ({code})" if code else message
