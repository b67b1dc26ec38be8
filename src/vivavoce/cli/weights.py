"""The weights a command needs, pulled before anything is loaded."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from vivavoce.config import Config
from vivavoce.engines.registry import EngineKind
from vivavoce.models.catalogue import load_catalogue
from vivavoce.models.progress import RichProgress
from vivavoce.models.pull import Pull
from vivavoce.models.sources import open_sources
from vivavoce.models.store import WeightStore
from vivavoce.runtime.engine_choices import engine_choices, language_model_choice, needed_weights


def weights_of(config: Config, *kinds: EngineKind) -> list[str]:
    """The catalogue names that the configured engines of these kinds open, of all without a kind.

    Raises ``EngineError`` for an engine that cannot tell, because its settings are wrong.
    """
    return needed_weights(engine_choices(config, *kinds))


def language_model_weights(config: Config, *names: str) -> list[str]:
    """The catalogue names that these language models open. Raises as ``weights_of``."""
    return needed_weights(language_model_choice(config, name) for name in names)


def open_store(config: Config) -> WeightStore:
    """The store of this configuration."""
    return WeightStore(load_catalogue(), config.weights_folder, config.models)


def ensure_weights(config: Config, names: Sequence[str], console: Console) -> None:
    """Pull and verify what is missing, with progress bars. Quick when all is there. Raises ``WeightsError``."""
    if not names:
        return
    store = open_store(config)
    with RichProgress(console) as progress:
        Pull(store, open_sources(store.local), progress).run(names)
