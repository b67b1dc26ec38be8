"""Cutting documents into passages: at their structure, with overlap, and nothing lost."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from vivavoce.knowledge.blocks import Block
from vivavoce.knowledge.lengths import tokens_of
from vivavoce.knowledge.passages import Chunker, Passage, PassageSize

SIZE = PassageSize(tokens=40, overlap=12)


def cut(blocks: Iterable[Block], size: PassageSize = SIZE, title: str = "manual") -> list[Passage]:
    chunker = Chunker(size, title)
    return [*chunker.take(blocks), *chunker.finish()]


def test_cuts_at_headings_and_remembers_them() -> None:
    passages = cut(
        [
            Block("heading", "Care", level=1),
            Block("paragraph", "Keep it dry."),
            Block("heading", "Battery", level=2),
            Block("paragraph", "Charge it at night."),
            Block("heading", "Returns", level=1),
            Block("paragraph", "Within thirty days."),
        ]
    )
    assert [(passage.headings, passage.text) for passage in passages] == [
        (("manual", "Care"), "Keep it dry."),
        (("manual", "Care", "Battery"), "Charge it at night."),
        (("manual", "Returns"), "Within thirty days."),
    ]
    assert passages[1].whole == "manual › Care › Battery\nCharge it at night."


def test_what_belongs_together_stays_together_and_overlaps() -> None:
    lines = [f"Row {n} of the list says what row {n} says." for n in range(12)]
    passages = cut(Block("row", line, page=1 + n // 6) for n, line in enumerate(lines))
    assert len(passages) > 2
    for before, after in itertools.pairwise(passages):
        if before.page == after.page:
            assert after.text.splitlines()[0] == before.text.splitlines()[-1]
    assert all(any(line in passage.text.splitlines() for passage in passages) for line in lines)


def test_a_long_paragraph_is_cut_at_its_sentences() -> None:
    sentences = [f"This is what sentence number {n} has to say." for n in range(20)]
    for passage in cut([Block("paragraph", " ".join(sentences))]):
        assert passage.text.startswith("This is")
        assert passage.text.endswith("say.")
    chinese = [f"这是第{n}句话，说的是电池。" for n in range(30)]
    for passage in cut([Block("paragraph", "".join(chinese))]):
        assert passage.text.startswith("这是")
        assert passage.text.endswith("。")


def test_headings_alone_are_a_passage() -> None:
    assert cut([Block("heading", "Only this", level=1)]) == [Passage(0, "Only this", ("manual",), None)]


TEXTS = st.text(st.sampled_from("ab .,\n电池。，"), min_size=1, max_size=400).filter(lambda text: text.strip())
BLOCKS = st.builds(
    Block, st.sampled_from(["paragraph", "item", "row"]), TEXTS, page=st.one_of(st.none(), st.integers(1, 3))
)


@given(st.lists(BLOCKS, max_size=12), st.integers(10, 60))
def test_nothing_is_lost_and_nothing_is_too_long(blocks: list[Block], tokens: int) -> None:
    passages = cut(blocks, PassageSize(tokens, tokens // 4))
    assert [passage.ordinal for passage in passages] == list(range(len(passages)))
    there = letters("".join(passage.text for passage in passages))
    at = 0
    for block in blocks:
        for letter in letters(block.text):
            at = there.find(letter, at) + 1
            assert at > 0, "letters are there in their order"
    for passage in passages:
        # What overlaps comes on top; each of its lines was rounded by itself.
        assert tokens_of(passage.text) <= tokens * 1.25 + len(passage.text.splitlines()) + 1


@given(TEXTS, st.integers(2, 50))
def test_pieces_of_a_block_are_small_and_whole(text: str, most: int) -> None:
    pieces = list(Block("item", text, page=2).in_pieces(most))
    assert all(0 < len(piece.text) <= max(most, len(text) if len(text) <= most else 0) for piece in pieces)
    assert letters("".join(piece.text for piece in pieces)) == letters(text)
    assert {(piece.kind, piece.page) for piece in pieces} <= {("item", 2)}


def letters(text: str) -> str:
    return "".join(text.split())
