"""The documents of the service bench as files of several formats, made when the bench runs."""

from __future__ import annotations

import io
import zipfile
from html import escape
from pathlib import PurePath

from vivavoce.bench.service.scripts import BenchDocument

_SHEET_PARTS = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="{title}" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" '
    'Target="worksheets/sheet1.xml"/></Relationships>',
}
"""An Excel workbook of one sheet, without its cells."""

Block = tuple[str, list[list[str]]]
"""A kind (``heading``, ``text``, ``bullets`` or ``table``) and rows of cells; all but tables have one cell a row."""


def content(document: BenchDocument) -> bytes:
    """The bytes of the file. Raises ``ValueError`` for a format that is not made here."""
    suffix = PurePath(document.file).suffix
    match suffix:
        case ".md":
            return document.text.encode()
        case ".txt":
            return _plain(document.text).encode()
        case ".html":
            return _html(document.text).encode()
        case ".docx":
            return _word(document.text)
        case ".xlsx":
            return _sheet(document.text)
    raise ValueError(f"No documents of the format {suffix} are made.")


def blocks(text: str) -> list[Block]:
    """Simple Markdown in its parts."""
    found: list[Block] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        kind, row = _line(line)
        if not row:
            continue
        if found and found[-1][0] == kind and kind in ("bullets", "table"):
            found[-1][1].append(row)
        else:
            found.append((kind, [row]))
    return found


def _line(line: str) -> tuple[str, list[str]]:
    if line.startswith("#"):
        return "heading", [line.lstrip("# ")]
    if line.startswith("- "):
        return "bullets", [line[2:]]
    if line.startswith("|"):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        return "table", [] if all(set(cell) <= set("-: ") for cell in cells) else cells
    return "text", [line]


def _plain(text: str) -> str:
    return "\n\n".join("\n".join("\t".join(row) for row in rows) for _, rows in blocks(text)) + "\n"


def _html(text: str) -> str:
    parts = []
    for kind, rows in blocks(text):
        cells = [[escape(cell) for cell in row] for row in rows]
        match kind:
            case "heading":
                parts.append(f"<h2>{cells[0][0]}</h2>")
            case "bullets":
                parts.append("<ul>" + "".join(f"<li>{row[0]}</li>" for row in cells) + "</ul>")
            case "table":
                lines = [
                    "<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in row) + "</tr>"
                    for tag, row in zip(["th"] + ["td"] * len(cells), cells, strict=False)
                ]
                parts.append("<table>" + "".join(lines) + "</table>")
            case _:
                parts.append(f"<p>{cells[0][0]}</p>")
    return '<!doctype html><meta charset="utf-8"><body>' + "\n".join(parts) + "</body>"


def _word(text: str) -> bytes:
    # Of the extra `knowledge`, which the server needs to read it, too.
    import docx

    document = docx.Document()
    for kind, rows in blocks(text):
        match kind:
            case "heading":
                document.add_heading(rows[0][0], 1)
            case "bullets":
                for row in rows:
                    document.add_paragraph(row[0], style="List Bullet")
            case "table":
                table = document.add_table(len(rows), max(map(len, rows)))
                for cells, row in zip(table.rows, rows, strict=True):
                    for cell, words in zip(cells.cells, row, strict=False):
                        cell.text = words
            case _:
                document.add_paragraph(rows[0][0])
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _sheet(text: str) -> bytes:
    parts = blocks(text)
    titles = [rows[0][0] for kind, rows in parts if kind == "heading"]
    lines = [row for kind, rows in parts if kind != "heading" for row in rows]
    body = "".join(
        f'<row r="{at}">' + "".join(_cell(at, column, cell) for column, cell in enumerate(line)) + "</row>"
        for at, line in enumerate(lines, start=1)
    )
    cells = f'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{body}</sheetData></worksheet>'
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in _SHEET_PARTS.items():
            archive.writestr(name, part.replace("{title}", escape((titles or ["1"])[0][:30])))
        archive.writestr("xl/worksheets/sheet1.xml", cells)
    return file.getvalue()


def _cell(row: int, column: int, text: str) -> str:
    return f'<c r="{chr(65 + column)}{row}" t="inlineStr"><is><t>{escape(text)}</t></is></c>'
