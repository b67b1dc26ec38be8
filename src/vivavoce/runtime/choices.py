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
from vivavoce.engines.base import EngineContext
from vivavoce.engines.contract import shortcomings
from vivavoce.engines.guarded import GUARDS
from vivavoce.engines.registry import EngineKind, loader
from vivavoce.errors import EngineError, WeightsError
from vivavoce.models.store import is_folder
from vivavoce.openmp import calm_waiting_threads

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """One engine of a configuration.

    ``name`` is its entry point among those of its ``kind``, ``setting`` where it is named, ``settings`` its own table, and
    ``table`` where that is. ``model`` is the name tiers have for a language model.
    """

    kind: EngineKind
    name: str
    setting: str
    settings: Mapping[str, Any]
    table: str
    model: str = ""

    @property
    def weights_setting(self) -> str:
        """The setting that decides on its weights, as far as can be told from outside."""
        return f"engines.language_models.{self.model}.weights" if self.model else self.table

    def weights(self) -> Sequence[str]:
        """The weights it will open: catalogue names, and folders. Raises ``EngineError``, also for wrong settings."""
        with self.blamed():
            needed = getattr(_loader(self), "weights", None)
            found = needed(self.settings) if needed is not None else ()
            if isinstance(found, str):
                raise EngineError(self.name, f"needs_weights gives the text '{found}', not a list of names")
            return tuple(found)

    def load(self, context: EngineContext) -> Any:
        """The engine, guarded. Raises ``EngineError`` and ``WeightsError``, both naming the engine and the setting."""
        with self.blamed():
            engine = _loader(self)(context)
            if lacks := shortcomings(engine, self.kind):
                raise EngineError(self.name, f"{', and '.join(lacks)} (see vivavoce/engines/base.py)")
            guard = GUARDS.get(self.kind)
            return guard(self.name, engine) if guard is not None else engine

    @contextmanager
    def blamed(self) -> Iterator[None]:
        """Whatever is raised inside names this engine and the setting at fault."""
        try:
            yield
        except ValidationError as error:
            raise EngineError(self.name, "; ".join(self._mistakes(error))) from error
        except WeightsError as error:
            raise WeightsError(f"{self.name} ({self.setting}): {error}") from error
        except EngineError as error:
            raise EngineError(self.name, f"{self.setting}: {error.message}", retriable=error.retriable) from error
        except Exception as error:
            log.exception("the engine '%s' failed", self.name)
            raise EngineError(self.name, f"{self.setting}: {type(error).__name__}: {error}") from error

    def _mistakes(self, error: ValidationError) -> Iterator[str]:
        for one in error.errors():
            setting = ".".join(map(str, one["loc"]))
            said = "there is no such setting" if one["type"] == "extra_forbidden" else one["msg"]
            own = f"{self.table}.{setting}" if setting else self.table
            yield f"{self.weights_setting if self.model and setting == 'weights' else own}: {said}"


def engine_choices(config: Config, *kinds: EngineKind) -> list[EngineChoice]:
    """Every engine that is named, or those of these kinds. Language models are first."""
    engines = config.engines
    named: list[tuple[EngineKind, str, str]] = [
        ("speech_detectors", "speech_detector", engines.speech_detector),
        ("recognizers", "recognizer", engines.recognizer),
        ("turn_scorers", "turn_scorer", engines.turn_scorer),
        ("embedders", "embedder", engines.embedder),
        ("speaker_verifiers", "speaker_verifier", engines.speaker_verifier),
        *(("speakers", "speakers", name) for name in engines.speakers),
    ]
    choices = [language_model_choice(config, name) for name in engines.language_models]
    choices += [
        EngineChoice(kind, name, f"engines.{setting}", engines.settings.get(name, {}), f"engines.settings.{name}")
        for kind, setting, name in named
    ]
    return [choice for choice in choices if not kinds or choice.kind in kinds]


def language_model_choice(config: Config, name: str) -> EngineChoice:
    """The language model the tiers call ``name``. Its weights, where they are named, are one of its settings."""
    model, place = config.engines.language_models[name], f"engines.language_models.{name}"
    settings = dict(model.settings) if model.weights is None else {**model.settings, "weights": model.weights}
    return EngineChoice("language_models", model.engine, f"{place}.engine", settings, f"{place}.settings", name)


def needed_weights(choices: Iterable[EngineChoice]) -> list[str]:
    """The catalogue names these engines will open, each once. Raises as ``EngineChoice.weights``."""
    names = [name for choice in choices for name in choice.weights() if not is_folder(name)]
    return list(dict.fromkeys(names))


def _loader(choice: EngineChoice) -> Any:
    """What its entry point names, imported."""
    calm_waiting_threads()
    return loader(choice.kind, choice.name)
