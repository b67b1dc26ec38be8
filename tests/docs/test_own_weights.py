"""The engine of ``getting-started.md`` that has settings and weights."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from docs.markdown import DOCS, blocks
from foreign import installed
from vivavoce.cli.weights import weights_of
from vivavoce.config import Config, load_config
from vivavoce.config.engines import FAKE_ENGINES
from vivavoce.preflight import broken_references
from vivavoce.runtime.engines import EngineLoader


@pytest.fixture(autouse=True)
def package(tmp_path: Path) -> Iterator[None]:
    """The page's package is installed."""
    page = blocks(DOCS / "getting-started.md")
    registered, program = (block for block in page if block.heading == "Settings and weights")
    points = tomllib.loads(registered.text)["project"]["entry-points"]
    with installed(tmp_path, "my_package", program.text, points):
        yield


def loaded(wrapped: Any) -> Any:
    """The engine itself."""
    return wrapped.engine


def configured(tmp_path: Path, **settings: str) -> Config:
    engines = {**FAKE_ENGINES.model_dump(), "recognizer": "mine", "settings": {"mine": settings}}
    return load_config({"engines": engines, "models": tmp_path / "mounted", "home": tmp_path})


def test_its_weights_are_in_the_catalogue_and_opened(tmp_path: Path) -> None:
    config = configured(tmp_path)
    assert weights_of(config) == ["my-asr-small"]
    assert not broken_references(config)
    mounted = tmp_path / "mounted" / "my-asr-small"
    mounted.mkdir(parents=True)
    (mounted / "model.bin").write_bytes(b"hello")
    recognizer = loaded(EngineLoader(config).recognizer())
    assert recognizer.model == b"hello"


def test_a_folder_takes_their_place(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"unchecked")
    config = configured(tmp_path, weights=str(tmp_path))
    assert weights_of(config) == []
    recognizer = loaded(EngineLoader(config).recognizer())
    assert recognizer.model == b"unchecked"


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    assert broken_references(configured(tmp_path, wheights="my-asr-small")) == [
        "mine: engines.settings.mine.wheights: there is no such setting."
    ]
