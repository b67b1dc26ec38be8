"""Who comes in: each way a key can come, right, wrong and missing; and what a server without keys asks instead."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterator, Mapping
from http.client import HTTPConnection
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from openai import AsyncAzureOpenAI
from starlette.requests import HTTPConnection as Connection
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from running import RunningServer, running
from vivavoce.config import load_config
from vivavoce.errors import ClientError
from vivavoce.http.auth import LOCAL_OWNER, Auth
from vivavoce.http.key_limits import KeyUse
from vivavoce.http.lifecycle import Loading
from vivavoce.http.local import is_loopback
from vivavoce.http.principals import ClientSecrets, Principal
from vivavoce.http.server_logs import hide_keys
from vivavoce.permissions import Key
from vivavoce.runtime.shares import Owners
from vivavoce.runtime.slots import SlotFreed
from vivavoce.store.keys import Keys

ALICE, BOB = "alice-secret-1", "bob-secret-22"
KEYS = {"auth": {"keys": {"alice": ALICE, "bob": BOB}}}

WAYS: dict[str, tuple[str, dict[str, str]]] = {
    "bearer": ("", {"Authorization": "Bearer {key}"}),
    "bearer, lower case": ("", {"authorization": "bearer {key}"}),
    "azure": ("", {"api-key": "{key}"}),
    "sub-protocol": ("", {"Sec-WebSocket-Protocol": "realtime, openai-insecure-api-key.{key}"}),
    "api_key": ("&api_key={key}", {}),
    "apiKey": ("&apiKey={key}", {}),
    "the browser demo's": ("&apiKey={key}", {"Sec-WebSocket-Protocol": "realtime, openai-insecure-api-key.null"}),
}


@pytest.fixture(scope="module")
def locked() -> Iterator[RunningServer]:
    with running(load_config(KEYS, profile="fake")) as started:
        yield started


def knock(port: int, headers: Mapping[str, str], query: str = "", host: str | None = None) -> tuple[int, bytes]:
    """The status and body that answer an upgrade."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest("GET", f"/v1/realtime?model=step-audio-2{query}", skip_host=True)
    upgrade = {
        "Host": host or f"127.0.0.1:{port}",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    for name, value in {**upgrade, **headers}.items():
        connection.putheader(name, value)
    connection.endheaders()
    try:
        answer = connection.getresponse()
        return answer.status, b"" if answer.status == 101 else answer.read()
    finally:
        connection.close()


def knock_with(server: RunningServer, way: str, key: str) -> tuple[int, bytes]:
    query, headers = WAYS[way]
    return knock(server.port, {name: value.format(key=key) for name, value in headers.items()}, query.format(key=key))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("key", [ALICE, BOB])
def test_every_way_opens_with_a_key(locked: RunningServer, way: str, key: str) -> None:
    assert knock_with(locked, way, key)[0] == 101


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("key", [ALICE.upper(), ALICE[:-1], ALICE + "1", "alice", "ek_nothing", "ключ"])
def test_no_way_opens_with_a_wrong_key(locked: RunningServer, way: str, key: str) -> None:
    if not key.isascii() and not way.startswith("api"):
        key = key.encode().hex()  # a header cannot hold it
    assert knock_with(locked, way, quote(key))[0] == 401


def test_a_missing_key_is_refused_with_the_documented_body(locked: RunningServer) -> None:
    for headers in ({}, {"Authorization": "Bearer"}, {"Authorization": f"Basic {ALICE}"}):
        status, body = knock(locked.port, headers)
        assert status == 401
        assert json.loads(body) == {
            "error": {
                "message": "Incorrect API key provided",
                "type": "invalid_api_key",
                "code": "invalid_api_key",
                "param": None,
            }
        }


def test_the_key_comes_before_everything_else(locked: RunningServer) -> None:
    """A stranger learns neither which models there are nor whether the server is busy."""
    assert knock(locked.port, {}, query="&model=gpt-17")[0] == 401
    with locked.at(Loading(locked.core.store)):
        assert knock(locked.port, {})[0] == 401
        assert knock(locked.port, {"Authorization": f"Bearer {BOB}"})[0] == 503


async def test_the_subprotocol_with_the_key_is_not_echoed(locked: RunningServer) -> None:
    offered = [Subprotocol("realtime"), Subprotocol(f"openai-insecure-api-key.{ALICE}")]
    async with connect(f"{locked.ws}/v1/realtime?model=step-audio-2", subprotocols=offered) as socket:
        assert socket.subprotocol == "realtime"


def test_health_needs_no_key(locked: RunningServer) -> None:
    connection = HTTPConnection("127.0.0.1", locked.port, timeout=10)
    connection.request("GET", "/health")
    assert connection.getresponse().status == 200
    connection.close()


@pytest.mark.parametrize("key", [None, ALICE])
def test_how_busy_the_server_is_only_who_has_a_key_is_told(locked: RunningServer, key: str | None) -> None:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    metrics = httpx.get(f"{locked.http}/metrics", headers=headers).text
    assert 'vivavoce_ready{check="engines"} 1' in metrics
    for outcome in ("begun", "used", "discarded", "refused"):
        sample = f'vivavoce_preparations_total{{outcome="{outcome}"}} 0'
        assert (sample in metrics.splitlines()) is (key is not None)
    assert ("vivavoce_places_taken" in metrics) is (key is not None)


def test_with_keys_any_page_and_any_host_may_come(locked: RunningServer) -> None:
    headers = {"Authorization": f"Bearer {ALICE}", "Origin": "https://app.example.org"}
    assert knock(locked.port, headers, host="voice.example.org")[0] == 101


@pytest.mark.parametrize("way", WAYS)
def test_without_keys_any_key_will_do(server: RunningServer, way: str) -> None:
    assert knock_with(server, way, "unused")[0] == 101


def test_without_keys_a_client_secret_must_be_known_all_the_same(server: RunningServer) -> None:
    """Else it would silently start a session other than the one it was made for."""
    assert knock(server.port, {"Authorization": "Bearer ek_of-yesterday"})[0] == 401


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:3000", 101),
        ("http://127.0.0.1:8080", 101),
        ("https://[::1]", 101),
        ("http://app.localhost", 101),
        ("https://evil.example", 403),
        ("http://127.0.0.1.evil.example", 403),
        ("http://localhost.evil.example", 403),
        ("null", 403),
        ("", 403),
        ("file://", 403),
        ("chrome-extension://localhost", 403),
        ("http://[", 403),
    ],
)
def test_without_keys_only_pages_of_this_machine_come_in(server: RunningServer, origin: str, status: int) -> None:
    answered, body = knock(server.port, {"Origin": origin})
    assert answered == status
    if status == 403:
        assert json.loads(body)["error"]["code"] == "forbidden"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8080", 101),
        ("LOCALHOST", 101),
        ("localhost.", 101),
        ("[::1]:8080", 101),
        ("127.8.9.1", 101),
        ("evil.example:8080", 403),
        ("192.168.1.5", 403),
        ("[", 403),
    ],
)
def test_without_keys_only_names_of_this_machine_are_answered(server: RunningServer, host: str, status: int) -> None:
    """A rebound name is the page's own, so the page is of the same host: only ``Host`` tells."""
    assert knock(server.port, {}, host=host)[0] == status
    assert knock(server.port, {"Origin": f"http://{host}"}, host=host)[0] == status


def test_an_open_server_asks_nothing() -> None:
    with running(load_config({"auth": {"open": True}}, profile="fake")) as server:
        assert knock(server.port, {"Origin": "https://app.example.org"}, host="voice.example.org")[0] == 101


def connection(client: tuple[str, int] | None, *, host: str = "localhost", origin: str | None = None) -> Connection:
    headers = [(b"host", host.encode())] + ([(b"origin", origin.encode())] if origin else [])
    return Connection(
        {"type": "websocket", "path": "/v1/realtime", "client": client, "headers": headers, "query_string": b""}
    )


class NoKeys(Keys):
    """A store in which no key was ever created."""

    def __init__(self) -> None:
        pass

    async def find(self, offered: Collection[str]) -> Key | None:
        return None

    async def any(self) -> bool:
        return False


def auth_of(settings: Mapping[str, Any]) -> Auth:
    return Auth(load_config(settings, profile="fake"), ClientSecrets(1), KeyUse(SlotFreed()), Owners(), NoKeys)


async def test_without_keys_other_machines_are_refused_whatever_they_say() -> None:
    auth = auth_of({})
    assert await auth.admit(connection(("127.0.0.1", 1))) == Principal(LOCAL_OWNER)
    assert await auth.admit(connection(("::ffff:127.0.0.1", 1))) == Principal(LOCAL_OWNER)
    assert await auth.admit(connection(None)) == Principal(LOCAL_OWNER)  # a Unix socket
    for address in ("192.168.1.5", "::ffff:10.0.0.1"):
        with pytest.raises(ClientError, match="its own machine"):
            await auth.admit(connection((address, 1)))


async def test_a_page_served_from_an_address_of_this_machine_is_of_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("vivavoce.http.local.own_addresses", lambda: [ip_address("192.168.1.5")])
    auth = auth_of({})
    assert await auth.admit(connection(("127.0.0.1", 1), origin="http://192.168.1.5:3000"))
    for page in ("http://192.168.1.6:3000", "http://desk.local:3000"):
        with pytest.raises(ClientError, match="pages of other hosts"):
            await auth.admit(connection(("127.0.0.1", 1), origin=page))
    with pytest.raises(ClientError, match="serve the page from localhost"):
        await auth.admit(connection(("127.0.0.1", 1), origin="null"))


async def test_the_configured_host_is_a_name_of_this_machine() -> None:
    auth = auth_of({"host": "voice.internal"})
    assert await auth.admit(connection(None, host="voice.internal:8080", origin="http://Voice.internal:3000"))
    with pytest.raises(ClientError):
        await auth.admit(connection(None, host="voice.internal:8080", origin="http://other.internal"))


async def test_the_grant_names_the_owner_of_the_key() -> None:
    auth = auth_of(KEYS)
    for owner, key in (("alice", ALICE), ("bob", BOB)):
        headers = [(b"authorization", f"Bearer {key}".encode())]
        scope = {"type": "http", "path": "/v1/models", "headers": headers, "query_string": b""}
        assert await auth.admit(Connection(scope)) == Principal(owner)


@pytest.mark.parametrize(
    ("host", "expected"),
    [("localhost", True), ("127.0.0.1", True), ("::1", True), ("0.0.0.0", False), ("", False), ("::", False),
     ("127.0.0.1.example.org", False), ("localhost.example.org", False), ("10.0.0.1", False)],
)  # fmt: skip
def test_what_is_this_machine(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


async def test_no_key_is_ever_logged(
    locked: RunningServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("uvicorn", "uvicorn.access", "uvicorn.error"):  # a server made in this process before changed them
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
        monkeypatch.setattr(logging.getLogger(name), "level", logging.DEBUG)
    with caplog.at_level(logging.DEBUG):
        for way in WAYS:
            assert knock_with(locked, way, ALICE)[0] == 101
            assert knock_with(locked, way, "wrong-secret-9")[0] == 401
        web = HTTPConnection("127.0.0.1", locked.port, timeout=10)
        web.request("POST", f"/v1/realtime/client_secrets?api_key={ALICE}", headers={"Authorization": f"Bearer {BOB}"})
        value = json.load(web.getresponse())["value"]
        web.request("GET", f"/nowhere?x=1&api%5Fkey={ALICE}")
        assert web.getresponse().status == 404
        web.close()
        assert knock_with(locked, "api_key", value)[0] == 101
    said = "\n".join(
        record.getMessage() for record in caplog.records if not record.name.startswith("websockets.client")
    )
    assert "/v1/realtime?model=step-audio-2&api_key=[hidden]" in said
    for secret in (ALICE, BOB, "wrong-secret-9", value):
        assert secret not in said
    assert ALICE not in repr(locked.core.config)


def test_only_keys_are_hidden() -> None:
    line = "GET /v1/realtime?model=a&apiKey=abc&resume=sess_1.abc&marks=1 bearer of news, openai-insecure-api-key.abc, realtime"
    assert hide_keys(line) == (
        "GET /v1/realtime?model=a&apiKey=[hidden]&resume=[hidden]&marks=1 bearer [hidden] news, "
        "openai-insecure-api-key.[hidden], realtime"
    )


async def test_the_refusal_reaches_a_client_library(locked: RunningServer) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with connect(f"{locked.ws}/v1/realtime?model=step-audio-2"):
            pass
    assert refused.value.response.status_code == 401
    assert refused.value.response.headers["WWW-Authenticate"] == "Bearer"


async def test_azures_client_comes_in(locked: RunningServer) -> None:
    azure = AsyncAzureOpenAI(
        azure_endpoint=locked.http,
        websocket_base_url=f"{locked.ws}/openai",
        api_key=ALICE,
        api_version="2025-04-01-preview",
    )
    async with azure as client, client.realtime.connect(model="gpt-realtime") as connection:
        created = await connection.recv()
    assert created.type == "session.created"
    assert created.session.type != "transcription"
    assert created.session.model == "gpt-realtime"


async def test_a_refused_client_is_no_error_of_the_server(
    locked: RunningServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("uvicorn.error"), "propagate", True)
    assert knock_with(locked, next(iter(WAYS)), "wrong-secret-9")[0] == 401
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
