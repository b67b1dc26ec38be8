"""The programs of docs/web-search.md, with a search service of this machine; and its tables of settings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.markdown import DOCS
from docs.programs import Program, Terminal, sections
from net.pages import served
from running import RunningServer, running
from tools.web_search.providing import Searxng
from vivavoce.config import load_config
from vivavoce.config.outbound import NetConfig, WebSearchConfig

PAGE = DOCS / "web-search.md"


@pytest.fixture(scope="module")
def searching() -> Iterator[RunningServer]:
    searxng = Searxng()
    with served(searxng) as port:
        said = b"<p>From the first of December a ticket for the ferry costs 4.20 crowns.</p>"
        page = b"<html><body><article>" + said * 6 + b"</article></body></html>"
        searxng.put("/ferry", page, content_type="text/html")
        there = f"http://127.0.0.1:{port}"
        searxng.find(
            f"{there}/ferry",
            "New prices for the ferry",
            "The harbour office has new prices.",
            publishedDate="2026-11-20",
        )
        searxng.find(f"{there}/harbour", "Harbour", "")
        flags = {"web_search": {"provider": "searxng", "url": there}, "net": {"allow_private": True}}
        with running(load_config(flags, profile="fake")) as server:
            yield server


@pytest.mark.parametrize("section", list(sections(PAGE)), ids=lambda section: section[0].block.heading)
def test_its_programs(section: list[Program], searching: RunningServer, tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, searching.http)
    for program in section:
        terminal.run(program)


@pytest.mark.parametrize(("table", "config"), [("web_search", WebSearchConfig), ("net", NetConfig)])
def test_every_setting_is_told_with_its_default(table: str, config: type[WebSearchConfig | NetConfig]) -> None:
    _, _, rows = PAGE.read_text().partition(f"| `[{table}]` | Default | |\n|---|---|---|\n")
    told = dict(re.findall(r"^\| `(\w+)` \| ([^|]*)\|", rows.partition("\n\n")[0], re.MULTILINE))
    assert list(told) == list(config.model_fields)
    for name, field in config.model_fields.items():
        shown = told[name].strip().strip("`")
        if field.default is not None:
            expected = str(field.default).lower().removesuffix(".0")
            assert shown == expected, name
