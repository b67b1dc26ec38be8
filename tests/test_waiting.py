from __future__ import annotations

import asyncio

import pytest

from vivavoce.waiting import first_of


async def test_the_first_one_ends_the_others() -> None:
    ended = asyncio.Event()

    async def long() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            ended.set()

    quick, slow = await first_of(asyncio.sleep(0.01, "quick"), long())
    assert quick.result() == "quick"
    assert slow.cancelled()
    assert ended.is_set(), "it has let go of everything"


async def test_what_the_first_one_raises_is_its_result() -> None:
    async def fails() -> None:
        raise ValueError("broken")

    failed, other = await first_of(fails(), asyncio.sleep(60))
    assert other.cancelled()
    with pytest.raises(ValueError, match="broken"):
        failed.result()


async def test_nobody_is_first_in_time() -> None:
    futures = await first_of(asyncio.sleep(60), asyncio.sleep(60), within_s=0.01)
    assert all(future.cancelled() for future in futures)


async def test_a_shielded_future_survives() -> None:
    kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    await first_of(asyncio.sleep(0), asyncio.shield(kept))
    assert not kept.done()
    kept.cancel()


async def test_cancelling_the_caller_cancels_all() -> None:
    begun, ended = asyncio.Event(), list[str]()

    async def work(name: str) -> None:
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(name)

    waiting = asyncio.create_task(first_of(work("a"), work("b")))
    await begun.wait()
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert sorted(ended) == ["a", "b"]
