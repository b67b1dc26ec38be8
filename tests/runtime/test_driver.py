"""One session's life: its connections, its clocks and its end, over fake engines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from calls_per_frame import fake_driver

from runtime.client import Client, tone
from vivavoce.errors import ClientError
from vivavoce.runtime.driver import Driver
from vivavoce.session.inputs import Ended


@asynccontextmanager
async def alive(driver: Driver) -> AsyncIterator[asyncio.Task[None]]:
    """The driver's life; it is ended if it has not ended by itself."""
    life = asyncio.create_task(driver.run())
    try:
        yield life
    finally:
        driver.end()
        await life


@asynccontextmanager
async def served(driver: Driver, client: Client) -> AsyncIterator[asyncio.Task[None]]:
    """The driver serves the client for the length of the block."""
    serving = asyncio.create_task(driver.serve(client.frames(), client.send))
    try:
        yield serving
    finally:
        serving.cancel()
        await asyncio.wait([serving])


async def test_a_spoken_turn_is_answered() -> None:
    driver, client = fake_driver(), Client()
    async with alive(driver), served(driver, client):
        client.append(tone(1000))
        client.append(bytes(48 * 1000))
        await client.until("response.done")
    types = [event["type"] for event in client.events]
    assert types[0] == "session.created"
    assert types.index("input_audio_buffer.speech_started") < types.index("input_audio_buffer.committed")
    assert types.index("response.created") < types.index("response.audio.delta") < types.index("response.done")
    assert driver.used


async def test_a_frame_that_cannot_be_read_is_answered_with_an_error() -> None:
    driver, client = fake_driver(), Client()
    async with alive(driver), served(driver, client):
        client.send_text("{")
        await client.until("error")
        client.send_event("input_audio_buffer.clear")
        await client.until("input_audio_buffer.cleared")


async def test_a_broken_connection_is_no_error_and_the_next_one_gets_what_was_not_sent() -> None:
    driver, first, second = fake_driver(), Client(), Client()
    async with alive(driver):
        async with served(driver, first) as serving:
            await first.until("session.created")
            first.broken = True
            first.send_event("input_audio_buffer.clear")
            await serving
        assert not driver.ending
        async with served(driver, second):
            await second.until("input_audio_buffer.cleared")
    assert [event["type"] for event in second.events] == ["input_audio_buffer.cleared"]


async def test_a_session_announces_its_end_and_is_over_when_its_time_is() -> None:
    driver, client = fake_driver(lifetime_s=0.2), Client()
    async with alive(driver) as life, served(driver, client):
        await client.until("rate_limits.updated")
        assert not driver.ending
        assert (await client.until("error"))["error"]["code"] == "session_expired"
        await life
    assert driver.expired is not None
    assert driver.expired.code == "session_expired"


async def test_a_session_nobody_uses_is_over() -> None:
    driver, client = fake_driver(idle_s=0.1), Client()
    async with alive(driver) as life, served(driver, client):
        assert (await client.until("error"))["error"]["code"] == "session_idle"
        await life
    assert driver.expired is not None
    assert not driver.used


async def test_it_is_quiet_unless_it_transcribes_or_answers() -> None:
    driver, client = fake_driver(preparations=0), Client()
    async with alive(driver), served(driver, client):
        await driver.wait_until_drained()
        client.append(tone(1000))
        client.append(bytes(48 * 1000))
        await client.until("input_audio_buffer.committed")
        assert driver.inactive_s == 0.0
        quiet = asyncio.create_task(driver.wait_until_drained())
        await client.until("response.created")
        assert not quiet.done()
        await client.until("response.done")
        await asyncio.wait_for(quiet, 1)


async def test_a_final_input_ends_what_is_being_said() -> None:
    driver, client = fake_driver(), Client()
    async with alive(driver) as life, served(driver, client):
        client.send_event("conversation.item.create", item=message("word " * 200))
        client.send_event("response.create")
        await client.until("response.audio.delta")
        driver.end_with(Ended(ClientError("The server is going down.", code="server_stopping"), send_error=False))
        assert (await client.until("response.done"))["response"]["status"] == "incomplete"
        await life


async def test_a_bug_in_the_session_ends_its_life(monkeypatch: pytest.MonkeyPatch) -> None:
    driver, client = fake_driver(), Client()
    life = asyncio.create_task(driver.run())
    async with served(driver, client) as serving:
        await client.until("session.created")
        monkeypatch.setattr(driver._session, "receive", None)
        client.send_event("input_audio_buffer.clear")
        with pytest.raises(TypeError):
            await serving
    driver.end()
    await life


def message(text: str) -> dict[str, object]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
