"""The one typed configuration object, read once at start: defaults < file < environment < flags.

The file is TOML (``--config``, or ``VIVAVOCE_CONFIG``, or ``vivavoce.toml`` in the working folder). Environment variables
start with ``VIVAVOCE_`` and name nested fields with two underscores: ``VIVAVOCE_LIMITS__SESSIONS=8``. A setting nobody knows
is refused wherever it stands. Nothing else in the program reads the environment.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from platformdirs import user_cache_path, user_data_path
from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from vivavoce.config.engines import FAKE_ENGINES, EnginesConfig
from vivavoce.config.keeping import KnowledgeConfig, StorageConfig, VoicesConfig
from vivavoce.config.mistakes import explained, unknown_variables
from vivavoce.config.outbound import McpConfig, NetConfig, ToolsConfig, WebSearchConfig
from vivavoce.config.profiles import NO_PROFILE, PROFILES, profile_values
from vivavoce.config.serving import (
    AuthConfig,
    HttpConfig,
    LimitsConfig,
    PerceptionConfig,
    PersonaConfig,
    ThinkingConfig,
    TiersConfig,
    TlsConfig,
    TurnsConfig,
)

FAKE_PROFILE = "fake"
"""The profile without weights, for tests: it is no file."""


class Config(BaseSettings):
    """Everything that can be set. Frozen: made once by ``load_config`` and passed on.

    ``home`` is one folder for all that is kept; without it weights are in the user's cache folder and everything else in
    their data folder. ``models`` is a folder that has weights already.
    """

    model_config = SettingsConfigDict(
        env_prefix="VIVAVOCE_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
        hide_input_in_errors=True,  # it may be a key
    )

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    home: Path | None = None
    models: Path | None = None
    threads: int = Field(default_factory=lambda: min(os.cpu_count() or 2, 8), ge=1)
    engines: EnginesConfig = Field(default_factory=EnginesConfig)
    limits: LimitsConfig = Field(default_factory=LimitsConfig)
    turns: TurnsConfig = Field(default_factory=TurnsConfig)
    perception: PerceptionConfig = Field(default_factory=PerceptionConfig)
    thinking: ThinkingConfig = Field(default_factory=ThinkingConfig)
    auth: AuthConfig = Field(default_factory=AuthConfig)
    tls: TlsConfig = Field(default_factory=TlsConfig)
    persona: PersonaConfig = Field(default_factory=PersonaConfig)
    tiers: TiersConfig = Field(default_factory=TiersConfig)
    storage: StorageConfig = Field(default_factory=StorageConfig)
    http: HttpConfig = Field(default_factory=HttpConfig)
    net: NetConfig = Field(default_factory=NetConfig)
    voices: VoicesConfig = Field(default_factory=VoicesConfig)
    web_search: WebSearchConfig = Field(default_factory=WebSearchConfig)
    knowledge: KnowledgeConfig = Field(default_factory=KnowledgeConfig)
    tools: ToolsConfig = Field(default_factory=ToolsConfig)
    mcp: McpConfig = Field(default_factory=McpConfig)
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @model_validator(mode="before")
    @classmethod
    def _check_variables(cls, values: dict[str, Any]) -> dict[str, Any]:
        if unknown := unknown_variables(os.environ, cls):
            raise ValueError(" ".join(unknown))
        # An empty variable is how many tools leave a folder out; it must not become the working folder.
        return {name: value for name, value in values.items() if name not in ("home", "models") or value != ""}

    @field_validator("port", mode="before")
    @classmethod
    def _is_no_service_link(cls, port: object) -> object:
        if isinstance(port, str) and port.startswith("tcp://"):
            raise ValueError("Kubernetes sets this for a service named 'vivavoce': turn enableServiceLinks off")
        return port

    @property
    def data_folder(self) -> Path:
        """Where the database, files and the certificate are, unless ``storage`` says otherwise."""
        return self.home or user_data_path("vivavoce")

    @property
    def cache_folder(self) -> Path:
        """Where weights are, which can be pulled again."""
        return self.home or user_cache_path("vivavoce")

    @property
    def weights_folder(self) -> Path:
        """The folder pulled weights land in."""
        return self.cache_folder / "models"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags win over the environment, the environment over the file, the file over the profile."""
        file = TomlConfigSettingsSource(settings_cls, settings_cls.model_config.get("toml_file"))
        name = getattr(settings_cls, "profile", NO_PROFILE)
        profile = profile_values(name, (init_settings(), env_settings(), file())) if name != NO_PROFILE else {}
        return init_settings, env_settings, file, InitSettingsSource(settings_cls, profile)


def config_file(path: Path | None = None) -> Path | None:
    """The file to read: the one ``path``, else that of ``VIVAVOCE_CONFIG``, else ``vivavoce.toml`` if it is there.

    Raises ``FileNotFoundError`` when one that was named is not there.
    """
    variable = os.environ.get("VIVAVOCE_CONFIG")
    file = path or (Path(variable) if variable else Path("vivavoce.toml"))
    if file.is_file():
        return file
    if path or variable:
        raise FileNotFoundError(f"There is no configuration file {file}{'' if path else ' (VIVAVOCE_CONFIG)'}.")
    return None


def load_config(
    flags: Mapping[str, Any] | None = None, *, profile: str = NO_PROFILE, file: Path | None = None
) -> Config:
    """Read the configuration. ``flags`` holds only what was given on the command line; ``file`` is ``--config``. ``profile`` is
    one of ``PROFILES``, or ``FAKE_PROFILE``, whose engines come before all that is said of engines elsewhere.

    Raises ``pydantic.ValidationError`` naming the field when a value does not fit or there is no such setting,
    ``FileNotFoundError`` when a named file is not there, and ``ValueError`` when the file or a variable cannot be parsed.
    """
    values = {key: value for key, value in (flags or {}).items() if value is not None}
    if profile == FAKE_PROFILE:
        values["engines"] = FAKE_ENGINES
    elif profile not in PROFILES:
        raise ValueError(f"There is no profile '{profile}'; there are {', '.join(PROFILES)}.")
    read = config_file(file)
    name = NO_PROFILE if profile == FAKE_PROFILE else profile

    class ConfigFromFile(Config):
        model_config = SettingsConfigDict(toml_file=read)
        profile: ClassVar[str] = name

    try:
        return ConfigFromFile(**values)
    except SettingsError as error:
        raise ValueError(_not_json(error)) from error
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{read} is not TOML: {error}.") from error


def mistakes(error: ValidationError, file: Path | None) -> list[str]:
    """What ``load_config`` refused, a sentence each, for the one who wrote it; ``file`` is ``--config``."""
    return explained(error, Config, os.environ, config_file(file))


def _not_json(error: SettingsError) -> str:
    """Pydantic names the table only; the variables that may be meant are found by it."""
    field = re.search(r'field "(\w+)"', str(error))
    start = f"VIVAVOCE_{field[1]}".upper() if field else "VIVAVOCE_"
    names = ", ".join(name for name in os.environ if name.upper().startswith(start))
    return f'A list or a table in the environment has to be JSON, such as ["hibari"]: look at {names}.'
