"""The ``vivavoce`` command. One file a command; what several share lies in ``options`` and ``local_server``."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from vivavoce import __version__
from vivavoce.cli import bench, doctor, keys, models, personas, profiles, say, serve, talk, transcribe, voices
from vivavoce.errors import ConfigError, VivavoceError


class ReportingGroup(TyperGroup):
    """Shows the errors Vivavoce raises on purpose as a message without a trace.

    The exit code is 1, and 2 for what the user has to put right in the command or the configuration.
    """

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except VivavoceError as error:
            Console(stderr=True).print(str(error), style="red", highlight=False, markup=False, soft_wrap=True)
            raise typer.Exit(2 if isinstance(error, ConfigError) else 1) from error


app = typer.Typer(
    cls=ReportingGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # a plain trace can be read in a log as well
    help="Vivavoce: an open, self-hosted voice dialogue platform.",
)


def _show_version(show: bool) -> None:
    if show:
        typer.echo(f"vivavoce {__version__}")
        raise typer.Exit


@app.callback()
def vivavoce(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Vivavoce: an open, self-hosted voice dialogue platform."""


app.command()(serve.serve)
app.command()(talk.talk)
app.command()(say.say)
app.command()(transcribe.transcribe)
app.command()(doctor.doctor)
app.command()(profiles.profiles)
app.command("personas")(personas.list_personas)
app.add_typer(models.app, name="models")
app.add_typer(keys.app, name="keys")
app.add_typer(voices.app, name="voices")
app.add_typer(bench.app, name="bench")
