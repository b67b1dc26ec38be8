"""The engines a process runs: loaded once, shared by all sessions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from vivavoce.closing import Closeable, CloseStack
from vivavoce.config import Config
from vivavoce.engines.audio_tokens import AudioTokenDecoder
from vivavoce.engines.base import (
    Embedder,
    EndOfTurnModel,
    EngineContext,
    LanguageModel,
    Perceiver,
    Recognizer,
    SpeakerVerifier,
    SpeechDetector,
    Synthesizer,
)
from vivavoce.engines.realtime.base import RealtimeEngine
from vivavoce.engines.registry import EngineKind
from vivavoce.engines.router import SynthesizerRouter
from vivavoce.errors import EngineError
from vivavoce.intents.classifier import FEELING_HEADS, IntentClassifier, load_heads
from vivavoce.intents.feelings import WordsReader
from vivavoce.models.catalogue import load_catalogue
from vivavoce.models.store import WeightStore
from vivavoce.runtime.decoded_speech import DecodedSpeech
from vivavoce.runtime.decoding import RecordingDecoder
from vivavoce.runtime.engine_choices import (
    EngineChoice,
    embedder_choice,
    engine_choices,
    language_model_choice,
    recognizer_choice,
    recognizer_fallback,
)
from vivavoce.runtime.fallback import FallbackModel, FallbackRecognizer
from vivavoce.runtime.perceiving import Perceiving
from vivavoce.runtime.preparations import Preparations
from vivavoce.runtime.recognition import Recognition
from vivavoce.runtime.reply import read_prompt
from vivavoce.runtime.vad_batcher import VadBatcher
from vivavoce.session.default_prompt import system_prompt
from vivavoce.tiers import Tier
from vivavoce.types import GenerationOptions, Message
from vivavoce.voice_facts import PerceiveOptions
from vivavoce.voices.presets import PRESETS, voice_named

_Engine = TypeVar("_Engine", bound=Closeable)

HealthProbe: TypeAlias = Callable[[], Awaitable[str | None]]
"""Why an engine cannot be used now; ``None``: it can. Costs nothing and returns within seconds."""


@dataclass(frozen=True, slots=True)
class Engines:
    """One of each kind, the language models by the names the tiers use, those that hear among them, what decodes recordings for
    them, and how many replies are prepared ahead.
    """

    vad: VadBatcher
    recognition: Recognition
    synthesizer: SynthesizerRouter
    language_models: Mapping[str, LanguageModel]
    turn_scorer: EndOfTurnModel
    embedder: Embedder
    verifier: SpeakerVerifier
    decoder: RecordingDecoder
    preparations: Preparations = field(default_factory=Preparations)
    tiers: Mapping[str, TierEngines] = field(default_factory=dict)
    """What serves a tier in place of what serves all."""
    realtime: Mapping[str, RealtimeEngine] = field(default_factory=dict)
    """By tier, what hears, answers and speaks in conversations in place of recogniser, language model and synthesizer."""
    token_decoders: Mapping[str, AudioTokenDecoder] = field(default_factory=dict)
    """Of models that speak in tokens, by what the configuration calls them."""
    intent_embedder: Embedder | None = None
    """Tells what a turn wants, where that is not ``embedder``."""
    health: Mapping[str, HealthProbe] = field(default_factory=dict)
    """Of those that run elsewhere, by what the configuration calls them: why one cannot be used now, or ``None``."""

    def of_tier(self, tier: Tier) -> Engines:
        """The engines that serve ``tier``."""
        own = self.tiers.get(tier.name)
        return self if own is None else replace(self, recognition=own.recognition, synthesizer=own.synthesizer)

    def language_model_name(self, tier: Tier) -> str:
        """What the configuration calls the language model of ``tier``."""
        own = self.tiers.get(tier.name)
        return tier.language_model if own is None or own.language_model is None else own.language_model

    def language_model(self, tier: Tier) -> LanguageModel:
        """The language model of ``tier``."""
        return self.language_models[self.language_model_name(tier)]

    async def close(self) -> None:
        """Free everything."""
        async with CloseStack() as stack:
            recognitions = {id(own.recognition): own.recognition for own in self.tiers.values()}
            synthesizers = {id(own.synthesizer): own.synthesizer for own in self.tiers.values()}
            recognitions[id(self.recognition)] = self.recognition
            synthesizers[id(self.synthesizer)] = self.synthesizer
            language_models = {id(model): model for model in self.language_models.values()}  # one may have two names
            listening = (self.vad.detector, self.turn_scorer, *recognitions.values(), self.verifier)
            speaking = (*synthesizers.values(), *self.token_decoders.values())
            writing = (*language_models.values(), self.embedder, self.decoder)
            hosted = {id(engine): engine for engine in self.realtime.values()}
            for engine in (*listening, *speaking, *writing, *hosted.values()):
                stack.add(engine)
            if self.intent_embedder is not None:
                stack.add(self.intent_embedder)


@dataclass(frozen=True, slots=True)
class TierEngines:
    """What serves one tier; ``language_model`` by name, ``None``: the one that always does."""

    language_model: str | None
    recognition: Recognition
    synthesizer: SynthesizerRouter


async def load_engines(config: Config) -> Engines:
    """Load what ``config`` names, off the event loop. Raises ``EngineError`` or ``WeightsError``; then nothing stays open.

    A language model that is set as another one is loaded once for both.

    Slot 0, the first to be taken, has already read the default persona: the first turn is like the others.
    """
    loader = EngineLoader(config)
    async with CloseStack() as stack:

        async def load(load_engine: Callable[[], _Engine]) -> _Engine:
            return stack.add(await asyncio.to_thread(load_engine))

        decoder = stack.add(RecordingDecoder())
        await decoder.open()
        speakers = {
            choice.name: await load(partial(loader.load, choice)) for choice in engine_choices(config, "speakers")
        }
        recognizers = {
            choice.name: await load(partial(loader.load, choice)) for choice in engine_choices(config, "recognizers")
        }
        hosted = {
            choice.name: await load(partial(loader.load, choice)) for choice in engine_choices(config, "realtime")
        }
        recognizers = _with_stand_ins(config, recognizers)
        embedders = {
            choice.name: await load(partial(loader.load, choice)) for choice in engine_choices(config, "embedders")
        }
        embedder = embedders.pop(config.engines.embedder)
        intent_embedder = next(iter(embedders.values()), None)
        language_models: dict[str, LanguageModel] = {}
        for name, model_config in config.engines.language_models.items():
            equal = next(
                (other for other in language_models if config.engines.language_models[other] == model_config), None
            )
            language_models[name] = (
                await load(partial(loader.language_model, name)) if equal is None else language_models[equal]
            )
        decoders = {
            choice.name: await load(partial(loader.load, choice))
            for choice in engine_choices(config, "audio_token_decoders")
        }
        for name in config.engines.audio_chats:
            language_models[name] = await load(partial(loader.audio_chat, name, decoders))
        language_models = _with_fallbacks(config, language_models)
        perceiving = None
        if config.perception.enabled:
            choices = engine_choices(config, "perceivers")
            perceiving = Perceiving(
                [await load(partial(loader.load, choice)) for choice in choices],
                config.perception.patience_ms / 1000,
                PerceiveOptions(emotion=config.perception.emotion, gender=config.perception.gender),
                WordsReader(IntentClassifier(intent_embedder or embedder, load_heads(FEELING_HEADS))),
            )
        engines = Engines(
            VadBatcher(await load(loader.speech_detector)),
            _recognition(config, recognizers, config.engines.recognizer, perceiving),
            synthesizer_router({name: speakers[name] for name in config.engines.speakers}),
            language_models,
            await load(loader.turn_scorer),
            embedder,
            await load(loader.speaker_verifier),
            decoder,
            Preparations(config.turns.preparations),
            realtime={
                tier: hosted[served.realtime] for tier, served in config.tiers.served_by.items() if served.realtime
            },
            token_decoders=decoders,
            intent_embedder=intent_embedder,
            health=loader.health,
        )
        engines = replace(engines, tiers=_tiers(config, engines, recognizers, speakers, perceiving))
        _require_one_rate(config, engines, recognizers)
        persona = (Message("system", system_prompt("", config.persona.name)), Message("user", ""))
        for name, model in language_models.items():
            with language_model_choice(config, name).error_context():
                await read_prompt(persona, GenerationOptions(slot=0), model)
        stack.pop_all()
    return engines


def _recognition(
    config: Config, recognizers: Mapping[str, Recognizer], name: str, perceiving: Perceiving | None
) -> Recognition:
    """The recogniser ``name``, and those that take its place for their languages."""
    by_language = {language: recognizers[other] for language, other in config.engines.recognizers.items()}
    return Recognition(recognizers[name], by_language, perceiving)


def _tiers(
    config: Config,
    engines: Engines,
    recognizers: Mapping[str, Recognizer],
    speakers: Mapping[str, Synthesizer],
    perceiving: Perceiving | None,
) -> dict[str, TierEngines]:
    """What serves tiers of which the configuration says so. A recogniser of their own hears every language."""
    hearing = {name: Recognition(recognizers[name], perceiving=perceiving) for name in recognizers}
    return {
        tier: TierEngines(
            served.model,
            engines.recognition if served.recognizer is None else hearing[served.recognizer],
            engines.synthesizer.restricted({name: speakers[name] for name in served.speakers})
            if served.speakers
            else engines.synthesizer,
        )
        for tier, served in config.tiers.served_by.items()
    }


def _with_fallbacks(config: Config, models: Mapping[str, LanguageModel]) -> dict[str, LanguageModel]:
    """The language models by name, those with a fallback in front of it."""
    fallbacks = {name: model.fallback for name, model in config.engines.language_models.items()}
    fallbacks |= {name: chat.fallback for name, chat in config.engines.audio_chats.items()}
    return {
        name: model if (other := fallbacks[name]) is None else FallbackModel(name, model, other, models[other])
        for name, model in models.items()
    }


def _with_stand_ins(config: Config, recognizers: Mapping[str, Recognizer]) -> dict[str, Recognizer]:
    """The recognisers by name, those with a fallback in front of it."""
    return {
        name: recognizer
        if (other := recognizer_fallback(config, name)) is None
        else FallbackRecognizer(name, recognizer, other, recognizers[other])
        for name, recognizer in recognizers.items()
    }


def _require_one_rate(config: Config, engines: Engines, recognizers: Mapping[str, Recognizer]) -> None:
    """What is heard is resampled once, for all engines that hear. Raises ``EngineError`` for one that wants another rate."""
    rate_hz = engines.vad.detector.rate_hz
    (scorer,) = engine_choices(config, "turn_scorers")
    consumers = [(scorer, engines.turn_scorer.rate_hz)]
    hearing = engine_choices(config, "recognizers")
    consumers += [(choice, recognizers[choice.name].rate_hz) for choice in hearing]
    for choice, consumer_rate_hz in consumers:
        if consumer_rate_hz != rate_hz:
            problem = f"hears at {consumer_rate_hz} Hz, voice activity detection at {rate_hz} Hz; it must be the same"
            raise EngineError(choice.name, f"{choice.setting}: {problem}")


def synthesizer_router(synthesizers: Mapping[str, Synthesizer]) -> SynthesizerRouter:
    """These synthesizers with the voices clients name. Raises ``EngineError`` for one that cannot be among them."""
    return SynthesizerRouter(synthesizers, PRESETS, voice_named)


class EngineLoader:
    """Loads engines one at a time; blocking. A command that needs only one of them asks for that one."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._store = WeightStore(load_catalogue(), config.weights_folder, config.models)
        self.health: dict[str, HealthProbe] = {}
        """Of the engines loaded so far that run elsewhere."""

    def speech_detector(self) -> SpeechDetector:
        """The configured voice activity detector."""
        engine: SpeechDetector = self._load_single("speech_detectors")
        return engine

    def turn_scorer(self) -> EndOfTurnModel:
        """The configured judge of whether the speaker has finished."""
        engine: EndOfTurnModel = self._load_single("turn_scorers")
        return engine

    def embedder(self) -> Embedder:
        """The configured judge of what texts mean."""
        engine: Embedder = self.load(embedder_choice(self._config))
        return engine

    def recognizer(self) -> Recognizer:
        """The configured recogniser."""
        engine: Recognizer = self.load(recognizer_choice(self._config))
        return engine

    def perceivers(self) -> list[Perceiver]:
        """The configured listeners to what is not words."""
        return [self.load(choice) for choice in engine_choices(self._config, "perceivers")]

    def speaker_verifier(self) -> SpeakerVerifier:
        """The configured judge of who speaks."""
        engine: SpeakerVerifier = self._load_single("speaker_verifiers")
        return engine

    def synthesizer(self) -> SynthesizerRouter:
        """The configured synthesizers behind one router."""
        return synthesizer_router(
            {
                choice.name: self.load(choice)
                for choice in engine_choices(self._config, "speakers")
                if choice.name in self._config.engines.speakers
            }
        )

    def language_model(self, name: str) -> LanguageModel:
        """The language model the tiers call ``name``."""
        engine: LanguageModel = self.load(language_model_choice(self._config, name))
        return engine

    def audio_chat(self, name: str, decoders: Mapping[str, AudioTokenDecoder]) -> LanguageModel:
        """The model that hears which the tiers call ``name``, with its decoder. Raises ``EngineError``, also for one that
        speaks in tokens and has none.
        """
        choice = language_model_choice(self._config, name)
        engine: LanguageModel = self.load(choice)
        decoder = self._config.engines.audio_chats[name].decoder
        if engine.speaks != "tokens":
            return engine
        if decoder is None:
            raise EngineError(name, f"engines.audio_chats.{name}: it speaks in tokens: name the 'decoder' of them")
        return DecodedSpeech(engine, decoders[decoder])

    def _load_single(self, kind: EngineKind) -> Any:
        (choice,) = engine_choices(self._config, kind)
        return self.load(choice)

    def load(self, choice: EngineChoice) -> Any:
        """One of them. Raises ``EngineError`` and ``WeightsError``, which name the engine and the setting."""
        declared_weights = choice.weights()

        def weights(name: str) -> Path:
            if name not in declared_weights:
                raise EngineError(
                    choice.name, f"opens the weights '{name}', of which its loader says nothing (needs_weights)"
                )
            return self._store.folder(name)

        limits = self._config.limits
        name = choice.model or choice.name
        settings = choice.own_settings()
        engine = choice.load(EngineContext(weights, self._config.threads, limits.sessions, settings, name))
        if (probe := getattr(getattr(engine, "engine", engine), "health", None)) is not None:
            self.health[name] = probe
        return engine
