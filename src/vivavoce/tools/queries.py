"""What to search for: what a person said, made whole by what was said before. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vivavoce.knowledge.lengths import tokens_of
from vivavoce.knowledge.words import STOP_WORDS, terms_of
from vivavoce.tools.grounding import numbers_of
from vivavoce.types import Message

_LEANING = re.compile(
    r"\b(it|its|that|this|those|these|they|them|their|there|he|she|him|her|one|ones|same|other|another|else|either|both)\b"
    r"|^(and|or|but|what about|how about|also|then)\b"
    r"|[它他她们这那]|呢|另外|还有|其他|也|同样|前者|后者|^那|^和",
    re.IGNORECASE,
)
"""Words that point back at what was said before."""

_PREAMBLE = re.compile(
    r"^(?:\W*(?:(?:um+|uh+|er+|hm+|well|okay|ok|so|hello|hi|hey|good (?:morning|afternoon|evening|day)|excuse me|sorry|please"
    r"|listen|thanks|thank you|by the way|one more (?:thing|question)|another question|could you tell me|can you tell me)"
    r"(?: there| again| then)?\b(?=[,.!: ]|$)[,.!: ]*"
    r"|那个[，,、 ]+|(?:嗯+|呃|你好|您好|早上好|下午好|晚上好|对了|请问(?:一下)?|不好意思|麻烦问一下"
    r"|我想问(?:一下)?|喂)[，,。！、 ]*"
    r"|(?:えっと|あの|すみません|こんにちは|おはようございます|ところで)[、。 ]*))+",
    re.IGNORECASE,
)
"""What people say before they say something."""

_TAG = re.compile(
    r"\b(?:is|are|was|were|do|does|did|has|have|will|would|can|could)n['’]?t (?:it|they|he|she|you|we|that|there)\W*$"
    r"|, (?:right|huh|eh|no)\W*$"
    r"|don['’]t you think\W*$|^\W*(?:really|is that so|是吗|真的吗?|对吗|そうですか|本当ですか)\W*$"
    r"|(?:对吧|是吧|不是吗|对不对|你说呢|吧)\W*$|(?:です|ます)よ?ね\W*$",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"[?？]\W*$|^\W*(?:what|which|who|whose|when|where|why|how|can|could|may|do|does|did|is|are|was|were|will|would|has|have"
    r"|tell me|i(?:'d| would) like to know)\b"
    r"|吗|什么|多少|几[点个天号]|哪|谁|怎么|能不能|有没有|是不是|可不可以|告诉我|(?:です|ます)か",
    re.IGNORECASE,
)

SHORT_TOKENS = 6
"""A question this short depends on what was said before, too."""

OWN_TERMS = 2
"""Words worth looking for that make a question one of its own, though it may lean on what was said before."""


def queries_for(query: str, messages: Sequence[Message]) -> list[str]:
    """What to search for: the model's query and the person's last words, each behind the words before them if it depends on
    them, and on its own as well if it has words of its own."""
    said = [without_preamble(text) for text in user_texts(messages)]
    queries: list[str] = []
    for text in (query.strip(), *said[-1:]):
        if len(said) > 1 and depends_on_context(text):
            queries += [f"{said[-2]} {text}"] if text else []
            queries += [text] if has_own_words(text) else []
        else:
            queries += [text] if text else []
    return list(dict.fromkeys(queries))


def without_preamble(text: str) -> str:
    """``text`` without greetings and words of hesitation before it, which make it less like what answers it; all of it if
    there is nothing else."""
    rest = _PREAMBLE.sub("", text).strip()
    return rest or text


def asks_something(text: str) -> bool:
    """Whether ``text`` is a question that wants to know something: not one that only wants to be agreed with."""
    return _TAG.search(text) is None and _QUESTION.search(without_preamble(text)) is not None


def has_own_words(text: str) -> bool:
    """Whether there is enough in it to look for."""
    return len([term for term in terms_of(text) if term not in STOP_WORDS]) >= OWN_TERMS


def with_figures(text: str) -> str:
    """``text``, and behind it the numbers that are spelt out in it: documents have them as figures."""
    figures = [f"{number:g}" for number in dict.fromkeys(numbers_of(text)) if number == int(number) and number > 1]
    missing = [figure for figure in figures if figure not in text]
    return " ".join((text, *missing))


def user_texts(messages: Sequence[Message]) -> list[str]:
    """What the person said, the last at the end."""
    return [message.content.strip() for message in messages if message.role == "user" and message.content.strip()]


def depends_on_context(question: str) -> bool:
    """Whether a question cannot be understood without what was said before."""
    return tokens_of(question) <= SHORT_TOKENS or points_back(question)


def points_back(question: str) -> bool:
    """Whether there are words in it that stand for something said before."""
    return _LEANING.search(question) is not None
