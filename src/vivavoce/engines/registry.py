"""Finds engines by name. Built-in engines come through the same entry points as foreign ones."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import lru_cache
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from typing import Any, Literal, TypeAlias

from vivavoce.engines.base import EngineContext
from vivavoce.errors import EngineError

EngineKind: TypeAlias = Literal[
    "speech_detectors",
    "recognizers",
    "language_models",
    "speakers",
    "turn_scorers",
    "speaker_verifiers",
    "embedders",
    "perceivers",
    "realtime",
]
LoadEngine: TypeAlias = Callable[[EngineContext], Any]


def installed(kind: EngineKind) -> dict[str, EntryPoint]:
    """Name → entry point of every engine of this kind, whoever ships it."""
    points: EntryPoints = _entry_points(tuple(sys.path)).select(group=f"vivavoce.{kind}")
    return {point.name: point for point in points}


@lru_cache(maxsize=1)
def _entry_points(_path: tuple[str, ...]) -> Any:
    """All there are where Python looks for packages: finding them opens a file of every installed package.

    Their type is another one in Python 3.11 than from 3.12 on; both have ``select``.
    """
    return entry_points()


def loader(kind: EngineKind, name: str) -> LoadEngine:
    """The loader registered under ``name``. Raises ``EngineError`` naming what is installed when there is none."""
    engines = installed(kind)
    if name not in engines:
        raise EngineError(name, f"no such engine among {kind}; installed: {', '.join(sorted(engines)) or 'none'}")
    load: LoadEngine = engines[name].load()
    return load
