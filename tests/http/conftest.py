"""A server with fake engines, shared by the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

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
    with server.with_model(ThoughtfulLanguageModel(4)):
        yield server
