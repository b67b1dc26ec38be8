"""Servers for other people's clients: one with fake engines, one with the real small models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from running import RunningServer, running
from vivavoce.config import load_config


@pytest.fixture(scope="module")
def fake_server() -> Iterator[RunningServer]:
    with running(load_config(profile="fake")) as started:
        yield started


@pytest.fixture(scope="session")
def real_server(weights: Callable[[str], Path]) -> Iterator[RunningServer]:
    with running(load_config()) as started:
        yield started
