"""The user's audio is kept until it has been answered."""

from __future__ import annotations

import numpy as np
import pytest

from vivavoce.engines.realtime.turn_audio import MAX_ITEM_BYTES, AudioStore
from vivavoce.hosted import HistoryMessage

SECOND = np.full(16_000, 0.1, np.float32)


def history(*keys: str) -> list[HistoryMessage]:
    return [HistoryMessage(key, "user", "") for key in keys]


def test_it_is_resampled_as_a_stream() -> None:
    store = AudioStore(16_000)
    for at in range(0, 16_000, 320):
        store.add("a", SECOND[at : at + 320])
    store.end("a")
    turn = store.get("a")
    assert turn is not None
    assert turn.whole
    assert len(turn.pcm) == pytest.approx(48_000, abs=4)


def test_what_was_not_answered_is_told_as_sound_on_a_new_connection() -> None:
    store = AudioStore(16_000)
    for key in ("a", "b", "c"):
        store.add(key, SECOND)
    store.end("a")
    store.end("b")
    assert store.items() == {}
    store.answered(history("a"))
    store.on_new_line()
    assert list(store.items()) == ["b"]
    assert [key for key, _ in store.to_stream()] == ["c"]


def test_turns_that_were_none_go_with_the_next_answer() -> None:
    store = AudioStore(16_000)
    for key in ("noise", "a", "later"):
        store.add(key, SECOND)
        store.end(key)
    store.answered(history("a"))
    assert [key for key, _ in store.to_stream()] == ["later"]


def test_a_long_recording_is_told_in_words() -> None:
    store = AudioStore(16_000)
    for _ in range(MAX_ITEM_BYTES // 48_000 + 2):
        store.add("long", SECOND, item=True)
    store.add("short", SECOND, item=True)
    assert list(store.items()) == ["short"]


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vivavoce.engines.realtime.turn_audio.MAX_BYTES", 100_000)
    store = AudioStore(16_000)
    for key in ("a", "b", "c"):
        store.add(key, SECOND)
    assert store.get("a") is None
    assert store.get("c") is not None
