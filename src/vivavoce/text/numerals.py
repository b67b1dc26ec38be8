"""Characters that stand for numbers, whatever their script or frame, as the digits 0 to 9. Pure."""

from __future__ import annotations

import re
import unicodedata

_NUMERAL = re.compile(r"[\u2460-\u249b\u24ea-\u24ff\u2776-\u2793\u3251-\u325f\u32b1-\u32bf\u2160-\u216b\u2170-\u217b]")
"""Numbers in circles, in brackets and with a full stop (①, ⑵, ⒊, ❶, ㉑), and roman ones of one character."""

_DIGIT = re.compile(r"(?![0-9])\d")


def plain_digits(text: str) -> str:
    """``text`` with decimal digits of every script (``１``, ``𝟙``, ``١``) as 0 to 9."""
    return text if text.isascii() else _DIGIT.sub(_plain, text)


def unframed(text: str, beside_letters: str, beside_digits: str) -> str:
    """``text`` with its framed and its roman numerals as digits, and what keeps them apart from what they stand beside."""
    if text.isascii():
        return text
    return _NUMERAL.sub(lambda match: _number(match, beside_letters, beside_digits), text)


def _plain(match: re.Match[str]) -> str:
    return str(unicodedata.decimal(match[0], match[0]))


def _number(match: re.Match[str], beside_letters: str, beside_digits: str) -> str:
    before = match.string[match.start() - 1 : match.start()]
    after = match.string[match.end() : match.end() + 1]
    apart_before = "" if _NUMERAL.match(before) else _apart(before, beside_letters, beside_digits)
    figures = str(round(unicodedata.numeric(match[0])))
    return f"{apart_before}{figures}{_apart(after, beside_letters, beside_digits)}"


def _apart(beside: str, beside_letters: str, beside_digits: str) -> str:
    if beside.isdigit() or _NUMERAL.match(beside):
        return beside_digits
    return beside_letters if beside.isalpha() else ""
