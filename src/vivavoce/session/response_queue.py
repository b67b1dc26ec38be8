"""Responses that were asked for and cannot begin yet: those of the conversation wait for silence, too."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vivavoce.session.prompt_builder import ResponseRequest
from vivavoce.session.turn import Turn

MAX_WAITING = 16
"""Responses that may wait."""


@dataclass(frozen=True, slots=True)
class WaitingResponse:
    """What is to be answered; ``turn`` is the user's last one, whose marks the response continues."""

    request: ResponseRequest
    turn: Turn | None


class ResponseQueue:
    """In the order they were asked for. Those that one prompt answers with the same settings are one."""

    def __init__(self) -> None:
        self._waiting: list[WaitingResponse] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def takes(self, request: ResponseRequest) -> bool:
        """Whether there is room for this one."""
        return len(self._waiting) < MAX_WAITING or any(
            merged(waiting.request, request) is not None for waiting in self._waiting
        )

    def add(self, request: ResponseRequest, turn: Turn | None) -> None:
        """Wait with this one, as a part of another if it can be."""
        for index, waiting in enumerate(self._waiting):
            if (both := merged(waiting.request, request)) is not None:
                self._waiting[index] = WaitingResponse(both, turn or waiting.turn)
                return
        self._waiting.append(WaitingResponse(request, turn))

    def next(self, *, quiet: bool) -> WaitingResponse | None:
        """The one that may begin now, taken out. Unless it is ``quiet``, only what nobody hears or remembers may."""
        for index, waiting in enumerate(self._waiting):
            if quiet or not (waiting.request.in_conversation or waiting.request.config.speaks):
                return self._waiting.pop(index)
        return None

    def drop_in_conversation(self) -> list[ResponseRequest]:
        """Forget those that would become part of the history; returns them."""
        dropped = [waiting.request for waiting in self._waiting if waiting.request.in_conversation]
        self._waiting = [waiting for waiting in self._waiting if not waiting.request.in_conversation]
        return dropped


def merged(first: ResponseRequest, second: ResponseRequest) -> ResponseRequest | None:
    """One response for two that were asked for; ``None`` where each has to be given.

    Both must be answers to the whole conversation, and alike in their settings and metadata: otherwise the client would
    wait in vain for the one it can tell from the other.
    """
    alike = replace(first, calls=()) == replace(second, calls=())
    if not alike or not first.in_conversation or first.items is not None or first.note is not None:
        return None
    return replace(first, calls=(*first.calls, *second.calls))
