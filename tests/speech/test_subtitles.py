"""When words are said."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.speech.subtitles import Subtitler, SubtitleWord, ends_sentence, word_times

RATE_HZ = 24_000


def voice(*parts_ms: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Sound and silence in turn, beginning with sound."""
    return np.concatenate(
        [np.full(ms * RATE_HZ // 1000, 0.0 if index % 2 else 0.3, np.float32) for index, ms in enumerate(parts_ms)]
    )


def test_words_take_as_long_as_their_syllables() -> None:
    items = word_times("Hello there, friend.", voice(800, 200), RATE_HZ)
    assert items == [SubtitleWord("Hello", 0, 320), SubtitleWord("there", 320, 640), SubtitleWord("friend", 640, 800)]


def test_a_pause_belongs_to_no_word() -> None:
    items = word_times("你好，世界。", voice(400, 300, 400, 200), RATE_HZ, start=RATE_HZ)
    assert items == [
        SubtitleWord("你", 1000, 1200),
        SubtitleWord("好", 1200, 1400),
        SubtitleWord("世", 1700, 1900),
        SubtitleWord("界", 1900, 2100),
    ]


def test_marks_are_no_words() -> None:
    assert [item.text for item in word_times("— “Don't!” (said he) … 3.14", voice(900), RATE_HZ)] == [
        "Don't",
        "said",
        "he",
        "3.14",
    ]
    assert word_times("…", voice(100), RATE_HZ) == []
    assert word_times("Silence", voice(0, 300), RATE_HZ) == []
    assert word_times("Nothing", voice(0), RATE_HZ) == []


@given(
    st.text("ab 你好。, é1-", max_size=40),
    st.lists(st.integers(1, 400), min_size=1, max_size=6),
    st.integers(0, 100_000),
)
def test_times_are_in_order_and_within_the_clause(text: str, parts_ms: list[int], start: int) -> None:
    samples = voice(*parts_ms)
    items = word_times(text, samples, RATE_HZ, start)
    times = [time for item in items for time in (item.start_ms, item.end_ms)]
    assert times == sorted(times)
    if items:
        assert start * 1000 // RATE_HZ <= times[0]
        assert times[-1] <= round((start + len(samples)) * 1000 / RATE_HZ)


def test_clauses_become_sentences_and_their_times_go_on() -> None:
    subtitler = Subtitler(RATE_HZ)
    subtitler.add("Well, ", voice(300, 100))
    assert not ends_sentence("Well, ")
    subtitler.add("yes. ", voice(300, 100))
    assert ends_sentence("yes. ")
    first = subtitler.flush()
    assert first is not None
    assert (first.text, [item.start_ms for item in first.items]) == ("Well, yes.", [0, 400])
    subtitler.add("Bye", voice(300))
    second = subtitler.flush()
    assert second is not None
    assert second.items == [SubtitleWord("Bye", 800, 1100)]
    assert subtitler.flush() is None


def test_where_sentences_end() -> None:
    assert all(map(ends_sentence, ["好。", "Why?”", "Oh!) ", "No…", "A line\n", "Done."]))
    assert not any(map(ends_sentence, ["好，", "so,", "and", "one; "]))
