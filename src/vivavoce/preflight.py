"""Whether all that a configuration names is there: engines, their settings, weights, language models of the tiers, tools.

Looked at once, before anything is pulled or loaded, so that a server which cannot work says so instead of half working.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import entry_points
from typing import get_args

from vivavoce.config import Config
from vivavoce.config_errors import nearest
from vivavoce.engines.registry import EngineKind, installed
from vivavoce.errors import ConfigError
from vivavoce.models.catalogue import load_catalogue
from vivavoce.tiers import TIERS
from vivavoce.tools.base import GROUP as TOOLS


def require_references(config: Config) -> None:
    """Raises ``ConfigError`` with a sentence for each name that leads nowhere."""
    if wrong := broken_references(config):
        raise ConfigError("This configuration cannot work.\n" + "\n".join(wrong))


def broken_references(config: Config) -> list[str]:
    """A sentence for each name that leads nowhere: the setting, the name, the nearest one there is, and all of them."""
    return [*_engines(config), *_settings(config), *_language_models(config), *_tools(config)]


def _engines(config: Config) -> Iterator[str]:
    engines = config.engines
    wanted: list[tuple[str, EngineKind, str]] = [
        ("speech_detector", "speech_detectors", engines.speech_detector),
        ("recognizer", "recognizers", engines.recognizer),
        ("turn_scorer", "turn_scorers", engines.turn_scorer),
        ("embedder", "embedders", engines.embedder),
        ("speaker_verifier", "speaker_verifiers", engines.speaker_verifier),
    ]
    wanted += [("speakers", "speakers", name) for name in engines.speakers]
    for name, model in engines.language_models.items():
        wanted.append((f"language_models.{name}.engine", "language_models", model.engine))
    for setting, kind, name in wanted:
        there = sorted(installed(kind))
        if name not in there:
            yield _nowhere(f"engines.{setting}", f"engine '{name}' among the installed {kind}", name, there)
    if not engines.speakers:
        yield "engines.speakers: at least one speaker is needed."


def _settings(config: Config) -> Iterator[str]:
    """Language models have theirs in their own tables."""
    kinds = [kind for kind in get_args(EngineKind) if kind != "language_models"]
    there = sorted({name for kind in kinds for name in installed(kind)})
    for name in config.engines.settings:
        if name in there:
            continue
        if name in installed("language_models"):
            yield (
                f"engines.settings.{name}: this is not read; the settings of a language model are "
                f"engines.language_models.NAME.settings, where NAME is {' or '.join(config.engines.language_models)}."
            )
        else:
            yield _nowhere(f"engines.settings.{name}", f"engine '{name}'", name, there)


def _language_models(config: Config) -> Iterator[str]:
    models = config.engines.language_models
    used = sorted({tier.language_model for tier in TIERS.values()})
    weights = [entry.name for entry in load_catalogue().weights]
    for name, model in models.items():
        if name not in used:
            yield _nowhere(f"engines.language_models.{name}", f"tier that uses a language model '{name}'", name, used)
        if model.weights is not None and model.weights not in weights:
            setting = f"engines.language_models.{name}.weights"
            yield _nowhere(setting, f"'{model.weights}' in the catalogue of weights", model.weights, weights)


def _tools(config: Config) -> Iterator[str]:
    there = sorted(entry.name for entry in entry_points(group=TOOLS))
    for name in config.tools.builtin:
        if name not in there:
            yield _nowhere("tools.builtin", f"tool '{name}'", name, there)


def _nowhere(setting: str, what: str, name: str, there: Sequence[str]) -> str:
    meant = nearest(name, there)
    hint = f" Did you mean '{meant}'?" if meant else ""
    return f"{setting}: there is no {what}.{hint} There are: {', '.join(there) or 'none'}."
