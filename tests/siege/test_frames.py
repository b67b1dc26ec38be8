"""Frames of a WebSocket: small but for their audio, cheap to parse, and their audio decoded while others are served."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator

import numpy as np
import pytest
from websockets.asyncio.client import connect

from loops import stops_nobody
from running import RunningServer, Talker, running, talking
from vivavoce.config import load_config
from vivavoce.protocol.json_text import MAX_FRAME_BYTES

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running(load_config({"limits": {"sessions": 4}}, profile="fake")) as started:
        yield started


async def refusal(talker: Talker, frame: str) -> dict[str, str]:
    await talker.socket.send(frame)
    error: dict[str, str] = (await talker.until("error"))[-1]["error"]
    return error


def text_item(text: str, **more: str) -> str:
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
    return json.dumps({"type": "conversation.item.create", "event_id": "mine", "item": item, **more})


async def test_a_frame_of_words_has_a_megabyte(server: RunningServer) -> None:
    async with talking(server) as talker:
        error = await refusal(talker, text_item("x" * MAX_FRAME_BYTES))
        assert (error["code"], error["event_id"]) == ("request_too_large", "mine")
        error = await refusal(
            talker, json.dumps({"type": "session.update", "session": {"instructions": "x" * MAX_FRAME_BYTES}})
        )
        assert error["code"] == "request_too_large"
        error = await refusal(talker, text_item("x", audio="A" * MAX_FRAME_BYTES, note="y" * MAX_FRAME_BYTES))
        assert error["code"] == "request_too_large"
        await talker.say("Still here?")
        await talker.until("conversation.item.created")


@pytest.mark.parametrize(
    "hostile",
    ['{"event_id": "mine", "type": "session.update", "session": {"tools": [' + "[]," * (5 * MIB) + "[]]}}",
     '{"event_id": "mine", "type": "session.update", "session": {"tools": [' + '"",' * (5 * MIB) + '""]}}',
     '{"event_id": "mine", "a": ' + "[" * (15 * MIB)],
)  # fmt: skip
async def test_a_frame_has_only_so_many_values(server: RunningServer, hostile: str) -> None:
    async def attack() -> None:
        async with talking(server) as talker:
            error = await refusal(talker, hostile)
            assert (error["code"], error["event_id"]) == ("request_too_large", "mine")

    await stops_nobody(server, attack)


async def test_the_other_sockets_have_the_same_bounds(server: RunningServer) -> None:
    many = '{"type": "x", "a": [' + "1," * 30_000 + "1]}"
    for path in ("realtime/stateless?model=step-overture", "realtime/asr/stream", "realtime/audio?model=step-tts-2"):
        async with connect(f"{server.ws}/v1/{path}", max_size=None) as socket:
            for frame in (many, json.dumps({"type": "x", "a": "x" * MAX_FRAME_BYTES})):
                await socket.send(frame)
                while "values" not in (said := str(await asyncio.wait_for(socket.recv(), 20))) and "bytes" not in said:
                    pass


async def test_long_audio_in_items_stops_nobody(server: RunningServer) -> None:
    """Three of 14 MiB kept the loop for a quarter of a second and more, each."""
    audio = base64.b64encode(np.random.default_rng(0).bytes(14 * MIB)).decode()
    item = {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": audio}]}
    frame = json.dumps({"type": "conversation.item.create", "item": item})

    async def attack() -> None:
        async with talking(server) as talker:
            for _ in range(3):
                await talker.socket.send(frame)
            for _ in range(3):
                await talker.until("conversation.item.created")

    await stops_nobody(server, attack)
