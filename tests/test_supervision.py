"""Background work goes on: what fails is logged, shown, and tried again; only being stopped ends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from vivavoce import supervision as module
from vivavoce.errors import StoreBusyError
from vivavoce.supervision import Supervisor, meanwhile


@pytest.fixture
async def supervisor(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Supervisor]:
    monkeypatch.setattr(module, "FIRST_RETRY_S", 0.001)
    monkeypatch.setattr(module, "MAX_RETRY_S", 0.004)
    made = Supervisor()
    yield made
    await made.close()


async def until(said: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not said():  # noqa: ASYNC110
            await asyncio.sleep(0)


@pytest.mark.parametrize(
    "error", [StoreBusyError("gone"), OSError("no such host"), AssertionError(), asyncio.CancelledError()]
)
async def test_whatever_fails_is_shown_and_tried_again(
    supervisor: Supervisor, error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    broken, steps = True, 0

    async def step() -> bool:
        nonlocal steps
        steps += 1
        if broken:
            raise error
        return False

    worker = supervisor.start("ingest", step, idle_s=60)
    await until(lambda: worker.failures >= 4)
    assert not worker.up
    assert worker.error == type(error).__name__
    assert caplog.text.count("worker ingest") >= 4
    broken = False
    await until(lambda: worker.up)
    assert worker.failures == steps - 1
    assert "running again" in caplog.text


async def test_failures_in_a_row_are_further_and_further_apart(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited, real = list[float](), asyncio.sleep

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        await real(0)

    async def step() -> bool:
        raise ValueError

    monkeypatch.setattr(module, "FIRST_RETRY_S", 1.0)
    monkeypatch.setattr(module, "MAX_RETRY_S", 8.0)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    worker = supervisor.start("ingest", step, idle_s=60)
    while worker.failures < 6:
        await real(0)
    assert waited[:5] == [1, 2, 4, 8, 8]


async def test_a_worker_looks_again_at_once_after_work_when_woken_and_when_its_time_has_come(
    supervisor: Supervisor,
) -> None:
    found = [True, True, False]
    steps = 0

    async def step() -> bool:
        nonlocal steps
        steps += 1
        return bool(found) and found.pop(0)

    worker = supervisor.start("ingest", step, idle_s=60)
    await until(lambda: steps == 3)
    worker.wake()
    await until(lambda: steps == 4)
    hasty = supervisor.start("keys", step, idle_s=0.001)
    await until(lambda: steps >= 7)
    assert worker.up
    assert hasty.up


async def test_one_that_is_stopped_ends_also_when_letting_go_fails() -> None:
    begun = asyncio.Event()

    async def step() -> bool:
        begun.set()
        try:
            return await asyncio.Event().wait()
        except asyncio.CancelledError as cancelled:
            raise StoreBusyError("the lease could not be given back") from cancelled

    supervisor = Supervisor()
    worker = supervisor.start("ingest", step, idle_s=60)
    await begun.wait()
    async with asyncio.timeout(5):
        await supervisor.close()
    assert not worker.up


async def test_what_is_done_meanwhile_goes_on_after_a_failure_and_is_not_cut_short() -> None:
    taken, done = 0, 0
    again = asyncio.Event()

    async def step() -> None:
        nonlocal taken, done
        taken += 1
        if taken == 1:
            raise StoreBusyError("locked")
        again.set()
        await asyncio.sleep(0.01)
        done += 1

    async with meanwhile("the lease", step, every_s=0.001):
        await again.wait()
    assert taken == done + 1
