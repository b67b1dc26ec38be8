"""``vivavoce personas``: which there are, and what one says."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from vivavoce.personas import persona, personas


def list_personas(
    name: Annotated[str | None, typer.Argument(help="Print this one, to be copied into a file and changed.")] = None,
) -> None:
    """List the personas for `vivavoce talk --persona NAME`, or print one of them."""
    if name is not None:
        typer.echo(msgspec.json.format(msgspec.json.encode(persona(name)), indent=2).decode())
        return
    table = Table("persona", "English", "", "中文", "", box=None)
    for each, one in personas().items():
        table.add_row(each, one.en.name, one.en.about, one.zh.name, one.zh.about)
    Console().print(table)
