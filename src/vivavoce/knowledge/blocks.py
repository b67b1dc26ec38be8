"""What a document is made of once it is read: blocks in their order, whatever its format was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

BlockKind: TypeAlias = Literal["heading", "paragraph", "item", "row"]


@dataclass(frozen=True, slots=True)
class Block:
    """One heading, paragraph, list item or table row.

    ``level`` counts headings from 1. ``page`` counts pages, slides or sheets from 1 where a format has them. A row's
    ``text`` joins its cells, each behind the name its column has: it can be understood without the table around it.
    """

    kind: BlockKind
    text: str
    level: int = 0
    page: int | None = None

    def in_pieces(self, max_characters: int) -> Iterator[Block]:
        """Itself, or several blocks of at most ``max_characters`` characters, cut between words where there are any."""
        if len(self.text) <= max_characters:
            yield self
            return
        start = 0
        while start < len(self.text):
            middle, end = start + max_characters // 2, start + max_characters
            if end < len(self.text):
                end = max(self.text.rfind(space, middle, end) for space in " \n") + 1 or end
            if piece := self.text[start:end].strip():
                yield Block(self.kind, piece, self.level, self.page)
            start = end


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """A whole document in memory, for what is small or has to be whole. ``truncated``: it went on."""

    blocks: tuple[Block, ...]
    truncated: bool = False

    @property
    def text(self) -> str:
        """The plain text: headings and paragraphs apart by a blank line, items and rows on a line of their own."""
        return plain_text(self.blocks)


def plain_text(blocks: Sequence[Block]) -> str:
    """Blocks as plain text; see ``ParsedDocument.text``."""
    parts: list[str] = []
    previous: Block | None = None
    for block in blocks:
        if previous is not None:
            parts.append("\n" if block.kind == previous.kind and block.kind in ("item", "row") else "\n\n")
        parts.append(block.text)
        previous = block
    return "".join(parts)


def row_text(header: Sequence[str], cells: Sequence[str]) -> str:
    """The cells of a row behind the names of their columns; empty cells are left out."""
    parts = []
    for number, cell in enumerate(cells):
        name = header[number] if number < len(header) else ""
        if cell:
            parts.append(f"{name}: {cell}" if name and name != cell else cell)
    return "; ".join(parts)
