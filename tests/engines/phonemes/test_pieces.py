from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vivavoce.engines.phonemes.pieces import PIECE_PHONEMES, pieces

PHONEMES = st.text(alphabet="abˈ ɡ.,!?—“”", max_size=400)


def words(texts: list[str]) -> str:
    return "".join("".join(texts).split())


@given(PHONEMES)
def test_no_piece_is_too_long_and_none_is_empty(phonemes: str) -> None:
    cut = pieces(phonemes)
    assert all(len(piece) <= PIECE_PHONEMES for piece in cut)
    assert all(any(char.isalpha() for char in piece) for piece in cut)


@given(PHONEMES)
def test_no_sound_is_lost(phonemes: str) -> None:
    kept = [c for c in words(pieces(phonemes)) if c.isalpha()]
    assert kept == [c for c in phonemes if c.isalpha()]


def test_short_text_is_one_piece() -> None:
    assert pieces("ab, ab. ab?") == ["ab, ab. ab?"]


def test_cut_after_punctuation_first() -> None:
    assert pieces("aaaa aaaa, bbbb bbbb. cccc", 12) == ["aaaa aaaa,", "bbbb bbbb.", "cccc"]


def test_cut_between_words_into_even_parts() -> None:
    assert pieces("aaa aaa aaa aaa aaa aaa", 20) == ["aaa aaa aaa", "aaa aaa aaa"]


def test_a_word_that_fits_nowhere_is_cut() -> None:
    assert pieces("a" * 25, 10) == ["a" * 10, "a" * 10, "a" * 5]


def test_punctuation_alone_is_nothing() -> None:
    assert pieces(" ... ") == []
