"""What a pull tells while it runs, and its Rich form: one bar an entry, one line for each source given up."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from vivavoce.models.catalogue import WeightEntry


class PullProgress(Protocol):
    """Hears how a pull goes."""

    def begin(self, entry: WeightEntry, size_bytes: int) -> None:
        """Pulling of ``entry`` begins: ``size_bytes`` are missing."""

    def at(self, done_bytes: int, place: str) -> None:
        """So many bytes of the entry are here; the file at hand comes from ``place``."""

    def note(self, message: str) -> None:
        """Something the user should know."""

    def end(self, entry: WeightEntry) -> None:
        """``entry`` is whole and verified."""


class RichProgress:
    """Draws on a console; a context manager around the pull."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            TextColumn("[dim]{task.fields[place]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._bar: TaskID | None = None

    def __enter__(self) -> RichProgress:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def begin(self, entry: WeightEntry, size_bytes: int) -> None:
        """Add the entry's bar; without a terminal, say it in a line."""
        if not self._console.is_terminal:
            self._console.print(f"{entry.name}: pulling {size_bytes / 1e6:.1f} MB", highlight=False)
        self._bar = self._bars.add_task(entry.name, total=size_bytes, place="")

    def at(self, done_bytes: int, place: str) -> None:
        """Move the bar."""
        if self._bar is not None:
            self._bars.update(self._bar, completed=done_bytes, place=place)

    def note(self, message: str) -> None:
        """Print a line above the bars."""
        self._bars.console.print(message, style="yellow", highlight=False, markup=False, soft_wrap=True)

    def end(self, entry: WeightEntry) -> None:
        """Say that the entry is there."""
        if self._bar is not None:
            self._bars.update(self._bar, place="verified")
        if not self._console.is_terminal:
            self._console.print(f"{entry.name}: verified", highlight=False)
