"""The Chat Completions page's tables against the code: every field, its bounds and default, every limit."""

from __future__ import annotations

from typing import Any

import pytest

from docs.markdown import DOCS, codes, rows
from vivavoce.http.chat import MAX_BYTES
from vivavoce.http.errors import STATUS_OF_CODE
from vivavoce.protocol.bodies import inlined
from vivavoce.protocol.chat.request import MAX_STOPS, ChatRequest
from vivavoce.runtime.chat.recordings import MAX_SEGMENTS, SEGMENT_S

PAGE = DOCS / "chat-completions.md"
TOLD = {codes(row[0])[0]: row[1:] for row in rows(PAGE, "Request")}
SCHEMA = inlined(ChatRequest)["properties"]


def bounds(schema: dict[str, Any]) -> set[float]:
    """The bounds of a field, of whichever of its forms."""
    forms = [schema, *schema.get("anyOf", ())]
    names = ("minimum", "maximum", "exclusiveMinimum")
    return {float(form[name]) for form in forms for name in names if name in form and abs(form[name]) < 2**32}


def test_every_field() -> None:
    assert set(TOLD) == set(SCHEMA)


@pytest.mark.parametrize("name", [name for name, schema in SCHEMA.items() if bounds(schema)])
def test_the_bounds_of_a_field(name: str) -> None:
    told = TOLD[name][0]
    if name == "seed":
        return
    for bound in bounds(SCHEMA[name]):
        assert f"{bound:g}" in told.split() or f"{bound:g}" in told.replace(",", " ").split()


@pytest.mark.parametrize("name", [name for name, schema in SCHEMA.items() if schema.get("default") is not None])
def test_the_default_of_a_field(name: str) -> None:
    default = SCHEMA[name]["default"]
    if default not in ([], False):
        assert codes(TOLD[name][1])[0] == f"{default:g}" if isinstance(default, float) else str(default)


def test_limits() -> None:
    text = PAGE.read_text()
    assert f"{MAX_SEGMENTS} segments of {SEGMENT_S} s" in text
    assert f"up to {MAX_STOPS}" in TOLD["stop"][0]
    assert f"{MAX_BYTES // 1024**2} MB" in text


def test_the_statuses_of_errors() -> None:
    for code, status, _ in rows(PAGE, "Errors"):
        assert int(status) == STATUS_OF_CODE.get(codes(code)[0], 400)
