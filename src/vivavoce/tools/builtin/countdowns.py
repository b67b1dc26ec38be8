"""The timers of one live conversation, each ending in a few words of the assistant."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from vivavoce.tools.base import LiveConversation

MAX_TIMERS = 16
LONGEST_S = 24 * 3600


@dataclass(slots=True)
class _Running:
    label: str
    ends_at: float
    handle: asyncio.TimerHandle = field(repr=False)


class Countdowns:
    """Set, cancelled and listed. Each method says in words what came of it."""

    def __init__(self) -> None:
        self._timers: list[_Running] = []

    def set(self, live: LiveConversation, seconds: int, label: str) -> str:
        """A new one, if there is room. ``live`` is told when it is over."""
        if len(self._running()) >= MAX_TIMERS:
            return "There are too many timers."
        handle = live.later(seconds, f"The timer {label or f'of {_length(seconds)}'} is over.")
        self._timers.append(_Running(label, asyncio.get_running_loop().time() + seconds, handle))
        return f"Timer set: {_length(seconds)}{f', {label}' if label else ''}."

    def cancel(self, label: str) -> str:
        """The one of that ``label``, or the last."""
        running = self._running()
        if not running:
            return "No timer is running."
        gone = next((timer for timer in running if label and label in timer.label), running[-1])
        gone.handle.cancel()
        running.remove(gone)
        return "Timer cancelled."

    def listed(self) -> str:
        """What runs, and for how long still."""
        now = asyncio.get_running_loop().time()
        lines = [f"{timer.label or 'timer'}: {_length(timer.ends_at - now)} left" for timer in self._running()]
        return "; ".join(lines) or "No timer is running."

    def _running(self) -> list[_Running]:
        now = asyncio.get_running_loop().time()
        self._timers = [timer for timer in self._timers if timer.ends_at > now]
        return self._timers


def _length(seconds: float) -> str:
    minutes, seconds_left = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{count} {name}" for count, name in ((hours, "h"), (minutes, "min"), (seconds_left, "s")) if count]
    return " ".join(parts) or "0 s"
