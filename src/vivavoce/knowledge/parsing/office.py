"""Word, PowerPoint and Excel. Macros are never run; nothing that is linked is fetched."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

import docx
import pptx
from docx.table import Table as WordTable
from docx.text.paragraph import Paragraph
from python_calamine import CalamineError, CalamineWorkbook, PasswordError

from vivavoce.knowledge.blocks import Block, row_text
from vivavoce.knowledge.parsing.errors import UnreadableError

_HEADING = re.compile(r"^(?:heading|标题|überschrift|titre|título)\s*(\d)$", re.IGNORECASE)
_LIST = re.compile(r"list|列表|列出", re.IGNORECASE)
DAMAGED = "The document is damaged, or not what its name says."
MACROS = "Documents with macros (.docm, .pptm) are refused: save it without them."


def read_docx(file: BinaryIO) -> Iterator[Block]:
    """Paragraphs by their styles, tables by their rows, in the order of the text."""
    document = _opened(docx.Document, file)
    for part in document.iter_inner_content():
        if isinstance(part, WordTable):
            yield from table_rows([[cell.text.strip() for cell in row.cells] for row in part.rows])
        elif text := part.text.strip():
            yield _word_block(part, text)


def _word_block(paragraph: Paragraph, text: str) -> Block:
    style = paragraph.style.name if paragraph.style is not None else None
    match = _HEADING.match(style or "")
    if match:
        return Block("heading", text, level=int(match[1]))
    if style in ("Title", "标题"):
        return Block("heading", text, level=1)
    properties = paragraph._p.pPr  # numbering has no public name in python-docx
    numbered = properties is not None and properties.numPr is not None
    return Block("item" if numbered or _LIST.search(style or "") else "paragraph", text)


def read_pptx(file: BinaryIO) -> Iterator[Block]:
    """Slide by slide: the title is a heading; texts, tables and the speaker's notes follow."""
    presentation = _opened(pptx.Presentation, file)
    for page, slide in enumerate(presentation.slides, start=1):
        title = slide.shapes.title
        if title is not None and title.text_frame.text.strip():
            yield Block("heading", title.text_frame.text.strip(), level=2, page=page)
        for shape in _shapes(slide.shapes):
            if title is not None and shape.shape_id == title.shape_id:
                continue
            yield from _shape_blocks(shape, page)
        if slide.has_notes_slide and (notes := slide.notes_slide.notes_text_frame) is not None and notes.text.strip():
            yield Block("paragraph", notes.text.strip(), page=page)


def _shapes(shapes: Any) -> Iterator[Any]:
    for shape in shapes:
        if hasattr(shape, "shapes"):
            yield from _shapes(shape.shapes)
        else:
            yield shape


def _shape_blocks(shape: Any, page: int) -> Iterator[Block]:
    if getattr(shape, "has_table", False):
        yield from table_rows([[cell.text.strip() for cell in row.cells] for row in shape.table.rows], page)
    elif getattr(shape, "has_text_frame", False):
        for paragraph in shape.text_frame.paragraphs:
            if text := "".join(run.text for run in paragraph.runs).strip():
                yield Block("item", text, page=page)


def read_sheets(file: BinaryIO) -> Iterator[Block]:
    """Excel of both formats: each sheet a heading and a page, each row behind the names of the first one."""
    try:
        book = CalamineWorkbook.from_filelike(file)
        for page, name in enumerate(book.sheet_names, start=1):
            yield Block("heading", name, level=2, page=page)
            rows = [[_cell(value) for value in row] for row in book.get_sheet_by_name(name).iter_rows()]
            yield from table_rows(rows, page)
    except PasswordError as error:
        raise UnreadableError("invalid_file", "The document is protected by a password.") from error
    except CalamineError as error:
        raise UnreadableError("invalid_file", DAMAGED) from error


def table_rows(rows: list[list[str]], page: int | None = None) -> Iterator[Block]:
    """Rows of cells; the first with more than one filled cell names the columns, what stands before it is a paragraph."""
    header: list[str] | None = None
    for cells in rows:
        filled = [cell for cell in cells if cell]
        if header is None and len(filled) > 1 and len(rows) > 1:
            header = cells
        elif header is None and filled:
            yield Block("paragraph", " ".join(dict.fromkeys(filled)), page=page)
        elif text := row_text(header or (), cells):
            yield Block("row", text, page=page)


def _cell(value: object) -> str:
    """A cell as a person reads it: 3 instead of 3.0, a day without midnight."""
    match value:
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case float():
            return f"{value:.12g}"
        case datetime.datetime() if value.time() == datetime.time():
            return value.date().isoformat()
        case _:
            return str(value).strip()


def _opened(reader: Any, file: BinaryIO) -> Any:
    try:
        return reader(file)
    except ValueError as error:
        code, message = ("unsupported_file", MACROS) if "macroEnabled" in str(error) else ("invalid_file", DAMAGED)
        raise UnreadableError("unsupported_file" if code == "unsupported_file" else "invalid_file", message) from error
    except (KeyError, OSError, SyntaxError) as error:
        raise UnreadableError("invalid_file", DAMAGED) from error
