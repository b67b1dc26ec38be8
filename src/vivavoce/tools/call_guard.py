"""What stands between a model that calls a function and the function: acting is not asking, and arguments are what was said.

A small model calls because a function is there: it refunded an order when it was asked whether that is possible. So a call
with effects is made after a request only, once, with arguments somebody said, and where it moves money or cannot be undone
after a yes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from vivavoce.pending_request import last_user_text
from vivavoce.text.scripts import written_language
from vivavoce.tools.effects import EffectLevel, effect_level
from vivavoce.tools.provenance import LEAST_DIGITS, parsed, said_in, told_by_results_only, unsaid_arguments
from vivavoce.tools.rendering import in_language
from vivavoce.types import Language, Message, Tool, ToolCall

ConfirmPolicy: TypeAlias = Literal["never", "risky", "always"]
"""Which calls with effects wait for a yes: none, those that move money or cannot be undone, or all."""

ASKS_FOR = 0.6
"""Probability of a request from which on it is one; below, the user is asked."""

MOST_DESCRIBED = 40
"""Characters of an argument's description that can be said in a question."""

MAY_ASK_FOR = 0.25
"""Below this nobody asks for anything to be done."""

_ASK = {
    "en": "NOT DONE: the person has not said {names}. Ask for it in one short question, and say nothing else.",
    "zh": "还没有办理：用户没有说过{names}。请用一句简短的中文问用户，不要说别的。",
    "ja": "未実行：{names}はまだ聞いていません。短い日本語の質問一つで尋ねてください。",
}
_CONFIRM = {
    "en": (
        "NOT DONE YET. Ask the person in one short question whether to do this now, naming it: {action}. Do not say that "
        "anything has been done."
    ),
    "zh": "还没有办理。请用一句简短的中文问用户是否现在办理，并说出内容：{action}。不要说已经办好了。",
    "ja": "まだ実行していません。短い日本語の質問一つで、内容を挙げて確認してください：{action}。",
}
_REPEATED = {
    "en": "This has been done already, with this result: {result}. Tell the person so; it is not done again.",
    "zh": "这件事已经办过了，结果是：{result}。请告诉用户，不会重复办理。",
    "ja": "これはすでに実行済みで、結果は：{result}。そう伝えてください。もう一度は実行しません。",
}


_OF_PERSON = re.compile(
    r"(?:^|_)(?:patient|customer|client|member|user|guest|person|account|contract|card|phone|mobile|email|iban|address)(?:$|_)",
    re.IGNORECASE,
)
"""Arguments that stay the same whatever the user wants next."""

_OTHER = re.compile(
    r"\b(?:else|another|other|different|second one|one more|new one)\b|别的|另外|另一|其他|其它|换一|再[约订要买下]|还[想要有]"
    r"|他の|別の|ほかの|もう一",
    re.IGNORECASE,
)
"""Words of somebody who wants something that has not been spoken of yet."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a call is not made. ``text`` is told to the model in place of a result; ``confirms``: what it says is a question
    whose yes makes the call. ``question``: what the user is asked, where that is known without the model."""

    text: str
    confirms: bool = False
    question: str = ""


@dataclass(frozen=True, slots=True)
class CallGuard:
    """The checks of one reply. ``acts`` is how likely the user asks for something to be done (``None``: not known, which
    counts as a request); ``confirmed`` is a call they have said yes to, ``proposed`` one that follows from their words and is
    checked like the model's."""

    tools: Mapping[str, Tool]
    policy: ConfirmPolicy
    language: Language
    acts: float | None = None
    confirmed: ToolCall | None = None
    levels: Mapping[str, EffectLevel] = field(default_factory=dict)
    proposed: ToolCall | None = None

    def said(self, call: ToolCall, messages: Sequence[Message]) -> ToolCall:
        """``call`` without what may be left out and nobody said."""
        tool = self.tools.get(call.name)
        if tool is None or (self.confirmed is not None and _same(call, self.confirmed)):
            return call
        arguments, required = parsed(call.arguments), tool.parameters.get("required") or ()
        unsaid = set(unsaid_arguments(arguments, tool.parameters, said_in(messages))) - set(required)
        if not unsaid:
            return call
        kept = {name: value for name, value in arguments.items() if name not in unsaid}
        return replace(call, arguments=json.dumps(kept, ensure_ascii=False))

    def refusal(self, call: ToolCall, messages: Sequence[Message]) -> Refusal | None:
        """Why ``call`` is not made now; ``None``: it is. ``messages`` are those it rests on."""
        tool = self.tools.get(call.name)
        if tool is None or (self.confirmed is not None and _same(call, self.confirmed)):
            return None
        level, arguments = self.levels.get(call.name, "none"), parsed(call.arguments)
        if unsaid := unsaid_arguments(arguments, tool.parameters, said_in(messages)):
            return self._asks_for(unsaid, tool)
        if level == "none":
            return None
        from_results = told_by_results_only(arguments, messages)
        last = last_user_text(messages)
        if _OTHER.search(last) and (of_others := [*from_results, *_carried_over(arguments, last)]):
            return self._asks_for(list(dict.fromkeys(of_others)), tool)
        if (result := _result_of_same(call, messages)) is not None:
            return Refusal(in_language(_REPEATED, self.language).format(result=result[:200] or "ok"))
        unsure = self.acts is not None and self.acts < ASKS_FOR
        if unsure or from_results or self.policy == "always" or (self.policy == "risky" and level == "risky"):
            values = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in arguments.items())
            action = f"{call.name.replace('_', ' ')} ({values})"
            return Refusal(in_language(_CONFIRM, self.language).format(action=action), confirms=True)
        return None

    def _asks_for(self, names: Sequence[str], tool: Tool) -> Refusal:
        text = in_language(_ASK, self.language).format(names=_names(names, tool))
        return Refusal(text, question=asked_for(names, tool, self.language))

    def withheld(self) -> frozenset[str]:
        """Names of the tools nobody can have asked for."""
        if self.acts is None or self.acts >= MAY_ASK_FOR:
            return frozenset()
        return frozenset(name for name, level in self.levels.items() if level != "none")


def _carried_over(arguments: Mapping[str, Any], last: str) -> list[str]:
    """Names of the arguments whose number is not in the user's ``last`` words, but for numbers of the user's own."""
    said = said_in([Message("user", last)])
    return [
        name
        for name, value in arguments.items()
        if (digits := re.sub(r"\D", "", str(value)))
        and len(digits) >= LEAST_DIGITS
        and not said.has_digits(digits)
        and not _OF_PERSON.search(name)
    ]


def levels_of(tools: Sequence[Tool]) -> dict[str, EffectLevel]:
    """How much harm each of ``tools`` can do, by name."""
    return {tool.name: effect_level(tool) for tool in tools}


def _same(one: ToolCall, other: ToolCall) -> bool:
    return one.name == other.name and parsed(one.arguments) == parsed(other.arguments)


def _result_of_same(call: ToolCall, messages: Sequence[Message]) -> str | None:
    """What came of the same call before, if it was made."""
    for message in reversed(messages):
        for earlier in message.tool_calls:
            if _same(call, earlier):
                results = (told.content for told in messages if told.tool_call_id == earlier.id)
                return next(results, "")
    return None


def asked_for(names: Sequence[str], tool: Tool, language: Language) -> str:
    """A question for arguments nobody said, in the words of their descriptions; nothing in a language there are no words for. A
    small model that is told to ask says something else as often as not."""
    asked = [_described(name, tool, language) for name in names]
    if language != "en" and any(words.isascii() for words in asked):
        return ""
    last = (
        _AND[language].join(part for part in (_COMMA[language].join(asked[:-1]), asked[-1]) if part)
        if language in _AND
        else ""
    )
    return _ASKED_FOR[language].format(last) if last else ""


_ASKED_FOR: Mapping[Language, str] = {
    "en": "Could you tell me {}?",
    "zh": "请告诉我{}，好吗？",
    "ja": "{}を教えていただけますか？",
}
_AND: Mapping[Language, str] = {"en": " and ", "zh": "和", "ja": "と"}
_COMMA: Mapping[Language, str] = {"en": ", ", "zh": "、", "ja": "、"}
_EXAMPLE = re.compile(
    r"[,;(（，；]?\s*(?:such as|e\.g\.|for example|for instance|like |例如|比如|如：|たとえば|例：).*|[.。]\s*$|\s*[(（].*",
    re.DOTALL,
)
"""What of a description is an example, or stands in brackets."""


def _described(name: str, tool: Tool, language: Language) -> str:
    """An argument in words of ``language``: its description if that is short and in it, else its name."""
    properties = tool.parameters.get("properties")
    about = properties.get(name) if isinstance(properties, Mapping) else None
    told = about.get("description") if isinstance(about, Mapping) else None
    words = _EXAMPLE.sub("", told).strip() if isinstance(told, str) else ""
    if not words or len(words) > MOST_DESCRIBED or (written_language(words) or "en") != language:
        plain = name.replace("_", " ")
        return f"the {plain}" if language == "en" else plain
    return f"{words[:1].lower()}{words[1:]}" if language == "en" and words[1:2].islower() else words


def _names(names: Sequence[str], tool: Tool) -> str:
    properties = tool.parameters.get("properties")
    described = properties if isinstance(properties, Mapping) else {}

    def in_words(name: str) -> str:
        about = described.get(name)
        told = about.get("description") if isinstance(about, Mapping) else None
        return f"{name.replace('_', ' ')} ({told})" if isinstance(told, str) and told else name.replace("_", " ")

    return ", ".join(map(in_words, names))
