"""How something is to be said: voice labels, instructions, and what the voices here can do about them.

The voices change their speed and their language, nothing else. What only colours the delivery (an emotion, an instruction)
is left undone and named in the answer, because the words are still right and an application written for the platform goes
on talking. What would be another language (Cantonese read as Mandarin) is refused: those words would be wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vivavoce.errors import ClientError
from vivavoce.types import Language

SPEEDS: Mapping[str, float] = MappingProxyType({"极慢": 0.65, "慢速": 0.8, "快速": 1.25, "极快": 1.5})
"""Styles that are speeds: very slow, slow, fast, very fast; the speed asked for is multiplied by them."""

STYLES = frozenset(
    ["冷漠", "尴尬", "沮丧", "骄傲", "温柔", "甜美", "豪爽", "严肃", "傲慢", "老年", "吼叫", "阴阳怪气", "磕巴"]
)
EMOTIONS = frozenset(["高兴", "非常高兴", "悲伤", "生气", "非常生气", "撒娇", "恐惧", "惊讶", "兴奋", "钦佩", "困惑"])
LANGUAGES: Mapping[str, Language | None] = MappingProxyType({"日语": "ja", "粤语": None, "四川话": None})
"""Language labels (audio reference, section 6); ``None``: nobody here speaks it."""

KINDS = ("language", "emotion", "style")


@dataclass(frozen=True, slots=True)
class Delivery:
    """``speed`` multiplies the one asked for; ``language`` reads text that could be in two; ``unsupported`` is left out."""

    speed: float = 1.0
    language: Language | None = None
    unsupported: tuple[str, ...] = ()


def delivery(
    label: Mapping[str, str | None] | None, instruction: str | None, *, param: str = "voice_label"
) -> Delivery:
    """What comes of a voice label and an instruction. Raises ``ClientError`` for a label there is not, or nobody speaks."""
    unsupported = ("instruction",) if instruction and instruction.strip() else ()
    labels = {kind: value for kind, value in (label or {}).items() if kind in KINDS and value}
    if len(labels) > 1:
        raise ClientError(f"'{param}' takes one of {', '.join(KINDS)}, not {' and '.join(labels)}.", param=param)
    for kind, value in labels.items():
        label_param = f"{param}.{kind}"
        match kind:
            case "language":
                return Delivery(language=_language(value, label_param), unsupported=unsupported)
            case "style" if value in SPEEDS:
                return Delivery(speed=SPEEDS[value], unsupported=unsupported)
        choices = {"emotion": EMOTIONS, "style": STYLES}[kind]
        if value not in choices:
            names = ", ".join(sorted(choices | (SPEEDS.keys() if kind == "style" else set())))
            raise ClientError(f"'{value[:40]}' is no {kind}; there are {names}.", param=label_param)
        return Delivery(unsupported=(*unsupported, f"voice_label.{kind}"))
    return Delivery(unsupported=unsupported)


def _language(value: str, param: str) -> Language:
    if value not in LANGUAGES:
        raise ClientError(f"'{value[:40]}' is no language label; there are {', '.join(LANGUAGES)}.", param=param)
    language = LANGUAGES[value]
    if language is None:
        raise ClientError(f"No voice of this server speaks {value}.", code="unsupported_value", param=param)
    return language
