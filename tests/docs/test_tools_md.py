"""docs/tools.md: its programs, with a search service and a tool server of this machine; its plug-in; its settings."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from docs.markdown import DOCS, Block, blocks, codes, rows
from docs.programs import Program, Terminal, sections
from net.pages import served
from running import RunningServer, running
from tools.desk import running_desk
from tools.web_search.providing import Searxng
from vivavoce.config import load_config
from vivavoce.config.outbound import McpConfig, McpServerConfig, ToolsConfig
from vivavoce.protocol.tool_config import McpServerDeclaration, RetrievalDeclaration, WebSearchDeclaration
from vivavoce.tools.base import CallContext
from vivavoce.tools.catalog import load_plugin

PAGE = DOCS / "tools.md"
SEARCHING, SERVER = (program for section in sections(PAGE) for program in section)


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    searxng = Searxng()
    searxng.find("https://example.org/mars", "Mars", "There is water on Mars.")
    with served(searxng) as port:
        search = {"provider": "searxng", "url": f"http://127.0.0.1:{port}", "fetch_pages": 0}
        with running(load_config({"web_search": search, "net": {"allow_private": True}}, profile="fake")) as started:
            yield started


def printed(program: Program, server: RunningServer, folder: Path, **instead: str) -> str:
    """What a program prints when something else stands in it: the fake model calls what it is told to."""
    text = program.block.text
    for shown, real in instead.items():
        assert shown in text
        text = text.replace(shown, real)
    asked = Program(replace(program.block, text=text), Block("output", (), "…", 0, ""))
    return Terminal(folder, server.http).printed(asked)


def test_the_news_and_where_they_are_from(server: RunningServer, tmp_path: Path) -> None:
    question = {'"What is in the news about Mars?"': """'call web_search {"query": "Mars"}'"""}
    answer = printed(SEARCHING, server, tmp_path, **question)
    assert "There is water on Mars." in answer
    assert answer.splitlines()[-1] == "- Mars https://example.org/mars"


def test_a_tool_server(server: RunningServer, tmp_path: Path) -> None:
    with running_desk() as url:
        question = {'"Where is the meeting room Ada?"': """'call find_room {"name": "Ada"}'"""}
        answer = printed(SERVER, server, tmp_path, **question, **{"https://example.com/mcp": url})
    listed, called, said = answer.splitlines()[:3]
    assert listed.startswith("It has find_room, book_room")
    assert called == 'find_room {"name": "Ada"} → Room Ada is on floor 7.'
    assert "floor 7" in said or "floor 7" in answer


async def test_the_plugin_can_be_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [written] = [block for block in blocks(PAGE) if block.language == "py"]
    [packaged] = [block for block in blocks(PAGE) if "package" in block.labels]
    [[group, entries]] = tomllib.loads(packaged.text)["project"]["entry-points"].items()
    (tmp_path / "my_package.py").write_text(written.text)
    described = tmp_path / "my_package-1.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1\n")
    (described / "entry_points.txt").write_text(
        "\n".join([f"[{group}]", *(f"{name} = {place}" for name, place in entries.items())])
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        dice = load_plugin("dice")
    finally:
        sys.modules.pop("my_package", None)
    result = await dice.run({"sides": 2}, CallContext("me"))
    assert result.text in ("1", "2")
    assert result.trusted
    assert dice.tool.name == "roll_dice"


def test_every_setting_and_its_default() -> None:
    told = {codes(row[0])[0]: row[1] for row in rows(PAGE, "What happens in a response")}
    assert set(told) == set(ToolsConfig.model_fields)
    empty = {"builtin": "[]", "fillers": "{}"}
    for name, default in ToolsConfig().model_dump().items():
        shown = (
            empty[name]
            if not default and name in empty
            else str(default).lower()
            if isinstance(default, bool)
            else f'"{default}"'
            if isinstance(default, str)
            else f"{default:g}"
        )
        assert codes(told[name]) == [shown], name


def test_every_setting_of_tool_servers() -> None:
    table = {name: row[1] for row in rows(PAGE, "Tool servers (MCP)") for name in codes(row[0])}
    for name, default in McpConfig().model_dump(exclude={"servers"}).items():
        assert codes(table[name]) == [f"{default:g}"], name
    for name in McpServerConfig.model_fields:
        assert {f"servers.NAME.{name}", f".{name}"} & table.keys(), name
    timeout = McpServerConfig.model_fields["timeout_s"].default
    assert codes(table["servers.NAME.timeout_s"]) == [f"{timeout:g}"]


@pytest.mark.parametrize(
    ("section", "declared"),
    [
        ("Web search", WebSearchDeclaration),
        ("Retrieval", RetrievalDeclaration),
        ("Tool servers (MCP)", McpServerDeclaration),
    ],
)
def test_every_field_a_client_can_set(
    section: str, declared: type[WebSearchDeclaration | RetrievalDeclaration | McpServerDeclaration]
) -> None:
    told = {name.rpartition(".")[2] for row in rows(PAGE, section) for name in codes(row[0])}
    assert told >= set(declared.__struct_fields__) - {"announced"}
