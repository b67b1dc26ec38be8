"""Created keys, on both databases: only a digest is kept, and what is over opens nothing."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import SQLAlchemyError

from vivavoce.errors import StoreBusyError
from vivavoce.permissions import Key, KeyLimits
from vivavoce.store.database import Database
from vivavoce.store.keys import CACHED_KEY_S, KEY_PREFIX, Keys, UnknownKeyError
from vivavoce.store.store import Store
from vivavoce.store.tables import KeyRow


@pytest.fixture
def keys(store: Store) -> Keys:
    return Keys(store.database)


async def test_a_key_is_found_by_its_secret_only(keys: Keys) -> None:
    limits = KeyLimits(requests_per_minute=3, tokens_per_minute=100, sessions=2)
    row, secret = await keys.create("alice", scopes=("files", "chat"), limits=limits)
    assert secret.startswith(KEY_PREFIX)
    assert await keys.find([secret]) == Key(row.id, "alice", frozenset({"chat", "files"}), limits)
    assert await keys.find(["nonsense", secret]) is not None
    for wrong in ("", KEY_PREFIX, secret[:-1], secret + "x", secret.swapcase(), row.id, row.digest):
        assert await keys.find([wrong]) is None


async def test_the_secret_is_not_in_the_store(keys: Keys, store: Store) -> None:
    row, secret = await keys.create("alice")
    assert secret.endswith(row.hint)
    async with store.reading() as session:
        rows = (await session.execute(text("SELECT * FROM keys"))).all()
    assert secret not in str(rows)
    assert secret[len(KEY_PREFIX) : -4] not in str(rows)


async def test_a_revoked_key_and_one_that_has_expired_open_nothing(keys: Keys, store: Store) -> None:
    revoked, first = await keys.create("alice")
    expired, second = await keys.create("alice", lifetime_s=60)
    valid, third = await keys.create("alice", lifetime_s=60)
    assert await keys.find([second]) is not None
    await keys.revoke(revoked.id)
    async with store.rows.begin() as session:
        await session.execute(update(KeyRow).where(KeyRow.id == expired.id).values(expires_at=1))
    assert [await keys.find([secret]) is not None for secret in (first, second, third)] == [False, False, True]
    assert await keys.still_valid([revoked.id, expired.id, valid.id, "key-none"]) == {valid.id}


async def test_a_key_revoked_elsewhere_opens_nothing_when_it_is_no_longer_remembered(
    keys: Keys, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, secret = await keys.create("alice")
    assert await keys.find([secret]) is not None
    async with store.rows.begin() as session:  # as another process does it
        await session.execute(update(KeyRow).where(KeyRow.id == row.id).values(revoked_at=1))
    assert await keys.find([secret]) is not None
    now = time.monotonic() + CACHED_KEY_S
    monkeypatch.setattr(time, "monotonic", lambda: now)
    assert await keys.find([secret]) is None


async def test_a_key_revoked_here_opens_nothing_at_once_whoever_has_found_it(keys: Keys, store: Store) -> None:
    row, secret = await keys.create("alice")
    assert await keys.find([secret]) is not None
    await Keys(store.database).revoke(row.id)
    assert await keys.find([secret]) is None


async def test_a_key_that_is_remembered_is_found_while_the_database_is_gone(keys: Keys, store: Store) -> None:
    _, secret = await keys.create("alice")
    assert await keys.find([secret]) is not None
    await store.database.close()
    keys._database = Database("sqlite:////nowhere/vivavoce.db")
    assert await keys.find([secret]) is not None
    with pytest.raises(StoreBusyError):
        await keys.find([KEY_PREFIX + "nobody"])


async def test_only_forgetting_opens_the_server_again(keys: Keys) -> None:
    for row in await keys.list():
        await keys.revoke(row.id)
    assert await keys.forget() >= 0
    assert await keys.any() is False
    row, _ = await keys.create("alice")
    other, _ = await keys.create("bob")
    await keys.revoke(row.id)
    assert await keys.forget() == 1
    assert [one.id for one in await keys.list()] == [other.id]
    await keys.revoke(other.id)
    assert await keys.any() is True
    assert await keys.forget() == 1
    assert await keys.any() is False


async def test_a_key_that_is_not_there_cannot_be_revoked(keys: Keys) -> None:
    with pytest.raises(UnknownKeyError, match="key-none"):
        await keys.revoke("key-none")


async def test_the_databases_errors_do_not_tell_what_is_stored(store: Store) -> None:
    with pytest.raises(SQLAlchemyError) as caught:
        async with store.database.rows.begin() as session:
            await session.execute(text("SELECT * FROM nothing WHERE word = :word"), {"word": "a secret word"})
    assert "a secret word" not in str(caught.value)
