"""``clock``: date and time, anywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from vivavoce.tools.base import Calling, Effects, ServerTool, ToolResult
from vivavoce.types import Tool


class Clock(ServerTool):
    """Tells date, weekday and time; the server's own without a time zone."""

    kind = "builtin"
    timeout_s = 2.0
    effects: Effects = "none"
    tool = Tool(
        "get_date_and_time",
        "Current date, weekday and time of day, here or in a city or time zone.",
        {"type": "object", "properties": {"timezone": {"type": "string", "description": "such as Europe/Paris"}}},
    )

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._zones = {name.split("/")[-1].replace("_", " ").casefold(): name for name in sorted(available_timezones())}

    async def run(self, arguments: Mapping[str, Any], calling: Calling) -> ToolResult:
        """The time in ``timezone``, which may also be its city."""
        asked = str(arguments.get("timezone") or "").strip()
        name = self._zones.get(asked.split("/")[-1].replace("_", " ").casefold())
        if asked and name is None:
            return ToolResult(f"There is no time zone '{asked[:60]}'.", failed=True, trusted=True)
        there = self._now().astimezone(ZoneInfo(name) if name else None)
        return ToolResult(f"{there:%A}, {there:%Y-%m-%d}, {there:%H:%M} ({name or there.tzname()}).", trusted=True)
