"""``clock``: date and time, anywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from vivavoce.tools.base import CallContext, Effects, ServerTool, ToolResult
from vivavoce.tools.builtin.time_zones import is_here, zone_of
from vivavoce.types import Tool


class Clock(ServerTool):
    """Tells date, weekday and time; the server's own without a time zone."""

    kind = "builtin"
    timeout_s = 2.0
    effects: Effects = "none"
    tool = Tool(
        "get_date_and_time",
        "Current date, weekday and time of day, here or in a city or time zone.",
        {
            "type": "object",
            "properties": {"timezone": {"type": "string", "description": "a city, only if one was named"}},
        },
    )

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now

    async def run(self, arguments: Mapping[str, Any], context: CallContext) -> ToolResult:
        """The time in ``timezone``, which may also be its city."""
        place = str(arguments.get("timezone") or "")
        zone = zone_of(place)
        if zone is None and not is_here(place):
            return ToolResult(f"There is no time zone '{place[:60]}'.", failed=True, trusted=True)
        there = self._now().astimezone(zone)
        shown_place = zone or f"here, {there.tzname()}"
        return ToolResult(f"{there:%A}, {there:%Y-%m-%d}, {there:%H:%M} ({shown_place}).", trusted=True)
