"""Options several commands share, and the configuration they make."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from vivavoce.config import Config, load_config, mistakes
from vivavoce.errors import ConfigError


class Engines(StrEnum):
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
    Engines, typer.Option("--engines", help="local: the real models; fake: deterministic ones without weights.")
]
ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="A TOML file of settings. Default: vivavoce.toml in this folder."),
]


def read_config(flags: Mapping[str, Any] | None = None, *, engines: Engines, file: Path | None) -> Config:
    """The configuration from flags, environment and file. Raises ``ConfigError`` naming what does not fit."""
    try:
        return load_config(flags, profile="fake" if engines is Engines.FAKE else "local", file=file)
    except ValidationError as error:
        raise ConfigError("This configuration does not fit.\n" + "\n".join(mistakes(error, file))) from error
    except (OSError, ValueError) as error:
        raise ConfigError(str(error)) from error
