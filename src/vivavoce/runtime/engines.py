"""The engines a process runs: loaded once, shared by all sessions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from vivavoce.closing import Closeable, CloseStack
from vivavoce.config import Config, LanguageModelConfig
from vivavoce.engines.base import (
    Embedder,
    EngineContext,
    LanguageModel,
    Recognizer,
    SpeakerVerifier,
    SpeechDetector,
    TurnScorer,
)
from vivavoce.engines.registry import EngineKind, loader
from vivavoce.engines.router import SpeakerRouter
from vivavoce.models.catalogue import load_catalogue
from vivavoce.models.store import WeightStore
from vivavoce.runtime.ears import Ears
from vivavoce.runtime.recognition import Recognition
from vivavoce.runtime.reply import read_prompt
from vivavoce.session.persona import system_prompt
from vivavoce.types import GenerationOptions, Message
from vivavoce.voices.presets import PRESETS, named_voice

_Engine = TypeVar("_Engine", bound=Closeable)


@dataclass(frozen=True, slots=True)
class Engines:
    """One of each kind, and the language models by the names the tiers use."""

    ears: Ears
    recognition: Recognition
    speaker: SpeakerRouter
    language_models: Mapping[str, LanguageModel]
    turn_scorer: TurnScorer
    embedder: Embedder
    verifier: SpeakerVerifier

    async def close(self) -> None:
        """Free everything."""
        async with CloseStack() as stack:
            listening = (self.ears.detector, self.turn_scorer, self.recognition, self.verifier)
            for engine in (*listening, self.speaker, *self.language_models.values(), self.embedder):
                stack.add(engine)


async def load_engines(config: Config) -> Engines:
    """Load what ``config`` names, off the event loop. Raises ``EngineError`` or ``WeightsError``; then nothing stays open.

    Language models first: llama.cpp's loader tells OpenMP not to spin, which the recogniser's library, too, reads once;
    spinning on after an utterance it would slow the first token down. Seat 0, the first to be taken, has already read the
    default persona: the first turn is like the others.
    """
    loader = EngineLoader(config)
    async with CloseStack() as stack:

        async def load(one: Callable[[], _Engine]) -> _Engine:
            return stack.add(await asyncio.to_thread(one))

        language_models = {
            name: await load(partial(loader.language_model, name)) for name in config.engines.language_models
        }
        engines = Engines(
            Ears(await load(loader.speech_detector)),
            Recognition(await load(loader.recognizer)),
            await load(loader.speaker),
            language_models,
            await load(loader.turn_scorer),
            await load(loader.embedder),
            await load(loader.speaker_verifier),
        )
        persona = (Message("system", system_prompt("")), Message("user", ""))
        for model in language_models.values():
            await read_prompt(persona, GenerationOptions(slot=0), model)
        stack.pop_all()
    return engines


class EngineLoader:
    """Loads engines one at a time; blocking. A command that needs only one of them asks for that one."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._store = WeightStore(load_catalogue(), config.weights_folder, config.models)

    def speech_detector(self) -> SpeechDetector:
        """The configured voice activity detector."""
        engine: SpeechDetector = self._load("speech_detectors", self._config.engines.speech_detector)
        return engine

    def turn_scorer(self) -> TurnScorer:
        """The configured judge of whether the speaker has finished."""
        engine: TurnScorer = self._load("turn_scorers", self._config.engines.turn_scorer)
        return engine

    def embedder(self) -> Embedder:
        """The configured judge of what texts mean."""
        engine: Embedder = self._load("embedders", self._config.engines.embedder)
        return engine

    def recognizer(self) -> Recognizer:
        """The configured recogniser."""
        engine: Recognizer = self._load("recognizers", self._config.engines.recognizer)
        return engine

    def speaker_verifier(self) -> SpeakerVerifier:
        """The configured judge of who speaks."""
        engine: SpeakerVerifier = self._load("speaker_verifiers", self._config.engines.speaker_verifier)
        return engine

    def speaker(self) -> SpeakerRouter:
        """The configured speakers behind one router."""
        names = self._config.engines.speakers
        return SpeakerRouter({name: self._load("speakers", name) for name in names}, PRESETS, named_voice)

    def language_model(self, name: str) -> LanguageModel:
        """The language model the tiers call ``name``."""
        model: LanguageModelConfig = self._config.engines.language_models[name]
        settings = {**model.settings, "weights": model.weights}
        engine: LanguageModel = self._load("language_models", model.engine, settings)
        return engine

    def _load(self, kind: EngineKind, name: str, settings: Mapping[str, Any] | None = None) -> Any:
        context = EngineContext(
            weights=self._store.folder,
            threads=self._config.threads,
            capacity=self._config.limits.sessions,
            settings=settings if settings is not None else self._config.engines.settings.get(name, {}),
        )
        return loader(kind, name)(context)
