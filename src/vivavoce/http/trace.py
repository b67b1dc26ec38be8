"""What is known of the request being answered: its trace id, and why it was refused (platform reference, section 1)."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

from vivavoce.errors import ClientError


@dataclass(slots=True)
class Trace:
    """One request's. An object, so that what is noted in a task of its own is seen outside of it."""

    id: str
    refusal: ClientError | None = None


current_trace: ContextVar[Trace | None] = ContextVar("current_trace", default=None)


def trace_id() -> str:
    """The trace id of the request being answered; ``-`` outside of one."""
    trace = current_trace.get()
    return "-" if trace is None else trace.id


def note_refusal(error: ClientError) -> None:
    """Remember what the request being answered is refused with, for the log."""
    trace = current_trace.get()
    if trace is not None:
        trace.refusal = error
