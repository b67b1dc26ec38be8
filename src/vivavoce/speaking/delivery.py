"""How something is to be said: a voice label and an instruction, and what of them cannot be done.

What only colours the delivery and is not understood is left undone and named in the answer, because the words are still right
and an application written for the platform goes on talking.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias, TypeVar, cast

from vivavoce.errors import ClientError
from vivavoce.speaking.instructions import style_of
from vivavoce.speaking.labels import DIALECTS, EMOTIONS, LANGUAGES, STYLES, Dialect
from vivavoce.speaking_style import PLAIN, Control, SpeakingStyle
from vivavoce.types import Language

KINDS = ("language", "emotion", "style")

VoiceLabel: TypeAlias = Mapping[str, str | None]
"""One of ``KINDS`` and its value."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Delivery:
    """``style`` of the voice; ``language`` reads text that could be in two, ``dialect`` is one whose words are wanted.

    ``unsupported`` names what is left out.
    """

    style: SpeakingStyle = PLAIN
    language: Language | None = None
    dialect: Dialect | None = None
    unsupported: tuple[str, ...] = ()


def delivery(label: VoiceLabel | None, instruction: str | None, *, param: str = "voice_label") -> Delivery:
    """What comes of a voice label and an instruction. Raises ``ClientError`` for a label there is not."""
    style, whole = style_of(instruction) if instruction and instruction.strip() else (PLAIN, True)
    unsupported = () if whole else ("instruction",)
    labels = {kind: value for kind, value in (label or {}).items() if kind in KINDS and value}
    if len(labels) > 1:
        raise ClientError(f"'{param}' takes one of {', '.join(KINDS)}, not {' and '.join(labels)}.", param=param)
    for kind, value in labels.items():
        if kind == "language":
            language = _choice(LANGUAGES, value, "language label", f"{param}.{kind}")
            if language in DIALECTS:
                return Delivery(
                    style, dialect=cast(Dialect, language), unsupported=(*unsupported, f"voice_label.{kind}")
                )
            return Delivery(style, language=language, unsupported=unsupported)
        of_label = _choice(EMOTIONS if kind == "emotion" else STYLES, value, kind, f"{param}.{kind}")
        if of_label is None:
            return Delivery(style, unsupported=(*unsupported, f"voice_label.{kind}"))
        return Delivery(style.then(of_label), unsupported=unsupported)
    return Delivery(style, unsupported=unsupported)


def beyond(style: SpeakingStyle, controls: frozenset[Control]) -> tuple[str, ...]:
    """What of ``style`` a voice with these ``controls`` leaves undone, by name."""
    return tuple(sorted(style.needs - controls))


def _choice(choices: Mapping[str, T], value: str, what: str, param: str) -> T:
    if value not in choices:
        raise ClientError(f"'{value[:40]}' is no {what}; there are {', '.join(choices)}.", param=param)
    return choices[value]
