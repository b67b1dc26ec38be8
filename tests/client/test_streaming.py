from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.audio.pcm import decode_pcm16
from vivavoce.client.streaming import at_deadlines, chunks_of

PERIOD_S = 0.02


class FakeClock:
    """Time that passes only when somebody sleeps, oversleeping by ``over_s``, or works."""

    def __init__(self, over_s: float = 0.0) -> None:
        self.now_s, self.over_s = 50.0, over_s

    def __call__(self) -> float:
        return self.now_s

    async def sleep(self, delay_s: float) -> None:
        assert delay_s > 0
        self.now_s += delay_s + self.over_s


async def send_times(clock: FakeClock, work_s: list[float]) -> list[float]:
    times = []
    paced = at_deadlines(work_s, origin_s=50.0, period_s=PERIOD_S, clock=clock, sleep=clock.sleep)
    async for work, _late_s in paced:
        times.append(clock.now_s)
        clock.now_s += work
    return times


async def test_nothing_leaves_before_its_last_sample_could_have_been_spoken() -> None:
    assert await send_times(FakeClock(), [0.0] * 3) == pytest.approx([50.02, 50.04, 50.06])


async def test_oversleeping_and_work_do_not_add_up() -> None:
    times = await send_times(FakeClock(over_s=0.003), [0.005] * 1000)
    assert times[-1] == pytest.approx(50.0 + 1000 * PERIOD_S + 0.003)


async def test_after_a_stall_what_is_overdue_leaves_at_once_and_then_the_grid_holds_again() -> None:
    times = await send_times(FakeClock(), [0.0, 0.1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    assert times == pytest.approx([50.02, 50.04, 50.14, 50.14, 50.14, 50.14, 50.14, 50.16])


async def test_lateness_is_told() -> None:
    clock = FakeClock(over_s=0.004)
    paced = at_deadlines("ab", origin_s=50.0, period_s=PERIOD_S, clock=clock, sleep=clock.sleep)
    assert [late_s async for _, late_s in paced] == pytest.approx([0.004, 0.004])


@given(st.lists(st.floats(0.0, 0.1), min_size=1, max_size=60), st.floats(0.0, 0.01))
async def test_every_item_is_sent_in_order_and_never_early(work_s: list[float], over_s: float) -> None:
    times = await send_times(FakeClock(over_s), work_s)
    assert len(times) == len(work_s)
    assert all(at >= 50.0 + (n + 1) * PERIOD_S - 1e-9 for n, at in enumerate(times))
    assert all(later >= earlier for earlier, later in itertools.pairwise(times))


@given(st.integers(0, 5000))
def test_chunks_are_equal_and_hold_everything(count: int) -> None:
    samples = np.linspace(-0.9, 0.9, count).astype(np.float32)
    chunks = chunks_of(samples)
    assert all(len(chunk) == 960 for chunk in chunks)
    joined = decode_pcm16(b"".join(chunks))
    assert len(joined) - count < 480
    np.testing.assert_allclose(joined[:count], samples, atol=2 / 32768)
    assert not joined[count:].any()
