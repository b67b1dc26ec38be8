"""Fixtures every test can use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from vivavoce.config import load_config
from vivavoce.models.catalogue import load_catalogue
from vivavoce.models.store import WeightStore


def pytest_addoption(parser: pytest.Parser) -> None:
    """How much rubbish the fuzz tests send: the pure core gets this many events, a running server a tenth of it."""
    parser.addoption("--fuzz-events", type=int, default=6_000, help="spoiled events to send (default: 6000)")


@pytest.fixture(scope="session")
def weights() -> Callable[[str], Path]:
    """Catalogue name → folder of verified weights. `make test` pulls them first."""
    config = load_config()
    return WeightStore(load_catalogue(), config.weights_folder, config.models).folder
