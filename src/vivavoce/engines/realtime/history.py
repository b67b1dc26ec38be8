"""How much of a conversation is told again on a new connection. Pure."""

from __future__ import annotations

from collections.abc import Container, Sequence

from vivavoce.hosted import HistoryCall, HistoryEntry, HistoryOutput
from vivavoce.text.token_estimates import estimate_text

SHARE = 0.75
"""Of the context."""


def within(history: Sequence[HistoryEntry], context_tokens: int, audio: Container[str]) -> Sequence[HistoryEntry]:
    """The newest entries that fit, and what is there as ``audio``. It does not begin with what came of a call."""
    room = context_tokens * SHARE
    start = len(history)
    while start and (room := room - _tokens(history[start - 1])) >= 0:
        start -= 1
    while start < len(history) and isinstance(history[start], HistoryOutput):
        start += 1
    return [*(entry for entry in history[:start] if entry.key in audio), *history[start:]]


def _tokens(entry: HistoryEntry) -> int:
    match entry:
        case HistoryCall(call=call):
            return estimate_text(call.name + call.arguments)
        case HistoryOutput(output=output):
            return estimate_text(output)
        case _:
            return estimate_text(entry.text)
