"""Text and files from outside cost time in proportion to their length, whatever they consist of.

Four times the length may take less than eight times as long (quadratic work takes sixteen). Time is the thread's own, the least
of several runs; what takes less than a few milliseconds is not measured.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable

import pytest

from vivavoce.audio.mp3 import counted_s
from vivavoce.knowledge.blocks import Block
from vivavoce.knowledge.parsing import markup, texts
from vivavoce.knowledge.passages import Chunker, PassageSize
from vivavoce.protocol.base64_text import from_base64
from vivavoce.protocol.json_text import without_lone_surrogates
from vivavoce.speech.models import SpeechModel
from vivavoce.speech.sentences import WholeSentences
from vivavoce.speech.text_preparation import without_stage_directions
from vivavoce.text.clauses import ClauseSplitter
from vivavoce.text.json_spans import without_json
from vivavoce.text.scripts import script_runs
from vivavoce.text.speakable import speakable_form
from vivavoce.text.token_estimates import estimate_text

RUNS = 3
TRIES = 3
MAX_RATIO = 8
MIN_S = 0.008
"""Of the shorter input: below, the clock and the allocator say more than the work."""


def at_once(text: str) -> None:
    splitter = ClauseSplitter()
    splitter.push(text)
    splitter.flush()


def by_character(text: str) -> None:
    splitter = ClauseSplitter()
    for character in text:
        splitter.push(character)
    splitter.flush()


def sentences(text: str) -> None:
    source = WholeSentences(SpeechModel(), None)
    for character in text:
        source.push(character)
    source.flush()


def cut(text: str) -> None:
    cutter = Chunker(PassageSize(), "title")
    list(cutter.take([Block("paragraph", text)]))
    list(cutter.finish())


def cut_small(text: str) -> None:
    cutter = Chunker(PassageSize(), "title")
    list(cutter.take(Block("item", piece) for piece in text.split(" ") if piece))
    list(cutter.finish())


def reading(read: Callable[[io.BytesIO], object]) -> Callable[[str], None]:
    def run(text: str) -> None:
        list(read(io.BytesIO(text.encode())))  # type: ignore[call-overload]

    return run


TEXTS = (
    "a", "a ", ".", ". ", '."', '"', "!", "—", ",", "[", "[a](", "(", "{", '{"', "`", "*", "_", "<a", "|", "| ", "http://a.b/ ",
    "www.", "a.", "3.", "\n", " ", " \n", "a\n", "- ", "# a\n", "> ", "\t", "中", "中,", "你好 hello ", "【", "[1]", "(http://a",
    "😀", "Dr. ", "'", "\\", "x\n", "...a", "()", '。"',
)  # fmt: skip
"""What texts of any length are made of here."""

MARKDOWN = (
    "*a* ",
    "*",
    "[",
    "[a](",
    "`",
    "> ",
    "![",
    "_a ",
    "|a|b|\n",
    "<",
    "<a ",
    "&a",
    "[a]: b\n",
    "**a *b ",
    "\\",
    "`` ` ",
)
MARKUP = ("a\n", " \n", "a ", "<b>a</b>", "<p>a", "<table><tr><td>a</table>", "<br>", "&amp;", "<a ", "</p>")

SUBJECTS: dict[str, tuple[Callable[[str], object], tuple[str, ...], int]] = {
    "clauses": (at_once, TEXTS, 2000),
    "clauses by character": (by_character, TEXTS, 2000),
    "spoken form": (lambda text: speakable_form(text, "en", complete=True), TEXTS, 4000),
    "JSON in speech": (without_json, TEXTS, 8000),
    "runs of scripts": (script_runs, (*TEXTS, "中a"), 8000),
    "sentences": (sentences, TEXTS, 2000),
    "directions": (lambda text: without_stage_directions(text, SpeechModel(stage_directions=True)), TEXTS, 8000),
    "tokens": (estimate_text, TEXTS, 20_000),
    "passages": (cut, TEXTS, 10_000),
    "passages of small blocks": (cut_small, ("a ", "中 ", "a. "), 10_000),
    "surrogates": (lambda text: without_lone_surrogates(text), ("\\ud83d", "\\", "\\u", "\ud83d", "a"), 20_000),
    "base64": (lambda text: _base64(text), ("A", "A\n", "=", " ", "-", "*"), 50_000),
    "text": (reading(texts.read_text), TEXTS, 20_000),
    "markdown": (reading(texts.read_markdown), MARKDOWN, 1500),
    "csv": (reading(texts.read_csv), ("a,", "a,b\n", '"', '"",', '\n"', "\n", ";"), 10_000),
    "html": (reading(markup.read_html), MARKUP, 10_000),
    "xml": (reading(lambda file: markup.read_xml(_rooted(file))), ("<a>b</a>", "a\n", "<a/>"), 10_000),
    "mp3 tags": (lambda text: counted_s(io.BytesIO(text.encode()), len(text)), ("ID3\0\0\0\0\0\0\0",), 400_000),
}  # fmt: skip
"""What reads something from outside, what that is made of, and how long the shorter input is."""


def _rooted(file: io.BytesIO) -> io.BytesIO:
    return io.BytesIO(b"<r>" + file.read() + b"</r>")


def _base64(text: str) -> None:
    try:
        from_base64(text)
    except ValueError:
        return


def thread_s(run: Callable[[str], object], text: str, runs: int = RUNS) -> float:
    times = []
    for _ in range(runs):
        began = time.thread_time()
        run(text)
        times.append(time.thread_time() - began)
    return min(times)


def grows_with_the_square(run: Callable[[str], object], unit: str, length: int) -> bool:
    short, long = unit * (length // len(unit)), unit * (4 * length // len(unit))
    for _ in range(TRIES):
        if thread_s(run, long, 1) < MIN_S * MAX_RATIO:
            return False
        if thread_s(run, long) < MAX_RATIO * max(MIN_S, thread_s(run, short)):
            return False
    return True


@pytest.mark.parametrize("subject", SUBJECTS)
def test_four_times_the_length_takes_about_four_times_as_long(subject: str) -> None:
    run, units, length = SUBJECTS[subject]
    assert [unit for unit in units if grows_with_the_square(run, unit, length)] == []


def test_the_measure_sees_work_that_grows_with_the_square() -> None:
    def joined(text: str) -> None:
        lengths: list[int] = []
        for character in text:
            lengths.append(len(character))
            sum(lengths)

    assert grows_with_the_square(joined, "a", 2400)
