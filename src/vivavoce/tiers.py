"""The four tiers, and what a model name means here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from vivavoce.errors import ClientError

if TYPE_CHECKING:
    from vivavoce.protocol.dialect import DialectName


@dataclass(frozen=True, slots=True)
class Tier:
    """A model name clients ask for.

    ``language_model`` names an entry of the configuration; ``default_voice`` is what ``session.created`` shows;
    ``own_voices`` whether it speaks with voices users made (Realtime reference, section 2.4).
    """

    name: str
    description: str
    language_model: str
    default_voice: str = "qingchunshaonv"
    own_voices: bool = True


TIERS: Mapping[str, Tier] = {
    tier.name: tier
    for tier in (
        Tier("step-audio-r1.1", "deep sound understanding, thinks while speaking", "large"),
        Tier("step-audio-2", "understanding, cloned voices, tools, search", "large"),
        Tier("step-audio-2-mini", "light and fast", "small", own_voices=False),
        Tier("step-1o-audio", "preset voices, tools", "large", default_voice="linjiajiejie", own_voices=False),
    )
}

BUILT_IN_ALIASES: Mapping[str, str] = {
    "gpt-realtime*": "step-audio-2",
    "gpt-realtime*-mini*": "step-audio-2-mini",
    "gpt-4o-realtime-preview*": "step-audio-2",
    "gpt-4o-mini-realtime-preview*": "step-audio-2-mini",
    "step-audio-2-think*": "step-audio-r1.1",
    "step-audio-2-mini-think*": "step-audio-r1.1",
    "step-audio-r1*": "step-audio-r1.1",
    "stepaudio-*-realtime*": "step-audio-2",
    "step-1o-audio*": "step-1o-audio",
    "stepaudio-*-chat*": "step-audio-2",
    "gpt-audio*": "step-audio-2",
    "gpt-audio*-mini*": "step-audio-2-mini",
    "gpt-4o-audio-preview*": "step-audio-2",
    "gpt-4o-mini-audio-preview*": "step-audio-2-mini",
    "gpt-4o": "step-audio-2",
    "gpt-4o-20*": "step-audio-2",
    "gpt-4o-mini": "step-audio-2-mini",
    "gpt-4o-mini-20*": "step-audio-2-mini",
}
"""Names of the hosted platforms, so that an application keeps the one it has. Thinking models go to the thinking tier."""

KNOWN_ALIASES = (
    "step-audio-2-think",
    "step-audio-r1.5",
    "stepaudio-2.5-realtime",
    "stepaudio-2.5-chat",
    "gpt-realtime",
    "gpt-realtime-mini",
    "gpt-audio",
    "gpt-audio-mini",
    "gpt-4o",
    "gpt-4o-mini",
    "gpt-4o-audio-preview",
    "gpt-4o-mini-audio-preview",
    "gpt-4o-realtime-preview",
    "gpt-4o-mini-realtime-preview",
)
"""Aliases worth listing: patterns cannot be."""

TRANSCRIPTION_MODELS = (
    "whisper-*",
    "gpt-transcribe*",
    "gpt-4o-transcribe*",
    "gpt-4o-mini-transcribe*",
    "step-asr*",
    "stepaudio-*-asr*",
)
"""What transcriptions are asked of, on either platform. There is one recogniser: it serves them all."""

KNOWN_TRANSCRIPTION_MODELS = (
    "step-asr",
    "step-asr-1.1",
    "stepaudio-2.5-asr",
    "stepaudio-2-asr-pro",
    "whisper-1",
    "gpt-4o-transcribe",
    "gpt-4o-mini-transcribe",
)
"""Of these, those worth listing."""

_DIALECTS: tuple[tuple[str, DialectName], ...] = (
    ("gpt-4o-realtime-preview*", "openai_beta"),
    ("gpt-4o-mini-realtime-preview*", "openai_beta"),
    ("gpt-*", "openai"),
    ("whisper-*", "openai"),
)


_NAME = re.compile(r"[A-Za-z0-9._:/@+-]{1,128}")
"""What a model name may be made of, since it is echoed and logged."""


def default_dialect(model: str) -> DialectName:
    """What a connection for this model speaks when nothing else decides: the preview models were OpenAI's beta,
    its later ones are GA, and everything else is StepFun's (OpenAI differences, section 1).
    """
    return next((dialect for pattern, dialect in _DIALECTS if fnmatchcase(model, pattern)), "stepfun")


@dataclass(frozen=True, slots=True)
class Model:
    """The name a client asked for, which is echoed in ``session.model``, and the tier that serves it."""

    name: str
    tier: Tier


def tier(name: str, aliases: Mapping[str, str] | None = None) -> Tier:
    """The tier of this model name: its own name, an alias of ``aliases`` (configured), or a built-in one.

    Of several patterns that match, the longest says most and wins. Raises ``ClientError`` (``model_not_found``) naming
    the tiers there are.
    """
    if name in TIERS:
        return TIERS[name]
    for table in (aliases or {}, BUILT_IN_ALIASES) if _NAME.fullmatch(name) else ():
        matching = [pattern for pattern in table if fnmatchcase(name, pattern)]
        if matching:
            return TIERS[table[max(matching, key=len)]]
    raise ClientError(
        f"The model '{name[:100]}' does not exist; this server has {', '.join(TIERS)}.",
        code="model_not_found",
        param="model",
    )


def model_of(name: str, aliases: Mapping[str, str], default: str, *, transcription: bool = False) -> Model:
    """The model a client asked for. Raises ``ClientError`` (``model_not_found``).

    A connection that only transcribes may name a transcription model: the tier ``default`` serves it.
    """
    if transcription and transcribes(name):
        return Model(name, TIERS[default])
    return Model(name, tier(name, aliases))


def transcribes(name: str) -> bool:
    """Whether this is the name of a transcription model."""
    return bool(_NAME.fullmatch(name)) and any(fnmatchcase(name, pattern) for pattern in TRANSCRIPTION_MODELS)


def require_transcription(name: str, param: str = "model") -> None:
    """Raises ``ClientError`` (``model_not_found``, in the platform's words) for a model that does not transcribe."""
    if not transcribes(name):
        raise ClientError(f"model {name[:100]} not supported", code="model_not_found", param=param)
