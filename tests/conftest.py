"""Fixtures every test can use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from vivavoce.config import load_config
from vivavoce.models.catalogue import load_catalogue
from vivavoce.models.store import WeightStore


@pytest.fixture(scope="session")
def weights() -> Callable[[str], Path]:
    """Catalogue name → folder of verified weights. `make test` pulls them first."""
    config = load_config()
    return WeightStore(load_catalogue(), config.store, config.models).folder
