"""Several things are closed, whatever one of them does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest

from vivavoce import closing
from vivavoce.closing import CloseStack


class Opened:
    """Notes when it is closed."""

    def __init__(self, name: str, closed: list[str]) -> None:
        self.name, self.log = name, closed

    def close(self) -> Awaitable[None] | None:
        self.log.append(self.name)
        return None


class Awaited(Opened):
    async def close(self) -> None:
        await asyncio.sleep(0)
        self.log.append(self.name)


class Failing(Opened):
    def close(self) -> None:
        raise RuntimeError(self.name)


class FailingLater(Opened):
    async def close(self) -> None:
        await asyncio.sleep(0)
        raise RuntimeError(self.name)


class Hanging(Opened):
    async def close(self) -> None:
        await asyncio.Event().wait()


@pytest.mark.parametrize("kind", [Failing, FailingLater, Hanging])
async def test_one_that_does_not_close_is_logged_and_the_others_are_closed(
    kind: type[Opened], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closing, "CLOSE_WITHIN_S", 0.01)
    closed: list[str] = []
    async with CloseStack() as stack:
        for number in range(2):
            stack.add(Opened(f"at once {number}", closed))
            stack.add(kind("bad", closed))
            stack.add(Awaited(f"awaited {number}", closed))
    assert closed == ["awaited 1", "at once 1", "awaited 0", "at once 0"]
    assert [record.getMessage() for record in caplog.records] == [f"closing {kind.__name__} failed"] * 2


async def test_what_went_wrong_inside_is_raised_and_all_are_closed() -> None:
    closed: list[str] = []

    async def work() -> None:
        async with CloseStack() as stack:
            stack.add(Opened("first", closed))
            stack.add(Failing("bad", closed))
            raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        await work()
    assert closed == ["first"]


async def test_cancelled_while_it_closes_it_closes_the_rest() -> None:
    closed: list[str] = []
    began = asyncio.Event()

    class Slow(Opened):
        async def close(self) -> None:
            began.set()
            await asyncio.Event().wait()

    async def leave() -> None:
        async with CloseStack() as stack:
            stack.add(Opened("first", closed))
            stack.add(Slow("slow", closed))

    leaving = asyncio.create_task(leave())
    await began.wait()
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert closed == ["first"]
