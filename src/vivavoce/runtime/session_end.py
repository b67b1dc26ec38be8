"""How a conversation ends: what its client is told, and that nothing of it stays in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from traceback import clear_frames
from typing import TypeAlias

from vivavoce.errors import ClientError

Work: TypeAlias = Callable[[], Coroutine[None, None, None]]
"""Something to be done beside all else, begun when it is called."""


async def run_work(work: Work) -> None:
    """Do it. A task group that is cancelled is held by its own exception, in a cycle, and with it all that its frames hold:
    the whole conversation. So they are emptied.
    """
    try:
        await work()
    except asyncio.CancelledError as cancelled:
        clear_frames(cancelled.__traceback__)
        raise


def ignore(session_input: object) -> None:
    """Takes what comes when the conversation is over, in the place of what would hold it."""


def refuse_work(work: Work) -> asyncio.Task[None]:
    """Stands where tasks were begun. Raises ``RuntimeError``."""
    raise RuntimeError("the conversation is over")


def expired(lifetime_s: float) -> ClientError:
    """The session has lasted as long as it may."""
    return ClientError(f"Your session hit the maximum duration of {_duration(lifetime_s)}.", code="session_expired")


def inactivity_reason(inactive_s: float) -> str:
    """Why a session ends in which the client sends nothing."""
    return f"Nothing was said in this session for {_duration(inactive_s)}."


def _duration(seconds: float) -> str:
    return f"{seconds / 60:g} minutes" if seconds >= 60 else f"{seconds:g} seconds"
