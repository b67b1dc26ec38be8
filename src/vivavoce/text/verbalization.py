"""The one way from written text to the words it is spoken as; every front end of speech begins with it."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping

from vivavoce.text.chinese import chinese_words
from vivavoce.text.english import english_words
from vivavoce.text.japanese import japanese_words
from vivavoce.text.numerals import plain_digits
from vivavoce.types import Language

log = logging.getLogger(__name__)

LONGEST = 240
"""Characters the rules are given at once: what some of them take grows with the square of the text."""

_REPEATED = re.compile(r"([^\w\s])\1{3,}")
"""One sign again and again is said once: nobody reads out a line of them, and front ends take their time for it."""

_PART = re.compile(rf".{{1,{LONGEST}}}(?!\S)|.{{1,{LONGEST}}}", re.DOTALL)
_WORDS: Mapping[Language, Callable[[str], str]] = {"en": english_words, "zh": chinese_words, "ja": japanese_words}


def verbalize(text: str, language: Language) -> str:
    """``text`` with its numbers, signs and shortened words as they are said in ``language``.

    Other languages are left as they are. Blocking, a few milliseconds. Does not raise: what the rules stumble over stays.
    """
    text = plain_digits(_REPEATED.sub(r"\1", text))
    words = _WORDS.get(language)
    if words is None:
        return text
    try:
        return "".join(words(part) if part.strip() else part for part in _PART.findall(text))
    except Exception as error:  # noqa: BLE001 (a text must not end a reply)
        log.warning("the rules of %s cannot read a clause (%s)", language, type(error).__name__)
        return text
