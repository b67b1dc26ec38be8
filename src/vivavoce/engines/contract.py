"""Whether an engine can be asked what its kind is asked: looked at once, when it is loaded."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from vivavoce.engines.base import (
    Embedder,
    LanguageModel,
    Recognizer,
    Speaker,
    SpeakerVerifier,
    SpeechDetector,
    TurnScorer,
)
from vivavoce.engines.registry import EngineKind

PROTOCOLS: Mapping[EngineKind, type] = {
    "speech_detectors": SpeechDetector,
    "recognizers": Recognizer,
    "language_models": LanguageModel,
    "speakers": Speaker,
    "turn_scorers": TurnScorer,
    "speaker_verifiers": SpeakerVerifier,
    "embedders": Embedder,
}


def shortcomings(engine: object, kind: EngineKind) -> list[str]:
    """What ``engine`` lacks that engines of this kind have, a clause each."""
    return list(_shortcomings(engine, PROTOCOLS[kind]))


def _shortcomings(engine: object, protocol: type) -> Iterator[str]:
    for name, member in _members(protocol).items():
        if not hasattr(engine, name):
            yield f"it has no '{name}'"
        elif inspect.isfunction(member):
            verb, arguments = getattr(engine, name), list(inspect.signature(member).parameters)[1:]
            if "AsyncGenerator" in str(member.__annotations__["return"]) and inspect.iscoroutinefunction(verb):
                yield f"its '{name}' must yield what it has, not return it"
            if not _takes(verb, len(arguments)):
                yield f"it cannot be called as {name}({', '.join(arguments)})"


def _members(protocol: type) -> dict[str, Any]:
    """The fields and verbs of a Protocol, by name; a field is ``None``."""
    found: dict[str, Any] = {}
    for base in protocol.__mro__:
        if getattr(base, "_is_protocol", False):
            found |= dict.fromkeys(vars(base).get("__annotations__", {}))
            found |= {name: member for name, member in vars(base).items() if not name.startswith("_")}
    return found


def _takes(verb: Any, arguments: int) -> bool:
    if not callable(verb):
        return False
    try:
        inspect.signature(verb).bind(*[None] * arguments)
    except ValueError:  # native code need not tell its signature
        return True
    except TypeError:
        return False
    return True
