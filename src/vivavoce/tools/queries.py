"""What to search for: what a person said, made whole by what was said before. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vivavoce.knowledge.lengths import tokens_of
from vivavoce.types import Message

_LEANING = re.compile(
    r"\b(it|its|that|this|those|these|they|them|their|there|he|she|him|her|one|ones|same|other|another|else|either|both)\b"
    r"|^(and|or|but|what about|how about|also|then)\b"
    r"|[它他她们这那]|呢|另外|还有|其他|也|同样|前者|后者|^那|^和",
    re.IGNORECASE,
)
"""Words that point back at what was said before."""

SHORT_TOKENS = 6
"""A question this short depends on what was said before, too."""


def queries_for(query: str, messages: Sequence[Message]) -> list[str]:
    """What to search for: the model's query and the person's last words, each behind the words before them if it depends on
    them."""
    said = user_texts(messages)
    texts = [text for text in (query.strip(), *said[-1:]) if text]
    if len(said) > 1:
        texts = [f"{said[-2]} {text}" if depends_on_context(text) else text for text in texts]
    return list(dict.fromkeys(texts))


def user_texts(messages: Sequence[Message]) -> list[str]:
    """What the person said, the last at the end."""
    return [message.content.strip() for message in messages if message.role == "user" and message.content.strip()]


def depends_on_context(question: str) -> bool:
    """Whether a question cannot be understood without what was said before."""
    return tokens_of(question) <= SHORT_TOKENS or _LEANING.search(question) is not None
