"""Questions that name what is about to be done, and what their answers mean."""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from vivavoce.text.scripts import written_language
from vivavoce.tools.grounding import numbers_of
from vivavoce.tools.provenance import parsed
from vivavoce.types import Language, Message, ToolCall

Answer: TypeAlias = Literal["yes", "no", "neither"]

MAX_PENDING = 4096
"""Questions that wait for an answer, on the whole server; the oldest is forgotten, and asked again."""

VALID_S = 900.0
"""After this a "yes" belongs to something else."""

SURE = 0.8
"""Probability from which on an answer without a word of ours is one."""

MOST_DESCRIBED = 60
"""Characters of a function's description that can be said in a question."""

_FIRST_SENTENCE = re.compile(r"[^.。！!？?\n]+")

LEAST_HEARD = 12
"""Characters of a question that was interrupted by its answer."""

_YES = re.compile(
    r"^\W*(?:yes|yeah|yep|yup|sure|ok(?:ay)?|correct|right|exactly|please do|go ahead|do (?:it|that|so)|of course"
    r"|certainly|absolutely"
    r"|confirm(?:ed)?|i confirm|definitely|mhm|uh-huh|all right|alright|是(?!不是)|对(?!不起)|好(?!多|吗)|嗯|可以(?!吗)"
    r"|行(?!李)|没错|确认|当然|没问题|请继续|办吧"
    r"|はい|ええ|うん|お願い|そうです|その通り|大丈夫)(?![a-z])",
    re.IGNORECASE,
)
_NO = re.compile(
    r"^\W*(?:no\b|nope|nah|don'?t|do not|stop|wait|hold on|not (?:yet|now)|never ?mind|better not|cancel that|forget it"
    r"|rather not"
    r"|不(?!过)|别|算了|等一下|等等|先不|先别|还是别|还是不|取消吧|いいえ|いや|やめ|待って|やっぱり|結構)",
    re.IGNORECASE,
)
_TAKEN_BACK = re.compile(
    r"\b(?:but|wait|don'?t|do not|not yet|instead|actually|rather|no)\b|但|不过|别|先不|不要|改成|けど|でも|ではなく",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Pending:
    """A call that waits for a yes. ``question`` is what the user was asked."""

    call: ToolCall
    question: str
    until_s: float


class Confirmations:
    """The calls that users were asked about, by owner and question; kept in memory: after a restart it is asked again."""

    def __init__(self) -> None:
        self._pending: OrderedDict[tuple[str, str], Pending] = OrderedDict()

    def ask(self, owner: str, question: str, call: ToolCall) -> None:
        """The user is asked ``question`` about ``call``."""
        self._pending[owner, _key(question)] = Pending(call, _key(question), time.monotonic() + VALID_S)
        while len(self._pending) > MAX_PENDING:
            self._pending.popitem(last=False)

    def pending(self, owner: str, messages: Sequence[Message]) -> ToolCall | None:
        """The call that the user's last words answer, if the assistant asked about one just before; a question that was
        interrupted by its answer counts."""
        turns = [message for message in messages if message.role in ("user", "assistant")]
        if len(turns) < 2 or turns[-1].role != "user" or turns[-2].role != "assistant":
            return None
        asked, now = _key(turns[-2].content), time.monotonic()
        for (holder, question), found in reversed(self._pending.items()):
            if holder == owner and found.until_s > now and _heard(question, asked):
                return found.call
        return None


def answer_of(text: str, probabilities: Mapping[str, float] | None) -> Answer:
    """What ``text`` says to "Shall I …?". Sure is only what begins like a yes and takes nothing back; a number in it is a
    correction."""
    if _NO.search(text):
        return "neither" if numbers_of(text) else "no"
    known = probabilities or {}
    yes, no = known.get("yes", 0.0), known.get("no", 0.0)
    if _TAKEN_BACK.search(text) or numbers_of(text) or text.rstrip().endswith(("?", "？")):
        return "neither"
    if _YES.search(text):
        return "yes" if no < SURE else "neither"
    if yes >= SURE and no < 1 - SURE:
        return "yes"
    return "no" if no >= SURE and yes < 1 - SURE else "neither"


def question_in_words(call: ToolCall, language: Language, description: str = "") -> str:
    """A question of ours, where the model's does not name what will happen: in the words of the function's ``description``
    where that is in ``language``, else by its name."""
    values = [_spoken(value) for value in parsed(call.arguments).values() if value not in ("", None, [], {})]
    action = _described(description, language) or call.name.replace("_", " ").replace("-", " ").strip()
    match language:
        case "zh":
            return (
                f"确认一下：{action}，{'，'.join(values)}。现在就办理，可以吗？"
                if values
                else f"确认一下：{action}。现在就办理，可以吗？"
            )
        case "ja":
            return f"確認します。{action}、{'、'.join(values)}。進めてもよろしいですか？"
        case _:
            return f"Just to be sure: {', '.join((action, *values))}. Shall I go ahead?"


def _described(description: str, language: Language) -> str:
    first = _FIRST_SENTENCE.match(description.strip())
    words = first[0].strip() if first else ""
    if not words or len(words) > MOST_DESCRIBED or (written_language(words) or "en") != language:
        return ""
    return f"{words[:1].lower()}{words[1:]}" if words[1:2].islower() else words


def names_arguments(question: str, arguments: Mapping[str, Any]) -> bool:
    """Whether ``question`` asks, and every number of the call is in it."""
    digits = re.sub(r"[^\d]", "", question)
    numbers = (re.sub(r"\D", "", _spoken(value)) for value in arguments.values())
    return question.rstrip().endswith(("?", "？")) and all(number in digits for number in numbers)


def _heard(question: str, said: str) -> bool:
    """Whether ``said`` ends with the question, or with enough of its beginning: what stands before may have filled silence."""
    lengths = range(len(question), min(LEAST_HEARD, len(question)) - 1, -1)
    return bool(question) and any(said.endswith(question[:length]) for length in lengths)


def _spoken(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(map(_spoken, value.values()))
    if isinstance(value, list):
        return ", ".join(map(_spoken, value))
    return str(value)


def _key(text: str) -> str:
    return re.sub(r"\W", "", text).casefold()
