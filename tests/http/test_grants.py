"""Client secrets: until when they open, and how many there can be."""

from __future__ import annotations

import pytest

from vivavoce.errors import CapacityError
from vivavoce.http.grants import ClientSecrets, Grant


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.5

    def __call__(self) -> float:
        return self.now


def test_a_secret_opens_until_it_expires() -> None:
    clock = Clock()
    secrets = ClientSecrets(4, clock, clock)
    grant = Grant("alice", model="gpt-realtime")
    issued = secrets.issue(grant, 60)
    assert issued.value.startswith("ek_")
    assert issued.expires_at == 1_000_060
    assert secrets.find(issued.value) is grant
    assert secrets.find(issued.value) is grant  # as often as it likes
    clock.now = 1_000_059.9
    assert secrets.find(issued.value) is grant
    clock.now = 1_000_060.0
    assert secrets.find(issued.value) is None


def test_only_the_very_secret_opens() -> None:
    secrets = ClientSecrets(4, Clock())
    value = secrets.issue(Grant("alice"), 60).value
    for wrong in ("", "ek_", value[:-1], value + "x", value.swapcase()):
        assert secrets.find(wrong) is None


def test_expired_secrets_make_room_and_valid_ones_are_never_dropped() -> None:
    clock = Clock()
    secrets = ClientSecrets(2, clock, clock)
    short, long = secrets.issue(Grant("a"), 10), secrets.issue(Grant("b"), 100)
    with pytest.raises(CapacityError, match="2 client secrets"):
        secrets.issue(Grant("c"), 10)
    clock.now += 11
    third = secrets.issue(Grant("c"), 10)
    assert len(secrets) == 2
    assert [secrets.find(issued.value) for issued in (short, long, third)] == [None, Grant("b"), Grant("c")]


def test_a_wall_clock_that_is_set_changes_nothing() -> None:
    clock, epoch = Clock(), Clock()
    secrets = ClientSecrets(4, clock, epoch)
    issued = secrets.issue(Grant("alice"), 60)
    epoch.now += 86_400
    clock.now += 30
    assert secrets.find(issued.value) is not None
    epoch.now -= 2 * 86_400
    clock.now += 30
    assert secrets.find(issued.value) is None
