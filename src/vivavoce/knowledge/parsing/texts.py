"""Plain text, Markdown and CSV."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from typing import BinaryIO

from charset_normalizer import from_bytes
from markdown_it import MarkdownIt
from markdown_it.token import Token

from vivavoce.knowledge.blocks import Block, row_text

SAMPLE_BYTES = 256 * 1024
MAX_LINE_CHARACTERS = 100_000
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ITEM = re.compile(r"^\s{0,8}(?:[-*•‣·]|\d{1,3}[.)、]|[（(]\d{1,3}[)）]|[一二三四五六七八九十]{1,3}、)\s*\S")
_QUOTED = re.compile(r'"[^"]*"')
CSV_SAMPLE = 16_384
_NUL = str.maketrans("", "", "\0")


def encoding_of(file: BinaryIO) -> str:
    """How a text is encoded: by its mark, else UTF-8 if it can be, else the likeliest by its beginning. It is left there."""
    sample = file.read(SAMPLE_BYTES)
    file.seek(0)
    for mark, encoding in _MARKS:
        if sample.startswith(mark):
            return encoding
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        if _is_chinese(sample):
            return "gb18030"
        guess = from_bytes(sample[: SAMPLE_BYTES // 4]).best()
        return guess.encoding if guess is not None else "latin-1"
    return "utf-8"


def _is_chinese(sample: bytes) -> bool:
    """Whether these are Chinese characters as GB 2312 and its heirs write them; the detector takes short ones for Korean.

    The common characters begin with bytes from B0 to D7, all over them; Korean syllables end at C8, and Western letters
    beyond ASCII rarely come in pairs.
    """
    pairs = re.findall(rb"[\x81-\xfe][\x40-\x7e\x80-\xfe]", sample)
    common = [pair[0] for pair in pairs if 0xB0 <= pair[0] <= 0xD7 and pair[1] >= 0xA1]
    beyond_korean = sum(lead > 0xC8 for lead in common)
    return len(common) > 0.6 * len(pairs) > 0 and beyond_korean > 0.15 * len(common)


def _decoded(file: BinaryIO, newline: str | None = None) -> io.TextIOWrapper:
    return io.TextIOWrapper(file, encoding=encoding_of(file), errors="replace", newline=newline)


def read_text(file: BinaryIO) -> Iterator[Block]:
    """Paragraphs are apart by blank lines; a line that begins like a list item is one."""
    paragraph: list[str] = []
    length = 0
    text = _decoded(file)
    while line := text.readline(MAX_LINE_CHARACTERS):
        stripped = line.translate(_NUL).strip()
        if paragraph and (not stripped or _ITEM.match(line)):
            yield _joined(paragraph)
            paragraph, length = [], 0
        if stripped:
            paragraph.append(stripped)
            length += len(stripped)
            if length > MAX_LINE_CHARACTERS:
                yield _joined(paragraph)
                paragraph, length = [], 0
    if paragraph:
        yield _joined(paragraph)


def _joined(lines: list[str]) -> Block:
    return Block("item" if _ITEM.match(lines[0]) else "paragraph", "\n".join(lines))


def read_markdown(file: BinaryIO) -> Iterator[Block]:
    """CommonMark with tables."""
    source = _decoded(file).read().translate(_NUL)
    yield from _MarkdownBlocks().of(MarkdownIt("commonmark").enable("table").parse(source))


class _MarkdownBlocks:
    """Follows the parser's tokens: what is open decides what a piece of text is."""

    def __init__(self) -> None:
        self._level = 0
        self._in_item = 0
        self._header: list[str] = []
        self._cells: list[str] | None = None
        self._in_head = False

    def of(self, tokens: list[Token]) -> Iterator[Block]:
        for token in tokens:
            match token.type:
                case "heading_open":
                    self._level = int(token.tag[1:])
                case "list_item_open" | "list_item_close":
                    self._in_item += token.nesting
                case "thead_open" | "thead_close":
                    self._in_head = token.nesting > 0
                case "tr_open":
                    self._cells = []
                case "tr_close":
                    yield from self._row()
                case "inline":
                    yield from self._text(plain_inline(token))
                case "fence" | "code_block" if token.content.strip():
                    yield Block("paragraph", token.content.strip())
                case _:
                    pass

    def _text(self, text: str) -> Iterator[Block]:
        if self._cells is not None:
            self._cells.append(text)
        elif self._level:
            yield Block("heading", text, level=self._level)
            self._level = 0
        elif text:
            yield Block("item" if self._in_item else "paragraph", text)

    def _row(self) -> Iterator[Block]:
        cells, self._cells = self._cells or [], None
        if self._in_head:
            self._header = cells
        elif text := row_text(self._header, cells):
            yield Block("row", text)


def plain_inline(token: Token) -> str:
    """The words of a line of Markdown, without its marks; pictures give their description."""
    parts = []
    for child in token.children or ():
        if child.type in ("softbreak", "hardbreak"):
            parts.append("\n")
        elif child.type == "html_inline":
            continue
        else:
            parts.append(child.content)
    return "".join(parts).strip()


def separator_of(sample: str) -> str:
    """What separates the cells: the sign that is in the first line, and as often in the most of the others.

    (``csv.Sniffer`` needs seconds for 16 KB of quotes.)
    """
    lines = [_QUOTED.sub("", line) for line in sample.splitlines() if line.strip()]
    lines = lines[:-1] if len(lines) > 2 else lines  # the last may be cut off
    best, best_score = ",", (0, 0)
    for separator in ",;\t|":
        counts = [line.count(separator) for line in lines]
        if counts and counts[0]:
            best, best_score = max(
                (best, best_score),
                (separator, (counts.count(counts[0]), counts[0])),
                key=lambda candidate: candidate[1],
            )
    return best


def read_csv(file: BinaryIO) -> Iterator[Block]:
    """Rows behind the names of the first one."""
    csv.field_size_limit(MAX_LINE_CHARACTERS)
    lines = _decoded(file, newline="")
    separator = separator_of(lines.read(CSV_SAMPLE))
    lines.seek(0)
    rows = csv.reader((line.translate(_NUL) for line in lines), delimiter=separator, skipinitialspace=True)
    header: list[str] | None = None
    for row in rows:
        cells = [cell.strip() for cell in row]
        if header is None:
            header = cells if any(cells) else None
        elif text := row_text(header, cells):
            yield Block("row", text)
    if header is not None and rows.line_num == 1:
        yield Block("row", row_text((), header))
