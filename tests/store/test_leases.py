"""The queue of background work: one server's at a time, owners in turn, and nothing lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy import delete, update

from vivavoce.store.leases import LeaseQueue
from vivavoce.store.store import Store
from vivavoce.transcription.tables import RecordingTaskRow

LEASE_S = 10
NOW = 1_800_000_000


class Clock:
    """s of the epoch; goes on when it is told to."""

    def __init__(self) -> None:
        self.now = float(NOW)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def empty(store: Store) -> Store:
    """Tests of a module share their database."""
    async with store.rows.begin() as session:
        await session.execute(delete(RecordingTaskRow))
    return store


def queue_of(
    store: Store, clock: Clock, multiple_owners: Callable[[], bool] = lambda: False
) -> LeaseQueue[RecordingTaskRow]:
    """As of one server."""
    return LeaseQueue(
        store,
        RecordingTaskRow,
        key=(RecordingTaskRow.id,),
        pending=RecordingTaskRow.status == "PENDING",
        order=(RecordingTaskRow.created_at, RecordingTaskRow.id),
        lease_s=LEASE_S,
        max_lease_s=60,
        multiple_owners=multiple_owners,
        clock=clock,
    )


async def add(store: Store, *names: str) -> None:
    """Work in this order; whose it is comes before the number."""
    async with store.rows.begin() as session:
        for number, name in enumerate(names):
            session.add(
                RecordingTaskRow(
                    id=name, owner=name.rstrip("0123456789"), status="PENDING", request="{}", result=None,
                    attempts=0, leased_until=0, created_at=NOW + number, expires_at=NOW + 86_400,
                )
            )  # fmt: skip


async def taken(queue: LeaseQueue[RecordingTaskRow]) -> str | None:
    row = await queue.take()
    return None if row is None else row.id


async def row_of(store: Store, name: str) -> RecordingTaskRow:
    async with store.reading() as session:
        row = await session.get(RecordingTaskRow, name)
    assert row is not None
    return row


async def test_two_servers_never_have_the_same(empty: Store, clock: Clock) -> None:
    names = [f"ann{number}" for number in range(8)]
    await add(empty, *names)
    servers = [queue_of(empty, clock), queue_of(empty, clock)]
    found = await asyncio.gather(*(taken(server) for server in servers * 5))
    assert sorted(name for name in found if name is not None) == names
    assert found.count(None) == 2


async def test_owners_take_turns(empty: Store, clock: Clock) -> None:
    await add(empty, "ann1", "ann2", "ann3", "ben1", "cay1", "ben2")
    queue = queue_of(empty, clock)
    done: list[str] = []
    for _ in range(6):
        async with queue.next() as row:
            assert row is not None
            done.append(row.id)
            await queue.write(row, status="SUCCEEDED")
    assert done == ["ann1", "ben1", "cay1", "ann2", "ben2", "ann3"]


@pytest.mark.parametrize(("multiple_owners", "second"), [(False, "ann2"), (True, None)])
async def test_an_owner_has_all_of_a_server_only_while_alone(
    empty: Store, clock: Clock, multiple_owners: bool, second: str | None
) -> None:
    await add(empty, "ann1", "ann2", "ben1")
    queue = queue_of(empty, clock, lambda: multiple_owners)
    assert [await taken(queue) for _ in range(3)] == ["ann1", "ben1", second]


async def test_a_server_that_died_loses_its_lease(empty: Store, clock: Clock) -> None:
    await add(empty, "ann1")
    assert await taken(queue_of(empty, clock)) == "ann1"
    other = queue_of(empty, clock)
    clock.now += LEASE_S - 1
    assert await taken(other) is None
    clock.now += 1
    assert await taken(other) == "ann1"


async def test_what_is_worked_on_is_not_taken_again_whatever_the_clock_says(empty: Store, clock: Clock) -> None:
    await add(empty, "ann1")
    queue = queue_of(empty, clock)
    async with queue.next() as row:
        assert row is not None
        clock.now += 1_000_000
        assert await taken(queue) is None
    assert await taken(queue) == "ann1"


async def test_a_lease_is_renewed_as_long_as_the_work_takes(
    empty: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vivavoce.store.leases.RENEWALS_PER_LEASE", LEASE_S / 0.02)
    await add(empty, "ann1")
    queue, other = queue_of(empty, clock), queue_of(empty, clock)
    async with queue.next() as row:
        assert row is not None
        async with queue.renewing(row):
            clock.now += 3 * LEASE_S
            async with asyncio.timeout(10):
                while (await row_of(empty, "ann1")).leased_until < clock.now:  # noqa: ASYNC110 (rows have no event)
                    await asyncio.sleep(0.01)
            assert await taken(other) is None


async def test_cancelled_it_is_given_back_at_once(empty: Store, clock: Clock) -> None:
    await add(empty, "ann1")
    queue, begun = queue_of(empty, clock), asyncio.Event()

    async def work() -> None:
        async with queue.next() as row:
            assert row is not None
            async with queue.renewing(row):
                begun.set()
                await asyncio.sleep(60)

    working = asyncio.create_task(work())
    await begun.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    row = await row_of(empty, "ann1")
    assert (row.leased_until, row.attempts) == (0, 0)
    assert await taken(queue_of(empty, clock)) == "ann1"


async def test_what_is_put_off_waits(empty: Store, clock: Clock) -> None:
    await add(empty, "ann1")
    queue = queue_of(empty, clock)
    async with queue.next() as row:
        assert row is not None
        await queue.postpone(row, 30, attempts=row.attempts + 1)
    clock.now += 29
    assert await taken(queue) is None
    clock.now += 1
    found = await queue.take()
    assert found is not None
    assert found.attempts == 1


async def test_nothing_is_written_to_what_is_done(empty: Store, clock: Clock) -> None:
    """A server that slept through its lease does not undo what another one has done meanwhile."""
    await add(empty, "ann1")
    queue = queue_of(empty, clock)
    row = await queue.take()
    assert row is not None
    async with empty.rows.begin() as session:
        await session.execute(update(RecordingTaskRow).values(status="SUCCEEDED", result="theirs"))
    assert not await queue.write(row, status="FAILED", result="ours")
    assert (await row_of(empty, "ann1")).result == "theirs"


async def test_the_only_server_takes_over_what_an_earlier_process_had(empty: Store, clock: Clock) -> None:
    await add(empty, "ann1", "ben1")
    earlier = queue_of(empty, clock)
    assert [await taken(earlier), await taken(earlier)] == ["ann1", "ben1"]
    later = queue_of(empty, clock)
    assert await taken(later) is None
    await later.release_all_leases()
    assert [await taken(later), await taken(later)] == ["ann1", "ben1"]
