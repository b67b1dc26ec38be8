"""How much each key may ask for: requests and tokens a minute, and conversations at once.

Counted in this process: behind several servers a key has its limits on each of them. Requests are counted in a moving
minute. Tokens are known when they have been spent, so a request begins as long as some are left, may spend more than
those, and what it spent in excess counts until the minute is over.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter, RateLimiter

from vivavoce.errors import RateLimitError
from vivavoce.store.keys import Key


class KeyUse:
    """What the keys have used. A key of ``None`` (configured, or none needed) has no limits."""

    def __init__(self) -> None:
        storage = MemoryStorage()
        self._requests = MovingWindowRateLimiter(storage)
        self._tokens = FixedWindowRateLimiter(storage)
        self._sessions: Counter[str] = Counter()

    def count_request(self, key: Key | None) -> None:
        """A request begins. Raises ``RateLimitError`` when it is one too many, or no tokens are left."""
        if key is None:
            return
        if key.limits.tokens_per_minute is not None:
            tokens = RateLimitItemPerMinute(key.limits.tokens_per_minute)
            if not self._tokens.test(tokens, "tokens", key.id):
                raise _exceeded(self._tokens, tokens, "tokens", key)
        if key.limits.requests_per_minute is not None:
            requests = RateLimitItemPerMinute(key.limits.requests_per_minute)
            if not self._requests.hit(requests, "requests", key.id):
                raise _exceeded(self._requests, requests, "requests", key)

    def spend(self, key: Key | None, tokens: int) -> None:
        """Tokens a request has cost, in and out."""
        if key is not None and key.limits.tokens_per_minute is not None and tokens > 0:
            self._tokens.hit(RateLimitItemPerMinute(key.limits.tokens_per_minute), "tokens", key.id, cost=tokens)

    def begin_session(self, key: Key | None) -> Callable[[], None]:
        """A conversation begins; call what is returned at its end. Raises ``RateLimitError`` when it is one too many."""
        if key is None or key.limits.sessions is None:
            return lambda: None
        if self._sessions[key.id] >= key.limits.sessions:
            raise RateLimitError(f"This key may hold {key.limits.sessions} conversations at once.")
        self._sessions[key.id] += 1
        return lambda: self._sessions.subtract({key.id: 1})


def _exceeded(limiter: RateLimiter, item: RateLimitItem, what: str, key: Key) -> RateLimitError:
    wait_s = max(1, math.ceil(limiter.get_window_stats(item, what, key.id).reset_time - time.time()))
    return RateLimitError(f"This key may use {item.amount} {what} a minute.", retry_after_s=wait_s)
