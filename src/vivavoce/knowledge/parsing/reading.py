"""Which reader takes which file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

from vivavoce.knowledge.blocks import Block
from vivavoce.knowledge.parsing.archives import OLE_MAGIC, check_archive
from vivavoce.knowledge.parsing.errors import UnreadableError
from vivavoce.knowledge.parsing.limits import ParsingLimits

Step: TypeAlias = tuple[float, list[Block]]
"""How much of the document is read (0 to 1, 0 where nobody knows), and what came next."""

OLD_FORMATS = {"doc": "Word", "ppt": "PowerPoint"}
ARCHIVES = frozenset({"docx", "pptx", "xlsx"})
STEP_BLOCKS = 64


def read_document(path: Path, ending: str, limits: ParsingLimits) -> Iterator[Step]:
    """Read a document of the type its name ends in. Raises ``UnreadableError``. Libraries are imported when needed."""
    if ending in OLD_FORMATS:
        program = OLD_FORMATS[ending]
        raise UnreadableError(
            "unsupported_file", f"Old {program} files (.{ending}) cannot be read: save it as .{ending}x."
        )
    if ending in ARCHIVES:
        check_archive(path, limits)
    if ending == "pdf":
        from vivavoce.knowledge.parsing.pdf import read_pdf

        yield from read_pdf(path, limits)
    else:
        yield from _in_steps(_reader(path, ending)(path))


def _reader(path: Path, ending: str) -> Callable[[Path], Iterator[Block]]:
    if ending in ("docx", "pptx", "xlsx", "xls"):
        from vivavoce.knowledge.parsing import office

        if ending == "xls":
            _require_old_sheets(path)
        return {"docx": office.read_docx, "pptx": office.read_pptx}.get(ending, office.read_sheets)
    if ending in ("html", "htm", "xml"):
        from vivavoce.knowledge.parsing import markup

        return markup.read_xml if ending == "xml" else markup.read_html
    from vivavoce.knowledge.parsing import texts

    return {"md": texts.read_markdown, "csv": texts.read_csv}.get(ending, texts.read_text)


def _require_old_sheets(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(len(OLE_MAGIC)) != OLE_MAGIC:
            raise UnreadableError("invalid_file", "The document is damaged, or not what its name says.")


def _in_steps(blocks: Iterator[Block]) -> Iterator[Step]:
    step: list[Block] = []
    for block in blocks:
        step.append(block)
        if len(step) == STEP_BLOCKS:
            yield 0.0, step
            step = []
    yield 1.0, step
