"""The subset of SSML: pauses between clauses, and words in place of what the mark-up stands around."""

from __future__ import annotations

import pytest

from vivavoce.text.clauses import Clause, ClauseSplitter
from vivavoce.text.speech_markup import has_unsupported, pause_at, pauses_of, without_markup


def split(text: str, size: int = 0) -> list[Clause]:
    splitter = ClauseSplitter()
    pieces = [text[at : at + size] for at in range(0, len(text), size)] if size else [text]
    return [*(clause for piece in pieces for clause in splitter.push(piece)), *splitter.flush()]


@pytest.mark.parametrize(
    ("mark", "length_ms"),
    [
        ("[pause:2s]", 2000),
        ("[pause:500ms]", 500),
        ("[pause: 1.5]", 1500),
        ("[pause]", 500),
        ('<break time="300ms"/>', 300),
        ("<break time='1s' />", 1000),
        ('<break time="1s">', 1000),
        ('<break strength="strong"/>', 800),
        ("<break/>", 500),
        ("[pause:99999s]", 10_000),
        ("[pause:x]", 0),
        ("<broken/>", 0),
    ],
)
def test_pauses(mark: str, length_ms: int) -> None:
    end, found = pause_at(f"a{mark}", 1)
    assert found == length_ms
    assert end == (1 + len(mark) if length_ms else 1)


@pytest.mark.parametrize("size", [0, 1, 3])
def test_a_pause_stands_where_it_is_written(size: int) -> None:
    text = 'One moment [pause:2s] please.<break time="1s"/> Thank you.'
    clauses = split(text, size)
    assert "".join(clause.text for clause in clauses) == text
    assert [(clause.spoken, clause.pauses_ms) for clause in clauses if clause.spoken] == [
        ("One moment", (0, 2000)),
        ("please.", (0, 1000)),
        ("Thank you.", (0, 0)),
    ]


def test_a_pause_before_the_first_word_comes_first() -> None:
    assert pauses_of("[pause:1s] Hello. [pause:2s]") == (1000, 2000)
    assert [(clause.spoken, clause.pauses_ms) for clause in split("<break/>Hello.")] == [("Hello.", (500, 0))]


@pytest.mark.parametrize("text", ["[pause", "<break time=", "a [pause:2s", "<b", "[1] is it", "a < b"])
def test_what_is_not_closed_is_no_pause(text: str) -> None:
    clauses = split(text, 1)
    assert "".join(clause.text for clause in clauses) == text
    assert all(clause.pauses_ms == (0, 0) for clause in clauses)


@pytest.mark.parametrize(
    ("text", "language", "said"),
    [
        ('The <sub alias="World Wide Web">WWW</sub>.', "en", "The World Wide Web."),
        ('<say-as interpret-as="characters">AB12</say-as>', "en", "A B one two"),
        ('<say-as interpret-as="digits">1205</say-as>', "zh", "一二零五"),
        ('<say-as interpret-as="telephone">555-1234</say-as>', "en", "five five five, one two three four"),
        ('<say-as interpret-as="ordinal">21</say-as>', "en", "twenty-first"),
        ('<say-as interpret-as="ordinal">3</say-as>', "zh", "第3"),
        ('<say-as interpret-as="cardinal">1205</say-as>', "ja", "千二百五"),
        ('<say-as interpret-as="date" format="mdy">5/6</say-as>', "en", "5/6"),
        ('<phoneme alphabet="ipa" ph="təˈmeɪtoʊ">tomato</phoneme>', "en", "[tomato](/təˈmAtO/)"),
        ("[tomato](/təˈmeɪtoʊ/)", "en", "[tomato](/təˈmAtO/)"),
        ("[docs](/docs/)", "en", "docs"),
        ('<phoneme ph="x">词</phoneme>', "zh", "词"),
        ("<sub alias=>x</sub>", "en", "<sub alias=>x</sub>"),
    ],
)
def test_words_in_place_of_mark_up(text: str, language: str, said: str) -> None:
    assert without_markup(text, language) == said


def test_phonemes_reach_the_voice_and_links_do_not() -> None:
    assert [clause.spoken for clause in split("Say [tomato](/təˈmɑːtoʊ/) now.")] == ["Say [tomato](/təˈmɑtO/) now."]
    assert [clause.spoken for clause in split("See [the docs](/docs/) now.")] == ["See the docs now."]


def test_what_voices_cannot_follow_is_seen() -> None:
    assert has_unsupported('<prosody rate="slow">Hello</prosody>')
    assert not has_unsupported("<speak>Hello<break/></speak>")
