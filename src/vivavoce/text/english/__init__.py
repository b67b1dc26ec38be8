"""English text as it is said: what the front end behind it (Hibari's normaliser) gets wrong.

That one knows plain numbers, years, ordinals, times, titles and most units. Codes, telephone numbers, ranges, money in all its
spellings, signs and addresses are here.
"""

from __future__ import annotations

import re

from vivavoce.text.english.codes import CODES
from vivavoce.text.english.money import MONEY
from vivavoce.text.english.signs import FRACTIONS, LAST_RANGES, NAMES, RANGES, SIGNS, VULGAR_FRACTIONS, WORDS
from vivavoce.text.english.units import FEET, RANGES_OF_UNITS, UNITS
from vivavoce.text.numerals import unframed
from vivavoce.text.rules import apply

_RULES = (
    *(*WORDS, *VULGAR_FRACTIONS, *CODES, *FEET, *FRACTIONS, *MONEY),
    *(*SIGNS, *RANGES, *RANGES_OF_UNITS, *LAST_RANGES, *UNITS, *NAMES),
)


def english_words(text: str) -> str:
    """``text`` with what the front end would say wrong in words; the rest, plain numbers among it, is left to that."""
    return re.sub(r"[ \t]+", " ", apply(_RULES, unframed(text, " ", ", "))).strip()
