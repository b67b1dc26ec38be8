"""A call put right: the user corrects what a function was just called with, or is about to be. Pure.

"No, four seven one *three* two." asks for nothing by itself: no classifier takes it for a request, and a small model answers it
with the old number as often as not. Its meaning is the call before it. A number or code takes the place of the one that was
there; for names only the function is known, and the model writes its arguments anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vivavoce.ids import random_id
from vivavoce.text.inverse import inverse_normalized
from vivavoce.text.scripts import written_language
from vivavoce.tools.provenance import LEAST_DIGITS, parsed
from vivavoce.types import Message, ToolCall

_PUTS_RIGHT = re.compile(
    r"^\W*(?:no|nope|nah|oops|i(?:['’]m| am) (?:so |very )?sorry|apologies|sorry|actually|wait|oh|hang on"
    r"|hold on|correction|pardon|excuse me|i beg your pardon|my (?:mistake|bad))\b"
    r"|\b(?:i|we) (?:said|meant|mean)\b|\b(?:wrong|mistake|misheard|misspoke|mixed up|instead|rather)\b|\bnot\b"
    r"|^\W*(?:不+[，,。、 ]|不对|不是|哎|唉|错了|不好意思|抱歉|对不起|等一下|等等|哦|啊)|[说听搞弄记写报]错|[，,](?:而)?不是"
    r"|说的是|应该是|更正|改成|而是"
    r"|^\W*(?:いや|いえ|いいえ|すみません|ごめん|あ、)|違い|違う|間違|ではなく|じゃなく|訂正",
    re.IGNORECASE,
)
"""How somebody begins who puts right what was understood, or what they said themselves."""

_PLACE = r"(?:in |to |on |at |for |with |the |doctor |mr |mrs )*"
_NAMES_ANEW = re.compile(
    r"\b(?:i|we) (?:said|meant|mean) (?!that\b|it\b|so\b|no\b|yes\b|to\b|you\b|i\b|what\b|the same\b)\w"
    rf"|(?<!do )(?<!did )(?<!does )(?<!have )(?<!am )(?<!is )(?<!are )(?<!would )(?<!should )(?<!will )\bnot {_PLACE}"
    r"(?!now|yet|today|really|sure|that|this|necessary|needed|anymore|at all)\w+(?: but\b|[,.;] (?:it'?s |i )?(?!thank)\w)"
    rf"|\b(?!no\b|nope\b|sorry\b|please\b|thanks\b|better\b|why\b)\w+, not {_PLACE}(?!now|yet|today|really|sure)\w+\W*$"
    r"|\bmake (?:it|that) (?!quick|short|fast)\w"
    r"|不是[^，,。？?]{1,12}[，,。]?(?:是|而是|我说的)|是[^，,。？?不]{1,12}[，,]?(?:而)?不是[^，,。？?]|我?(?:说的|要的)是|应该是[^。？?]|(?:ではなく|じゃなく)"
    r"|(?:说错|听错|搞错|弄错)了?[，,。]?.{0,4}是.",
    re.IGNORECASE,
)
"""How they name the other one where it is no number."""

_CODE = re.compile(
    rf"(?<![A-Za-z\d-])(?:[A-Z]{{1,4}} |[A-Za-z]{{1,4}}-?)?\d{{{LEAST_DIGITS},}}(?![A-Za-z\d-])"
    rf"|(?<![A-Za-z\d])\d{{{LEAST_DIGITS},}}(?!\d)"
)
"""A number, or letters and a number; ordinary words before a number are none of it."""

_PARTS = re.compile(r"([A-Za-z]*)[- ]?(\d+)")


@dataclass(frozen=True, slots=True)
class Correction:
    """The function with the ``name`` is to be called anew, as ``call`` says where that is known."""

    name: str
    call: ToolCall | None = None


def correction_of(messages: Sequence[Message], asked: ToolCall | None = None) -> Correction | None:
    """What the user's last words put right: the call ``asked`` about just before, else the last one made since they spoke
    before; ``None`` where they put nothing right."""
    before = asked or _last_call(messages)
    text = messages[-1].content.strip() if messages and messages[-1].role == "user" else ""
    if before is None or not _PUTS_RIGHT.search(text) or text.endswith(("?", "？")):
        return None
    if (call := _with_other_code(before, text)) is not None:
        return Correction(before.name, call)
    return Correction(before.name) if puts_right(text) else None


def puts_right(text: str) -> bool:
    """Whether ``text`` names something in place of what was said before."""
    return _PUTS_RIGHT.search(text) is not None and _NAMES_ANEW.search(text) is not None


def _last_call(messages: Sequence[Message]) -> ToolCall | None:
    """The last call that was made for the user's words before the last."""
    for message in reversed(messages[:-1]):
        if message.role == "user":
            return None
        if message.tool_calls:
            return message.tool_calls[-1]
    return None


def _with_other_code(before: ToolCall, text: str) -> ToolCall | None:
    """``before`` with the one code in ``text`` that it did not have, in place of the one it had."""
    arguments = parsed(before.arguments)
    held = [name for name, value in arguments.items() if _code_in(value)]
    if len(held) != 1:
        return None
    old = _code_in(arguments[held[0]])
    typed = inverse_normalized(text, written_language(text))
    said = dict.fromkeys(match[0].strip() for match in _CODE.finditer(typed))
    new = [code for code in said if _digits(code) != _digits(old)]
    alike = [code for code in new if len(_digits(code)) == len(_digits(old))]
    new = alike if len(alike) == 1 else new
    if len(new) != 1:
        return None
    value = _in_place_of(arguments[held[0]], old, new[0])
    corrected: Mapping[str, Any] = {**arguments, held[0]: value}
    return replace(before, id=random_id("call"), arguments=json.dumps(corrected, ensure_ascii=False))


def _in_place_of(value: object, old: str, new: str) -> object:
    """``value`` with the code ``new`` for ``old``, whose letters stay where only the digits were said."""
    letters, digits = re.sub(r"[^A-Za-z]", "", new), _digits(new)
    if isinstance(value, int):
        return int(digits)
    if letters or not (found := _PARTS.fullmatch(old)):
        return str(value).replace(old, new)
    return str(value).replace(old, f"{old[: found.start(2)]}{digits}")


def _code_in(value: object) -> str:
    """The one code in an argument, else nothing."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    found = [match[0].strip() for match in _CODE.finditer(str(value))]
    return found[0] if len(found) == 1 else ""


def _digits(code: str) -> str:
    return re.sub(r"\D", "", code)
