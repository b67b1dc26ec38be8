"""How long, how many and how large: what is kept of responses."""

from __future__ import annotations

from typing import Any

from vivavoce.runtime.chat.stored_responses import (
    KEPT_S,
    MAX_BYTES,
    MAX_BYTES_EACH,
    MAX_RESPONSES_EACH,
    StoredResponse,
    StoredResponses,
)


def stored(number: int, size: int = 100) -> StoredResponse:
    response: dict[str, Any] = {"id": f"resp_{number}", "output": [{"id": f"msg_{number}", "type": "message"}]}
    return StoredResponse(response, [{"id": f"in_{number}"}], [], size)


class Clock:
    """Seconds, when the test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_they_are_found_by_their_owner_for_a_day() -> None:
    clock = Clock()
    responses = StoredResponses(clock)
    responses.put("ann", stored(1))
    assert responses.find("ann", "resp_1") == stored(1)
    assert responses.find("ben", "resp_1") is None
    assert responses.find_item("ann", "msg_1") == {"id": "msg_1", "type": "message"}
    assert responses.find_item("ann", "in_1") == {"id": "in_1"}
    assert responses.find_item("ben", "msg_1") is None
    clock.now = KEPT_S + 1
    assert responses.find("ann", "resp_1") is None
    assert responses.find_item("ann", "msg_1") is None


def test_an_owner_has_so_many() -> None:
    responses = StoredResponses(Clock())
    responses.put("ben", stored(0))
    for number in range(MAX_RESPONSES_EACH + 1):
        responses.put("ann", stored(number))
    assert responses.find("ann", "resp_0") is None
    assert responses.find("ann", "resp_1") is not None
    assert responses.find("ben", "resp_0") is not None


def test_an_owner_has_so_much() -> None:
    responses = StoredResponses(Clock())
    half = MAX_BYTES_EACH // 2
    for number in range(3):
        responses.put("ann", stored(number, half))
    assert [responses.find("ann", f"resp_{number}") is not None for number in range(3)] == [False, True, True]
    responses.put("ann", stored(3, MAX_BYTES_EACH + 1))
    assert responses.find("ann", "resp_3") is None
    assert responses.find("ann", "resp_2") is not None


def test_all_together_have_so_much() -> None:
    """Whoever stored something longest ago loses it first."""
    responses = StoredResponses(Clock())
    owners = [f"owner {number}" for number in range(MAX_BYTES // MAX_BYTES_EACH + 1)]
    for owner in owners:
        responses.put(owner, stored(0, MAX_BYTES_EACH))
    assert [responses.find(owner, "resp_0") is not None for owner in owners] == [False, *[True] * (len(owners) - 1)]


def test_what_is_forgotten_is_gone() -> None:
    responses = StoredResponses(Clock())
    responses.put("ann", stored(1))
    assert responses.forget("ben", "resp_1") is False
    assert responses.forget("ann", "resp_1") is True
    assert responses.forget("ann", "resp_1") is False
    assert responses.find("ann", "resp_1") is None
