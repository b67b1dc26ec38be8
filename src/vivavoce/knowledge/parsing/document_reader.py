"""Which reader takes which file."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, TypeAlias

from vivavoce.knowledge.blocks import Block
from vivavoce.knowledge.parsing.archives import OLE_MAGIC, check_archive
from vivavoce.knowledge.parsing.errors import UnreadableError
from vivavoce.knowledge.parsing.limits import ParsingLimits

Step: TypeAlias = tuple[float, list[Block]]
"""How much of the document is read (0 to 1, about), and what came next."""

OLD_FORMATS = {"doc": "Word", "ppt": "PowerPoint"}
ARCHIVES = frozenset({"docx", "pptx", "xlsx"})
WHOLE = ARCHIVES | {"xls"}
"""Their libraries hold them whole in any case: so their blocks can be counted before the first is given."""

STEP_BLOCKS = 64


def read_document(file: BinaryIO, extension: str, limits: ParsingLimits) -> Iterator[Step]:
    """Read a document of the type its name ends in. Raises ``UnreadableError``. Libraries are imported when needed."""
    if extension in OLD_FORMATS:
        program = OLD_FORMATS[extension]
        raise UnreadableError(
            "unsupported_file", f"Old {program} files (.{extension}) cannot be read: save it as .{extension}x."
        )
    if extension in ARCHIVES:
        check_archive(file, limits)
    if extension == "pdf":
        from vivavoce.knowledge.parsing.pdf import read_pdf

        yield from read_pdf(file, limits)
    elif extension in WHOLE:
        blocks = list(_reader(file, extension)(file))
        yield from _batched(blocks, lambda read, _: read / len(blocks))
    else:
        size = max(1, file.seek(0, io.SEEK_END))
        file.seek(0)
        yield from _batched(_reader(file, extension)(file), lambda _, text: text / size)


def _reader(file: BinaryIO, extension: str) -> Callable[[BinaryIO], Iterator[Block]]:
    if extension in ("docx", "pptx", "xlsx", "xls"):
        from vivavoce.knowledge.parsing import office

        if extension == "xls":
            _require_old_sheets(file)
        return {"docx": office.read_docx, "pptx": office.read_pptx}.get(extension, office.read_sheets)
    if extension in ("html", "htm", "xml"):
        from vivavoce.knowledge.parsing import markup

        return markup.read_xml if extension == "xml" else markup.read_html
    from vivavoce.knowledge.parsing import texts

    return {"md": texts.read_markdown, "csv": texts.read_csv}.get(extension, texts.read_text)


def _require_old_sheets(file: BinaryIO) -> None:
    if file.read(len(OLE_MAGIC)) != OLE_MAGIC:
        raise UnreadableError("invalid_file", "The document is damaged, or not what its name says.")
    file.seek(0)


def _batched(blocks: Iterable[Block], share_of: Callable[[int, int], float]) -> Iterator[Step]:
    """``share_of`` makes a share of how many blocks were read, and how many bytes of text."""
    batch: list[Block] = []
    text = 0
    for number, block in enumerate(blocks, start=1):
        batch.append(block)
        text += len(block.text.encode(errors="replace"))
        if len(batch) == STEP_BLOCKS:
            yield min(1.0, share_of(number, text)), batch
            batch = []
    yield 1.0, batch
