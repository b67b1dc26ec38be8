"""The names models are asked for by: one table of those the hosted platforms and common clients use.

A name means what the most specific of these says: the name of a tier itself; the configured aliases (``[tiers.aliases]``);
``MODEL_NAMES``. In each, a name written out comes before a pattern, a pattern with more letters before one with fewer, and
of equal ones the first.

To add a name, add a row to ``MODEL_NAMES`` and to the table of docs/realtime.md, "Model names", which a test compares.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

from vivavoce.errors import ClientError
from vivavoce.protocol.usage import OPENAI_RATES, STEPFUN_RATES, AudioRates

if TYPE_CHECKING:
    from vivavoce.protocol.dialect import DialectName

ModelKind: TypeAlias = Literal["conversation", "transcription", "speech", "embedding"]


@dataclass(frozen=True, slots=True)
class ModelName:
    """A row: names that match ``pattern`` (with ``*`` for anything) are served by ``serves``.

    ``serves`` is a tier for conversations, one of ``SPEECH_MODELS`` for speech, ``RECOGNIZER`` for transcription,
    ``EMBEDDER`` for embeddings.
    ``dialect`` is what Realtime clients that use the name speak. ``listed`` are names worth showing in ``GET /v1/models``.
    """

    pattern: str
    kind: ModelKind
    serves: str
    dialect: DialectName = "openai"
    listed: tuple[str, ...] = ()


RECOGNIZER = "whisper-1"
"""What every transcription model means: there is one recogniser."""

EMBEDDER = "text-embedding-3-small"
"""What every embedding model means, likewise."""


def _rows(
    kind: ModelKind, dialect: DialectName, *rows: tuple[str, str] | tuple[str, str, tuple[str, ...]]
) -> Iterator[ModelName]:
    for pattern, serves, *listed in rows:
        yield ModelName(pattern, kind, serves, dialect, *listed)


MODEL_NAMES: tuple[ModelName, ...] = (
    *_rows(
        "conversation",
        "openai_beta",
        ("gpt-4o-realtime-preview*", "step-audio-2", ("gpt-4o-realtime-preview",)),
        ("gpt-4o-mini-realtime-preview*", "step-audio-2-mini", ("gpt-4o-mini-realtime-preview",)),
    ),
    *_rows(
        "conversation",
        "openai",
        ("gpt-realtime*", "step-audio-2", ("gpt-realtime", "gpt-realtime-2")),
        ("gpt-realtime*-mini*", "step-audio-2-mini", ("gpt-realtime-mini",)),
        ("gpt-*-realtime*", "step-audio-2"),
        ("gpt-*-realtime*-mini*", "step-audio-2-mini"),
        ("gpt-*-mini-realtime*", "step-audio-2-mini"),
        ("gpt-audio*", "step-audio-2", ("gpt-audio",)),
        ("gpt-audio*-mini*", "step-audio-2-mini", ("gpt-audio-mini",)),
        ("gpt-4o*", "step-audio-2", ("gpt-4o", "gpt-4o-audio-preview")),
        ("gpt-4o-mini*", "step-audio-2-mini", ("gpt-4o-mini", "gpt-4o-mini-audio-preview")),
        ("chatgpt-*", "step-audio-2"),
        ("gpt-3.5*", "step-audio-2-mini"),
        ("gpt-4", "step-audio-2"),
        ("gpt-4-*", "step-audio-2"),
        ("gpt-4.*", "step-audio-2", ("gpt-4.1",)),
        ("gpt-4.*-mini*", "step-audio-2-mini", ("gpt-4.1-mini",)),
        ("gpt-4.*-nano*", "step-audio-2-mini"),
        ("gpt-5*", "step-audio-2", ("gpt-5",)),
        ("gpt-5*-mini*", "step-audio-2-mini", ("gpt-5-mini",)),
        ("gpt-5*-nano*", "step-audio-2-mini"),
        ("gpt-6*", "step-audio-2"),
        ("gpt-6*-mini*", "step-audio-2-mini"),
        ("gpt-6*-nano*", "step-audio-2-mini"),
        ("o1", "step-audio-r1.1"),
        ("o1-*", "step-audio-r1.1"),
        ("o3", "step-audio-r1.1"),
        ("o3-*", "step-audio-r1.1"),
        ("o4", "step-audio-r1.1"),
        ("o4-*", "step-audio-r1.1"),
    ),
    *_rows(
        "conversation",
        "stepfun",
        ("step-audio-r1*", "step-audio-r1.1", ("step-audio-r1.5",)),
        ("step-audio-2*", "step-audio-2"),
        ("step-audio-2-mini*", "step-audio-2-mini"),
        ("step-audio-2-think*", "step-audio-r1.1", ("step-audio-2-think",)),
        ("step-audio-2-mini-think*", "step-audio-r1.1"),
        ("step-audio-3*", "step-audio-2"),
        ("step-1o-audio*", "step-1o-audio"),
        ("stepaudio-2*", "step-audio-2", ("stepaudio-2.5-realtime", "stepaudio-2.5-chat")),
        ("stepaudio-3*", "step-audio-2", ("stepaudio-3-realtime-preview", "stepaudio-3-chat-preview")),
        ("stepaudio-*-realtime*", "step-audio-2"),
        ("stepaudio-*-chat*", "step-audio-2"),
        ("step-1-*", "step-audio-2"),
        ("step-2-*", "step-audio-2"),
        ("step-2-mini*", "step-audio-2-mini"),
        ("step-3*", "step-audio-2"),
    ),
    *_rows(
        "transcription",
        "openai",
        ("whisper-*", RECOGNIZER, ("whisper-1",)),
        ("gpt-transcribe*", RECOGNIZER),
        ("gpt-*-transcribe*", RECOGNIZER, ("gpt-4o-transcribe", "gpt-4o-mini-transcribe")),
        ("gpt-realtime-whisper*", RECOGNIZER),
        ("*whisper*", RECOGNIZER),
        ("*Whisper*", RECOGNIZER),
        ("large-v*", RECOGNIZER),
        ("distil-large-v*", RECOGNIZER),
    ),
    *_rows(
        "transcription",
        "stepfun",
        ("step-asr*", RECOGNIZER, ("step-asr", "step-asr-1.1")),
        ("stepaudio-*-asr*", RECOGNIZER, ("stepaudio-2.5-asr", "stepaudio-2-asr-pro")),
    ),
    *_rows(
        "speech",
        "stepfun",
        ("step-tts-*", "step-tts-2", ("step-tts-2",)),
        ("step-tts-mini*", "step-tts-mini", ("step-tts-mini",)),
        ("step-tts-vivid*", "step-tts-vivid", ("step-tts-vivid",)),
        ("stepaudio-2.5-tts*", "stepaudio-2.5-tts", ("stepaudio-2.5-tts",)),
        ("stepaudio-*-tts*", "stepaudio-3-tts", ("stepaudio-3-tts",)),
    ),
    *_rows(
        "speech",
        "openai",
        ("tts-1", "tts-1", ("tts-1",)),
        ("tts-1-1106", "tts-1"),
        ("tts-1-20*", "tts-1"),
        ("tts-1-hd", "tts-1-hd", ("tts-1-hd",)),
        ("tts-1-hd-1106", "tts-1-hd"),
        ("tts-1-hd-20*", "tts-1-hd"),
        ("gpt-*-tts*", "gpt-4o-mini-tts"),
        ("gpt-*-mini-tts*", "gpt-4o-mini-tts", ("gpt-4o-mini-tts",)),
        ("kokoro*", "kokoro", ("kokoro",)),
        ("*/kokoro*", "kokoro"),
        ("*/Kokoro*", "kokoro"),
    ),
    *_rows(
        "embedding",
        "openai",
        ("text-embedding*", EMBEDDER, ("text-embedding-3-small", "text-embedding-3-large", "text-embedding-ada-002")),
        ("*-e5-*", EMBEDDER, ("multilingual-e5-small",)),
        ("nomic-embed*", EMBEDDER),
        ("*MiniLM*", EMBEDDER),
    ),
)  # fmt: skip
"""Thinking models go to the thinking tier, small ones to the small tier, all others to ``step-audio-2``."""

TARGETS: Mapping[str, ModelKind] = MappingProxyType({row.serves: row.kind for row in MODEL_NAMES})
"""What an alias can mean: every model of this server, and its kind."""

_NAME = re.compile(r"[A-Za-z0-9._:/@+-]{1,128}")
"""What a model name may be made of, since it is echoed and logged."""

NO_ALIASES: Mapping[str, str] = MappingProxyType({})


def served_by(name: str, kind: ModelKind, aliases: Mapping[str, str] = NO_ALIASES) -> str | None:
    """The model of this server that serves ``name``; ``None`` when there is none of this kind.

    ``aliases`` are the configured ones, of which those of this kind count.
    """
    if kind == "conversation" and TARGETS.get(name) == kind:
        return name
    if not _NAME.fullmatch(name):
        return None
    own = _best(name, [pattern for pattern, target in aliases.items() if TARGETS[target] == kind])
    if own is not None:
        return aliases[own]
    row = _row(name)
    return row.serves if row is not None and row.kind == kind else None


def model_behind(name: str, kind: ModelKind, aliases: Mapping[str, str] = NO_ALIASES, *, param: str = "model") -> str:
    """As ``served_by``. Raises ``ClientError`` (``model_not_found``, naming what there is) when nothing serves it."""
    served = served_by(name, kind, aliases)
    if served is None:
        raise _unknown_model(name, kind, param)
    return served


def audio_rates(name: str) -> AudioRates:
    """What a second of audio counts for this model: what it does at the platform it comes from."""
    return STEPFUN_RATES if default_dialect(name) == "stepfun" else OPENAI_RATES


def default_dialect(name: str) -> DialectName:
    """What a connection for this model speaks when nothing else decides (OpenAI differences, section 1).

    The dialect of the name's row; OpenAI's GA for any other ``gpt-*``, StepFun's for everything else.
    """
    row = _row(name)
    if row is not None:
        return row.dialect
    return "openai" if name.startswith("gpt-") else "stepfun"


def listed_names(kind: ModelKind) -> tuple[str, ...]:
    """The names of this kind worth listing, since patterns cannot be."""
    names = (name for row in MODEL_NAMES if row.kind == kind for name in row.listed)
    return tuple(dict.fromkeys(names))


def _unknown_model(name: str, kind: ModelKind, param: str) -> ClientError:
    """The refusal of a name (``model_not_found``): what it is like, what there is, and where to add it."""
    shortened = name[:100]
    message = {
        "conversation": f"The model '{shortened}' does not exist" if name else "The request names no model",
        "transcription": f"model {shortened} not supported",  # the platform's words
        "speech": f"The model '{shortened}' does not speak",
        "embedding": f"The model '{shortened}' does not embed texts",
    }[kind]
    other = _row(name) if _NAME.fullmatch(name) else None
    listed = listed_names(kind)
    if other is not None and other.kind != kind:
        message += f" (it is a model for {other.kind})"
    elif near := get_close_matches(name[:100], [*TARGETS, *listed], 1, 0.75):
        message += f": did you mean '{near[0]}'?"
    models = [target for target, of in TARGETS.items() if of == kind]
    few = [candidate for candidate in listed if candidate not in models][:6]
    return ClientError(
        f"{message}{'' if message.endswith('?') else '.'} This server has {', '.join(models)}"
        f"{', and answers to ' + ', '.join(few) + ' and the like' if few else ''}. "
        "Its configuration can give other names to these: [tiers.aliases].",
        code="model_not_found",
        param=param,
    )


def _row(name: str) -> ModelName | None:
    best = _best(name, [row.pattern for row in MODEL_NAMES])
    return next((row for row in MODEL_NAMES if row.pattern == best), None)


def _best(name: str, patterns: Iterable[str]) -> str | None:
    matching = [pattern for pattern in patterns if fnmatchcase(name, pattern)]
    return max(matching, key=lambda pattern: (pattern == name, len(pattern.replace("*", ""))), default=None)
