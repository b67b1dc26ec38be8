"""Whether the arguments of a call were said by anybody, or made up. Pure.

A grammar makes a model fill in what is required, whether or not it knows: "look up my order" became order 12345. So numbers,
codes and names have to stand in what the user said (typed or spoken), in what the client's instructions and functions told,
or be near to a name that is known.

It judges whole calls of any model, and lets pass what can be said in too many ways: counts, sizes, rooms. The built-in engine
doubts these, too, while it writes (``engines/llama/argument_check.py``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vivavoce.text.inverse import inverse_normalized
from vivavoce.text.said_values import nearly_same, time_is_said
from vivavoce.text.scripts import written_language
from vivavoce.tools.grounding import numbers_of
from vivavoce.tools.rendering import is_quoted
from vivavoce.types import Message

LEAST_DIGITS = 3
"""Shorter numbers are counts and sizes, which are said in too many ways to be held against anybody ("a couple of")."""

LEAST_WORD = 3
"""Letters of a word of a name that are looked for."""

_PLACEHOLDER = re.compile(
    r"^\W*(?:unknown|n/?a|none|null|nil|undefined|string|tbd|todo|xxx+|example|not (?:given|provided|specified|known)|missing"
    r"|(?:the |your |my |user'?s? |customer'?s? )?(?:\w+ ){0,2}(?:number|id|name|code|address|date|email|phone)(?: here)?"
    r"|未知|无|未提供|不详|订单号|姓名|不明)\W*$",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"(?:^|_)(?:name|recipient|person|doctor|contact|to|payee|beneficiary|street|city|address|destination|email|phone|guest"
    r"|customer|patient|iban)(?:$|_)",
    re.IGNORECASE,
)
"""Arguments that are names: free text is put into other words, a name is not."""

_TITLES = re.compile(
    r"\b(?:doctor|dr|mister|mr|mrs|ms|miss|professor|prof|sir|madam|nurse|street|avenue|road|lane|city|town)\b\.?"
    r"|医生|大夫|先生|女士|小姐|老师|经理|主任|教授|师傅|护士|医師|さん|様",
    re.IGNORECASE,
)
"""What stands beside a name and is none: "another doctor" does not name Doctor Lee."""

_DIGITS = re.compile(r"\d+")
_MONEY = (
    r"[$€£¥￥]|USD|EUR|GBP|CNY|RMB|JPY|CHF|euros?|dollars?|pounds?|yuan|yen|cents?|%|元|块钱?|欧元?|美元|英镑|人民币|円"
)
_AMOUNT = re.compile(rf"(?:{_MONEY})? ?(?:\d{{1,3}}(?:,\d{{3}})+|\d+)(?:\.\d{{1,2}})? ?(?:{_MONEY})?", re.IGNORECASE)
"""An amount, perhaps with its currency."""

_CODE = re.compile(r"[A-Za-z]{1,4}[- ]?\d{2,}|\d{2,}[- ]?[A-Za-z]{1,4}")
_WORD = re.compile(r"[^\W\d_]+")
_HAN = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Said:
    """What may stand in arguments: ``groups`` are the digits of each message in their order, ``text`` all of it, folded;
    ``numbers`` are those said, in digits or in words."""

    groups: tuple[tuple[str, ...], ...]
    text: str
    user_text: str
    numbers: frozenset[float] = frozenset()

    def has_digits(self, digits: str) -> bool:
        """Whether these digits were said as one number, or as neighbouring groups ("47 112")."""
        return any(digits in runs for runs in map(_runs, self.groups))


def said_in(messages: Sequence[Message]) -> Said:
    """What the user, the client's instructions and its functions said. Not what the assistant did, which may have made it up,
    nor what documents and pages hold: their numbers belong to somebody else."""
    sources = [message for message in messages if message.role in ("user", "system") or _told_by_client(message)]
    texts = [_typed(message) for message in sources]
    user = " ".join(_typed(message) for message in messages if message.role == "user")
    return Said(
        tuple(tuple(_DIGITS.findall(text)) for text in texts),
        " ".join(texts).casefold(),
        user.casefold(),
        frozenset(number for text in texts for number in numbers_of(text)),
    )


def unsaid_arguments(arguments: Mapping[str, Any], schema: Mapping[str, Any], said: Said) -> list[str]:
    """Names of the arguments nobody said, in their order; what may be left out and is empty is none of them."""
    properties = schema.get("properties")
    described = properties if isinstance(properties, Mapping) else {}
    required = schema.get("required") or ()
    return [
        name
        for name, value in arguments.items()
        if not _is_said(name, value, described.get(name), said)
        and not (value in ("", None, [], {}) and name not in required)
    ]


def told_by_results_only(arguments: Mapping[str, Any], messages: Sequence[Message]) -> list[str]:
    """Names of the arguments that stand in results of functions and nowhere in what the user or the instructions said: what
    was found out about one thing, a small model fills in for another."""
    results = " ".join(message.content for message in messages if _told_by_client(message)).casefold()
    said = " ".join(_typed(message) for message in messages if message.role in ("user", "system")).casefold()
    return [
        name
        for name, value in arguments.items()
        if isinstance(value, str)
        and (words := _content_words(value))
        and all(word in results for word in words)
        and not any(word in said for word in words)
    ]


def _content_words(value: str) -> list[str]:
    """What of a value is looked for: words of some length, numbers of some digits, pairs of Chinese characters."""
    folded = value.casefold()
    words = [word for word in _WORD.findall(folded) if len(word) >= LEAST_WORD and not _HAN.search(word)]
    numbers = [number for number in _DIGITS.findall(folded) if len(number) >= LEAST_DIGITS]
    han = [pair for pair in _bigrams(folded) if pair]
    return [*words, *numbers, *han]


def _told_by_client(message: Message) -> bool:
    return message.role == "tool" and not is_quoted(message)


def _typed(message: Message) -> str:
    """The text with spoken numbers as they are typed, behind itself: both readings count."""
    if message.role != "user":
        return message.content
    language = written_language(message.content)
    return f"{message.content} {inverse_normalized(message.content, language)}"


def _is_said(name: str, value: object, described: object, said: Said) -> bool:
    schema = described if isinstance(described, Mapping) else {}
    if "enum" in schema or "const" in schema or isinstance(value, bool):
        return True
    if isinstance(value, int | float):
        digits = re.sub(r"\D", "", f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value))
        return (
            len(digits) < LEAST_DIGITS
            or float(value) in said.numbers
            or said.has_digits(digits)
            or said.has_digits(digits.rstrip("0"))
        )
    if isinstance(value, str):
        return _string_is_said(name, value.strip(), said)
    if isinstance(value, Mapping):
        return not unsaid_arguments(value, schema, said)
    if isinstance(value, list):
        return all(_is_said(name, item, schema.get("items"), said) for item in value)
    return True


def _string_is_said(name: str, value: str, said: Said) -> bool:
    if not value or _PLACEHOLDER.match(value):
        return False
    if _NAMED.search(name) and not _TITLES.sub("", value).strip():
        return False
    if _stands_in(value.casefold(), said.text):
        return True
    if (timed := time_is_said(value, said.user_text, said.text)) is not None:
        return timed
    if _AMOUNT.fullmatch(value) and float(re.sub(r"[^\d.]", "", value)) in said.numbers:
        return True
    numbers = [
        digits for digits in _DIGITS.findall(re.sub(r"(?<=\d)[ .\-/](?=\d)", "", value)) if len(digits) >= LEAST_DIGITS
    ]
    if not all(said.has_digits(digits) for digits in numbers):
        return False
    if _CODE.search(value) and not numbers:
        return _plain(value) in _plain(said.text)
    if not _NAMED.search(name) or numbers or _in_other_script(value, said.user_text):
        return True
    return _name_is_said(value, said.text)


def _stands_in(value: str, text: str) -> bool:
    """Whether it was said as it is; a number within a longer one was not."""
    return re.search(rf"(?<!\d){re.escape(value)}(?!\d)", text) is not None


def _name_is_said(value: str, text: str) -> bool:
    """Whether a word of the name was said, one letter apart at most (a recogniser's spelling), or its initials."""
    initials = "".join(word[0] for word in _WORD.findall(value)).casefold()
    value = _TITLES.sub(" ", value).strip()
    if _HAN.search(value):
        return any(part in text for part in _bigrams(value)) or (len(set(value)) == 1 and value[0] in text)
    words = [word.casefold() for word in _WORD.findall(value) if len(word) >= LEAST_WORD]
    said = set(_WORD.findall(text))
    return not words or initials in said or any(nearly_same(word, other) for word in words for other in said)


def _in_other_script(value: str, user_text: str) -> bool:
    """Whether a name is written otherwise than the user writes: 巴黎 may be called Paris, which cannot be compared."""
    return (_HAN.search(value) is None) == (_HAN.search(user_text) is not None)


def _bigrams(value: str) -> Iterator[str]:
    characters = "".join(_HAN.findall(value))
    yield from (characters[at : at + 2] for at in range(max(1, len(characters) - 1)))


def _runs(groups: Sequence[str]) -> frozenset[str]:
    """All numbers that neighbouring groups of digits make together."""
    return frozenset(
        "".join(groups[start:end])
        for start in range(len(groups))
        for end in range(start + 1, min(len(groups), start + 12) + 1)
    )


def _plain(text: str) -> str:
    return re.sub(r"[^\w]|_", "", text).casefold()


def parsed(arguments: str) -> Mapping[str, Any]:
    """A call's arguments; of what is no object, none."""
    try:
        value = json.loads(arguments or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
