"""The retrieval page's tables against the code: every setting and its default, every call, every format."""

from __future__ import annotations

import re

from docs.markdown import DOCS, codes, rows
from vivavoce.config.keeping import KnowledgeConfig
from vivavoce.http.vector_stores import router
from vivavoce.store.file_types import DOCUMENTS

PAGE = DOCS / "retrieval.md"


def test_every_setting_and_its_default() -> None:
    told = {codes(row[0])[0]: row[1] for row in rows(PAGE, "Settings")}
    assert set(told) == set(KnowledgeConfig.model_fields)
    for name, default in KnowledgeConfig().model_dump().items():
        if default is not None:
            assert codes(told[name])[0] == f"{default:g}", name


def test_every_format() -> None:
    told = [extension for row in rows(PAGE, "Documents")[: len(DOCUMENTS)] for extension in codes(row[0])]
    assert set(DOCUMENTS) <= set(told)


def test_every_call() -> None:
    text = PAGE.read_text()
    for path in {re.sub(r"\{\w+_id\}", "{id}", getattr(route, "path", "")) for route in router.routes}:
        last = path.rpartition("/")[2]
        assert f"/{last}" in text or last == "{id}", path
