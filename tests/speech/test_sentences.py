"""Text in pieces: where it is cut does not depend on how it arrived."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.speech.models import speech_model
from vivavoce.speech.sentences import GrowingText, SentenceSource, WholeSentences

PLAIN, DIRECTED = speech_model("step-tts-2"), speech_model("stepaudio-3-tts")
TEXT = "“Hello!” she said. What a day?! 今天天气很好。“真的吗？”（他说）是的！ The end"


def cut(source: SentenceSource, pieces: list[str]) -> list[str]:
    sentences = [sentence for piece in pieces for sentence in source.push(piece)]
    return [sentence.text for sentence in [*sentences, *source.flush()]]


def whole(model: str = "step-tts-2") -> WholeSentences:
    return WholeSentences(speech_model(model), None)


def growing(model: str = "step-tts-2") -> GrowingText:
    return GrowingText(speech_model(model), None)


def test_ready_text_is_cut_at_the_documented_marks() -> None:
    assert cut(whole(), [TEXT]) == [
        "“Hello!”",
        " she said. What a day?!",
        " 今天天气很好。",
        "“真的吗？”",
        "（他说）是的！",
        " The end",
    ]


@given(st.lists(st.integers(0, len(TEXT)), max_size=12), st.booleans())
def test_pieces_do_not_matter(at: list[int], ready: bool) -> None:
    bounds = [0, *sorted(at), len(TEXT)]
    pieces = [TEXT[start:end] for start, end in pairwise(bounds)]
    source = whole if ready else growing
    assert cut(source(), pieces) == cut(source(), [TEXT])
    assert "".join(cut(source(), pieces)) == TEXT


def test_nothing_comes_before_a_sentence_is_complete() -> None:
    source = whole()
    assert source.push("你好。") == []  # a closing quotation mark may follow
    assert [sentence.text for sentence in source.push("再")] == ["你好。"]
    assert [sentence.text for sentence in source.flush()] == ["再"]
    assert source.flush() == []


def test_the_first_clause_of_growing_text_comes_early() -> None:
    source = growing()
    words = ["so", "this", "is", "how", "we", "begin", "to", "talk", "about", "the", "weather", "of", "today"]
    pushed = [bool(source.push(word + " ")) for word in words]
    assert pushed.index(True) < 10
    source.flush()
    pushed = [bool(source.push(word + " ")) for word in words]
    assert pushed.index(True) < 10


@pytest.mark.parametrize(
    "pieces",
    [["Come (whis", "pering) here."], ["Come ", "(", "whispering", ")", " here."], ["Come (whispering) here."]],
)
def test_directions_are_not_spoken_however_they_arrive(pieces: list[str]) -> None:
    for source in (whole("stepaudio-3-tts"), growing("stepaudio-3-tts")):
        sentences = [sentence for piece in pieces for sentence in source.push(piece)] + source.flush()
        spoken = " ".join(clause.spoken for sentence in sentences for clause in sentence.clauses)
        assert " ".join(spoken.split()) == "Come here."


def test_a_parenthesis_that_is_never_closed_is_spoken() -> None:
    source = growing("stepaudio-3-tts")
    spoken = source.push("Well (" + "and so on " * 100)
    assert spoken
    assert "and so on" in spoken[-1].clauses[0].spoken


def test_code_in_growing_text() -> None:
    pieces = ["Look: `", "``py\nprint one\n``", "`\nDone."]
    source = growing()
    sentences = [sentence for piece in pieces for sentence in source.push(piece)] + source.flush()
    spoken = " ".join(clause.spoken for sentence in sentences for clause in sentence.clauses)
    assert "print one" not in spoken
    assert "Done" in spoken


def test_what_cannot_be_spoken_is_no_sentence() -> None:
    assert whole().push("。。。！ …") == []
    assert growing().flush() == []
