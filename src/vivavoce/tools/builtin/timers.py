"""``timers``: set, list and cancel; in a live conversation the assistant speaks up when one is over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from vivavoce.tools.base import CallContext, Effects, LiveConversation, ServerTool, ToolResult
from vivavoce.tools.builtin.countdowns import LONGEST_S, Countdowns
from vivavoce.types import Tool


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
        self._of: WeakKeyDictionary[LiveConversation, Countdowns] = WeakKeyDictionary()

    async def run(self, arguments: Mapping[str, Any], context: CallContext) -> ToolResult:
        """Do what ``action`` says."""
        if context.live is None:
            return ToolResult("Timers only work in a live conversation.", failed=True, trusted=True)
        timers, label = self._of.setdefault(context.live, Countdowns()), str(arguments.get("label") or "")[:60]
        match arguments.get("action"), arguments.get("seconds"):
            case "set", int(seconds) if 0 < seconds <= LONGEST_S:
                message = timers.set(context.live, seconds, label)
            case "set", _:
                message = "Ask how long the timer should be."
            case "cancel", _:
                message = timers.cancel(label)
            case _:
                message = timers.listed()
        return ToolResult(message, trusted=True)
