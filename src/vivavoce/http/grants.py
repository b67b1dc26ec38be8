"""What a key opens, and the ephemeral client secrets: short-lived keys for one kind of door.

A server with a key makes them for its own clients (a browser, a phone), which must not know the key. A secret opens
Realtime connections only, until it expires, as often as it likes; each starts with the session it was made for. What is
open already stays open (OpenAI differences, section 9.6).
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from vivavoce.config.serving import CLIENT_SECRET_PREFIX
from vivavoce.errors import CapacityError
from vivavoce.protocol.dialect import DialectName
from vivavoce.protocol.session_config import SessionPatch
from vivavoce.store.rights import Key


@dataclass(frozen=True, slots=True)
class Grant:
    """Who comes in, and, if by a client secret, how the session starts.

    ``owner`` is the configured name of the key (of the key that made the secret). ``model`` is the name asked for when the
    secret was made, which the connection cannot change; ``patch`` changes the server's defaults; ``dialect`` is the one the
    session was written in. ``key`` is the created key behind it; a configured one, or none needed, has no limits.
    ``session_s`` is how long a session may last at most, in seconds; ``None``: as long as any.
    """

    owner: str
    model: str | None = None
    patch: SessionPatch | None = None
    dialect: DialectName | None = None
    key: Key | None = None
    session_s: int | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """A new secret. ``expires_at`` is in seconds of the epoch."""

    value: str
    expires_at: int


class ClientSecrets:
    """The secrets that are valid, at most ``capacity``.

    ``clock`` is a monotonic one, in seconds: what has expired stays so when the wall clock is set back, and nothing expires
    when it is set forward. ``epoch`` gives seconds of the epoch, which is what clients are told.
    """

    def __init__(
        self, capacity: int, clock: Callable[[], float] = time.monotonic, epoch: Callable[[], float] = time.time
    ) -> None:
        self._capacity = capacity
        self._clock = clock
        self._epoch = epoch
        # By digest: a lookup then takes a time that tells nothing about the secrets there are.
        self._grants: dict[bytes, tuple[float, Grant]] = {}

    def __len__(self) -> int:
        return len(self._grants)

    def issue(self, grant: Grant, lifetime_s: int) -> Issued:
        """A secret for this grant. Raises ``CapacityError`` when there are too many that have not expired."""
        now = self._clock()
        self._grants = {digest: entry for digest, entry in self._grants.items() if entry[0] > now}
        if len(self._grants) >= self._capacity:
            raise CapacityError("client secrets", self._capacity)
        epoch = self._epoch()
        issued = Issued(CLIENT_SECRET_PREFIX + secrets.token_urlsafe(32), int(epoch) + lifetime_s)
        # What clients are told is a whole second; it opens until then, and not a fraction of a second longer.
        self._grants[_digest(issued.value)] = (now + issued.expires_at - epoch, grant)
        return issued

    def find(self, value: str) -> Grant | None:
        """What a secret opens; ``None`` when there is none of this value or it has expired."""
        expires_at, grant = self._grants.get(_digest(value), (-math.inf, None))
        return grant if expires_at > self._clock() else None


def _digest(value: str) -> bytes:
    return sha256(value.encode()).digest()
