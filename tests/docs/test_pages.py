"""What holds for every page: its settings can be set, its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.markdown import DOCS, blocks
from vivavoce.config import load_config

PAGES = sorted(DOCS.glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_toml_block_is_a_configuration(page: Path, tmp_path: Path) -> None:
    for block in blocks(page):
        if block.language == "toml" and not block.labels:
            file = tmp_path / "vivavoce.toml"
            file.write_text(block.text)
            tables = re.findall(r"^\[(\w+)", block.text, re.MULTILINE)
            given = load_config(file=file).model_dump(include=set(tables), exclude_unset=True)
            assert set(given) == set(tables)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for file, anchor in re.findall(r"\]\(([\w./-]*)(?:#([\w-]+))?\)", page.read_text()):
        target = page.parent / file if file else page
        assert target.is_file(), file
        titles = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", target.read_text(), flags=re.M | re.S), re.M)
        slugs = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
        assert not anchor or anchor in slugs, anchor
