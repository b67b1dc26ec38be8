"""Collects what a session wants to happen, in order, and stamps ids."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import msgspec

from vivavoce.errors import ClientError
from vivavoce.ids import random_id
from vivavoce.protocol.server_events import Error, ErrorBody, ServerEvent
from vivavoce.session.outputs import Output, Send

IdFactory: TypeAlias = Callable[[str], str]
"""Prefix → a fresh id."""


MAX_MESSAGE = 500
"""How much of a complaint is told: it may quote an id or a name of the client's, and that may be megabytes."""


def error_body(error: ClientError) -> ErrorBody:
    """The documented error object."""
    return ErrorBody(
        type=error.type,
        code=error.code,
        message=error.message[:MAX_MESSAGE],
        param=error.param,
        event_id=error.event_id,
    )


class Outbox:
    """Everything a session puts out passes here."""

    def __init__(self, new_id: IdFactory = random_id) -> None:
        self.new_id = new_id
        self._outputs: list[Output] = []

    def send(self, event: ServerEvent) -> None:
        """A server event for the client, given its ``event_id``."""
        self._outputs.append(Send(msgspec.structs.replace(event, event_id=self.new_id("event"))))

    def command(self, output: Output) -> None:
        """Work for an engine."""
        self._outputs.append(output)

    def refuse(self, error: ClientError) -> None:
        """An ``error`` event."""
        self.send(Error(error=error_body(error)))

    def drain(self) -> list[Output]:
        """Everything since the last call, in order."""
        outputs, self._outputs = self._outputs, []
        return outputs
