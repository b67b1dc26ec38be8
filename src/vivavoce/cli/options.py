"""Options several commands share, and the configuration they make."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from vivavoce.config import FAKE_PROFILE, Config, load_config, mistakes
from vivavoce.config.profiles import NO_PROFILE
from vivavoce.errors import ConfigError


class EngineSet(StrEnum):
    """Which engines a server runs on."""

    LOCAL = "local"
    FAKE = "fake"


UrlOption = Annotated[
    str | None,
    typer.Option(
        "--url",
        help="The server to use. Default: the configured one, if it runs; without one the command loads what it needs itself.",
    ),
]
ModelOption = Annotated[str, typer.Option("--model", help="The model's name.")]
VoiceOption = Annotated[str | None, typer.Option("--voice", help="The voice that answers; else the model's own.")]
ApiKeyOption = Annotated[
    str | None,
    typer.Option(
        "--api-key",
        envvar="VIVAVOCE_KEY",
        show_envvar=True,
        help="The key to show, as a bearer token. Default: a configured one, for the configured server.",
    ),
]
EnginesOption = Annotated[
    EngineSet, typer.Option("--engines", help="local: the real models; fake: deterministic ones without weights.")
]
ProfileOption = Annotated[
    str | None,
    typer.Option("--profile", help="Engines for a machine of some size; `vivavoce profiles` lists them."),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="A TOML file of settings. Default: vivavoce.toml in this folder."),
]


def read_config(
    flags: Mapping[str, Any] | None = None, *, engines: EngineSet, file: Path | None, profile: str | None = None
) -> Config:
    """The configuration from flags, environment, file and profile. Raises ``ConfigError`` naming what does not fit."""
    if engines is EngineSet.FAKE:
        if profile is not None:
            raise ConfigError("'--engines fake' and '--profile' both choose the engines: leave one of them out.")
        profile = FAKE_PROFILE
    try:
        return load_config(flags, profile=profile or NO_PROFILE, file=file)
    except ValidationError as error:
        raise ConfigError("This configuration does not fit.\n" + "\n".join(mistakes(error, file))) from error
    except (OSError, ValueError) as error:
        raise ConfigError(str(error)) from error
