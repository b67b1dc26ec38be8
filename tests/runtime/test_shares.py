"""Shares of what all use: the rule, for any sequence of owners who take and give back."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.errors import CapacityError, ShareError
from vivavoce.runtime.shares import FairShares, Owners
from vivavoce.runtime.slots import Slots

STEPS = st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=60)
"""Who does something, and whether it is taking (else giving back)."""


def held_after(shares: FairShares, steps: Sequence[tuple[str, bool]]) -> dict[str, int]:
    held = dict.fromkeys("abc", 0)
    for owner, takes in steps:
        if takes and shares.fits(owner):
            shares.take(owner)
            held[owner] += 1
        elif not takes and held[owner]:
            shares.give_back(owner)
            held[owner] -= 1
    return held


@given(st.integers(1, 12), STEPS, st.booleans())
def test_never_more_than_there_is_and_nothing_is_lost(
    capacity: int, steps: list[tuple[str, bool]], multiple_owners: bool
) -> None:
    shares = FairShares(capacity, lambda: multiple_owners)
    held = held_after(shares, steps)
    assert {owner: shares.held(owner) for owner in held} == held
    assert shares.used == sum(held.values()) <= capacity


@given(st.integers(2, 12), STEPS)
def test_no_owner_alone_takes_the_last_one(capacity: int, steps: list[tuple[str, bool]]) -> None:
    shares = FairShares(capacity, lambda: True)
    assert max(held_after(shares, steps).values()) < capacity


@given(st.integers(2, 12), STEPS)
def test_of_two_owners_neither_is_refused_what_is_free_of_their_half(
    capacity: int, steps: list[tuple[str, bool]]
) -> None:
    shares = FairShares(capacity, lambda: True)
    held = held_after(shares, [step for step in steps if step[0] != "c"])
    for owner in "ab":
        if held[owner] < capacity // 2 and shares.used < capacity:
            assert shares.fits(owner)
    if held["a"] == 0:
        assert shares.fits("a"), "whatever the other one holds"


@given(st.integers(1, 12), STEPS)
def test_one_owner_may_have_all(capacity: int, steps: list[tuple[str, bool]]) -> None:
    shares = FairShares(capacity, lambda: False)
    used = sum(held_after(shares, [step for step in steps if step[0] == "a"]).values())
    for _ in range(capacity - used):
        assert shares.fits("a")
        shares.take("a")
    assert not shares.fits("a")


def test_shares_of_bytes() -> None:
    shares = FairShares(100, lambda: True)
    assert shares.fits("greedy", 75)
    assert not shares.fits("greedy", 76), "a quarter is left for others"
    shares.take("greedy", 75)
    assert shares.fits("other", 25)
    assert not shares.fits("other", 26)
    shares.take("other", 25)
    assert not shares.fits("other", 1)


def test_a_seat_beyond_ones_share_is_refused_as_such() -> None:
    slots = Slots(2, "places for requests", multiple_owners=lambda: True)
    slot = slots.take("greedy")
    with pytest.raises(ShareError, match="You hold 1 of 2 places for requests; the others are kept for other users"):
        slots.take("greedy")
    slots.take("other")
    with pytest.raises(CapacityError):
        slots.take("greedy")
    slots.give_back(slot, "greedy")
    with pytest.raises(ShareError):
        slots.take("other")
    assert slots.take("greedy") == slot


def test_the_owners_of_a_server() -> None:
    assert not Owners().multiple()
    assert not Owners(["anne"]).multiple()
    assert Owners(["anne", "ben"]).multiple()
    owners = Owners(["anne"])
    owners.created({"anne"})
    assert not owners.multiple()
    owners.add("ben")
    assert owners.multiple()
    owners.created(set())
    assert not owners.multiple(), "ben's key is over"
