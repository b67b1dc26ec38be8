"""``timers``: set, list and cancel; in a live conversation the assistant speaks up when one is over."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from vivavoce.tools.base import Calling, Effects, LiveConversation, ServerTool, ToolResult
from vivavoce.types import Tool

MOST = 16
LONGEST_S = 24 * 3600


@dataclass(slots=True)
class _Running:
    label: str
    due: float
    handle: asyncio.TimerHandle = field(repr=False)


class Timers(ServerTool):
    """Timers of a live conversation; they end with it."""

    kind = "builtin"
    timeout_s = 2.0
    effects: Effects = "acts"
    tool = Tool(
        "timer",
        "Set a countdown timer, list the running timers, or cancel one.",
        {
            "type": "object",
            "properties": {
                "action": {"enum": ["set", "list", "cancel"]},
                "seconds": {"type": "integer", "minimum": 1, "maximum": LONGEST_S, "description": "how long"},
                "label": {"type": "string", "description": "what it is for"},
            },
            "required": ["action"],
        },
    )

    def __init__(self) -> None:
        self._timers: WeakKeyDictionary[LiveConversation, list[_Running]] = WeakKeyDictionary()

    async def run(self, arguments: Mapping[str, Any], calling: Calling) -> ToolResult:
        """Do what ``action`` says."""
        if calling.live is None:
            return _told("Timers only work in a live conversation.", failed=True)
        now, label = asyncio.get_running_loop().time(), str(arguments.get("label") or "")[:60]
        running = [timer for timer in self._timers.get(calling.live, []) if timer.due > now]
        self._timers[calling.live] = running
        match arguments.get("action"), arguments.get("seconds"):
            case "set", int(seconds) if len(running) < MOST and 0 < seconds <= LONGEST_S:
                handle = calling.live.later(seconds, f"The timer {label or f'of {_length(seconds)}'} is over.")
                running.append(_Running(label, now + seconds, handle))
                return _told(f"Timer set: {_length(seconds)}{f', {label}' if label else ''}.")
            case "cancel", _ if running:
                gone = next((timer for timer in running if label and label in timer.label), running[-1])
                gone.handle.cancel()
                running.remove(gone)
                return _told("Timer cancelled.")
            case "list" | "cancel", _:
                left = [f"{timer.label or 'timer'}: {_length(timer.due - now)} left" for timer in running]
                return _told("; ".join(left) or "No timer is running.")
            case _:
                return _told(
                    "Ask how long the timer should be." if len(running) < MOST else "There are too many timers."
                )


def _length(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{count} {name}" for count, name in ((hours, "h"), (minutes, "min"), (rest, "s")) if count]
    return " ".join(parts) or "0 s"


def _told(text: str, *, failed: bool = False) -> ToolResult:
    return ToolResult(text, failed=failed, trusted=True)
