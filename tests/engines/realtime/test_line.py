"""What the other side is told so that its items are ours, whatever was created, deleted and inserted in between."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.engines.realtime.history import within
from vivavoce.engines.realtime.line import Line
from vivavoce.engines.realtime.settings import OpenAISettings, StepFunSettings
from vivavoce.engines.realtime.shapes import Shapes
from vivavoce.engines.realtime.socket import HostedSocket
from vivavoce.engines.remote.client import RemoteClient
from vivavoce.engines.remote.errors import RemoteError
from vivavoce.hosted import HistoryCall, HistoryEntry, HistoryMessage, HistoryOutput
from vivavoce.types import ToolCall

WHERE = {"url": "http://127.0.0.1:9/v1", "model": "far", "between_s": 5, "first_s": 5}


class Far:
    """A socket with the other side at its end: it keeps items, and names them as it likes."""

    opened_at = 0.0

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        self.sent: list[dict[str, Any]] = []
        self.refuse: set[str] = set()
        self._told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def send(self, event: dict[str, Any]) -> None:
        self.sent.append(event)
        if event["type"] in self.refuse:
            self.tell(type="error", error={"code": "no", "event_id": event["event_id"]})
        elif event["type"] == "conversation.item.create":
            item = {**event["item"], "id": f"far_{len(self.sent)}"}
            ids = [item["id"] for item in self.items]
            previous = event.get("previous_item_id")
            at = len(ids) if previous is None else 0 if previous == "root" else ids.index(previous) + 1
            self.items.insert(at, item)
            self.tell(type="conversation.item.added", item=item)
        elif event["type"] == "conversation.item.delete":
            assert event["item_id"] in [item["id"] for item in self.items]
            self.items = [item for item in self.items if item["id"] != event["item_id"]]

    def tell(self, **event: Any) -> None:
        self._told.put_nowait(event)

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        while True:
            yield await self._told.get()

    async def close(self) -> None:
        pass

    @property
    def texts(self) -> list[str]:
        return [item["content"][0]["text"] if "content" in item else item.get("output", "call") for item in self.items]


def line_to(far: Far, *, stepfun: bool = False) -> Line:
    settings = StepFunSettings.model_validate(WHERE) if stepfun else OpenAISettings.model_validate(WHERE)
    shapes = Shapes("stepfun" if stepfun else "openai", settings)
    return Line(cast(HostedSocket, far), RemoteClient("hosted", settings), shapes)


def said(*keys: str, role: Any = "user") -> list[HistoryEntry]:
    return [HistoryMessage(key, role, key) for key in keys]


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), unique=True), min_size=1, max_size=5))
def test_the_other_sides_items_are_ours(histories: list[list[str]]) -> None:
    """Whatever order: what stays in the same order is not told again, and what is new stands where it belongs."""

    async def told() -> None:
        far, told_keys = Far(), 0
        kept: list[str] = []
        line = line_to(far)
        for keys in histories:
            stays = set(kept[::2])
            kept = sorted({*stays, *keys})
            told_keys += len(set(kept) - set(far.texts))
            await line.make_same(said(*kept), {})
            assert far.texts == kept
        assert len([event for event in far.sent if event["type"] == "conversation.item.create"]) == told_keys
        await line.close()

    asyncio.run(told())


async def test_nothing_is_told_twice() -> None:
    far = Far()
    line = line_to(far)
    call = ToolCall("call_1", "look", "{}")
    history = [*said("a"), HistoryCall(call), HistoryOutput("call_1", "found"), *said("b", role="assistant")]
    await line.make_same(history, {})
    assert far.texts == ["a", "call", "found", "b"]
    sent = len(far.sent)
    await line.make_same(history, {})
    assert len(far.sent) == sent
    await line.close()


async def test_where_calls_cannot_be_told_what_came_of_them_is_told_in_words() -> None:
    far = Far()
    line = line_to(far, stepfun=True)
    await line.make_same([*said("a"), HistoryCall(ToolCall("c", "look", "{}")), HistoryOutput("c", "found")], {})
    assert far.texts == ["a", "A tool that was called here gave: found"]
    assert far.items[1]["role"] == "system"
    await line.close()


async def test_sound_is_told_in_place_of_words() -> None:
    far = Far()
    line = line_to(far)
    await line.make_same(said("a"), {"a": b"\x01\x02"})
    assert far.items[0]["content"] == [{"type": "input_audio", "audio": base64.b64encode(b"\x01\x02").decode()}]
    await line.close()


async def test_what_was_left_out_at_the_beginning_stays_out() -> None:
    far = Far()
    line = line_to(far)
    old, new = HistoryMessage("old", "user", "word " * 4000), HistoryMessage("new", "user", "new")
    await line.begin([old, new], 1024, {})
    await line.make_same([old, new, *said("newer")], {})
    assert far.texts == ["new", "newer"]
    await line.close()


async def test_a_refused_item_ends_the_line() -> None:
    far = Far()
    far.refuse.add("conversation.item.create")
    line = line_to(far)
    await line.make_same(said("a"), {})
    reply = await line.respond("resp_1")
    with pytest.raises(RemoteError, match=r"hosted: failed"):
        async for _ in line.events_of(reply):
            pass
    assert line.failure is not None
    await line.close()


def test_the_newest_is_told_again_on_a_new_connection() -> None:
    call = HistoryCall(ToolCall("c", "look", "{}"))
    history = [*said("a" * 8000), call, HistoryOutput("c", "found"), *said("b")]
    assert within(history, 1024, ()) == history[1:]
    assert within(history[:1] + history[2:], 1024, ()) == history[3:]
    assert within(history, 1024, {"a" * 8000}) == history
    assert within(history, 100_000, ()) == history
