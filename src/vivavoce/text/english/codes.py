"""What is read sign by sign in English: addresses, telephone numbers, orders, flights, rooms, versions."""

from __future__ import annotations

import re

from vivavoce.text.english.numbers import ALONE, DIGITS, MAX_DIGITS, MONTHS, OVER, YEAR, digits, number, ordinal, year
from vivavoce.text.rules import HOST_ENDS, Rule, alternatives, words

_CODES = alternatives(
    words(
        """
    order invoice booking reservation customer account member membership tracking ticket case
    confirmation reference serial model verification security access activation promo zip postal area
    pin passcode password code id number no. no flight room suite gate train bus route extension ext.
    card policy contract agent unit locker license licence plate passport otp phone iban isbn vin imei ean sku
    """
    )
)
_LINKS = (
    r"(?:[ ]+(?:number|no\.?|code|id|reference|ref\.?|password|card))*"
    r"(?:[ ]+(?:is|are|was|reads|(?:ending|ends?)(?:[ ](?:in|with))?))?[ ]*[:#,]?[ ]*#?"
)
_CODE = (
    r"(?:[A-Z]{1,4}[ -]?)?[0-9][0-9-]*[0-9](?:[A-Z](?![A-Za-z]))?|(?=[A-Z0-9]*[0-9])(?=[A-Z0-9]*[A-Z])[A-Z0-9]{4,12}"
)
_GROUPED = alternatives(
    words(
        """
    code passcode pin password otp number no. id account card phone iban isbn reference serial tracking licence license
    """
    )
)
_COUNTED = re.compile(
    r"[ ]+(?!(?:is|was|has|ships|arrives|leaves|departs|this|as|plus|shows)\b)"
    r"(?:[a-z]+s|of|percent|people|hundred|thousand|million|billion|square|per|a|more|extra|other|and a half)\b|[%°€£$]"
)
"""What stands behind a quantity, not behind a code: "order 12 pizzas"."""

_SENTENCE_GOES_ON = re.compile(r"[ ]+(?!(?:and|or|please|now|for|at|on|to|in|is|was|but|so|with)\b)[a-z]")
_SPOKEN_CALL = r"(?:[Cc]all|[Dd]ial|[Tt]ext|[Pp]hone|[Rr]ing|[Ff]ax|[Tt]el\.?|[Mm]obile|[Cc]ell|[Hh]otline)"
_TELEPHONE = "|".join(
    (
        r"\+[0-9]{1,3}(?:[ .-]?\(?[0-9]{1,4}\)?){2,5}",
        r"1[ -]\(?[0-9]{3}\)?[ -][0-9]{3}-[0-9]{4}",
        r"\([0-9]{3}\)[ ]?[0-9]{3}[ -][0-9]{4}",
        r"[0-9]{3}[ -][0-9]{3}[ -][0-9]{4}",
        r"[0-9]{3}-[0-9]{2}-[0-9]{4}",
        r"[0-9]{3}-[0-9]{4}",
        r"\(?0[0-9]{1,4}\)?[ -][0-9]{3,4}[ -]?[0-9]{3,4}",
    )
)


_STATES = alternatives(
    words(
        """
    AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA RI
    SC SD TN TX UT VT VA WA WV WI WY DC
    """
    )
)
_FILE_ENDS = "pdf|txt|docx?|xlsx?|pptx?|csv|py|js|png|jpg|zip|exe|html|wav"
_SPELLED_ENDS = frozenset(words("ai io uk de fr jp cn eu us ca au tv"))
"""Ends of hosts that are no words."""

_MIN_CODE_DIGITS = 3
"""Digits behind letters and a hyphen that make a code: ``INV-2024-001``, and not ``COVID-19``."""


def _lettered(match: re.Match[str]) -> str:
    """``INV-2024-001``, ``ABC-1234``; names of few digits (``B-52``, ``GPT-4``) stay."""
    code = match[0]
    letters, figures = len(code.partition("-")[0]), sum(map(str.isdigit, code))
    return _spelled(code) if figures >= _MIN_CODE_DIGITS + (letters == 1) else code


def _coded(match: re.Match[str]) -> str:
    """``order 47112``, ``flight BA2490``: letters and digits one by one; quantities and short numbers stay."""
    before, code, following = match[1], match[2], match.string[match.end() :]
    short = code.isdigit() and len(code) < 3 and not before.rstrip().endswith(("#", ":")) and code[0] != "0"
    if (
        short
        or _COUNTED.match(following)
        or (before.rstrip().endswith((" is", " are", " was")) and _SENTENCE_GOES_ON.match(following))
    ):
        return match[0]
    return before + _spelled(code)


def _spelled(code: str) -> str:
    spelled = re.sub(
        r"[A-Za-z0-9]", lambda char: f" {DIGITS[int(char[0])] if char[0].isdigit() else char[0].upper()} ", code
    )
    return re.sub(r"[ ]*[-–][ ]*", ", ", re.sub(r"[ ]+", " ", spelled)).strip()


def _telephone(match: re.Match[str]) -> str:
    """A telephone number: digit by digit, its groups apart; 800 is said as people say it."""
    figures = match[0]
    groups = re.findall(r"[0-9]+", figures)
    groups_in_words = [("plus " if figures.startswith("+") else "") + digits(groups[0]), *map(digits, groups[1:])]
    for at in (0, 1):
        if at < len(groups) - 1 and re.fullmatch("[89]00", groups[at]) and (at == 0 or groups[0] == "1"):
            groups_in_words[at] = f"{DIGITS[int(groups[at][0])]} hundred"
    extension = re.fullmatch(r".*?[ ]?(?:x|ext\.?)[ ]?([0-9]{2,5})", figures)
    if extension:
        groups_in_words[-1] = f"extension {groups_in_words[-1]}"
    return ", ".join(groups_in_words)


def _vanity(match: re.Match[str]) -> str:
    """``1-888-GO-FEDEX``: the word behind the number is said as one."""
    return f"{digits(match[1])}, {match[2].replace('-', ' ').title()}"


def _dotted_date(match: re.Match[str]) -> str:
    """``03.04.2024`` is written with the day first where dots are written at all."""
    day, month = int(match[1]), int(match[2])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return match[0]
    return f"the {ordinal(day)} of {MONTHS[month - 1]} {year(match[3])}"


def _month(match: re.Match[str]) -> str:
    return f"{MONTHS[int(match[2]) - 1]} {year(match[1])}"


def _version(match: re.Match[str]) -> str:
    parts = match[1].split(".")
    joined = " dot " if len(parts) > 3 else " point "
    return joined.join(digits(part) if len(part) > 2 or part[0] == "0" else number(part) for part in parts)


def _host(match: re.Match[str]) -> str:
    """``10.0.0.5/24``, ``192.168.0.1:8080``: what is behind the address is told apart by its sign."""
    behind = f"colon {digits(match[3])}" if match[2] == ":" else f"slash {number(match[3])}"
    return f"{_version(match)} {behind}"


def _address(match: re.Match[str]) -> str:
    before, dot, end = match[0].rpartition(".")
    address = before + dot + (" ".join(end.upper()) if end.lower() in _SPELLED_ENDS else end)
    for sign, word in (("@", " at "), (".", " dot "), ("_", " underscore "), ("-", " dash ")):
        address = address.replace(sign, word)
    return re.sub(r"[ ]+", " ", address).strip()


CODES: tuple[Rule, ...] = (
    (re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"), _address),
    (
        re.compile(
            rf"(?<![A-Za-z0-9.])(?:www\.)?[A-Za-z][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)*\.{HOST_ENDS}(?![A-Za-z0-9]|\.[A-Za-z])"
        ),
        lambda m: _address(m).replace("www dot ", "w w w dot "),
    ),
    (
        re.compile(rf"(?<![\w.])([\w-]+)\.({_FILE_ENDS})(?![A-Za-z0-9])"),
        lambda m: f"{m[1].replace('_', ' underscore ')} dot {' '.join(m[2].upper())}",
    ),
    (
        re.compile(
            rf"(?<![\w.-])({YEAR}-[0-1][0-9]-[0-3][0-9])[T ]([0-2][0-9]:[0-5][0-9])(?::[0-5][0-9](?:\.[0-9]+)?)?Z?(?![\w:])"
        ),
        r"\1, \2",
    ),
    (re.compile(rf"{ALONE}([0-3]?[0-9])\.([01]?[0-9])\.({YEAR}){OVER}"), _dotted_date),
    (re.compile(r"\bRm\.?(?=[ ]?[0-9])"), "room"),
    (re.compile(r"(?<![A-Za-z0-9.-])\+?[0-9]{3}\.[0-9]{3}\.[0-9]{4}(?!\.?[0-9])"), _telephone),
    (re.compile(rf"(?<![A-Za-z0-9.-])({YEAR})-(0[1-9]|1[0-2])(?![0-9-])"), _month),
    (re.compile(rf"{ALONE}[vV](?=[0-9]+\.[0-9])"), "version "),
    (re.compile(rf"{ALONE}([0-9]+(?:\.[0-9]+){{3}})([:/])([0-9]{{1,5}})(?![\w:/])"), _host),
    (re.compile(rf"{ALONE}([0-9]+(?:\.[0-9]+){{2,}})(?![0-9A-Za-z])"), _version),
    (re.compile(rf"(?<![A-Za-z0-9.])(?:{_TELEPHONE})(?:,?[ ]?(?:x|ext\.?)[ ]?[0-9]{{2,5}})?(?![0-9-])"), _telephone),
    (re.compile(r"(?<![\w.-])((?:1-)?8[0-9]{2})-([A-Z]{2,}(?:-[A-Z]+)*)(?![\w-])"), _vanity),
    (
        re.compile(r"((?i:\btext)[ ](?:[\"'“]?[A-Z]+[\"'”]?[ ])?to[ ])([0-9]{4,6})" + OVER),
        lambda m: m[1] + digits(m[2]),
    ),
    (re.compile(rf"\b((?:{_STATES})[ ])([0-9]{{5}}(?:-[0-9]{{4}})?){OVER}"), lambda m: m[1] + digits(m[2])),
    (
        re.compile(r"\b([A-Z]{1,2}[0-9][A-Z0-9]?)[ ]([0-9][A-Z]{2})\b"),
        lambda m: f"{_spelled(m[1])}, {_spelled(m[2])}",
    ),
    (
        re.compile(r"\b(Boeing[ ]|Airbus[ ]A?)([0-9])([1-9][0-9])(?![0-9])"),
        lambda m: f"{m[1]} {number(m[2])} {number(m[3])}",
    ),
    (re.compile(r"\b((?i:error|http|status)[ ])([1-5]0[1-9])" + OVER), lambda m: m[1] + digits(m[2])),
    (re.compile(r"(?<![\w&])#(?=[A-Z]{0,3}-?[0-9])"), "number "),
    (re.compile(r"(?<![\w-])[A-Z]{1,5}(?:-[A-Z0-9]*[0-9][A-Z0-9]*)+(?![\w-])"), _lettered),
    (
        re.compile(
            rf"({_SPOKEN_CALL}(?:[ ]+(?:me|us|now|at|on|is|number|them|her|him))*[ :]+)([0-9]{{3}}|[0-9]{{7,15}}){OVER}"
        ),
        lambda m: m[1] + digits(m[2]),
    ),
    (
        re.compile(r"(\b(?i:dial|press|hit|enter|key)(?:[ ](?:in|the))?[ ])([*#])([0-9]{0,4})(?![0-9])"),
        lambda m: f"{m[1]}{'star' if m[2] == '*' else 'pound'} {digits(m[3])}".rstrip(),
    ),
    (
        re.compile(
            rf"(\b(?i:{_GROUPED}){_LINKS})((?<=[ :#])[0-9]{{1,6}}(?:[ ][0-9]{{2,6}})+)(?![0-9A-Za-z%:/]|[.,][0-9]|[ ][a-z]+s\b)"
        ),
        lambda m: m[1] + digits(m[2]),
    ),
    (re.compile(rf"(\b(?i:{_CODES}){_LINKS})((?<=[ :#]){_CODE})(?![0-9A-Za-z%]|[.,:][0-9])"), _coded),
    (re.compile(r"(?<![A-Za-z0-9.:/,-])()(0[0-9]{1,14})(?![0-9A-Za-z:/]|[.,][0-9])"), lambda m: digits(m[2])),
    (re.compile(rf"{ALONE}()([0-9]{{{MAX_DIGITS + 1},}}){OVER}"), lambda m: digits(m[2])),
)
