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


def read_document(file: BinaryIO, ending: str, limits: ParsingLimits) -> Iterator[Step]:
    """Read a document of the type its name ends in. Raises ``UnreadableError``. Libraries are imported when needed."""
    if ending in OLD_FORMATS:
        program = OLD_FORMATS[ending]
        raise UnreadableError(
            "unsupported_file", f"Old {program} files (.{ending}) cannot be read: save it as .{ending}x."
        )
    if ending in ARCHIVES:
        check_archive(file, limits)
    if ending == "pdf":
        from vivavoce.knowledge.parsing.pdf import read_pdf

        yield from read_pdf(file, limits)
    elif ending in WHOLE:
        blocks = list(_reader(file, ending)(file))
        yield from _in_steps(blocks, lambda read, _: read / len(blocks))
    else:
        size = max(1, file.seek(0, io.SEEK_END))
        file.seek(0)
        yield from _in_steps(_reader(file, ending)(file), lambda _, text: text / size)


def _reader(file: BinaryIO, ending: str) -> Callable[[BinaryIO], Iterator[Block]]:
    if ending in ("docx", "pptx", "xlsx", "xls"):
        from vivavoce.knowledge.parsing import office

        if ending == "xls":
            _require_old_sheets(file)
        return {"docx": office.read_docx, "pptx": office.read_pptx}.get(ending, office.read_sheets)
    if ending in ("html", "htm", "xml"):
        from vivavoce.knowledge.parsing import markup

        return markup.read_xml if ending == "xml" else markup.read_html
    from vivavoce.knowledge.parsing import texts

    return {"md": texts.read_markdown, "csv": texts.read_csv}.get(ending, texts.read_text)


def _require_old_sheets(file: BinaryIO) -> None:
    if file.read(len(OLE_MAGIC)) != OLE_MAGIC:
        raise UnreadableError("invalid_file", "The document is damaged, or not what its name says.")
    file.seek(0)


def _in_steps(blocks: Iterable[Block], share_of: Callable[[int, int], float]) -> Iterator[Step]:
    """``share_of`` makes a share of how many blocks were read, and how many bytes of text."""
    step: list[Block] = []
    text = 0
    for number, block in enumerate(blocks, start=1):
        step.append(block)
        text += len(block.text.encode(errors="replace"))
        if len(step) == STEP_BLOCKS:
            yield min(1.0, share_of(number, text)), step
            step = []
    yield 1.0, step
