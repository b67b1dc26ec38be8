"""The end of a server: everything that was opened is closed, whatever one of them does."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from running import until_ready
from vivavoce import app as app_module
from vivavoce.app import create_app
from vivavoce.config import Config, load_config
from vivavoce.engines.fake import FakeRecognizer, FakeSpeakerVerifier, FakeSpeechDetector
from vivavoce.errors import EngineError
from vivavoce.http.lifecycle import Failed
from vivavoce.knowledge.parsing.process import Parsers
from vivavoce.knowledge.service import KnowledgeService
from vivavoce.net.fetching import Fetcher
from vivavoce.runtime.engines import EngineLoader, Engines, load_engines
from vivavoce.runtime.voices import VoiceLibrary
from vivavoce.store.store import Store
from vivavoce.tools.catalog import ToolCatalog
from vivavoce.tools.web_search.search import WebSearch
from vivavoce.transcription.tasks import RecordingTasks

OPENED = (Fetcher, Store, Engines, Parsers, VoiceLibrary, ToolCatalog, WebSearch, KnowledgeService, RecordingTasks)
"""What a server opens, in this order."""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    storage = {"url": f"sqlite:///{tmp_path / 'vivavoce.db'}", "blobs": str(tmp_path / "blobs")}
    return load_config({"storage": storage, "knowledge": {"index": tmp_path / "index.db"}}, profile="fake")


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Engines of these kinds note that they were closed."""
    log: list[str] = []
    for kind in (FakeSpeechDetector, FakeRecognizer, FakeSpeakerVerifier):
        monkeypatch.setattr(kind, "close", lambda self: log.append(type(self).__name__))
    return log


async def test_each_is_closed_though_all_others_fail_to(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[type[Any]] = []

    def failing(kind: type[Any]) -> None:
        real = kind.close

        async def close(self: Any) -> None:
            closed.append(kind)
            done = real(self)
            if done is not None:
                await done
            raise RuntimeError("cannot be closed")

        monkeypatch.setattr(kind, "close", close)

    for kind in OPENED:
        failing(kind)
    app = create_app(config)
    async with app.router.lifespan_context(app):
        await until_ready(app)
    assert closed == [*reversed(OPENED)]


async def test_engines_that_were_loaded_are_closed_when_one_cannot_be(
    config: Config, monkeypatch: pytest.MonkeyPatch, closed: list[str]
) -> None:
    def fails(_loader: EngineLoader) -> None:
        raise EngineError("verifier", "cannot be loaded")

    monkeypatch.setattr(EngineLoader, "speaker_verifier", fails)
    with pytest.raises(EngineError, match="verifier: cannot be loaded"):
        await load_engines(config)
    assert closed == ["FakeSpeechDetector", "FakeRecognizer"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (EngineError("mine", "engines.recognizer: no such device"), "mine: engines.recognizer: no such device"),
        (TypeError("a bug"), "The server failed to start. Its log says why."),
    ],
)
async def test_a_server_that_cannot_start_says_why_and_closes_what_it_opened(
    config: Config, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    closed, failed = list[Store](), asyncio.Event()

    async def fails(_config: Config) -> None:
        raise error

    async def close(self: Store) -> None:
        closed.append(self)
        await real(self)

    real = Store.close
    monkeypatch.setattr(Store, "close", close)
    monkeypatch.setattr(app_module, "load_engines", fails)
    app = create_app(config, on_failure=failed.set)
    async with app.router.lifespan_context(app):
        await asyncio.wait_for(failed.wait(), 30)
        stage = app.state.lifecycle.stage
        assert stage == Failed(said, stage.store)
    assert closed == [stage.store]
