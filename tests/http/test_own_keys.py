"""``/v1/keys``: a key makes keys of its owner, which open no more than itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from running import RunningServer, running
from vivavoce.config import load_config
from vivavoce.permissions import KeyLimits


@pytest.fixture(scope="module")
def locked() -> Iterator[RunningServer]:
    keys = {"alice": "alice-secret-1", "bob": "bobs-secret-1", "carol": "carols-secret-1"}
    limits = {"carol": {"requests_per_minute": 100}}
    with running(load_config({"auth": {"keys": keys, "limits": limits}}, profile="fake")) as started:
        yield started


def asked(server: RunningServer, key: str, method: str, path: str, **options: Any) -> httpx.Response:
    return httpx.request(method, f"{server.http}/v1{path}", headers={"Authorization": f"Bearer {key}"}, **options)


def made(server: RunningServer, key: str, **wanted: Any) -> dict[str, Any]:
    answer = asked(server, key, "POST", "/keys", json=wanted)
    assert answer.status_code == 200, answer.text
    created: dict[str, Any] = answer.json()
    return created


def test_a_key_is_made_used_and_revoked(locked: RunningServer) -> None:
    created = made(locked, "alice-secret-1", scopes=["audio"], expires_in_s=600)
    assert created["scopes"] == ["audio"]
    assert created["expires_at"] - created["created_at"] == 600
    secret = created.pop("value")
    assert secret.endswith(created["hint"])
    assert asked(locked, secret, "GET", "/models").status_code == 200
    assert asked(locked, secret, "GET", "/files").status_code == 403
    assert created in asked(locked, "alice-secret-1", "GET", "/keys").json()["data"]
    revoked = asked(locked, "alice-secret-1", "DELETE", f"/keys/{created['id']}")
    assert revoked.json()["revoked"] is True
    assert asked(locked, secret, "GET", "/models").status_code == 401


def test_keys_of_others_are_not_there(locked: RunningServer) -> None:
    created = made(locked, "alice-secret-1")
    assert created["id"] not in asked(locked, "bobs-secret-1", "GET", "/keys").text
    assert asked(locked, "bobs-secret-1", "DELETE", f"/keys/{created['id']}").status_code == 404
    assert asked(locked, created["value"], "GET", "/models").status_code == 200


def test_no_key_makes_one_that_opens_more(locked: RunningServer) -> None:
    narrow = made(locked, "alice-secret-1", scopes=["keys", "audio"])["value"]
    beyond = asked(locked, narrow, "POST", "/keys", json={"scopes": ["files"]})
    assert (beyond.status_code, beyond.json()["error"]["param"]) == (403, "scopes")
    assert made(locked, narrow)["scopes"] == ["audio", "keys"]
    without = made(locked, "alice-secret-1", scopes=["audio"])["value"]
    assert asked(locked, without, "POST", "/keys", json={}).status_code == 403


def test_no_key_makes_one_that_lasts_longer(locked: RunningServer) -> None:
    short = made(locked, "alice-secret-1", expires_in_s=100)
    for wanted in ({}, {"expires_in_s": 100_000}):
        assert made(locked, short["value"], **wanted)["expires_at"] <= short["expires_at"] + 1


def test_a_key_with_limits_makes_none(locked: RunningServer) -> None:
    assert asked(locked, "carols-secret-1", "POST", "/keys", json={}).status_code == 403
    _, limited = asyncio.run(locked.core.keys.create("alice", limits=KeyLimits(sessions=1)))
    assert asked(locked, limited, "POST", "/keys", json={}).status_code == 403


def test_the_first_key_is_not_made_here() -> None:
    with running(load_config({}, profile="fake")) as server:
        refused = httpx.post(f"{server.http}/v1/keys", json={})
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "insufficient_scope")
        assert httpx.get(f"{server.http}/v1/keys").json()["data"] == []
