"""The engines a configuration names: what each is set to, the weights it will open, and how it is loaded.

The one place that lists them, for whoever loads them, pulls their weights beforehand, or checks the configuration.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from vivavoce.config import Config
from vivavoce.config.engines import with_key
from vivavoce.engines.base import EngineContext
from vivavoce.engines.contract import shortcomings
from vivavoce.engines.error_wrappers import ERROR_WRAPPERS
from vivavoce.engines.registry import EngineKind, loader
from vivavoce.errors import EngineError, WeightsError
from vivavoce.models.store import is_folder
from vivavoce.openmp import calm_waiting_threads

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """One engine of a configuration.

    ``engine`` is its entry point among those of its ``kind``, ``name`` what the configuration calls it, ``setting`` where it is
    named, ``settings`` its own table, and ``table`` where that is. ``model`` is the name tiers have for a language model.
    """

    kind: EngineKind
    engine: str
    name: str
    setting: str
    settings: Mapping[str, Any]
    table: str
    model: str = ""

    @property
    def weights_setting(self) -> str:
        """The setting that decides on its weights, as far as can be told from outside."""
        return f"engines.language_models.{self.model}.weights" if self.model else self.table

    def own_settings(self) -> Mapping[str, Any]:
        """What its loader gets, the key included that ``settings`` name. Raises ``EngineError`` when it is not there."""
        try:
            return with_key(self.settings)
        except ValueError as error:
            raise EngineError(self.name, f"{self.table}: {error}") from error

    def weights(self) -> Sequence[str]:
        """The weights it will open: catalogue names, and folders. Raises ``EngineError``, also for wrong settings."""
        settings = self.own_settings()
        with self.error_context():
            needs_weights = getattr(_loader(self), "weights", None)
            names = needs_weights(settings) if needs_weights is not None else ()
            if isinstance(names, str):
                raise EngineError(self.name, f"needs_weights gives the text '{names}', not a list of names")
            return tuple(names)

    def load(self, context: EngineContext) -> Any:
        """The engine, wrapped. Raises ``EngineError`` and ``WeightsError``, both naming the engine and the setting."""
        with self.error_context():
            engine = _loader(self)(context)
            if problems := shortcomings(engine, self.kind):
                raise EngineError(self.name, f"{', and '.join(problems)} (see vivavoce/engines/base.py)")
            wrapper = ERROR_WRAPPERS.get(self.kind)
            return wrapper(self.name, engine) if wrapper is not None else engine

    @contextmanager
    def error_context(self) -> Iterator[None]:
        """Whatever is raised inside names this engine and the setting at fault."""
        try:
            yield
        except ValidationError as error:
            raise EngineError(self.name, "; ".join(self._problems(error))) from error
        except WeightsError as error:
            raise WeightsError(f"{self.name} ({self.setting}): {error}") from error
        except EngineError as error:
            raise EngineError(self.name, f"{self.setting}: {error.message}", retriable=error.retriable) from error
        except Exception as error:
            log.exception("the engine '%s' failed", self.name)
            raise EngineError(self.name, f"{self.setting}: {type(error).__name__}: {error}") from error

    def _problems(self, error: ValidationError) -> Iterator[str]:
        for entry in error.errors():
            setting = ".".join(map(str, entry["loc"]))
            message = "there is no such setting" if entry["type"] == "extra_forbidden" else entry["msg"]
            path = f"{self.table}.{setting}" if setting else self.table
            yield f"{self.weights_setting if self.model and setting == 'weights' else path}: {message}"


def engine_choices(config: Config, *kinds: EngineKind) -> list[EngineChoice]:
    """Every engine that is named, or those of these kinds. Language models are first."""
    engines = config.engines
    entries: list[tuple[EngineKind, str, str]] = [
        ("speech_detectors", "speech_detector", engines.speech_detector),
        ("recognizers", "recognizer", engines.recognizer),
        *(("recognizers", f"recognizers.{language}", name) for language, name in engines.recognizers.items()),
        ("turn_scorers", "turn_scorer", engines.turn_scorer),
        ("embedders", "embedder", engines.embedder),
        ("embedders", "intent_embedder", engines.intent_embedder or engines.embedder),
        ("speaker_verifiers", "speaker_verifier", engines.speaker_verifier),
        *(("speakers", "speakers", name) for name in engines.speakers),
    ]
    if config.perception.enabled:
        # what two hear, the first is believed: it listens for nothing but sounds
        entries += [("perceivers", "sound_perceiver", engines.sound_perceiver)] if config.perception.sounds else []
        entries.append(("perceivers", "perceiver", engines.perceiver))
    entries += [
        ("audio_token_decoders", f"audio_chats.{name}.decoder", chat.decoder)
        for name, chat in engines.audio_chats.items()
        if chat.decoder is not None
    ]
    choices = [language_model_choice(config, name) for name in (*engines.language_models, *engines.audio_chats)]
    choices += [_choice(config, kind, f"engines.{setting}", name) for kind, setting, name in entries]
    for tier, served in config.tiers.served_by.items():
        of_tier: list[tuple[EngineKind, str]] = [("speakers", name) for name in served.speakers]
        of_tier += [("recognizers", served.recognizer)] if served.recognizer is not None else []
        of_tier += [("realtime", served.realtime)] if served.realtime is not None else []
        choices += [_choice(config, kind, f"tiers.served_by.{tier}.{kind}", name) for kind, name in of_tier]
    choices += [
        _choice(config, "recognizers", f"engines.instances.{choice.name}.fallback", fallback)
        for choice in choices
        if choice.kind == "recognizers" and (fallback := recognizer_fallback(config, choice.name)) is not None
    ]
    once = {(choice.kind, choice.name, choice.model): choice for choice in reversed(choices)}
    return [choice for choice in reversed(once.values()) if not kinds or choice.kind in kinds]


def recognizer_choice(config: Config) -> EngineChoice:
    """The recogniser for everything that has no other one."""
    return _choice(config, "recognizers", "engines.recognizer", config.engines.recognizer)


def embedder_choice(config: Config) -> EngineChoice:
    """The embedder of documents, and of whoever asks for vectors."""
    return _choice(config, "embedders", "engines.embedder", config.engines.embedder)


def recognizer_fallback(config: Config, name: str) -> str | None:
    """The recogniser that hears what the one called ``name`` fails at."""
    instance = config.engines.instances.get(name)
    return None if instance is None else instance.fallback


def _choice(config: Config, kind: EngineKind, setting: str, name: str) -> EngineChoice:
    """The engine of this name: an instance, or the entry point itself."""
    instance = config.engines.instances.get(name)
    if instance is not None:
        table = f"engines.instances.{name}"
        return EngineChoice(kind, instance.engine, name, f"{table}.engine", instance.settings, f"{table}.settings")
    settings = config.engines.settings.get(name, {})
    return EngineChoice(kind, name, name, setting, settings, f"engines.settings.{name}")


def language_model_choice(config: Config, name: str) -> EngineChoice:
    """The language model the tiers call ``name``, or the model that hears. Weights, where they are named, are one of its
    settings."""
    if (chat := config.engines.audio_chats.get(name)) is not None:
        table = f"engines.audio_chats.{name}"
        return EngineChoice("audio_chats", chat.engine, name, f"{table}.engine", chat.settings, f"{table}.settings")
    model, table = config.engines.language_models[name], f"engines.language_models.{name}"
    settings = dict(model.settings) if model.weights is None else {**model.settings, "weights": model.weights}
    return EngineChoice(
        "language_models", model.engine, model.engine, f"{table}.engine", settings, f"{table}.settings", name
    )


def needed_weights(choices: Iterable[EngineChoice]) -> list[str]:
    """The catalogue names these engines will open, each once. Raises as ``EngineChoice.weights``."""
    names = [name for choice in choices for name in choice.weights() if not is_folder(name)]
    return list(dict.fromkeys(names))


def _loader(choice: EngineChoice) -> Any:
    """What its entry point names, imported."""
    calm_waiting_threads()
    return loader(choice.kind, choice.engine)
