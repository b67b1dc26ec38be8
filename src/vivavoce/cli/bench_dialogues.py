"""What the benches that play dialogues share: a server to play them with, progress, and a transcript after each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias, TypeVar

from rich.console import Console
from rich.progress import Progress

from vivavoce.bench.turn import Target
from vivavoce.cli.local_server import server_at
from vivavoce.cli.options import EngineSet
from vivavoce.client.address import ServerAddress


class Script(Protocol):
    """A dialogue to play: what it is called, and what is said in it."""

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def turns(self) -> Sequence[object]: ...  # noqa: D102


ScriptT = TypeVar("ScriptT", bound=Script)
Scored = TypeVar("Scored")
Play: TypeAlias = Callable[[ServerAddress, Target, ScriptT, Callable[[object], None]], Awaitable[list[Scored]]]
"""Plays a script, calls its last argument after each turn, and returns the scores of all."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where dialogues are played: the server, and how they are shown. ``show``: print each as a whole."""

    console: Console
    url: str | None
    target: Target
    engines: EngineSet
    config_file: Path | None
    show: bool

    async def play_all(
        self,
        scripts: Sequence[ScriptT],
        play: Play[ScriptT, Scored],
        transcript: Callable[[Sequence[Scored]], str],
    ) -> list[Scored]:
        """Play each script, with the server that runs or one of our own."""
        scored: list[Scored] = []
        started = server_at(
            self.url, self.console, engines=self.engines, config_file=self.config_file, api_key=self.target.api_key
        )
        async with started as server:
            with Progress(console=self.console, transient=True) as progress:
                bar = progress.add_task("talking", total=sum(len(script.turns) for script in scripts))
                for script in scripts:
                    progress.update(bar, description=script.name)
                    own = await play(server, self.target.at(server), script, lambda _turn: progress.advance(bar))
                    scored += own
                    if self.show:  # at once: a long run may be ended before its end
                        self.console.print(transcript(own), markup=False, highlight=False, soft_wrap=True)
        return scored
