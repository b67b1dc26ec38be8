"""Answers kept in a file of JSON lines while a bench runs, so that a long run can be made in pieces."""

from __future__ import annotations

from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from vivavoce.errors import ConfigError

Kept = TypeVar("Kept", bound=msgspec.Struct)


class AnswerFile(Generic[Kept]):
    """The ``answers`` a file holds, and those that are added. Without a ``path`` nothing is kept.

    Raises ``ConfigError`` where the file holds something else.
    """

    def __init__(self, kind: type[Kept], path: Path | None) -> None:
        self._path = path
        lines = path.read_text("utf-8").splitlines() if path is not None and path.exists() else []
        try:
            self.answers = [msgspec.json.decode(line, type=kind) for line in lines]
        except msgspec.DecodeError as error:
            raise ConfigError(f"{path} holds no answers of this bench: {error}") from error

    def add(self, answer: Kept) -> None:
        """One more. It is written at once: a long run may be ended before its end."""
        self.answers.append(answer)
        if self._path is not None:
            with self._path.open("ab") as file:
                file.write(msgspec.json.encode(answer) + b"\n")
