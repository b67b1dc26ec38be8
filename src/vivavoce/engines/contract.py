"""Whether an engine can be asked what its kind is asked: looked at once, when it is loaded."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from vivavoce.engines.base import (
    Embedder,
    EndOfTurnModel,
    LanguageModel,
    Perceiver,
    Recognizer,
    SpeakerVerifier,
    SpeechDetector,
    Synthesizer,
)
from vivavoce.engines.realtime.base import RealtimeEngine
from vivavoce.engines.registry import EngineKind

PROTOCOLS: Mapping[EngineKind, type] = {
    "speech_detectors": SpeechDetector,
    "recognizers": Recognizer,
    "language_models": LanguageModel,
    "speakers": Synthesizer,
    "turn_scorers": EndOfTurnModel,
    "speaker_verifiers": SpeakerVerifier,
    "embedders": Embedder,
    "perceivers": Perceiver,
    "realtime": RealtimeEngine,
}

OPTIONAL: Mapping[EngineKind, frozenset[str]] = {"language_models": frozenset({"sentence_end"})}
"""What an engine of a kind may lack."""


def shortcomings(engine: object, kind: EngineKind) -> list[str]:
    """What ``engine`` lacks that engines of this kind have, a clause each."""
    return list(_shortcomings(engine, PROTOCOLS[kind], OPTIONAL.get(kind, frozenset())))


def _shortcomings(engine: object, protocol: type, optional: frozenset[str]) -> Iterator[str]:
    for name, member in _members(protocol).items():
        if not hasattr(engine, name):
            if name in optional:
                continue
            yield f"it has no '{name}'"
        elif inspect.isfunction(member):
            verb, arguments = getattr(engine, name), list(inspect.signature(member).parameters)[1:]
            if "AsyncGenerator" in str(member.__annotations__["return"]) and inspect.iscoroutinefunction(verb):
                yield f"its '{name}' must yield what it has, not return it"
            if not _accepts(verb, len(arguments)):
                yield f"it cannot be called as {name}({', '.join(arguments)})"


def _members(protocol: type) -> dict[str, Any]:
    """The fields and verbs of a Protocol, by name; a field is ``None``."""
    members: dict[str, Any] = {}
    for base in protocol.__mro__:
        if getattr(base, "_is_protocol", False):
            annotations = vars(base).get("__annotations__", {})
            members |= dict.fromkeys(name for name in annotations if not hasattr(base, name))  # others have a default
            members |= {
                name: member
                for name, member in vars(base).items()
                if not name.startswith("_") and name not in annotations
            }
    return members


def _accepts(verb: Any, arguments: int) -> bool:
    if not callable(verb):
        return False
    try:
        inspect.signature(verb).bind(*[None] * arguments)
    except ValueError:  # native code need not tell its signature
        return True
    except TypeError:
        return False
    return True
