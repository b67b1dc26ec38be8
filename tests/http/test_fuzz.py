"""Spoiled events over a real socket; afterwards the same connection still talks. ``--fuzz-events`` is shared with the core."""

from __future__ import annotations

import asyncio
import gc
import json
from collections import Counter
from typing import Any

import psutil
import pytest
from websockets.asyncio.client import ClientConnection

from fuzzing import Fuzzer, Json, assert_names_its_fault
from running import RunningServer, talking
from vivavoce.errors import ClientError
from vivavoce.protocol.detection import DIALECTS
from vivavoce.protocol.dialect import DialectName
from vivavoce.protocol.translator import Translator

BATCH = 50
SHARE = 10
"""A socket gets a tenth of what the core gets: a frame costs more here."""

GROWTH_BYTES = 200 * 1024 * 1024
QUERY_NAMES: dict[DialectName, str] = {"stepfun": "stepfun", "openai_beta": "beta", "openai": "ga"}


class _Rubbish:
    """Sends batches of frames, and reads on until each batch has been dealt with."""

    def __init__(self, socket: ClientConnection, dialect: DialectName) -> None:
        self.socket = socket
        self.fuzzer = Fuzzer(3, dialect, transcribing=False)
        self.translator = Translator(DIALECTS[dialect])
        self.batches = 0

    async def send(self, count: int) -> int:
        """Returns how many errors came back; each bad frame must have brought one, and only one."""
        expected: set[str] = set()
        sent: Counter[str | None] = Counter()
        unnamed = 0
        for _ in range(count):
            frame, event_id = self.fuzzer.frame()
            try:
                self.translator.decode(frame)
            except ClientError:
                if event_id is None:
                    unnamed += 1
                else:
                    expected.add(event_id)
            sent[event_id] += 1
            await self.socket.send(frame)
        errors = await self.settle()
        named = [error["event_id"] for error in errors if error["event_id"]]
        assert expected <= set(named)
        assert Counter(named) <= sent, "one error an event"
        assert len(errors) - len(named) >= unnamed
        for error in errors:
            assert_names_its_fault(_Told(error), error["event_id"] or None)
        return len(errors)

    async def settle(self) -> list[Json]:
        """Read until the server has come to here; returns the errors on the way."""
        self.batches += 1
        mark = f"batch_{self.batches}"
        event = {"type": "conversation.item.retrieve", "item_id": "no such item", "event_id": mark}
        await self.socket.send(json.dumps(event))
        errors: list[Json] = []
        async with asyncio.timeout(30):
            while True:
                told = json.loads(await self.socket.recv())
                if told["type"] == "conversation.item.created":
                    self.fuzzer.known_ids.append(told["item"]["id"])
                if told["type"] == "error":
                    if told["error"]["event_id"] == mark:
                        return errors
                    errors.append(told["error"])


class _Told:
    def __init__(self, error: Json) -> None:
        self.message, self.code, self.param = error["message"], error["code"], error["param"]
        self.event_id = error["event_id"]


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_connection_survives_rubbish(
    server: RunningServer, dialect: DialectName, pytestconfig: pytest.Config
) -> None:
    count = pytestconfig.getoption("fuzz_events") // SHARE // len(DIALECTS) + 1
    process = psutil.Process()
    async with talking(server, f"model=step-audio-2&dialect={QUERY_NAMES[dialect]}") as talker:
        rubbish, errors, warm = _Rubbish(talker.socket, dialect), 0, 0
        for sent in range(0, count, BATCH):
            errors += await rubbish.send(min(BATCH, count - sent))
            if sent <= count // 5:
                gc.collect()
                warm = process.memory_info().rss
        assert errors > count // 4, "most of it is bad"
        await _a_normal_turn(rubbish, dialect)
    gc.collect()
    assert process.memory_info().rss - warm < GROWTH_BYTES
    assert await asyncio.to_thread(server.all_seats_free)


async def _a_normal_turn(rubbish: _Rubbish, dialect: DialectName) -> None:
    """Quiet first: no detection, no tools, nothing in progress. Then a question, and its answer."""
    quiet: dict[str, Any] = {"tools": [], "tool_choice": "auto"}
    if dialect == "openai":
        quiet |= {"type": "realtime", "output_modalities": ["text"], "audio": {"input": {"turn_detection": None}}}
        quiet["max_output_tokens"] = "inf"
    else:
        quiet |= {"modalities": ["text"], "turn_detection": None, "max_response_output_tokens": "inf"}
    socket = rubbish.socket
    await socket.send(json.dumps({"type": "session.update", "session": quiet}))
    await socket.send(json.dumps({"type": "input_audio_buffer.clear"}))
    codes: list[str] = []
    while "response_cancel_not_active" not in codes:
        await socket.send(json.dumps({"type": "response.cancel"}))
        codes = [error["code"] for error in await rubbish.settle()]
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "good morning"}]}
    await socket.send(json.dumps({"type": "conversation.item.create", "item": item}))
    await socket.send(json.dumps({"type": "response.create"}))
    async with asyncio.timeout(30):
        while (told := json.loads(await socket.recv()))["type"] != "response.done":
            assert told["type"] != "error", told
    assert told["response"]["status"] == "completed"
    assert told["response"]["output"][0]["content"][0]["text"] == "You said: good morning"
