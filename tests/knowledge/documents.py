"""Documents of every format, made for tests."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import docx
import fpdf
import pptx

TABLE = (("Model", "Price", "Weight"), ("Aurora 2", "399 EUR", "1.4 kg"), ("Aurora 3", "499 EUR", "1.2 kg"))
PARAGRAPH = "The battery of the Aurora 3 lasts eleven hours on one charge. Do not charge it below zero degrees."


def pdf(path: Path, *, pages: int = 1, password: str | None = None) -> Path:
    """A manual: a title, a heading, a paragraph and a table; further pages have a paragraph each."""
    document = fpdf.FPDF()
    document.add_page()
    _line(document, 20, "Aurora 3 Manual")
    _line(document, 14, "Battery")
    document.set_font("helvetica", size=11)
    document.multi_cell(0, 6, PARAGRAPH, new_x="LMARGIN", new_y="NEXT")
    with document.table() as table:
        for cells in TABLE:
            row = table.row()
            for cell in cells:
                row.cell(cell)
    for number in range(2, pages + 1):
        document.add_page()
        document.multi_cell(0, 6, f"This is what page {number} says about the Aurora.")
    if password is not None:
        document.set_encryption(owner_password="owner", user_password=password)
    document.output(str(path))
    return path


def _line(document: fpdf.FPDF, size: int, text: str) -> None:
    document.set_font("helvetica", size=size)
    document.cell(0, size * 0.6, text, new_x="LMARGIN", new_y="NEXT")


def pdf_without_text(path: Path) -> Path:
    """As a scanner makes them: a page without a letter."""
    document = fpdf.FPDF()
    document.add_page()
    document.output(str(path))
    return path


def large_pdf(path: Path, size_bytes: int) -> Path:
    """A PDF of that size: a page of text, and an object nobody looks at."""
    pdf(path)
    content = path.read_bytes()
    with path.open("wb") as file:
        file.write(content[:9] + b"%")
        file.truncate(size_bytes)
        # The table of objects holds offsets, which are wrong now: a reader has to find the objects itself.
        file.seek(size_bytes - len(content) - 1)
        file.write(b"\n" + content[9:])
    return path


def heavy_pdf(path: Path, pages: int) -> Path:
    """A PDF with a line of text and a picture of one MiB on every page."""
    side = 1024
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
    for number in range(1, pages + 1):
        words = b"BT /F1 12 Tf 72 700 Td (Picture %d shows noise and says nothing.) Tj ET" % number
        first = len(objects) + 1
        objects += [
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R /Resources << /Font << /F1 << /Type /Font "
            b"/Subtype /Type1 /BaseFont /Helvetica >> >> /XObject << /I %d 0 R >> >> >>" % (first + 1, first + 2),
            b"<< /Length %d >>\nstream\n%s\nendstream" % (len(words), words),
            b"<< /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray /BitsPerComponent 8 /Length %d >>"
            b"\nstream\n%s\nendstream" % (side, side, side * side, os.urandom(side * side)),
        ]
    kids = b" ".join(b"%d 0 R" % (3 + 3 * index) for index in range(pages))
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (pages, kids)
    with path.open("wb") as file:
        file.write(b"%PDF-1.4\n")
        places = []
        for number, content in enumerate(objects, start=1):
            places.append(file.tell())
            file.write(b"%d 0 obj\n%s\nendobj\n" % (number, content))
        table = file.tell()
        file.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
        file.writelines(b"%010d 00000 n \n" % place for place in places)
        file.write(b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, table))
    return path


def word(path: Path) -> Path:
    """The same in Word."""
    document: Any = docx.Document()
    document.add_heading("Battery", 1)
    document.add_paragraph(PARAGRAPH)
    document.add_paragraph("Keep it dry.", style="List Bullet")
    table = document.add_table(len(TABLE), len(TABLE[0]))
    for cells, row in zip(TABLE, table.rows, strict=True):
        for text, cell in zip(cells, row.cells, strict=True):
            cell.text = text
    document.save(str(path))
    return path


def with_macros(path: Path) -> Path:
    """A document with macros under the name of one without."""
    original = word(path).read_bytes()
    plain, macros = "wordprocessingml.document.main+xml", "vnd.ms-word.document.macroEnabled.main+xml"
    with zipfile.ZipFile(io.BytesIO(original)) as source, zipfile.ZipFile(path, "w") as target:
        for member in source.infolist():
            content = source.read(member)
            if member.filename == "[Content_Types].xml":
                content = content.replace(f"application/vnd.openxmlformats-officedocument.{plain}".encode(),
                                          f"application/{macros}".encode())  # fmt: skip
            target.writestr(member, content)
        target.writestr("word/vbaProject.bin", b"\xd0\xcf\x11\xe0 macros")
    return path


def slides(path: Path) -> Path:
    """A title, two points and the speaker's note."""
    presentation: Any = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[1])
    slide.shapes.title.text = "Roadmap"
    slide.placeholders[1].text = "Launch in March\nRest in April"
    slide.notes_slide.notes_text_frame.text = "Smile."
    presentation.save(str(path))
    return path


def sheet(path: Path) -> Path:
    """The table in Excel, written by hand: no library here writes it."""
    rows = "".join(
        f'<row r="{r}">' + "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in cells) + "</row>"
        for r, cells in enumerate(TABLE, 1)
    )
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{office}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="Prices" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>',
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, '<?xml version="1.0" encoding="UTF-8"?>' + content)
    return path


def lying_sheet(path: Path, *, size_bytes: int = 1500 * 1024 * 1024) -> Path:
    """A sheet that unpacks to far more than its archive says it does."""
    sheet(path)
    name, row = "xl/worksheets/sheet1.xml", b'<row><c t="inlineStr"><is><t>' + b"a" * 30_000 + b"</t></is></c></row>"
    with zipfile.ZipFile(path) as archive:
        parts = {member: archive.read(member) for member in archive.namelist()}
    before, _, after = parts.pop(name).partition(b"</sheetData>")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for member, content in parts.items():
            archive.writestr(member, content)
        with archive.open(name, "w", force_zip64=False) as file:
            file.write(before)
            for _ in range(size_bytes // (32 * len(row))):
                file.write(row * 32)
            file.write(b"</sheetData>" + after)
        true_size = archive.getinfo(name).file_size.to_bytes(4, "little")
    content = path.read_bytes()
    assert content.count(true_size) == 2  # of the member, and of the directory
    path.write_bytes(content.replace(true_size, (50_000).to_bytes(4, "little")))
    return path


def far_sheet(path: Path) -> Path:
    """Two cells, in the first and in the very last corner."""
    sheet(path)
    name, cell = "xl/worksheets/sheet1.xml", b'<row r="%d"><c r="%s" t="inlineStr"><is><t>x</t></is></c></row>'
    with zipfile.ZipFile(path) as archive:
        parts = {member: archive.read(member) for member in archive.namelist()}
    head, _, _ = parts[name].partition(b"<sheetData>")
    parts[name] = (
        head + b"<sheetData>" + cell % (1, b"A1") + cell % (1_048_576, b"XFD1048576") + b"</sheetData></worksheet>"
    )
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in parts.items():
            archive.writestr(member, content)
    return path


def bomb(path: Path, *, size_bytes: int = 600 * 1024 * 1024) -> Path:
    """A document that unpacks to a thousand times its size."""
    word(path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("word/more.xml", "w") as member:
        for _ in range(size_bytes // 2**20):
            member.write(bytes(2**20))
    return path
