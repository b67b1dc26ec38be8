from __future__ import annotations

from vivavoce.runtime.chat.remembering import Remembered


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_only_the_owner_finds_it() -> None:
    kept: Remembered[str] = Remembered(2)
    kept.put("me", "a", "x")
    assert kept.find("me", "a") == "x"
    assert kept.find("you", "a") is None
    assert kept.find("me", "b") is None


def test_what_was_not_asked_for_goes_first() -> None:
    kept: Remembered[str] = Remembered(2)
    kept.put("me", "a", "x")
    kept.put("me", "b", "y")
    assert kept.find("me", "a") == "x"
    kept.put("me", "c", "z")
    assert (kept.find("me", "a"), kept.find("me", "b"), kept.find("me", "c")) == ("x", None, "z")
    assert len(kept) == 2


def test_nothing_is_kept_for_ever() -> None:
    clock = Clock()
    kept: Remembered[str] = Remembered(2, keep_s=10, clock=clock)
    kept.put("me", "a", "x")
    clock.now = 10
    assert kept.find("me", "a") == "x"
    clock.now = 10.1
    assert kept.find("me", "a") is None
    assert len(kept) == 0
