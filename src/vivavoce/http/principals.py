"""What a key opens, and the ephemeral client secrets: short-lived keys for one kind of route.

A server with a key makes them for its own clients (a browser, a phone), which must not know the key. A secret opens
Realtime connections only, until it expires, as often as it likes; each starts with the session it was made for. What is
open already stays open (OpenAI differences, section 9.6).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from vivavoce.config.serving import CLIENT_SECRET_PREFIX
from vivavoce.errors import CapacityError, ClientError, ShareError
from vivavoce.permissions import Key
from vivavoce.protocol.dialect import DialectName
from vivavoce.protocol.session_config import Frozen, SessionPatch
from vivavoce.runtime.shares import FairShares

MAX_BYTES = 64 * 1024 * 1024
"""What the sessions of all secrets may take, as JSON."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who comes in, and, if by a client secret, how the session starts.

    ``owner`` is the configured name of the key (of the key that made the secret). ``model`` is the name asked for when the
    secret was made, which the connection cannot change; ``patch`` changes the server's defaults; ``dialect`` is the one the
    session was written in. ``key`` is the created key behind it; a configured one, or none needed, has no limits.
    ``session_s`` is how long a session may last at most, in seconds; ``None``: as long as any. ``frozen`` are the fields of
    the session its holder cannot change.
    """

    owner: str
    model: str | None = None
    patch: SessionPatch | None = None
    dialect: DialectName | None = None
    key: Key | None = None
    session_s: int | None = None
    frozen: frozenset[Frozen] = frozenset()

    @property
    def scopes(self) -> frozenset[str]:
        """What the key behind it opens; none: everything."""
        return self.key.scopes if self.key is not None else frozenset()


@dataclass(frozen=True, slots=True)
class IssuedSecret:
    """A new secret. ``expires_at`` is in seconds of the epoch."""

    value: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class _Secret:
    """``expires_at`` is in seconds of the clock; ``id`` is its owner's name for it, ``size`` its session's, in bytes."""

    expires_at: float
    principal: Principal
    id: str
    size: int


class ClientSecrets:
    """The secrets that are valid: at most ``capacity``, whose sessions take ``MAX_BYTES`` at most. Both are shared by owners
    (``multiple_owners``: whether there is more than one).

    ``clock`` is a monotonic one, in seconds: what has expired stays so when the wall clock is set back, and nothing expires
    when it is set forward. ``epoch`` gives seconds of the epoch, which is what clients are told.
    """

    def __init__(
        self,
        capacity: int,
        clock: Callable[[], float] = time.monotonic,
        epoch: Callable[[], float] = time.time,
        *,
        multiple_owners: Callable[[], bool] = lambda: False,
    ) -> None:
        self._count = FairShares(capacity, multiple_owners)
        self._bytes = FairShares(MAX_BYTES, multiple_owners)
        self._clock = clock
        self._epoch = epoch
        # By digest: a lookup then takes a time that tells nothing about the secrets there are.
        self._secrets: dict[bytes, _Secret] = {}

    def __len__(self) -> int:
        return len(self._secrets)

    def issue(self, principal: Principal, lifetime_s: int, *, id: str = "", size: int = 0) -> IssuedSecret:
        """A secret for this principal, under ``id``; its session takes ``size`` bytes.

        Raises ``CapacityError`` and ``ShareError`` when there are too many that have not expired, or they take too much.
        """
        now = self._clock()
        for digest in [digest for digest, secret in self._secrets.items() if secret.expires_at <= now]:
            self._drop(digest)
        for shares, amount, what in (
            (self._count, 1, "client secrets"),
            (self._bytes, size, "bytes of client secrets"),
        ):
            if shares.full(amount):
                raise CapacityError(what, shares.capacity)
            if not shares.fits(principal.owner, amount):
                raise ShareError(what, shares.held(principal.owner), shares.capacity)
        self._count.take(principal.owner)
        self._bytes.take(principal.owner, size)
        epoch = self._epoch()
        issued = IssuedSecret(CLIENT_SECRET_PREFIX + secrets.token_urlsafe(32), int(epoch) + lifetime_s)
        # What clients are told is a whole second; it opens until then, and not a fraction of a second longer.
        self._secrets[_digest(issued.value)] = _Secret(now + issued.expires_at - epoch, principal, id, size)
        return issued

    def find(self, value: str) -> Principal | None:
        """What a secret opens; ``None`` when there is none of this value or it has expired."""
        secret = self._secrets.get(_digest(value))
        return secret.principal if secret is not None and secret.expires_at > self._clock() else None

    def revoke(self, owner: str, id: str) -> None:
        """End a secret of this owner. Raises ``ClientError`` (``client_secret_not_found``)."""
        now = self._clock()
        for digest, secret in self._secrets.items():
            if secret.id == id and secret.principal.owner == owner and secret.expires_at > now:
                self._drop(digest)
                return
        raise ClientError(f"There is no client secret '{id[:100]}'.", code="client_secret_not_found", param="id")

    def _drop(self, digest: bytes) -> None:
        secret = self._secrets.pop(digest)
        self._count.give_back(secret.principal.owner)
        self._bytes.give_back(secret.principal.owner, secret.size)


def _digest(value: str) -> bytes:
    return sha256(value.encode()).digest()
