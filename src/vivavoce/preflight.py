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
from vivavoce.extras import missing_extra
from vivavoce.models.catalogue import load_catalogue
from vivavoce.models.store import is_folder
from vivavoce.runtime.engine_choices import engine_choices
from vivavoce.tiers import TIERS
from vivavoce.tools.base import GROUP as TOOLS


def require_references(config: Config) -> None:
    """Raises ``ConfigError`` with a sentence for each name that leads nowhere."""
    if wrong := broken_references(config):
        raise ConfigError("This configuration cannot work.\n" + "\n".join(wrong))


def broken_references(config: Config) -> list[str]:
    """A sentence for each name that leads nowhere: the setting, the name, the nearest one there is, and all of them; and for
    each feature whose libraries are not installed.
    """
    looks = (_engines, _settings, _language_models, _audio_chats, _weights, _tools, _extras)
    return [wrong for look in looks for wrong in look(config)]


def _engines(config: Config) -> Iterator[str]:
    for choice in engine_choices(config):
        name, there = choice.engine, sorted(installed(choice.kind))
        if name not in there:
            yield _unknown_name(choice.setting, f"engine '{name}' among the installed {choice.kind}", name, there)
    if not config.engines.speakers:
        yield "engines.speakers: at least one speaker is needed."


def _settings(config: Config) -> Iterator[str]:
    """Language models and those that hear have theirs in their own tables."""
    kinds = [kind for kind in get_args(EngineKind) if kind not in ("language_models", "audio_chats")]
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
            yield _unknown_name(f"engines.settings.{name}", f"engine '{name}'", name, there)


def _language_models(config: Config) -> Iterator[str]:
    models = config.engines.language_models
    for tier, served in config.tiers.served_by.items():
        if served.language_model is not None and served.language_model not in models:
            setting = f"tiers.served_by.{tier}.language_model"
            yield _unknown_name(
                setting, f"language model '{served.language_model}'", served.language_model, sorted(models)
            )
    served_by = [served.language_model for served in config.tiers.served_by.values()]
    fallbacks = [model.fallback for model in models.values()]
    fallbacks += [chat.fallback for chat in config.engines.audio_chats.values()]
    of_tiers = {tier.language_model for tier in TIERS.values()}
    used = sorted({*of_tiers, *filter(None, [*served_by, *fallbacks])})
    for name in models:
        if name not in used:
            yield _unknown_name(
                f"engines.language_models.{name}", f"tier that uses a language model '{name}'", name, used
            )


def _audio_chats(config: Config) -> Iterator[str]:
    there = config.engines.audio_chats
    used = {tier: served.audio_chat for tier, served in config.tiers.served_by.items() if served.audio_chat is not None}
    for tier, name in used.items():
        if name not in there:
            yield _unknown_name(
                f"tiers.served_by.{tier}.audio_chat",
                f"model that hears '{name}' in engines.audio_chats",
                name,
                sorted(there),
            )
    for name in there:
        if name not in used.values():
            yield _unknown_name(
                f"engines.audio_chats.{name}", f"tier that uses a model '{name}'", name, sorted(used.values())
            )


def _weights(config: Config) -> Iterator[str]:
    """Also what is wrong with the settings that say which weights."""
    there = [entry.name for entry in load_catalogue().weights]
    for choice in engine_choices(config):
        if choice.engine not in installed(choice.kind):
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
                yield _unknown_name(choice.weights_setting, f"'{name}' in the catalogue of weights", name, there)


def _tools(config: Config) -> Iterator[str]:
    there = sorted(entry.name for entry in entry_points(group=TOOLS))
    for name in config.tools.builtin:
        if name not in there:
            yield _unknown_name("tools.builtin", f"tool '{name}'", name, there)


def _extras(config: Config) -> Iterator[str]:
    """What is named in the configuration, and needs libraries that are not installed."""
    url = config.storage.url.get_secret_value() if config.storage.url else ""
    if url.startswith("postgres") and (missing := missing_extra("postgres", "a PostgreSQL database")):
        yield f"storage.url: {missing}"
    if config.mcp.servers and (missing := missing_extra("mcp", "tool servers")):
        yield f"mcp.servers: {missing}"
    search = config.web_search
    searches = search.provider != "off" and "provider" in search.model_fields_set
    if searches and (missing := missing_extra("search", "web search")):
        yield f"web_search.provider: {missing}"


def _unknown_name(setting: str, kind: str, name: str, there: Sequence[str]) -> str:
    suggestion = nearest(name, there)
    hint = f" Did you mean '{suggestion}'?" if suggestion else ""
    return f"{setting}: there is no {kind}.{hint} There are: {', '.join(there) or 'none'}."
