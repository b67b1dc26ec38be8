"""``clock``: date and time, anywhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from vivavoce.tools.base import Calling, Effects, ServerTool, ToolResult
from vivavoce.types import Tool

CITIES = {
    "Asia/Shanghai": "beijing|shenzhen|guangzhou|北京|上海|中国", "Asia/Hong_Kong": "香港", "Asia/Tokyo": "东京|東京|日本",
    "America/Los_Angeles": "san francisco|seattle|洛杉矶", "America/New_York": "washington|boston|纽约",
    "Europe/London": "伦敦", "Europe/Paris": "巴黎", "Asia/Kolkata": "delhi|new delhi|mumbai|bangalore",
}  # fmt: skip
"""Of those people ask for, what the names of time zones do not have."""

_HERE = frozenset({"", "local", "here", "current", "本地", "当地"})
"""What small models write where nobody named a place."""

_OFFSET = re.compile(r"(?:utc|gmt)? ?([+-])(\d\d?)(?::?(\d\d))?")


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
        self._zones = {name.split("/")[-1].replace("_", " ").casefold(): name for name in sorted(available_timezones())}
        self._zones |= {city: zone for zone, cities in CITIES.items() for city in cities.split("|")}

    async def run(self, arguments: Mapping[str, Any], calling: Calling) -> ToolResult:
        """The time in ``timezone``, which may also be its city."""
        asked = str(arguments.get("timezone") or "").strip()
        place = asked.split("/")[-1].replace("_", " ").casefold()
        zone = self._zone(place)
        if zone is None and place not in _HERE:
            return ToolResult(f"There is no time zone '{asked[:60]}'.", failed=True, trusted=True)
        there = self._now().astimezone(zone)
        where = zone or f"here, {there.tzname()}"
        return ToolResult(f"{there:%A}, {there:%Y-%m-%d}, {there:%H:%M} ({where}).", trusted=True)

    def _zone(self, asked: str) -> tzinfo | None:
        if offset := _OFFSET.fullmatch(asked):  # before the names: Etc/GMT+8 is eight hours west
            ahead = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
            return timezone(ahead if offset[1] == "+" else -ahead) if ahead < timedelta(hours=24) else None
        name = self._zones.get(asked)
        return ZoneInfo(name) if name else None
