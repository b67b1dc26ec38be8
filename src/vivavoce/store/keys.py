"""The keys created here: who may come in, to what, and how much.

Only a digest of a key is stored. Keys are 256 random bits, so a plain SHA-256 cannot be guessed backwards, and looking a
digest up takes a time that tells nothing about the keys there are.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection, Iterable, Sequence
from hashlib import sha256

from sqlalchemy import ColumnElement, delete, exists, or_, select

from vivavoce.errors import VivavoceError
from vivavoce.permissions import Key, KeyLimits, Scope
from vivavoce.store.database import Database
from vivavoce.store.files import new_id
from vivavoce.store.tables import KeyRow

KEY_PREFIX = "vv_"
"""What every created key begins with, so that it is recognised where it should not lie about."""


CACHED_KEY_S = 2.0
"""How long a key that another process has revoked goes on opening new requests."""

MAX_CACHED = 10_000


class UnknownKeyError(VivavoceError):
    """There is no key of this id."""


class Keys:
    """The created keys of a database.

    A key that was found is remembered for ``CACHED_KEY_S``, so that a request waits for no database that has just been asked.
    One that this process revokes is forgotten at once; what was not found is looked for again.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cache = _KnownKeys()

    async def create(
        self,
        owner: str,
        *,
        scopes: Iterable[Scope] = (),
        limits: KeyLimits | None = None,
        lifetime_s: int | None = None,
    ) -> tuple[KeyRow, str]:
        """A new key and, this once, its secret."""
        secret = KEY_PREFIX + secrets.token_urlsafe(32)
        limits = limits or KeyLimits()
        now = int(time.time())
        row = KeyRow(
            id=new_id("key-"),
            owner=owner,
            digest=digest_of(secret),
            hint=secret[-4:],
            scopes=" ".join(sorted(set(scopes))),
            requests_per_minute=limits.requests_per_minute,
            tokens_per_minute=limits.tokens_per_minute,
            sessions=limits.sessions,
            created_at=now,
            expires_at=None if lifetime_s is None else now + lifetime_s,
            revoked_at=None,
        )
        async with self._database.rows.begin() as session:
            session.add(row)
        return row, secret

    async def list(self) -> Sequence[KeyRow]:
        """All keys, the oldest first, also those that open nothing any more."""
        async with self._database.reading() as session:
            return (await session.scalars(select(KeyRow).order_by(KeyRow.created_at, KeyRow.id))).all()

    async def revoke(self, key_id: str) -> KeyRow:
        """End a key. Raises ``UnknownKeyError`` when there is none of this id."""

        async def revoked() -> KeyRow:
            async with self._database.rows.begin() as session:
                row = await session.get(KeyRow, key_id)
                if row is None:
                    raise UnknownKeyError(f"There is no key '{key_id}'; `vivavoce keys list` shows those there are.")
                row.revoked_at = row.revoked_at or int(time.time())
            return row

        try:
            return await self._database.delete_with_reserve(revoked)
        finally:
            _invalidate_caches()

    async def forget(self) -> int:
        """Delete the keys that are revoked or have expired; how many there were."""
        invalid = or_(KeyRow.revoked_at.is_not(None), KeyRow.expires_at <= int(time.time()))
        async with self._database.rows.begin() as session:
            ids = (await session.scalars(select(KeyRow.id).where(invalid))).all()
            await session.execute(delete(KeyRow).where(KeyRow.id.in_(ids)))
        _invalidate_caches()
        return len(ids)

    async def find(self, candidates: Collection[str]) -> Key | None:
        """The first of these secrets that is a valid key."""
        digests = [digest_of(secret) for secret in candidates if secret.startswith(KEY_PREFIX)]
        if not digests:
            return None
        cached = self._cache.get(digests[0])
        if cached is not None:
            return cached
        async with self._database.reading() as session:
            rows = (await session.scalars(select(KeyRow).where(KeyRow.digest.in_(digests), *_valid()))).all()
        row = min(rows, key=lambda row: digests.index(row.digest), default=None)
        if row is None:
            return None
        key = _key(row)
        self._cache.put(row.digest, key, row.expires_at)
        return key

    async def still_valid(self, ids: Collection[str]) -> frozenset[str]:
        """Those of these keys that still open something, as the database has it now."""
        if not ids:
            return frozenset()
        async with self._database.reading() as session:
            return frozenset(await session.scalars(select(KeyRow.id).where(KeyRow.id.in_(ids), *_valid())))

    async def owners(self) -> frozenset[str]:
        """Whose the keys are that open something."""
        async with self._database.reading() as session:
            return frozenset(await session.scalars(select(KeyRow.owner).where(*_valid()).distinct()))

    async def any(self) -> bool:
        """Whether a key was ever created, and not forgotten: also one that is over locks the server."""
        async with self._database.reading() as session:
            return bool(await session.scalar(select(exists(select(KeyRow.id)))))


class _KnownKeys:
    """The keys found lately by digest, until their time is over or this process has revoked any."""

    def __init__(self) -> None:
        self._keys: dict[str, tuple[float, Key]] = {}
        self._revocations = _revocations

    def get(self, digest: str) -> Key | None:
        if self._revocations != _revocations:
            self._keys.clear()
            self._revocations = _revocations
        until, key = self._keys.get(digest, (0.0, None))
        return key if until > time.monotonic() else None

    def put(self, digest: str, key: Key, expires_at: int | None) -> None:
        lifetime_s = CACHED_KEY_S if expires_at is None else min(CACHED_KEY_S, expires_at - time.time())
        if len(self._keys) >= MAX_CACHED:
            self._keys.clear()
        self._keys[digest] = (time.monotonic() + lifetime_s, key)


_revocations = 0
"""How often keys were revoked or deleted here, through whatever ``Keys``."""


def _invalidate_caches() -> None:
    global _revocations
    _revocations += 1


def digest_of(secret: str) -> str:
    """SHA-256 of a key, in hex."""
    return sha256(secret.encode()).hexdigest()


def _valid() -> tuple[ColumnElement[bool], ...]:
    now = int(time.time())
    return KeyRow.revoked_at.is_(None), or_(KeyRow.expires_at.is_(None), KeyRow.expires_at > now)


def _key(row: KeyRow) -> Key:
    limits = KeyLimits(row.requests_per_minute, row.tokens_per_minute, row.sessions)
    return Key(row.id, row.owner, frozenset(row.scopes.split()), limits)
