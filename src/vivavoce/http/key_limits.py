"""How much each key may ask for: requests and tokens a minute, and conversations at once.

Counted in this process: behind several servers a key has its limits on each of them. Requests are counted in a moving
minute. Tokens are known when they have been spent, so a request begins as long as some are left, may spend more than
those, and what it spent in excess counts until the minute is over.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from vivavoce.errors import RateLimitError
from vivavoce.http.rate_windows import FixedWindow, MovingWindow
from vivavoce.permissions import CONFIGURED, Key
from vivavoce.runtime.slots import SlotFreed


class KeyUse:
    """What the keys have used, and what is open in their name. A key of ``None`` (without limits, or none needed) is free.

    ``slot_freed`` is told when a key may begin a conversation again.
    """

    def __init__(self, slot_freed: SlotFreed) -> None:
        self._slot_freed = slot_freed
        self._requests = MovingWindow()
        self._tokens = FixedWindow()
        self._open: dict[str, list[Callable[[], None]]] = {}

    @property
    def open(self) -> frozenset[str]:
        """The ids of the created keys with open conversations."""
        return frozenset(key_id for key_id in self._open if not key_id.startswith(CONFIGURED))

    def count_request(self, key: Key | None) -> None:
        """A request begins. Raises ``RateLimitError`` when it is one too many, or no tokens are left."""
        self.require_tokens(key)
        if key is not None and (limit := key.limits.requests_per_minute) is not None:
            wait_s = self._requests.hit(key.id, limit)
            if wait_s > 0:
                raise _exceeded(limit, "requests", wait_s)

    def require_tokens(self, key: Key | None) -> None:
        """Raises ``RateLimitError`` when all tokens of this minute are spent."""
        if key is not None and (limit := key.limits.tokens_per_minute) is not None:
            wait_s = self._tokens.wait_s(key.id, limit)
            if wait_s > 0:
                raise _exceeded(limit, "tokens", wait_s)

    def spend(self, key: Key | None, tokens: int) -> None:
        """Tokens a request has cost, in and out."""
        if key is not None and key.limits.tokens_per_minute is not None and tokens > 0:
            self._tokens.spend(key.id, tokens)

    def begin_session(self, key: Key | None, end: Callable[[], None]) -> Callable[[], None]:
        """A conversation begins, which ``end`` ends should the key be revoked; call what is returned when it is over.

        Raises ``RateLimitError`` when it is one too many.
        """
        if key is None:
            return lambda: None
        conversations = self._open.get(key.id, [])
        if key.limits.sessions is not None and len(conversations) >= key.limits.sessions:
            raise RateLimitError(f"This key may hold {key.limits.sessions} conversations at once.")
        self._open[key.id] = conversations = [*conversations, end]

        def session_ended() -> None:
            remaining = [other_end for other_end in self._open[key.id] if other_end is not end]
            if remaining:
                self._open[key.id] = remaining
            else:
                del self._open[key.id]
            self._slot_freed.announce()

        return session_ended

    def end_sessions(self, key_ids: Iterable[str]) -> None:
        """End all conversations of these keys."""
        for key_id in key_ids:
            for end in self._open.get(key_id, ()):
                end()


@dataclass(frozen=True, slots=True)
class KeyTokenQuota:
    """What one key may use of tokens, as a conversation asks for it."""

    use: KeyUse
    key: Key | None

    def require(self) -> None:
        """Raises ``RateLimitError`` when none are left at the moment."""
        self.use.require_tokens(self.key)

    def spend(self, tokens: int) -> None:
        """So many have been used, in and out."""
        self.use.spend(self.key, tokens)


def _exceeded(limit: int, what: str, wait_s: float) -> RateLimitError:
    return RateLimitError(f"This key may use {limit} {what} a minute.", retry_after_s=max(1, math.ceil(wait_s)))
