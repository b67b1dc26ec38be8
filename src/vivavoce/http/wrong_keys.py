"""Wrong keys, counted by address: whoever tries one after another has to wait.

The same wrong key again is one mistake, so a program with an expired key does not shut out others behind its address. Of
IPv6 the /64 counts, which is what one customer has. This machine's own addresses are not counted: they may be a proxy's,
which speaks for everybody.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from hashlib import sha256
from ipaddress import IPv6Address

from vivavoce.errors import RateLimitError
from vivavoce.http.local import is_loopback
from vivavoce.net.addresses import address_of

MAX_WRONG_KEYS = 20
"""Different wrong keys from one address within ``WINDOW_S``; then it has to wait until the oldest is so old."""

WINDOW_S = 60.0
MAX_ADDRESSES = 10_000
"""Addresses remembered; beyond that the one is forgotten that has been quiet for longest."""


class WrongKeys:
    """What each address has tried lately. ``clock`` gives seconds and never goes back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tried: OrderedDict[str, dict[bytes, float]] = OrderedDict()

    def require(self, host: str | None) -> None:
        """Raises ``RateLimitError`` when this address has tried too many keys."""
        tried = self._recent(_counted_as(host))
        if len(tried) >= MAX_WRONG_KEYS:
            left_s = min(tried.values()) + WINDOW_S - self._clock()
            raise RateLimitError("Too many wrong keys from this address.", retry_after_s=max(1, math.ceil(left_s)))

    def note(self, host: str | None, keys: Iterable[str]) -> None:
        """These keys were wrong."""
        address = _counted_as(host)
        if address is None:
            return
        now, tried = self._clock(), self._recent(address)
        for key in keys:
            if len(tried) < MAX_WRONG_KEYS:
                tried[sha256(key.encode()).digest()] = now
        self._tried[address] = tried
        self._tried.move_to_end(address)
        while len(self._tried) > MAX_ADDRESSES:
            self._tried.popitem(last=False)

    def _recent(self, address: str | None) -> dict[bytes, float]:
        since = self._clock() - WINDOW_S
        return {key: at for key, at in self._tried.get(address or "", {}).items() if at > since}


def _counted_as(host: str | None) -> str | None:
    """The address that is counted; ``None`` for what is not."""
    if host is None or is_loopback(host):
        return None
    address = address_of(host)
    if address is None:
        return host
    if not isinstance(address, IPv6Address):
        return str(address)
    return str(IPv6Address(int(address) >> 64 << 64))
