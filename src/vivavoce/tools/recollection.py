"""What was said, found and done earlier in a conversation, quoted where the user asks for it again. Pure.

"What time was that, with Doctor Weber?" is answered by a result twenty messages back, which a small model no longer reads: it
takes the nearest number of the right kind. So what shares words with the question is told again beside it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vivavoce.conduct.memory import content_terms
from vivavoce.text.inverse import inverse_normalized
from vivavoce.text.scripts import written_language
from vivavoce.tools.provenance import parsed
from vivavoce.tools.rendering import in_language, is_quoted
from vivavoce.types import Language, Message, ToolCall

QUOTED = 3
"""Entries that are told again, at most."""

MOST_CHARACTERS = 200
"""Of one of them."""

_NOTE: Mapping[Language, str] = {
    "en": (
        "The person asks for something from earlier in this conversation. Earlier: {entries}. Answer from that in one short "
        "sentence. What is not there you do not know."
    ),
    "zh": "用户问的是这次对话前面的内容。前面：{entries}。请根据这些用一句短话回答。里面没有的就说不知道。",
    "ja": (
        "ユーザーはこの会話の前の内容を尋ねています。前の内容：{entries}。それをもとに短い一文で答えてください。"
        "ないことは分からないと言ってください。"
    ),
}
_SAID: Mapping[Language, str] = {"en": 'the person said "{}"', "zh": "用户说过“{}”", "ja": "ユーザーの言葉「{}」"}
_FOUND: Mapping[Language, str] = {"en": "result of {}: {}", "zh": "{}的结果：{}", "ja": "{}の結果：{}"}

_WORDS = {"True": "yes", "False": "no", "None": "none"}


@dataclass(frozen=True, slots=True)
class Recollection:
    """A ``note`` with what is asked for, empty where nothing came up. ``matches``: it shares words with the question."""

    note: str
    matches: bool


def recollection(messages: Sequence[Message], language: Language) -> Recollection:
    """What the user's last words may ask for of what came up before, in its order."""
    at = max((number for number, one in enumerate(messages) if one.role == "user"), default=0)
    question = messages[at].content if messages else ""
    entries = list(_entries(messages[:at], language))
    asked = content_terms(question)
    scored = [(_weight(asked & one.terms), one.is_result, number) for number, one in enumerate(entries)]
    best = sorted(scored)[-QUOTED:]
    kept = {number for weight, _, number in best if 2 * weight >= best[-1][0] > 0}
    matches = bool(best) and best[-1][0] >= 1
    if not matches:  # then what came last is meant
        kept |= set([number for number, one in enumerate(entries) if one.is_result][-1:])
    told = [entries[number].text for number in sorted(kept)] or [one.text for one in entries[-QUOTED:]]
    note = in_language(_NOTE, language).format(entries="; ".join(told)) if told else ""
    return Recollection(note, matches)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One thing that came up, in words; ``terms`` are those of what it came of, too."""

    text: str
    terms: frozenset[str]
    is_result: bool


def _entries(messages: Sequence[Message], language: Language) -> Iterator[_Entry]:
    calls: dict[str, ToolCall] = {}
    asked = frozenset[str]()
    for message in messages:
        calls.update({call.id: call for call in message.tool_calls})
        if message.role == "user" and message.content.strip():
            said = inverse_normalized(message.content.strip(), written_language(message.content))
            asked = frozenset(content_terms(said))
            if not said.endswith(("?", "？")):
                yield _Entry(
                    in_language(_SAID, language).format(said[:MOST_CHARACTERS].replace('"', "'")), asked, False
                )
        elif message.role == "tool" and not is_quoted(message) and (call := calls.get(message.tool_call_id or "")):
            text = in_language(_FOUND, language).format(_in_words(call), _flat(message.content)[:MOST_CHARACTERS])
            yield _Entry(text, asked | content_terms(text), True)


def _weight(terms: Collection[str]) -> float:
    """Of words shared with the question; a single Chinese character is half a word."""
    return sum(0.5 if len(term) == 1 else 1.0 for term in terms)


def _in_words(call: ToolCall) -> str:
    values = ", ".join(f"{_plain(name)} {value}" for name, value in parsed(call.arguments).items())
    return f"{_plain(call.name)} ({values})" if values else _plain(call.name)


def _flat(text: str) -> str:
    """A JSON object in words; other text as it is."""
    try:
        value = json.loads(text)
    except ValueError:
        return " ".join(text.split())
    return ", ".join(_pairs(value)) if isinstance(value, dict | list) else text


def _pairs(value: Any, name: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _pairs(inner, _plain(str(key)))
    elif isinstance(value, list):
        for inner in value:
            yield from _pairs(inner, name)
    else:
        yield f"{name} {_WORDS.get(str(value), value)}".strip()


def _plain(name: str) -> str:
    return name.replace("_", " ").replace("-", " ")
