"""Time zones by the names people and small models give them."""

from __future__ import annotations

import re
from datetime import timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

CITIES = {
    "Asia/Shanghai": "beijing|shenzhen|guangzhou|北京|上海|中国", "Asia/Hong_Kong": "香港", "Asia/Tokyo": "东京|東京|日本",
    "America/Los_Angeles": "san francisco|seattle|洛杉矶", "America/New_York": "washington|boston|纽约",
    "Europe/London": "伦敦", "Europe/Paris": "巴黎", "Asia/Kolkata": "delhi|new delhi|mumbai|bangalore",
}  # fmt: skip
"""Of those people ask for, what the names of time zones do not have."""

_HERE = frozenset({"", "local", "here", "current", "本地", "当地"})
"""What small models write where nobody named a place."""

_OFFSET = re.compile(r"(?:utc|gmt)? ?([+-])(\d\d?)(?::?(\d\d))?")


def is_here(place: str) -> bool:
    """Whether ``place`` names no other one."""
    return _plain(place) in _HERE


def zone_of(place: str) -> tzinfo | None:
    """The time zone of a city, of a zone's name, or so far from UTC; ``None`` where there is none, or it is here."""
    plain = _plain(place)
    if offset := _OFFSET.fullmatch(plain):  # before the names: Etc/GMT+8 is eight hours west
        ahead = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        return timezone(ahead if offset[1] == "+" else -ahead) if ahead < timedelta(hours=24) else None
    name = _zones().get(plain)
    return ZoneInfo(name) if name else None


def _plain(place: str) -> str:
    return place.strip().split("/")[-1].replace("_", " ").casefold()


@cache
def _zones() -> dict[str, str]:
    zones = {_plain(name): name for name in sorted(available_timezones())}
    return zones | {city: zone for zone, cities in CITIES.items() for city in cities.split("|")}
