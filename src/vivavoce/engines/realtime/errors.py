"""What the other side's errors mean for a reply. Pure.

Its words are for the log; clients are told its codes, if they look like ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from vivavoce.engines.remote.errors import RemoteError

_CODE = re.compile(r"[a-z][a-z_]{2,48}")

HARMLESS = frozenset({"response_cancel_not_active"})
HARMLESS_WORDS = ("no ongoing response to cancel", "no active response")
"""A cancel that came too late, in OpenAI's and StepFun's words."""

_REPEATABLE = frozenset({"session_expired", "conversation_already_has_active_response", "429", "rate_limit_exceeded"})


def essential(error: Mapping[str, Any]) -> bool:
    """Whether a reply in progress fails by this error."""
    message = str(error.get("message") or "").lower()
    return str(error.get("code")) not in HARMLESS and not any(words in message for words in HARMLESS_WORDS)


def is_empty_buffer(error: Mapping[str, Any]) -> bool:
    """Whether a turn was too short for the other side to be one: OpenAI wants 100 ms."""
    message = str(error.get("message") or "").lower()
    words = ("buffer too small", "append is not called")
    return str(error.get("code")) == "input_audio_buffer_commit_empty" or any(text in message for text in words)


def said_error(engine: str, error: Mapping[str, Any]) -> RemoteError:
    """An error object of the other side's (in an ``error`` event, or in a failed response) as one of ours."""
    code = str(error.get("code") or error.get("type") or "")
    if code == "session_expired":
        message = "has ended the session"
    elif code in ("429", "rate_limit_exceeded"):
        message = "has too many requests (rate_limit_exceeded)"
    else:
        message = f"failed ({code})" if _CODE.fullmatch(code) else "failed"
    repeatable = code in _REPEATABLE
    away = code == "server_error" or str(error.get("type")) == "server_error"
    return RemoteError(engine, message, away=away, repeatable=repeatable, retriable=repeatable or away)
