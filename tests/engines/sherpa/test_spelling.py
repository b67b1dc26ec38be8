from __future__ import annotations

from pathlib import Path

import pytest

from engines.sherpa.tiny import make_zipvoice
from vivavoce.engines.sherpa.spelling import MAX_LENGTH, MIN_LENGTH, Spelling, has_sound, pieces

ESPEAK = " !\"'(),-.:;?abcdefhijklmnopqrstuvwxyzæçðøħŋœɐɑɒɔɕəɚɛɜɡɣɪɫɬɯɲɹɾʃʊʌʒʔʲˈˌːθχᵻ"
PINYIN = "d0 h0 l0 n0 w0 z0 ao3 er2 i2 i5 ian3 iang2 o3"


@pytest.fixture(scope="module")
def spelling(tmp_path_factory: pytest.TempPathFactory) -> Spelling:
    path = tmp_path_factory.mktemp("tokens") / "tokens.txt"
    tokens = [*ESPEAK, *PINYIN.split()]
    path.write_text("".join(f"{token}\t{number}\n" for number, token in enumerate(tokens)), encoding="utf-8")
    return Spelling(path)


@pytest.mark.parametrize(
    ("text", "phonemes"),
    [
        ("better", "bˈɛɾɚ"),
        ("understand", "ˌʌndɚstˈænd"),
        ("Hello there, good day.", "həlˈoʊ ðˈɛɹ, ɡˈʊd dˈeɪ."),
        ("Choose the first bird!", "tʃˈuːz ðə fˈɜːst bˈɜːd!"),
        ("A teacher, an oil boat: happy bees", "ɐ tˈiːtʃɚ, ɐn ˈɔɪl bˈoʊt: hˈæpi bˈiːz"),
        ("5 cars", "fˈaɪv kˈɑːɹz"),
    ],
)
def test_english_is_spelled_as_espeak_does(spelling: Spelling, text: str, phonemes: str) -> None:
    assert "".join(spelling(text, "en")) == phonemes


def test_words_in_no_lexicon_are_spelled(spelling: Spelling) -> None:
    for word in ("Vivavoce", "Zxqrty", "Kjeldahlsky"):
        assert has_sound(spelling(word, "en")), word


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("你好。", "n0 i2 h0 ao3 ."),
        ("我，儿子！", "w0 o3 , er2 z0 i5 !"),
        ("2点", "l0 iang2 d0 ian3"),
    ],
)
def test_chinese_is_spelled_in_initials_and_finals(spelling: Spelling, text: str, tokens: str) -> None:
    assert spelling(text, "zh") == tokens.split()


def test_english_within_chinese(spelling: Spelling) -> None:
    assert "".join(spelling("我better。", "zh")) == "w0o3bˈɛɾɚ."


def test_what_has_no_tokens_is_left_out(spelling: Spelling) -> None:
    assert not has_sound(spelling("안녕 。。…", "en"))


def test_languages_are_those_there_are_tokens_for(tmp_path: Path, spelling: Spelling) -> None:
    assert spelling.languages == {"en", "zh"}
    assert Spelling(make_zipvoice(tmp_path, english=False) / "tokens.txt").languages == {"zh"}
    (tmp_path / "tokens.txt").write_text("a\t0\nb\t1\n")
    assert Spelling(tmp_path / "tokens.txt").languages == frozenset()


# ---- pieces


def cut(spelling: Spelling, text: str, language: str = "en") -> list[str]:
    return ["".join(piece) for piece in pieces(spelling(text, language))]


def test_sentences_are_pieces_and_short_ones_go_together(spelling: Spelling) -> None:
    assert cut(spelling, "No. Yes. Come in.") == ["nˈoʊ. jˈɛs. kˈʌm ˈɪn."]
    first, second = cut(spelling, "The first one is quite long enough. The second one is as well, I think.")
    assert (first[-1], second[-1]) == (".", ".")
    assert second[0] == "ð"


def test_a_short_end_stays_with_what_was_said_before(spelling: Spelling) -> None:
    assert len(cut(spelling, "The first one is quite long enough. Yes.")) == 1


@pytest.mark.parametrize("ends", [", ", " "])
def test_long_sentences_are_cut_at_pauses_or_between_words(spelling: Spelling, ends: str) -> None:
    text = ends.join(["the better water"] * 20)
    made = cut(spelling, text)
    assert len(made) > 2
    assert all(MIN_LENGTH <= len(piece) <= MAX_LENGTH for piece in made)
    if ends == ", ":
        assert all(piece.endswith(",") for piece in made[:-1])
    assert " ".join(made) == "".join(spelling(text, "en"))


def test_long_chinese_is_cut_between_syllables(spelling: Spelling) -> None:
    made = pieces(spelling("好我" * 100, "zh"))
    assert len(made) > 3
    assert all(piece[0] in ("h0", "w0") and piece[-1] in ("ao3", "o3") for piece in made)
    assert sum(map(len, made)) == 400


def test_punctuation_alone_is_no_piece() -> None:
    assert pieces([".", " ", "!"]) == []
    assert pieces([]) == []
