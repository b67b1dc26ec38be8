"""Cuts documents into passages: at their structure first, at sentences where a paragraph is too long."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from vivavoce.knowledge.blocks import Block
from vivavoce.knowledge.lengths import tokens_of, weight_of

_SENTENCE = re.compile(r"(?<=[。！？!?；;])|(?<=\.)(?=\s)|(?<=\n)")
_CLAUSE = re.compile(r"(?<=[,，、:：])|(?<=\s)")
MAX_HEADINGS = 4
MAX_HEADING_CHARACTERS = 160


@dataclass(frozen=True, slots=True)
class PassageSize:
    """About how long passages are, and how much of one is repeated at the beginning of the next, in tokens."""

    tokens: int = 120
    overlap: int = 24


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document that is found as one. ``ordinal`` counts from 0; ``headings`` lead to it, outermost first."""

    ordinal: int
    text: str
    headings: tuple[str, ...] = ()
    page: int | None = None

    @property
    def context(self) -> str:
        """Where it stands."""
        return " › ".join(self.headings)

    @property
    def whole(self) -> str:
        """The passage behind its headings, as it is embedded and read."""
        return f"{self.context}\n{self.text}" if self.headings else self.text


class Chunker:
    """Takes blocks as they come, gives passages as they are full.

    ``title`` stands above the headings of a document that does not name itself: its file's name.
    """

    def __init__(self, size: PassageSize, title: str = "") -> None:
        self._size = size
        self._title = title.strip()
        self._headings: dict[int, str] = {}
        self._pending: list[str] = []
        self._length = 0
        self._has_new = False
        self._page: int | None = None
        self._ordinal = 0

    def take(self, blocks: Iterable[Block]) -> Iterator[Passage]:
        """The passages these blocks complete."""
        for block in blocks:
            if block.kind == "heading":
                yield from self._flush()
                self._enter(block)
                continue
            if block.page != self._page and self._length > self._size.tokens // 2:
                yield from self._flush()
            for piece in self._pieces(block.text):
                length = tokens_of(piece)
                if self._has_new and self._length + length > self._size.tokens:
                    yield from self._flush(overlap=True)
                if not self._pending or not self._has_new:
                    self._page = block.page
                self._pending.append(piece)
                self._length += length
                self._has_new = True

    def finish(self) -> Iterator[Passage]:
        """The last passage; headings that nothing followed are worth one, too, if there is no other."""
        yield from self._flush()
        if not self._ordinal and self._headings:
            yield Passage(0, "\n".join(self._headings.values()), (self._title,) if self._title else (), self._page)
            self._ordinal = 1

    def _enter(self, heading: Block) -> None:
        self._headings = {level: text for level, text in self._headings.items() if level < heading.level}
        self._headings[heading.level] = " ".join(heading.text.split())[:MAX_HEADING_CHARACTERS]
        self._page = heading.page

    def _pieces(self, text: str) -> Iterator[str]:
        """A block as it is, or its sentences (or clauses, or characters) put together up to the size."""
        if tokens_of(text) <= self._size.tokens:
            yield text
            return
        for split in (_SENTENCE.split, _CLAUSE.split, list):
            parts = [part for part in split(text) if part]
            if len(parts) > 1:
                break
        piece, weight = "", 0.0
        for part in parts:
            part_weight = weight_of(part)
            if piece and round(weight + part_weight) > self._size.tokens:
                yield piece.strip()
                piece, weight = "", 0.0
            if round(part_weight) > self._size.tokens:
                yield from self._pieces(part)
            else:
                piece, weight = piece + part, weight + part_weight
        if piece.strip():
            yield piece.strip()

    def _flush(self, *, overlap: bool = False) -> Iterator[Passage]:
        """What is gathered as a passage. With ``overlap`` its end begins the next one."""
        pending, has_new = self._pending, self._has_new
        self._pending, self._length, self._has_new = [], 0, False
        if not has_new:
            return
        yield Passage(self._ordinal, "\n".join(pending), self._path(), self._page)
        self._ordinal += 1
        if overlap:
            self._pending = _tail(pending, self._size.overlap)
            self._length = sum(map(tokens_of, self._pending))

    def _path(self) -> tuple[str, ...]:
        headings = list(dict.fromkeys(self._headings[level] for level in sorted(self._headings)))
        has_title = any(self._title.lower() in heading.lower() for heading in headings)
        return tuple([*([self._title] if self._title and not has_title else []), *headings][-MAX_HEADINGS:])


def _tail(texts: list[str], tokens: int) -> list[str]:
    """The last whole blocks of a passage that fit, or the last sentences of its last block."""
    blocks: list[str] = []
    for text in reversed(texts):
        tokens -= tokens_of(text)
        if tokens < 0:
            break
        blocks.insert(0, text)
    if blocks or len(texts) == 0:
        return blocks if len(blocks) < len(texts) else []
    tail = ""
    for sentence in reversed([part for part in _SENTENCE.split(texts[-1]) if part.strip()]):
        if tokens_of(sentence + tail) > tokens + tokens_of(texts[-1]):
            break
        tail = sentence + tail
    return [tail.strip()] if tail.strip() and tail.strip() != texts[-1] else []
