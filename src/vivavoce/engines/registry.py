"""Finds engines by name. Built-in engines come through the same entry points as foreign ones."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
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
]
LoadEngine: TypeAlias = Callable[[EngineContext], Any]


def installed(kind: EngineKind) -> dict[str, EntryPoint]:
    """Name → entry point of every engine of this kind, whoever ships it."""
    return {point.name: point for point in entry_points(group=f"vivavoce.{kind}")}


def loader(kind: EngineKind, name: str) -> LoadEngine:
    """The loader registered under ``name``. Raises ``EngineError`` naming what is installed when there is none."""
    found = installed(kind)
    if name not in found:
        raise EngineError(name, f"no such engine among {kind}; installed: {', '.join(sorted(found)) or 'none'}")
    load: LoadEngine = found[name].load()
    return load
