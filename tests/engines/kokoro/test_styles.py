from __future__ import annotations

import numpy as np
import pytest

from vivavoce.engines.kokoro.styles import ROWS, SIZE, TIMBRE, Styles
from vivavoce.errors import EngineError
from vivavoce.types import Sex


def pack(value: float) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.full((ROWS, SIZE), value, np.float32)


@pytest.fixture
def styles() -> Styles:
    others = {"zm_yunyang": pack(7), "zf_xiaoxiao": pack(8), "jf_alpha": pack(9), "jm_kumo": pack(10)}
    return Styles({"af_one": pack(1), "am_two": pack(2), "zf_three": pack(3), "ff_four": pack(4), **others})


@pytest.mark.parametrize(
    ("voice", "timbre", "prosody"),
    [
        ("af_one", 1, 1),
        ("af_one+am_two", 1.5, 1.5),
        ("af_one:3+am_two", 1.25, 1.25),
        ("af_one|zf_three", 1, 3),
        ("af_one+am_two|zf_three:1+ff_four:3", 1.5, 3.75),
    ],
)
def test_a_voice_can_be_written(styles: Styles, voice: str, timbre: float, prosody: float) -> None:
    made = styles.pack(voice)
    assert made.shape == (ROWS, SIZE)
    assert made[0, :TIMBRE] == pytest.approx(timbre)
    assert made[0, TIMBRE:] == pytest.approx(prosody)


@pytest.mark.parametrize(
    ("voice", "language", "letter"),
    [
        ("af_one", "en", "a"),
        ("af_one+am_two", "en", "a"),
        ("am_two|zf_three", "zh", "z"),
        ("ff_four|af_one", "en", "a"),
    ],
)
def test_the_prosody_decides_the_language(styles: Styles, voice: str, language: str, letter: str) -> None:
    assert styles.letter(voice, language) == letter


@pytest.mark.parametrize(
    ("voice", "language"),
    [
        ("af_one", "zh"),
        ("nobody", "en"),
        ("af_one+zf_three", "en"),
        ("nobody|af_one", "en"),
        ("ff_four", "fr"),
        ("", "en"),
    ],
)
def test_what_is_no_voice_of_the_language_is_refused(styles: Styles, voice: str, language: str) -> None:
    with pytest.raises(EngineError, match="no voice"):
        styles.letter(voice, language)


def test_each_number_of_phonemes_has_its_style(styles: Styles) -> None:
    rising = np.arange(ROWS * SIZE, dtype=np.float32).reshape(ROWS, SIZE)
    styles = Styles({"af_one": rising})
    for phonemes, row in ((1, 0), (7, 6), (ROWS, ROWS - 1), (ROWS + 5, ROWS - 1)):
        assert (styles.row("af_one", "a", phonemes) == rising[row : row + 1]).all()


@pytest.mark.parametrize(("sex", "chinese", "japanese"), [("female", 8, 9), ("male", 7, 10)])
def test_a_voice_of_a_users_borrows_the_prosody_of_other_languages(
    styles: Styles, sex: Sex, chinese: float, japanese: float
) -> None:
    styles.add("mine", pack(5).astype(np.float16), sex)
    for language, letter, prosody in (("en", "a", 5), ("zh", "z", chinese), ("ja", "j", japanese)):
        assert styles.letter("mine", language) == letter
        row = styles.row("mine", letter, 3)
        assert row.dtype == np.float32
        assert (row[0, 0], row[0, -1]) == (5, prosody)


def test_voices_come_and_go(styles: Styles) -> None:
    styles.add("mine", pack(5).astype(np.float16), "male")
    with pytest.raises(EngineError, match="'fr'"):
        styles.letter("mine", "fr")
    styles.remove("mine")
    styles.remove("mine")
    with pytest.raises(EngineError, match="no voice"):
        styles.letter("mine", "en")


@pytest.mark.parametrize("bad", [np.zeros((3, SIZE), np.float16), np.full((ROWS, SIZE), np.nan, np.float16)])
def test_a_voice_must_be_whole(styles: Styles, bad: np.ndarray[tuple[int, int], np.dtype[np.float16]]) -> None:
    with pytest.raises(EngineError, match="finite numbers of shape"):
        styles.add("mine", bad, "male")
