"""``vivavoce profiles``: which there are, and what one says."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from vivavoce.cli.machine import graphics_memory_gb, total_memory_gb, usable_cores
from vivavoce.config.profiles import PROFILES, recommended
from vivavoce.errors import ConfigError


def profiles(
    name: Annotated[str | None, typer.Argument(help="Print this one, to be copied into a file and changed.")] = None,
) -> None:
    """List the profiles for `vivavoce serve --profile NAME`, or print one of them."""
    if name is not None:
        if name not in PROFILES:
            raise ConfigError(f"There is no profile '{name}'; there are {', '.join(PROFILES)}.")
        typer.echo(PROFILES[name].file.read_text(encoding="utf-8"), nl=False)
        return
    fits = recommended(total_memory_gb(), usable_cores(), graphics_memory_gb()).name
    table = Table("profile", "memory", "cores", "weights", "what", "", box=None)
    for profile in PROFILES.values():
        sizes = f"{profile.memory_gb:g} GB", str(profile.cores), f"{profile.disk_gb:g} GB"
        table.add_row(profile.name, *sizes, profile.what, "← for this machine" if profile.name == fits else "")
    Console().print(table)
