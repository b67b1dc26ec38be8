"""The one typed configuration object, read once at start: defaults < file < environment < flags.

The file is TOML (``--config``, or ``VIVAVOCE_CONFIG``, or ``vivavoce.toml`` in the working folder). Environment variables
start with ``VIVAVOCE_`` and name nested fields with two underscores: ``VIVAVOCE_LIMITS__SESSIONS=8``. Nothing else in
the program reads the environment.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from platformdirs import user_cache_path
from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

EngineProfile = Literal["local", "fake"]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LanguageModelConfig(_Table):
    """One language model the tiers can name.

    ``engine`` is an entry-point name, ``weights`` a catalogue name; ``settings`` is the engine's own table.
    """

    engine: str = "llama"
    weights: str | None = None
    settings: Mapping[str, Any] = Field(default_factory=dict)


class EnginesConfig(_Table):
    """Which engine does what. Names are entry points; speakers are asked in order, the first that can serve does."""

    speech_detector: str = "silero"
    recognizer: str = "whisper"
    speakers: tuple[str, ...] = ("hibari", "kokoro")
    language_models: Mapping[str, LanguageModelConfig] = Field(
        default_factory=lambda: {
            "large": LanguageModelConfig(weights="qwen2.5-coder-1.5b"),
            "small": LanguageModelConfig(weights="qwen2.5-coder-0.5b", settings={"reminders": "always"}),
        }
    )
    settings: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)


FAKE_ENGINES = EnginesConfig(
    speech_detector="fake",
    recognizer="fake",
    speakers=("fake",),
    language_models={"large": LanguageModelConfig(engine="fake"), "small": LanguageModelConfig(engine="fake")},
)
"""The profile behind ``--engines fake``: deterministic, instant, without weights."""


class LimitsConfig(_Table):
    """Capacity and bounds. One more than ``sessions`` is refused before the upgrade with 429."""

    sessions: int = Field(default=4, ge=1)
    buffer_ms: int = Field(default=600_000, ge=1000)
    audio_lead_ms: int = Field(default=2_000, ge=100)


class TurnsConfig(_Table):
    """Turn-taking when the client sets nothing.

    StepFun's reference and guide disagree on whether voice activity detection is on by default, so it is a setting.
    """

    server_vad: bool = True
    threshold: float = Field(default=0.5, ge=0.0, le=1.0)
    prefix_padding_ms: int = Field(default=500, ge=0)
    silence_duration_ms: int = Field(default=320, ge=0)


class Config(BaseSettings):
    """Everything that can be set. Frozen: made once by ``load_config`` and passed on."""

    model_config = SettingsConfigDict(
        env_prefix="VIVAVOCE_",
        env_nested_delimiter="__",
        extra="ignore",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    home: Path = Field(default_factory=lambda: user_cache_path("vivavoce"))
    models: Path | None = None
    threads: int = Field(default_factory=lambda: min(os.cpu_count() or 2, 8), ge=1)
    engines: EnginesConfig = Field(default_factory=EnginesConfig)
    limits: LimitsConfig = Field(default_factory=LimitsConfig)
    turns: TurnsConfig = Field(default_factory=TurnsConfig)
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def store(self) -> Path:
        """The folder pulled weights land in."""
        return self.home / "models"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags win over the environment, the environment over the file."""
        file = settings_cls.model_config.get("toml_file") or _config_file()
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, file)


def _config_file() -> Path:
    return Path(os.environ.get("VIVAVOCE_CONFIG", "vivavoce.toml"))


def load_config(
    flags: Mapping[str, Any] | None = None, *, profile: EngineProfile = "local", file: Path | None = None
) -> Config:
    """Read the configuration. ``flags`` holds only what was given on the command line; ``file`` is ``--config``.

    Raises ``pydantic.ValidationError`` naming the field when a value does not fit, and ``FileNotFoundError`` when
    ``file`` is not there.
    """
    values = {key: value for key, value in (flags or {}).items() if value is not None}
    if profile == "fake":
        values["engines"] = FAKE_ENGINES
    if file is None:
        return Config(**values)
    if not file.is_file():
        raise FileNotFoundError(f"There is no configuration file {file}.")

    class ConfigFromFile(Config):
        model_config = SettingsConfigDict(toml_file=file)

    return ConfigFromFile(**values)
