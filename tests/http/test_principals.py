"""Client secrets: until when they open, and how many there can be."""

from __future__ import annotations

import pytest

from vivavoce.errors import CapacityError, ClientError, ShareError
from vivavoce.http.principals import ClientSecrets, Principal


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.5

    def __call__(self) -> float:
        return self.now


def test_a_secret_opens_until_it_expires() -> None:
    clock = Clock()
    secrets = ClientSecrets(4, clock, clock)
    grant = Principal("alice", model="gpt-realtime")
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
    value = secrets.issue(Principal("alice"), 60).value
    for wrong in ("", "ek_", value[:-1], value + "x", value.swapcase()):
        assert secrets.find(wrong) is None


def test_expired_secrets_make_room_and_valid_ones_are_never_dropped() -> None:
    clock = Clock()
    secrets = ClientSecrets(2, clock, clock)
    short, long = secrets.issue(Principal("a"), 10), secrets.issue(Principal("b"), 100)
    with pytest.raises(CapacityError, match="2 client secrets"):
        secrets.issue(Principal("c"), 10)
    clock.now += 11
    third = secrets.issue(Principal("c"), 10)
    assert len(secrets) == 2
    assert [secrets.find(issued.value) for issued in (short, long, third)] == [None, Principal("b"), Principal("c")]


def test_a_wall_clock_that_is_set_changes_nothing() -> None:
    clock, epoch = Clock(), Clock()
    secrets = ClientSecrets(4, clock, epoch)
    issued = secrets.issue(Principal("alice"), 60)
    epoch.now += 86_400
    clock.now += 30
    assert secrets.find(issued.value) is not None
    epoch.now -= 2 * 86_400
    clock.now += 30
    assert secrets.find(issued.value) is None


def test_no_owner_takes_all_secrets_nor_all_their_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vivavoce.http.principals.MAX_BYTES", 1000)
    secrets = ClientSecrets(8, multiple_owners=lambda: True)
    for _ in range(6):
        secrets.issue(Principal("greedy"), 60, size=10)
    with pytest.raises(ShareError, match="You hold 6 of 8 client secrets"):
        secrets.issue(Principal("greedy"), 60)
    secrets.issue(Principal("other"), 60, size=300)
    with pytest.raises(ShareError, match="You hold 300 of 1000 bytes of client secrets"):
        secrets.issue(Principal("other"), 60, size=600)
    secrets.issue(Principal("other"), 60, size=100)
    assert len(secrets) == 8, "what was refused takes nothing"


def test_what_a_secret_took_is_given_back() -> None:
    clock = Clock()
    secrets = ClientSecrets(2, clock, multiple_owners=lambda: True)
    for number in range(10):
        value = secrets.issue(Principal("a"), 10, id=f"sess_{number}", size=10**7).value
        with pytest.raises(ClientError, match="no client secret"):
            secrets.revoke("b", f"sess_{number}")
        assert secrets.find(value) is not None
        if number % 2:
            secrets.revoke("a", f"sess_{number}")
            assert secrets.find(value) is None
        else:
            clock.now += 11
            with pytest.raises(ClientError, match="no client secret"):
                secrets.revoke("a", f"sess_{number}")
