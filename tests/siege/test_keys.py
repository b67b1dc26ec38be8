"""Who has no key: what a proxy says of its visitors, and how many wrong keys one address may try."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import HTTPConnection

from running import RunningServer, running
from vivavoce.config import load_config
from vivavoce.errors import ClientError, RateLimitError
from vivavoce.http.local import require_local
from vivavoce.http.wrong_keys import MAX_ADDRESSES, MAX_WRONG_KEYS, WINDOW_S, WrongKeys


def comes_with(**headers: str) -> None:
    raw = [(b"host", b"localhost")]
    raw += [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    require_local(HTTPConnection({"type": "http", "client": ("127.0.0.1", 1), "headers": raw}), "127.0.0.1")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x_real_ip", "203.0.113.5"),
        ("forwarded", "for=203.0.113.5;proto=https"),
        ("forwarded", 'for="[2001:db8::17]:4711"'),
        ("forwarded", "for=127.0.0.1, for=_hidden"),
        ("forwarded", "proto=https"),
        ("via", "1.1 Caddy"),
        ("x_forwarded_for", "127.0.0.1, 203.0.113.5"),
    ],
)
def test_what_came_through_a_proxy_is_not_local(name: str, value: str) -> None:
    with pytest.raises(ClientError, match="proxy") as refused:
        comes_with(**{name: value})
    assert refused.value.code == "forbidden"


def test_a_proxy_that_speaks_for_this_machine_is_welcome() -> None:
    comes_with(x_real_ip="127.0.0.1")
    comes_with(forwarded='for=127.0.0.1;proto=http;by=203.0.113.43, For="[::1]:4711"')
    comes_with(via="1.1 Caddy", x_forwarded_for="::1")


def test_an_address_that_tries_keys_has_to_wait() -> None:
    now = 0.0
    wrong = WrongKeys(lambda: now)
    for attempt in range(MAX_WRONG_KEYS):
        wrong.require("203.0.113.5")
        wrong.note("203.0.113.5", [f"guess-{attempt}"])
    with pytest.raises(RateLimitError) as refused:
        wrong.require("203.0.113.5")
    assert refused.value.retry_after_s == WINDOW_S
    wrong.require("203.0.113.6")
    now = WINDOW_S + 1
    wrong.require("203.0.113.5")


def test_the_same_wrong_key_again_is_one_mistake_and_loopback_is_not_counted() -> None:
    wrong = WrongKeys(lambda: 0.0)
    for attempt in range(10 * MAX_WRONG_KEYS):
        wrong.note("203.0.113.5", ["expired-key"])
        wrong.note("127.0.0.1", [f"guess-{attempt}"])
        wrong.note(None, [f"guess-{attempt}"])
        wrong.note(f"2001:db8:1:2::{attempt:x}", [f"guess-{attempt}"])
        wrong.note(f"::ffff:192.0.2.{attempt % 2}", [f"guess-{attempt}"])
    for host in ("203.0.113.5", "127.0.0.1", None):
        wrong.require(host)
    with pytest.raises(RateLimitError):
        wrong.require("192.0.2.1")  # a socket for both versions maps it
    with pytest.raises(RateLimitError):
        wrong.require("2001:db8:1:2:ffff::")  # a customer has a /64, and every address in it


@given(st.lists(st.tuples(st.ip_addresses(), st.text(max_size=4)), max_size=60))
def test_what_is_remembered_is_bounded(attempts: list[tuple[object, str]]) -> None:
    wrong = WrongKeys(lambda: 0.0)
    for address, key in attempts:
        wrong.note(str(address), [key] * 50)
    assert len(wrong._tried) <= MAX_ADDRESSES
    assert all(len(tried) <= MAX_WRONG_KEYS for tried in wrong._tried.values())


@pytest.fixture(scope="module")
def locked() -> Iterator[RunningServer]:
    with running(load_config({"auth": {"keys": {"alice": "alice-secret-1"}}}, profile="fake")) as started:
        yield started


def test_over_http_by_the_address_a_proxy_names(locked: RunningServer) -> None:
    def ask(key: str, address: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}", "X-Forwarded-For": address}
        return httpx.get(f"{locked.http}/v1/models", headers=headers)

    answers = [ask(f"guess-{attempt}", "203.0.113.9") for attempt in range(MAX_WRONG_KEYS + 1)]
    assert [answer.status_code for answer in answers] == [401] * MAX_WRONG_KEYS + [429]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= WINDOW_S
    assert ask("alice-secret-1", "203.0.113.9").status_code == 429  # else the guesser would learn which key is right
    assert ask("alice-secret-1", "203.0.113.10").status_code == 200
