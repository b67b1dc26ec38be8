"""The parts of a Markdown page that a machine can check: fenced blocks with their labels, and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"

_FENCE = re.compile(r"^```(\S*) *(.*)$")
_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: ``language`` and the ``labels`` after it, the line it begins at, the heading it is under."""

    language: str
    labels: tuple[str, ...]
    text: str
    line: int
    heading: str

    @property
    def name(self) -> str:
        """For the ids of tests."""
        return f"{self.heading}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """Every fenced block of a page, in order."""
    heading, inside = "", None
    for number, line in enumerate(page.read_text().splitlines(), 1):
        fence = _FENCE.match(line)
        if inside is None and fence:
            inside, kept = (fence[1], fence[2], number), list[str]()
        elif inside is not None and line == "```":
            yield Block(inside[0], tuple(inside[1].split()), "\n".join(kept) + "\n", inside[2], heading)
            inside = None
        elif inside is not None:
            kept.append(line)
        elif line.startswith("#"):
            heading = line.lstrip("# ")
    assert inside is None, f"{page}: a block is not closed"


def rows(page: Path, heading: str) -> list[list[str]]:
    """The cells of every table row under a heading, without the header rows; ``\\|`` is a bar inside of a cell."""
    found: list[list[str]] = []
    here, in_code = False, False
    for line in page.read_text().splitlines():
        if line.startswith("```"):
            in_code = not in_code
        elif line.startswith("#") and not in_code:
            here = line.lstrip("# ") == heading
        elif here and line.startswith("|"):
            found.append([cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    assert found, f"{page}: no table under '{heading}'"
    rules = {at for at, row in enumerate(found) if set("".join(row)) <= set(":- ")}
    return [row for at, row in enumerate(found) if at not in rules and at + 1 not in rules]


def codes(cell: str) -> list[str]:
    """What stands between backticks."""
    return _CODE.findall(cell)
