"""``vivavoce models``: what weights there are, pull them, verify them."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from vivavoce.config import load_config
from vivavoce.errors import WeightsError
from vivavoce.models.catalogue import SourceKind, load_catalogue
from vivavoce.models.progress import RichProgress
from vivavoce.models.pull import Pull
from vivavoce.models.sources import open_sources
from vivavoce.models.store import EntryStatus, WeightStore

app = typer.Typer(help="The weights: list, pull, verify.", invoke_without_command=True, no_args_is_help=False)

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME]...", help="Catalogue names; when none is given, all that are not optional."),
]


def _open_store() -> WeightStore:
    config = load_config()
    return WeightStore(load_catalogue(), config.weights_folder, config.models)


def _fail(error: WeightsError) -> typer.Exit:
    Console(stderr=True).print(str(error), style="red", highlight=False, markup=False, soft_wrap=True)
    return typer.Exit(1)


@app.callback()
def models(context: typer.Context) -> None:
    """The weights: list, pull, verify. Without a command: list."""
    if context.invoked_subcommand is None:
        list_weights()


@app.command("list")
def list_weights() -> None:
    """List the weights: name, licence, size, and whether they are here."""
    store = _open_store()
    table = Table("name", "what", "licence", "size", "present", box=None, pad_edge=False)
    for status in store.status():
        entry = status.entry
        table.add_row(
            entry.name, entry.what, entry.licence, f"{entry.size_bytes / 1e6:.1f} MB", _location(status, store)
        )
    console = Console()
    console.print(table)
    console.print(f"Store: {store.root}", highlight=False, soft_wrap=True)
    if store.local is not None:
        console.print(f"Mounted: {store.local}", highlight=False, soft_wrap=True)


def _location(status: EntryStatus, store: WeightStore) -> str:
    if status.folder is None:
        total = len(status.entry.files)
        if len(status.missing) < total:
            return f"{total - len(status.missing)} of {total} files"
        return "no (optional)" if status.entry.optional else "no"
    return "yes" if status.folder.is_relative_to(store.root) else "yes (mounted)"


@app.command("pull")
def pull_weights(
    names: Names = None,
    source: Annotated[SourceKind | None, typer.Option(help="Use only this kind of source.")] = None,
) -> None:
    """Fetch what is missing, from the first source that gives the right bytes. Quick when all is here."""
    store = _open_store()
    console = Console(stderr=True)
    try:
        with RichProgress(console) as progress:
            Pull(store, open_sources(store.local), progress, only=source).run(names or ())
    except WeightsError as error:
        raise _fail(error) from error
    console.print("All weights are here and verified." if not names else "Verified: " + ", ".join(names))


@app.command("verify")
def verify_weights(names: Names = None) -> None:
    """Hash every file again. A wrong file in the store is removed; exit code 1 when any is wrong or missing."""
    console = Console()
    sound = True
    try:
        for check in _open_store().verify(names or ()):
            sound = sound and check.result == "ok"
            style = "green" if check.result == "ok" else "red"
            console.print(f"{check.result:8}{check.entry.name}/{check.file.name}", style=style, highlight=False)
    except WeightsError as error:
        raise _fail(error) from error
    if not sound:
        console.print("Run `vivavoce models pull` to fetch what is missing or was removed.")
        raise typer.Exit(1)
