"""``/v1/keys``: an owner's own keys, as ``vivavoce keys`` makes them. Ours, in no other API.

A key makes keys of its owner that open no more than itself: not other scopes, and not for longer. One with limits of its own
(requests, tokens, conversations) makes none, because two of them would be allowed twice as much. A server without keys makes
its first one on the command line: it locks the server.
"""

from __future__ import annotations

import time
from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from vivavoce.errors import ClientError
from vivavoce.http.auth import LOCAL_OWNER, Caller
from vivavoce.http.errors import ReportingRoute
from vivavoce.http.lifecycle import core_of
from vivavoce.http.principals import Principal
from vivavoce.permissions import SCOPES, KeyLimits, Scope
from vivavoce.protocol.bodies import Body
from vivavoce.store.keys import Keys
from vivavoce.store.tables import KeyRow

router = APIRouter(route_class=ReportingRoute, tags=["keys"])

MAX_KEYS = 100
"""Of an owner, revoked ones that are not forgotten included."""


class NewKey(Body):
    """What a key shall open, and for how long."""

    scopes: Annotated[
        tuple[Scope, ...], Field(max_length=16, description="What it opens; none: all that this key does.")
    ] = ()
    expires_in_s: Annotated[
        int | None, Field(ge=60, le=10 * 366 * 86_400, description="Seconds; else until revoked.")
    ] = None


class KeyObject(BaseModel):
    """A key without its secret, of which ``hint`` are the last four characters. ``current``: it is the one that asks."""

    id: str
    object: Literal["key"] = "key"
    hint: str
    scopes: list[str]
    created_at: int
    expires_at: int | None
    revoked: bool
    current: bool


class CreatedKey(KeyObject):
    """A new key; ``value`` is shown this once."""

    value: str


class KeyList(BaseModel):
    """The owner's keys that are kept in the store, the oldest first."""

    object: Literal["list"] = "list"
    data: list[KeyObject]
    has_more: Literal[False] = False


@router.get("/v1/keys")
async def list_keys(request: Request, caller: Caller) -> KeyList:
    """One's own keys. Those of the configuration are not listed."""
    rows = await _of_owner(core_of(request).keys, caller.owner)
    return KeyList(data=[_described(row, caller) for row in rows])


@router.post("/v1/keys")
async def create_key(request: Request, caller: Caller, new: NewKey) -> CreatedKey:
    """Make a key of one's own, which opens no more than the one that asks."""
    keys = core_of(request).keys
    _require_unlimited(caller)
    if beyond := set(new.scopes) - caller.scopes if caller.scopes else set():
        raise _refused(f"This key does not open {', '.join(sorted(beyond))}.", "scopes")
    rows = await _of_owner(keys, caller.owner)
    if len(rows) >= MAX_KEYS:
        raise ClientError(f"There are {MAX_KEYS} keys already; `vivavoce keys forget` deletes those that are over.")
    lifetime_s = _lifetime_s(rows, caller, new.expires_in_s)
    scopes = [scope for scope in SCOPES if scope in (new.scopes or caller.scopes)]
    row, secret = await keys.create(caller.owner, scopes=scopes, lifetime_s=lifetime_s)
    return CreatedKey(value=secret, **_described(row, caller).model_dump())


@router.delete("/v1/keys/{key_id}")
async def revoke_key(request: Request, caller: Caller, key_id: str) -> KeyObject:
    """End a key of one's own: it is refused at once, and conversations it has open end within a second."""
    keys = core_of(request).keys
    if not any(row.id == key_id for row in await _of_owner(keys, caller.owner)):
        raise ClientError(f"You have no key '{key_id}'.", code="not_found", param="key_id")
    return _described(await keys.revoke(key_id), caller)


async def _of_owner(keys: Keys, owner: str) -> list[KeyRow]:
    return [row for row in await keys.list() if row.owner == owner]


def _require_unlimited(caller: Principal) -> None:
    if caller.owner == LOCAL_OWNER and caller.key is None:
        raise _refused("The first key locks this server; make it with: vivavoce keys create NAME", None)
    if caller.key is not None and caller.key.limits != KeyLimits():
        raise _refused("A key with limits of its own makes no others.", None)


def _lifetime_s(rows: list[KeyRow], caller: Principal, wanted_s: int | None) -> int | None:
    """No longer than the key that asks lasts."""
    own = next((row for row in rows if caller.key is not None and row.id == caller.key.id), None)
    if own is None or own.expires_at is None:
        return wanted_s
    left_s = max(0, own.expires_at - int(time.time()))
    return left_s if wanted_s is None else min(wanted_s, left_s)


def _refused(message: str, param: str | None) -> ClientError:
    return ClientError(message, code="insufficient_scope", param=param, type="permission_error")


def _described(row: KeyRow, caller: Principal) -> KeyObject:
    return KeyObject(
        id=row.id,
        hint=row.hint,
        scopes=row.scopes.split(),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked=row.revoked_at is not None,
        current=caller.key is not None and caller.key.id == row.id,
    )
