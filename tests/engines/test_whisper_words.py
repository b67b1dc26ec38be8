"""Tokens with positions become words with times."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.engines.whisper.words import SilentGap, TimedToken, timed_words
from vivavoce.types import Word


def tokens(*parts: tuple[str | bytes, int]) -> list[TimedToken]:
    """Tokens of (text or bytes, ms)."""
    return [TimedToken(part if isinstance(part, bytes) else part.encode(), at_ms // 20) for part, at_ms in parts]


def texts(*parts: str | bytes) -> list[str]:
    """How these tokens are joined to words."""
    words = timed_words(tokens(*((part, index * 200) for index, part in enumerate(parts))), [], len(parts) * 200)
    return [word.text for word in words]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((" Hel", "lo", ",", " world", "!"), [" Hello,", " world!"]),
        ((" don", "'t", " stop"), [" don't", " stop"]),
        ((" he", " said", ' "', "yes", '"', "."), [" he", " said", ' "yes".']),
        ((" a", " (", "b", ")"), [" a", " (b)"]),
        (
            (" \u4eca\u5929", "\u5929", "\u6c14", "\u3002", "OK", "\u5417"),
            [" \u4eca\u5929", "\u5929", "\u6c14\u3002", "OK", "\u5417"],
        ),
        ((b" \xe4", b"\xbd\xa0", "\u597d"), [" \u4f60", "\u597d"]),
        ((" 7", ":", "30"), [" 7:30"]),
        ((b" caf\xc3",), [" caf\ufffd"]),
        ((), []),
    ],
)
def test_tokens_are_joined_to_words(parts: tuple[str | bytes, ...], expected: list[str]) -> None:
    assert texts(*parts) == expected


def test_a_word_ends_where_its_punctuation_begins() -> None:
    words = timed_words(tokens((" Yes", 100), (".", 400), (" No", 900)), [], 1200)
    assert words == (Word(" Yes.", 100, 400), Word(" No", 900, 1200))


def test_words_beside_a_pause_reach_up_to_it() -> None:
    heard = tokens((" sea", 300), (" before", 500), (".", 800), (" We", 1700), (" painted", 2100))
    words = timed_words(heard, [SilentGap(0, 320), SilentGap(900, 2000), SilentGap(2500, 2600)], 2600)
    assert words == (
        Word(" sea", 320, 500),
        Word(" before.", 500, 900),
        Word(" We", 2000, 2100),
        Word(" painted", 2100, 2500),
    )


def test_a_pause_far_from_any_word_moves_none() -> None:
    heard = tokens((" a", 0), (" b", 1000), (".", 1100), (" c", 3000))
    words = timed_words(heard, [SilentGap(1800, 2200)], 3200)
    assert words == (Word(" a", 0, 1000), Word(" b.", 1000, 1100), Word(" c", 3000, 3200))


def test_no_word_is_lost_where_pauses_overlap() -> None:
    heard = tokens(("b", 20), (" a", 40), (" a", 40))
    words = timed_words(heard, [SilentGap(0, 46), SilentGap(0, 106)], 4000)
    assert [word.text for word in words] == ["b", " a", " a"]


@given(
    st.lists(st.tuples(st.sampled_from([" a", "b", ".", " \u4f60", "\u597d", ' "']), st.integers(0, 200)), max_size=20),
    st.lists(st.tuples(st.integers(0, 4000), st.integers(1, 1500)), max_size=4),
)
def test_words_are_in_order_within_the_utterance_and_join_to_the_text(
    parts: list[tuple[str, int]], gaps: list[tuple[int, int]]
) -> None:
    heard = [TimedToken(text.encode(), position) for text, position in sorted(parts, key=lambda part: part[1])]
    words = timed_words(heard, [SilentGap(start, start + length) for start, length in sorted(gaps)], 4000)
    assert "".join(word.text for word in words) == b"".join(token.data for token in heard).decode()
    assert all(0 <= word.start_ms <= word.end_ms <= 4000 for word in words)
    assert all(former.end_ms <= later.start_ms for former, later in pairwise(words))
