"""A server with fake engines, shared by the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from docs.thoughtful import ThoughtfulLanguageModel
from running import RunningServer, running
from vivavoce.config import load_config


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running(load_config({"limits": {"sessions": 4}}, profile="fake")) as started:
        yield started


@pytest.fixture
def thoughtful(server: RunningServer) -> Iterator[RunningServer]:
    """The server with the fake model that thinks, says something before a call, and calls several tools at once."""
    loaded = server.serving.loaded
    assert loaded is not None
    model = ThoughtfulLanguageModel(4)
    server.serving.loaded = replace(loaded, language_models={"large": model, "small": model})
    yield server
    server.serving.loaded = loaded
