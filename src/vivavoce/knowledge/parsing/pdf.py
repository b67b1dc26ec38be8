"""PDF, page by page. Headings are told by their size, paragraphs by the length of their lines."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from statistics import median
from typing import Any, BinaryIO

import pypdfium2
import pypdfium2.raw

from vivavoce.knowledge.blocks import Block
from vivavoce.knowledge.parsing.errors import UnreadableError
from vivavoce.knowledge.parsing.limits import ParsingLimits

MAX_HEADING_CHARACTERS = 120
HEADING_SIZE_RATIO = 1.15
"""A line this much larger than the page's usual one is a heading."""

FULL_LINE = 0.75
"""A line this long, compared with the page's longest ones, goes on in the next."""


def read_pdf(file: BinaryIO, limits: ParsingLimits) -> Iterator[tuple[float, list[Block]]]:
    """How much is read, and the blocks of one page, after every page."""
    try:
        document = pypdfium2.PdfDocument(file)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == pypdfium2.raw.FPDF_ERR_PASSWORD:
            raise UnreadableError("invalid_file", "The PDF is protected by a password.") from error
        raise UnreadableError("invalid_file", "The PDF is damaged, or no PDF at all.") from error
    count, has_text = len(document), False
    if count > limits.pages:
        raise UnreadableError("invalid_file", f"The PDF has {count} pages; {limits.pages} are read at most.")
    for index in range(count):
        blocks = list(_page(document, index))
        has_text = has_text or bool(blocks)
        yield (index + 1) / count, blocks
    if not has_text:
        raise UnreadableError("unsupported_file", "The PDF holds no text: a scan has to be put through OCR first.")


def _page(document: Any, index: int) -> Iterator[Block]:
    try:
        page = document[index]
    except pypdfium2.PdfiumError:
        return  # one broken page is no reason to refuse the others
    text_page = page.get_textpage()
    try:
        yield from _blocks(list(_lines(text_page)), index + 1)
    finally:
        text_page.close()
        page.close()


def _lines(text_page: Any) -> Iterator[tuple[str, float]]:
    """The lines of a page with the size of their letters, 0 where the page does not say."""
    offset = 0
    for raw in text_page.get_text_range().split("\n"):
        line = raw.replace("\x00", "").replace("\ufffe", "-").replace("\u00ad", "").strip()
        # A character in the middle: the first one may be a bullet or a number set smaller.
        size = pypdfium2.raw.FPDFText_GetFontSize(text_page.raw, offset + len(raw) // 2) if line else 0.0
        offset += len(raw) + 1
        yield line, size


def _blocks(lines: list[tuple[str, float]], page: int) -> Iterator[Block]:
    sizes = [size for line, size in lines for _ in range(len(line)) if size > 0]
    body_size = median(sizes) if sizes else 0.0
    lengths = sorted((len(line) for line, _ in lines), reverse=True)
    full_length = FULL_LINE * lengths[len(lengths) // 10] if lengths else 0
    paragraph: list[str] = []
    for line, size in lines:
        heading = (
            bool(line)
            and body_size > 0
            and size > HEADING_SIZE_RATIO * body_size
            and len(line) <= MAX_HEADING_CHARACTERS
        )
        if paragraph and (heading or not line):
            yield Block("paragraph", _joined(paragraph, full_length), page=page)
            paragraph = []
        if heading:
            yield Block("heading", line, level=1 if size > 1.6 * body_size else 2, page=page)
        elif line:
            paragraph.append(line)
    if paragraph:
        yield Block("paragraph", _joined(paragraph, full_length), page=page)


def _joined(lines: list[str], full_length: float) -> str:
    """Lines as one text: a full line goes on in the next, a short one (a table's row, a list's item) ends where it ends."""
    text = lines[0]
    for previous, line in itertools.pairwise(lines):
        if len(previous) < full_length:
            text += "\n" + line
        elif text.endswith("-") and line[:1].islower():
            text = text[:-1] + line
        elif ord(text[-1]) > 0x2E80 and ord(line[0]) > 0x2E80:
            text += line  # Chinese and Japanese have no spaces between words
        else:
            text += " " + line
    return text
