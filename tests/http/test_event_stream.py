from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from starlette.requests import ClientDisconnect, Request

from vivavoce.errors import ClientError, EngineError
from vivavoce.http import event_stream as module
from vivavoce.http.disconnects import while_connected
from vivavoce.http.event_stream import KEEP_ALIVE, SendEvent, event, event_stream


class Client:
    """The other end of one request: what it was sent, and whether it has hung up."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.hung_up = asyncio.Event()
        self.heard = asyncio.Event()
        self.request = Request({"type": "http", "method": "POST", "headers": []}, self.receive)

    async def receive(self) -> dict[str, Any]:
        await self.hung_up.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)
        self.heard.set()

    async def until(self, text: str, times: int = 1) -> None:
        while self.text.count(text) < times:
            self.heard.clear()
            await self.heard.wait()

    @property
    def text(self) -> str:
        return "".join(message.get("body", b"").decode() for message in self.sent)


class Work:
    """Sends events, then waits or fails; remembers how it ended."""

    def __init__(self, events: Iterable[str] = (), *, raises: Exception | None = None, forever: bool = False) -> None:
        self._events = events
        self._raises = raises
        self._forever = forever
        self.stopped = False

    async def __call__(self, send: SendEvent) -> None:
        try:
            for text in self._events:
                await send(text)
            if self._forever:
                await asyncio.Event().wait()
            if self._raises is not None:
                raise self._raises
        finally:
            self.stopped = True


async def answered(client: Client, work: Work) -> None:
    response = await event_stream(client.request, work)
    await response(client.request.scope, client.receive, client.send)


async def test_events_arrive_and_the_stream_ends() -> None:
    client = Client()
    await answered(client, Work(event({"n": n, "text": "好"}) for n in range(40)))
    assert client.text == "".join(f'data: {{"n":{n},"text":"好"}}\n\n' for n in range(40))
    assert client.sent[0]["status"] == 200
    headers = dict(client.sent[0]["headers"])
    assert headers[b"content-type"].startswith(b"text/event-stream")
    assert b"content-length" not in headers
    assert client.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


@pytest.mark.parametrize("error", [ClientError("no", param="x"), EngineError("e", "broken"), ValueError("a bug")])
async def test_an_error_before_the_first_event_is_the_requests(error: Exception) -> None:
    with pytest.raises(type(error)):
        await event_stream(Client().request, Work(raises=error))


@pytest.mark.parametrize(
    ("error", "code"), [(ClientError("no", code="a_code"), "a_code"), (EngineError("e", "broken"), "engine_error")]
)
async def test_a_later_error_is_the_last_event(error: Exception, code: str) -> None:
    client = Client()
    await answered(client, Work([event(1)], raises=error))
    assert client.text.startswith('data: 1\n\ndata: {"error":')
    assert f'"code":"{code}"' in client.text


async def test_a_bug_is_told_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    client = Client()
    await answered(client, Work([event(1)], raises=ValueError("secret")))
    assert '"type":"server_error"' in client.text
    assert "secret" not in client.text
    assert "secret" in caplog.text


async def test_hanging_up_stops_the_work() -> None:
    client, work = Client(), Work([event(1)], forever=True)
    answering = asyncio.ensure_future(answered(client, work))
    await client.until("data: 1")
    client.hung_up.set()
    await answering
    assert work.stopped


async def test_hanging_up_before_the_first_event_stops_the_work() -> None:
    client, work = Client(), Work(forever=True)
    client.hung_up.set()
    with pytest.raises(ClientDisconnect):
        await answered(client, work)
    assert work.stopped


async def test_a_client_that_does_not_read_is_gone_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STALLED_S", 0.01)
    client, work = Client(), Work([event(1)] * 100)

    async def read_the_head(message: Any) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    response = await event_stream(client.request, work)
    await response(client.request.scope, client.receive, read_the_head)
    assert work.stopped


async def test_slow_work_is_answered_with_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_EVENT_TIMEOUT_S", 0.0)
    monkeypatch.setattr(module, "KEEP_ALIVE_S", 0.001)
    client = Client()
    go_on = asyncio.Event()

    async def work(send: SendEvent) -> None:
        await go_on.wait()
        raise EngineError("e", "too late for a status")

    response = await event_stream(client.request, work)
    answering = asyncio.ensure_future(response(client.request.scope, client.receive, client.send))
    await client.until(KEEP_ALIVE, 2)
    go_on.set()
    await answering
    assert '{"error":{"message":"e: too late' in client.text


async def test_work_that_is_done_in_time_is_done() -> None:
    async def work() -> int:
        await asyncio.sleep(0)
        return 7

    assert await while_connected(Client().request.receive, work()) == 7


async def test_nobody_works_for_a_client_that_is_gone() -> None:
    client, work = Client(), Work(forever=True)

    async def drop(text: str) -> None:
        raise AssertionError

    waiting = asyncio.ensure_future(while_connected(client.request.receive, work(drop)))
    await asyncio.sleep(0)
    client.hung_up.set()
    with pytest.raises(ClientDisconnect):
        await waiting
    assert work.stopped
