"""The engines a process runs: loaded once, shared by all sessions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from vivavoce.closing import Closeable, CloseStack
from vivavoce.config import Config
from vivavoce.engines.base import (
    Embedder,
    EngineContext,
    LanguageModel,
    Recognizer,
    Speaker,
    SpeakerVerifier,
    SpeechDetector,
    TurnScorer,
)
from vivavoce.engines.registry import EngineKind
from vivavoce.engines.router import SpeakerRouter
from vivavoce.errors import EngineError
from vivavoce.models.catalogue import load_catalogue
from vivavoce.models.store import WeightStore
from vivavoce.runtime.choices import EngineChoice, engine_choices, language_model_choice
from vivavoce.runtime.decoding import RecordingDecoder
from vivavoce.runtime.ears import Ears
from vivavoce.runtime.recognition import Recognition
from vivavoce.runtime.reply import read_prompt
from vivavoce.session.persona import system_prompt
from vivavoce.types import GenerationOptions, Message
from vivavoce.voices.presets import PRESETS, named_voice

_Engine = TypeVar("_Engine", bound=Closeable)


@dataclass(frozen=True, slots=True)
class Engines:
    """One of each kind, the language models by the names the tiers use, and what decodes recordings for them."""

    ears: Ears
    recognition: Recognition
    speaker: SpeakerRouter
    language_models: Mapping[str, LanguageModel]
    turn_scorer: TurnScorer
    embedder: Embedder
    verifier: SpeakerVerifier
    decoder: RecordingDecoder

    async def close(self) -> None:
        """Free everything."""
        async with CloseStack() as stack:
            listening = (self.ears.detector, self.turn_scorer, self.recognition, self.verifier)
            language_models = {id(model): model for model in self.language_models.values()}  # one may have two names
            for engine in (*listening, self.speaker, *language_models.values(), self.embedder, self.decoder):
                stack.add(engine)


async def load_engines(config: Config) -> Engines:
    """Load what ``config`` names, off the event loop. Raises ``EngineError`` or ``WeightsError``; then nothing stays open.

    A language model that is set as another one is loaded once for both.

    Seat 0, the first to be taken, has already read the default persona: the first turn is like the others.
    """
    loader = EngineLoader(config)
    async with CloseStack() as stack:

        async def load(one: Callable[[], _Engine]) -> _Engine:
            return stack.add(await asyncio.to_thread(one))

        decoder = stack.add(RecordingDecoder())
        await decoder.open()
        speakers = engine_choices(config, "speakers")
        language_models: dict[str, LanguageModel] = {}
        for name, wanted in config.engines.language_models.items():
            same = next((known for known in language_models if config.engines.language_models[known] == wanted), None)
            language_models[name] = (
                await load(partial(loader.language_model, name)) if same is None else language_models[same]
            )
        engines = Engines(
            Ears(await load(loader.speech_detector)),
            Recognition(await load(loader.recognizer)),
            speaker_router({choice.name: await load(partial(loader.load, choice)) for choice in speakers}),
            language_models,
            await load(loader.turn_scorer),
            await load(loader.embedder),
            await load(loader.speaker_verifier),
            decoder,
        )
        _require_one_rate(config, engines)
        persona = (Message("system", system_prompt("")), Message("user", ""))
        for name, model in language_models.items():
            with language_model_choice(config, name).blamed():
                await read_prompt(persona, GenerationOptions(slot=0), model)
        stack.pop_all()
    return engines


def _require_one_rate(config: Config, engines: Engines) -> None:
    """What is heard is resampled once, for all engines that hear. Raises ``EngineError`` for one that wants another rate."""
    rate_hz = engines.ears.detector.rate_hz
    listening: list[tuple[EngineKind, int]] = [
        ("recognizers", engines.recognition.rate_hz),
        ("turn_scorers", engines.turn_scorer.rate_hz),
    ]
    for kind, its_rate_hz in listening:
        if its_rate_hz != rate_hz:
            (choice,) = engine_choices(config, kind)
            said = f"hears at {its_rate_hz} Hz, voice activity detection at {rate_hz} Hz; it must be the same"
            raise EngineError(choice.name, f"{choice.setting}: {said}")


def speaker_router(speakers: Mapping[str, Speaker]) -> SpeakerRouter:
    """These speakers with the voices clients name. Raises ``EngineError`` for one that cannot be among them."""
    return SpeakerRouter(speakers, PRESETS, named_voice)


class EngineLoader:
    """Loads engines one at a time; blocking. A command that needs only one of them asks for that one."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._store = WeightStore(load_catalogue(), config.weights_folder, config.models)

    def speech_detector(self) -> SpeechDetector:
        """The configured voice activity detector."""
        engine: SpeechDetector = self._only("speech_detectors")
        return engine

    def turn_scorer(self) -> TurnScorer:
        """The configured judge of whether the speaker has finished."""
        engine: TurnScorer = self._only("turn_scorers")
        return engine

    def embedder(self) -> Embedder:
        """The configured judge of what texts mean."""
        engine: Embedder = self._only("embedders")
        return engine

    def recognizer(self) -> Recognizer:
        """The configured recogniser."""
        engine: Recognizer = self._only("recognizers")
        return engine

    def speaker_verifier(self) -> SpeakerVerifier:
        """The configured judge of who speaks."""
        engine: SpeakerVerifier = self._only("speaker_verifiers")
        return engine

    def speaker(self) -> SpeakerRouter:
        """The configured speakers behind one router."""
        return speaker_router({choice.name: self.load(choice) for choice in engine_choices(self._config, "speakers")})

    def language_model(self, name: str) -> LanguageModel:
        """The language model the tiers call ``name``."""
        engine: LanguageModel = self.load(language_model_choice(self._config, name))
        return engine

    def _only(self, kind: EngineKind) -> Any:
        (choice,) = engine_choices(self._config, kind)
        return self.load(choice)

    def load(self, choice: EngineChoice) -> Any:
        """One of them. Raises ``EngineError`` and ``WeightsError``, which name the engine and the setting."""
        declared = choice.weights()

        def weights(name: str) -> Path:
            if name not in declared:
                raise EngineError(
                    choice.name, f"opens the weights '{name}', of which its loader says nothing (needs_weights)"
                )
            return self._store.folder(name)

        limits = self._config.limits
        return choice.load(EngineContext(weights, self._config.threads, limits.sessions, choice.settings))
