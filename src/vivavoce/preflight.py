"""Whether all that a configuration names is there: engines, their settings, weights, language models of the tiers, tools.

Looked at once, before anything is pulled or loaded, so that a server which cannot work says so instead of half working.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import get_args

from vivavoce.config import Config
from vivavoce.config.mistakes import nearest
from vivavoce.engines.registry import EngineKind, installed
from vivavoce.errors import ConfigError, EngineError
from vivavoce.models.catalogue import load_catalogue
from vivavoce.models.store import is_folder
from vivavoce.runtime.choices import engine_choices
from vivavoce.tiers import TIERS
from vivavoce.tools.base import GROUP as TOOLS


def require_references(config: Config) -> None:
    """Raises ``ConfigError`` with a sentence for each name that leads nowhere."""
    if wrong := broken_references(config):
        raise ConfigError("This configuration cannot work.\n" + "\n".join(wrong))


def broken_references(config: Config) -> list[str]:
    """A sentence for each name that leads nowhere: the setting, the name, the nearest one there is, and all of them."""
    return [*_engines(config), *_settings(config), *_language_models(config), *_weights(config), *_tools(config)]


def _engines(config: Config) -> Iterator[str]:
    for choice in engine_choices(config):
        name, there = choice.name, sorted(installed(choice.kind))
        if name not in there:
            yield _nowhere(choice.setting, f"engine '{name}' among the installed {choice.kind}", name, there)
    if not config.engines.speakers:
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
    used = sorted({tier.language_model for tier in TIERS.values()})
    for name in config.engines.language_models:
        if name not in used:
            yield _nowhere(f"engines.language_models.{name}", f"tier that uses a language model '{name}'", name, used)


def _weights(config: Config) -> Iterator[str]:
    """Also what is wrong with the settings that say which weights."""
    there = [entry.name for entry in load_catalogue().weights]
    for choice in engine_choices(config):
        if choice.name not in installed(choice.kind):
            continue
        try:
            weights = choice.weights()
        except EngineError as error:
            yield str(error) if str(error).endswith((".", "?")) else f"{error}."
            continue
        for name in weights:
            if is_folder(name):
                if not Path(name).expanduser().is_dir():
                    yield f"{choice.weights_setting}: there is no folder {name}."
            elif name not in there:
                yield _nowhere(choice.weights_setting, f"'{name}' in the catalogue of weights", name, there)


def _tools(config: Config) -> Iterator[str]:
    there = sorted(entry.name for entry in entry_points(group=TOOLS))
    for name in config.tools.builtin:
        if name not in there:
            yield _nowhere("tools.builtin", f"tool '{name}'", name, there)


def _nowhere(setting: str, what: str, name: str, there: Sequence[str]) -> str:
    meant = nearest(name, there)
    hint = f" Did you mean '{meant}'?" if meant else ""
    return f"{setting}: there is no {what}.{hint} There are: {', '.join(there) or 'none'}."
