from __future__ import annotations

import asyncio
import ssl
from http import HTTPStatus
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

from scripted_server import Script, scripted_server, tone
from vivavoce.client.connection import connect, http_url, realtime_url
from vivavoce.client.errors import ConnectError
from vivavoce.client.turn import speak_turn, text_turn
from vivavoce.http.tls import self_signed


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("ws://127.0.0.1:8080", "ws://127.0.0.1:8080/v1/realtime?model=m"),
        ("http://host:1/", "ws://host:1/v1/realtime?model=m"),
        ("https://host/v1", "wss://host/v1/realtime?model=m"),
        (
            "wss://host/step_plan/v1/realtime?dialect=stepfun",
            "wss://host/step_plan/v1/realtime?model=m&dialect=stepfun",
        ),
        ("ws://host/v1/realtime?model=other", "ws://host/v1/realtime?model=other"),
    ],
)
def test_a_base_url_becomes_the_one_to_open(base: str, expected: str) -> None:
    assert realtime_url(base, model="m") == expected


def test_marks_are_asked_for_in_the_query() -> None:
    assert realtime_url("ws://h:1", model="m", marks=True).endswith("?model=m&marks=1")


@pytest.mark.parametrize("base", ["127.0.0.1:8080", "ftp://host", "ws://", ""])
def test_what_is_no_url_is_refused(base: str) -> None:
    with pytest.raises(ConnectError, match="URL"):
        realtime_url(base, model="m")


def test_where_http_is() -> None:
    assert http_url("wss://host:9/v1/realtime?x=1") == "https://host:9"
    assert http_url("http://host:9") == "http://host:9"


async def test_the_handshake_carries_model_and_key_and_settings_are_confirmed() -> None:
    script = Script()
    async with scripted_server(script) as url, connect(url, model="step-audio-2-mini", api_key="k1") as client:
        updated = await client.update_session({"voice": "v"})
        assert updated.nested("session") == {"voice": "v"}
    assert script.requests == ["/v1/realtime?model=step-audio-2-mini"]
    assert script.headers[0]["Authorization"] == "Bearer k1"
    assert script.received[0]["event_id"]


async def test_refused_settings_carry_the_servers_words() -> None:
    async with scripted_server(Script(refuse_session=True)) as url, connect(url) as client:
        with pytest.raises(ConnectError, match="no such voice"):
            await client.update_session({"voice": "x"})


async def test_a_refused_upgrade_carries_status_and_body() -> None:
    async with scripted_server(Script(refuse=HTTPStatus.TOO_MANY_REQUESTS)) as url:
        with pytest.raises(ConnectError, match="429: refused by the script") as caught:
            async with connect(url):
                pass
    assert caught.value.status == 429


async def test_nobody_there_is_said() -> None:
    async with scripted_server(Script()) as url:
        pass
    with pytest.raises(ConnectError, match="Cannot reach"):
        async with connect(url):
            pass


async def test_what_tls_is_the_reason_for_is_said_with_what_to_do(tmp_path: Path) -> None:
    files = self_signed(tmp_path, "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.cert, files.key)

    async def nothing(_socket: ServerConnection) -> None:
        pass

    async with serve(nothing, "127.0.0.1", 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ConnectError, match="SSL_CERT_FILE"):
            async with connect(f"wss://127.0.0.1:{port}"):
                pass
        with pytest.raises(ConnectError, match="begins with wss://"):
            async with connect(f"ws://127.0.0.1:{port}"):
                pass


async def test_tls_where_there_is_none_is_said_with_what_to_do() -> None:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        with pytest.raises(ConnectError, match="begins with ws://"):
            async with connect(f"wss://127.0.0.1:{server.sockets[0].getsockname()[1]}"):
                pass


async def test_a_server_that_goes_away_or_talks_nonsense_is_said() -> None:
    async def nonsense(socket: ServerConnection) -> None:
        await socket.send('{"type": "session.created"}')
        await socket.send("[1, 2]")

    async with serve(nonsense, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with connect(url) as client:
            with pytest.raises(ConnectError, match="not an event"):
                await client.receive()
            with pytest.raises(ConnectError, match="closed"):
                await client.receive()
            with pytest.raises(ConnectError, match="closed"):
                await client.send("response.create")


async def test_waiting_is_bounded() -> None:
    async with scripted_server(Script()) as url, connect(url) as client:
        assert await client.receive(timeout_s=0.01) is None
        with pytest.raises(ConnectError, match="No response"):
            await client.wait_for("response.done", timeout_s=0.05)


async def test_a_spoken_turn_from_end_to_end() -> None:
    script = Script(leading_silence_ms=40)
    async with scripted_server(script) as url, connect(url, marks=True) as client:
        turn = await speak_turn(client, tone(200), lead_in_ms=60)
    record = turn.record
    assert record.finished
    assert record.transcript == script.heard
    assert record.reply is not None
    assert record.reply.transcript == "It is far."
    assert record.reply.playout.leading_silence_ms() == pytest.approx(40, abs=1)
    assert record.reply.playout.duration_ms == pytest.approx(160)
    assert record.reply.marks["transcript"] == 3.0
    # 200 ms of tone end at 260 ms of the stream; the scripted server waits for 100 ms of silence after them.
    waited_s = record.utterances[0].committed_s - turn.spoken_at_s(200)
    assert waited_s >= 0.1
    assert turn.spoken_at_s(0) - turn.stream.spoken_at_s(0) == pytest.approx(0.06)


async def test_silence_goes_on_until_the_reply_is_whole() -> None:
    script = Script(silence_ms=300)
    async with scripted_server(script) as url, connect(url) as client:
        turn = await speak_turn(client, tone(40))
    assert turn.record.finished
    assert turn.stream.chunks_sent >= 2 + 15


async def test_no_answer_gives_an_unfinished_turn() -> None:
    async with scripted_server(Script(answers=False)) as url, connect(url) as client:
        turn = await speak_turn(client, tone(40), timeout_s=0.3)
        record = await text_turn(client, "hello", timeout_s=0.1)
    assert not turn.record.finished
    assert turn.record.transcript
    assert not record.finished


async def test_a_written_turn_is_answered_aloud() -> None:
    script = Script()
    async with scripted_server(script) as url, connect(url) as client:
        record = await text_turn(client, "how far?")
    assert record.finished
    assert record.reply is not None
    assert record.reply.playout.duration_ms == pytest.approx(120)
    assert script.received[0]["item"]["content"] == [{"type": "input_text", "text": "how far?"}]
