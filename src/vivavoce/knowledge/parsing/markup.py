"""HTML and XML. Nothing is fetched, and no entity is looked up outside of the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from lxml import etree, html

from vivavoce.knowledge.blocks import Block, row_text
from vivavoce.knowledge.parsing.errors import UnreadableError
from vivavoce.knowledge.parsing.texts import encoding_of

_UNSEEN = frozenset(
    {"script", "style", "noscript", "template", "head", "nav", "svg", "iframe", "object", "select", "button"}
)
_BLOCKS = frozenset(
    re.findall(
        r"\w+",
        "address article aside blockquote body caption center dd div dl dt fieldset figcaption figure footer form header hr "
        "html li main ol p pre section summary details legend table tbody td tfoot th thead tr ul",
    )
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_ITEMS = frozenset({"li", "dd", "dt"})
_SPACE = re.compile(r"[^\S\n]*\n[^\S\n]*|[^\S\n]+")


def read_html(file: BinaryIO) -> Iterator[Block]:
    """What a reader of the page sees, the navigation left out."""
    parser = html.HTMLParser(encoding=encoding_of(file), no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = html.parse(file, parser=parser).getroot()
    except etree.LxmlError as error:
        raise UnreadableError("invalid_file", "The page cannot be read.") from error
    if root is None:
        return
    title = root.findtext("head/title")
    if title and title.strip() and root.find(".//h1") is None:
        yield Block("heading", _clean(title), level=1)
    yield from _Page().of(root)


class _Page:
    """Walks the tree in reading order. Text gathers until a block begins or ends."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._kind: str = "p"

    def of(self, element: Any) -> Iterator[Block]:
        tag = element.tag if isinstance(element.tag, str) else ""
        if tag in _UNSEEN:
            return
        if tag == "table" and element.find(".//table") is None:
            yield from self._flushed()
            yield from _rows(element)
        elif tag in _HEADINGS:
            yield from self._flushed()
            if text := _clean(" ".join(element.itertext())):
                yield Block("heading", text, level=_HEADINGS[tag])
        elif tag in _BLOCKS:
            yield from self._flushed()
            outer, self._kind = self._kind, tag
            yield from self._children(element)
            yield from self._flushed()
            self._kind = outer
        else:
            if tag == "br":
                self._text.append("\n")
            yield from self._children(element)

    def _children(self, element: Any) -> Iterator[Block]:
        self._text.append(element.text or "")
        for child in element:
            yield from self.of(child)
            self._text.append(child.tail or "")

    def _flushed(self) -> Iterator[Block]:
        text = _clean("".join(self._text))
        self._text.clear()
        if text:
            yield Block("item" if self._kind in _ITEMS else "paragraph", text)


def _rows(table: Any) -> Iterator[Block]:
    caption = table.find("caption")
    if caption is not None and (text := _clean(" ".join(caption.itertext()))):
        yield Block("paragraph", text)
    header: list[str] = []
    for number, row in enumerate(table.iter("tr")):
        cells = [cell for cell in row if cell.tag in ("td", "th")]
        texts = [_clean(" ".join(cell.itertext())).replace("\n", " ") for cell in cells]
        if number == 0 and len(cells) > 1 and (row.getparent().tag == "thead" or all(c.tag == "th" for c in cells)):
            header = texts
        elif text := row_text(header, texts):
            yield Block("row", text)


def read_xml(file: BinaryIO) -> Iterator[Block]:
    """The texts of its elements in their order, each a paragraph behind the name of its element."""
    events = etree.iterparse(file, events=("end",), resolve_entities=False, no_network=True, huge_tree=False)
    try:
        for _event, element in events:
            text = _clean(element.text or "")
            if text and isinstance(element.tag, str):
                yield Block("paragraph", f"{etree.QName(element).localname}: {text}")
            if tail := _clean(element.tail or ""):
                yield Block("paragraph", tail)
            element.clear()
    except etree.XMLSyntaxError as error:
        raise UnreadableError("invalid_file", "The document is no well-formed XML.") from error


def _clean(text: str) -> str:
    text = text.strip()
    return _SPACE.sub(lambda space: "\n" if "\n" in space[0] else " ", text)
