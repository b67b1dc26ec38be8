"""Servers as the pages assume them: with fake engines, open to this machine, or with a key."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from docs.thoughtful import ThoughtfulLanguageModel
from running import RunningServer, running
from vivavoce.config import load_config


@pytest.fixture(scope="session")
def server() -> Iterator[RunningServer]:
    """Many seats: the sequences of the page are played all at once."""
    config = load_config({"limits": {"sessions": 64}}, profile="fake")
    with running(config) as started, started.with_model(ThoughtfulLanguageModel(64)):
        yield started


@pytest.fixture(scope="session")
def locked() -> Iterator[RunningServer]:
    with running(load_config({"auth": {"keys": {"me": "a-long-random-text"}}}, profile="fake")) as started:
        yield started
