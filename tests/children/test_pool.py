"""Children take jobs with files, answer in frames, and are replaced when they die."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import psutil
import pytest

from vivavoce.children import process
from vivavoce.children.command import ChildDiedError, ChildOvertimeError, child_environment
from vivavoce.children.frames import Frame
from vivavoce.children.pool import ChildPool

MIB = 1024 * 1024


def environment() -> dict[str, str]:
    """Where the children of these tests are, too."""
    given = child_environment()
    return {**given, "PYTHONPATH": given["PYTHONPATH"] + os.pathsep + str(Path(__file__).parent)}


@pytest.fixture
async def pool(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ChildPool]:
    monkeypatch.setattr(process, "child_environment", environment)
    pool = ChildPool("answering", "answering", capacity=2, max_idle=1, jobs_each=3, idle_bytes=200 * MIB)
    await pool.open()
    yield pool
    await pool.close()


def job(do: str, **more: Any) -> dict[str, Any]:
    return {"do": do, "cpu_s": 20, "memory_bytes": 512 * MIB, **more}


async def answered(pool: ChildPool, wanted: dict[str, Any], **how: Any) -> list[Frame]:
    async with aclosing(pool.answer(wanted, b"a file", **how)) as frames:
        return [frame async for frame in frames]


async def works(pool: ChildPool) -> bool:
    return (await answered(pool, job("count", frames=1)))[-1][0] == {"end": True}


async def test_a_job_is_answered_in_frames_and_the_child_waits_for_the_next(pool: ChildPool) -> None:
    (child,) = pool.idle
    frames = await answered(pool, job("count", frames=2))
    assert [header for header, _ in frames] == [{"read": "a file"}, {"number": 0}, {"number": 1}, {"end": True}]
    assert [len(samples) for _, samples in frames] == [0, 50_000, 50_000, 0]
    assert pool.idle == [child]


async def test_a_child_is_replaced_after_many_jobs(pool: ChildPool) -> None:
    (child,) = pool.idle
    for _ in range(3):
        assert await works(pool)
    assert pool.idle == []
    assert not psutil.pid_exists(child.pid)
    assert await works(pool)


@pytest.mark.parametrize(
    ("do", "said"),
    [
        ("refuse", {"error": "not this one", "code": "refused"}),
        ("raise", {"error": "it is damaged", "code": "broken"}),
        ("allocate", {"error": "too much memory", "code": "broken", "spent": True}),
    ],
)
async def test_what_goes_wrong_in_a_child_is_its_last_frame(pool: ChildPool, do: str, said: dict[str, Any]) -> None:
    assert (await answered(pool, job(do)))[-1][0] == said
    assert await works(pool)


async def test_a_child_that_is_killed_is_replaced_and_nothing_comes_twice(pool: ChildPool) -> None:
    (child,) = pool.idle
    numbers = []
    async with aclosing(pool.answer(job("count", frames=40), b"")) as frames:
        async for header, _ in frames:
            numbers.append(header.get("number"))
            if header.get("number") == 3:
                os.kill(child.pid, signal.SIGKILL)
    assert numbers == [None, *range(40), None]


async def test_work_that_ends_two_children_is_an_error(pool: ChildPool) -> None:
    with pytest.raises(ChildDiedError) as caught:
        await answered(pool, job("die"))
    assert not caught.value.from_outside
    assert await works(pool)


async def test_a_child_that_computes_too_long_is_ended(pool: ChildPool) -> None:
    with pytest.raises(ChildOvertimeError):
        await answered(pool, job("compute", cpu_s=1))
    assert await works(pool)


async def test_a_child_that_says_nothing_is_ended(pool: ChildPool) -> None:
    (child,) = pool.idle
    with pytest.raises(ChildOvertimeError):
        await answered(pool, job("sleep"), within_s=0.5)
    assert not psutil.pid_exists(child.pid)
    assert await works(pool)


async def test_an_answer_nobody_wants_any_more_ends_its_child(pool: ChildPool) -> None:
    (child,) = pool.idle
    answer = pool.answer(job("sleep"), b"")
    await anext(answer)
    await answer.aclose()
    assert not psutil.pid_exists(child.pid)
    waiting = asyncio.create_task(answered(pool, job("sleep")))
    await asyncio.sleep(0.5)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not [child for child in psutil.Process().children() if "answering" in child.cmdline()]


async def test_one_that_died_while_it_waited_costs_no_try(pool: ChildPool, caplog: pytest.LogCaptureFixture) -> None:
    (child,) = pool.idle
    os.kill(child.pid, signal.SIGKILL)
    psutil.Process(child.pid).wait(10)
    assert await works(pool)
    assert not caplog.records
