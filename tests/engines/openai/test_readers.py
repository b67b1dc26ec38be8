"""What comes in pieces is read alike however it is cut: events, thoughts, calls left in the text."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.engines.openai.repetition import RepetitionFilter
from vivavoce.engines.openai.thoughts import ThoughtSplitter
from vivavoce.engines.openai.written_calls import WrittenCalls
from vivavoce.engines.remote.breaker import CircuitBreaker
from vivavoce.engines.remote.errors import retry_after_s
from vivavoce.engines.remote.event_stream import EventStreamReader, NoEventError
from vivavoce.types import TextDelta, ThinkingDelta

CUTS = st.lists(st.integers(0, 400), max_size=12)


def pieces(whole: str, cuts: Iterable[int]) -> list[str]:
    at = sorted({0, len(whole), *(cut % (len(whole) + 1) for cut in cuts)})
    return [whole[start:end] for start, end in itertools.pairwise(at)]


def split(text: str, cuts: Iterable[int], *, opened: bool = False) -> tuple[str, str]:
    splitter = ThoughtSplitter(opened=opened)
    events = [event for piece in pieces(text, cuts) for event in splitter.feed(piece)] + list(splitter.finish())
    thoughts = "".join(event.text for event in events if isinstance(event, ThinkingDelta))
    return thoughts, "".join(event.text for event in events if isinstance(event, TextDelta))


@given(CUTS)
@pytest.mark.parametrize(
    ("text", "opened", "expected"),
    [
        ("<think>Hm.</think>\n\nYes.", False, ("Hm.", "Yes.")),
        ("\n<thinking>a < b</thinking>Yes.", False, ("a < b", "Yes.")),
        ("Hm.</think>Yes.", True, ("Hm.", "Yes.")),
        ("No <think> here.", False, ("", "No <think> here.")),
        ("<thin ice>", False, ("", "<thin ice>")),
        ("<think>never closed", False, ("never closed", "")),
        ("<think></think>Yes.", False, ("", "Yes.")),
    ],
)
def test_thoughts(text: str, opened: bool, expected: tuple[str, str], cuts: list[int]) -> None:
    assert split(text, cuts, opened=opened) == expected


@given(CUTS, st.text(alphabet="ab {}[]<>`_toolcal", max_size=60))
def test_text_without_calls_goes_through_whole(cuts: list[int], text: str) -> None:
    reader = WrittenCalls({"lamp"})
    said = "".join(map(reader.feed, pieces(text, cuts)))
    rest, calls = reader.finish()
    assert (said + rest, calls) == (text, [])


@given(CUTS)
@pytest.mark.parametrize("before", ["", "Sure. "])
def test_calls_in_the_text(before: str, cuts: list[int]) -> None:
    text = before + '<tool_call>{"name": "lamp", "arguments": {"on": true}}</tool_call>'
    reader = WrittenCalls({"lamp"})
    said = "".join(map(reader.feed, pieces(text, cuts)))
    rest, calls = reader.finish()
    assert (said + rest, calls) == (before, [("lamp", '{"on": true}')])


@given(CUTS, st.lists(st.dictionaries(st.text(max_size=3), st.text(max_size=9), max_size=3), max_size=5), st.booleans())
def test_events(cuts: list[int], sent: list[dict[str, str]], done: bool) -> None:
    whole = ": hello\r\n\r\n" + "".join(f"event: x\ndata:{json.dumps(event)}\n\n" for event in sent)
    whole += "data: [DONE]\n\ndata: {}\n\n" if done else ""
    reader = EventStreamReader()
    data = whole.encode().decode("latin-1")  # cut between bytes
    read = [event for piece in pieces(data, cuts) for event in reader.feed(piece.encode("latin-1"))]
    assert [*read, *reader.finish()] == sent
    assert reader.done == done


@pytest.mark.parametrize("data", [b"data: {]\n\n", b"data: 1\n\n", b"data: \xff\n\n", b"x" * (9 * 1024 * 1024)])
def test_no_events(data: bytes) -> None:
    with pytest.raises(NoEventError):
        list(EventStreamReader().feed(data))


def test_events_that_are_not_set_apart() -> None:
    assert list(EventStreamReader().feed(b'data: {"a": 1}\ndata: {"b": 2}\n\n')) == [{"a": 1}, {"b": 2}]


@given(CUTS)
@pytest.mark.parametrize(
    ("prefix", "written", "expected"),
    [
        ("One, two,", "One, two, three.", " three."),
        ("One, two,", "three.", " three."),
        ("One, two, ", "three.", "three."),
        ("一，二，", "三。", "三。"),
        ("One", "One", " One"),
        ("", "One", "One"),
    ],
)
def test_repetitions(prefix: str, written: str, expected: str, cuts: list[int]) -> None:
    repetition = RepetitionFilter(prefix)
    events = [*repetition.filtered(TextDelta(piece) for piece in pieces(written, cuts) if piece), *repetition.finish()]
    said = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert said == ("" if prefix == written else expected)


def test_the_breaker() -> None:
    breaker = CircuitBreaker(2, 10)
    assert breaker.admit(0)
    breaker.failed(0, "a")
    assert breaker.admit(1)
    breaker.failed(1, "b")
    assert (breaker.admit(5), breaker.is_open(5), breaker.failure) == (False, True, "b")
    assert breaker.admit(11)  # one to see
    assert not breaker.admit(11)
    breaker.failed(11, "c")
    assert not breaker.admit(20)
    assert breaker.admit(21)
    breaker.abandoned()
    assert breaker.admit(22)
    breaker.succeeded()
    assert (breaker.admit(22), breaker.admit(22), breaker.failure) == (True, True, None)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None), ({"retry-after": "2"}, 2.0), ({"retry-after": "soon"}, None), ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
    ],
)  # fmt: skip
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers) == seconds
