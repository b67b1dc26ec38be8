"""English text → phonemes, through the grapheme-to-phoneme rules and lexicon inside Hibari's wheel.

They yield the alphabet Kokoro was trained with, American and British, without spaCy and without espeak.
"""

from __future__ import annotations

from functools import cache

from hibari.g2p import G2P

from vivavoce.engines.safe_phonemizer import Phonemizer, SafePhonemizer
from vivavoce.text.verbalization import verbalize


@cache
def english_g2p(*, british: bool) -> Phonemizer:
    """The shared converter (about 100 MB for the first, 70 MB for the second accent; it keeps no state between calls).

    Warm: an unknown word has already been through the network that spells out unknown words.
    """
    g2p = SafePhonemizer("the English front end", G2P(british=british), words=True)
    g2p("Vivavoce.")
    return g2p


class English:
    """Text → phonemes in one accent."""

    def __init__(self, *, british: bool = False) -> None:
        self._g2p = english_g2p(british=british)

    def __call__(self, text: str) -> str:
        """Phonemes of ``text``, punctuation kept; characters of other scripts are left out."""
        lines = (self._g2p(line) for line in verbalize(text, "en").splitlines())
        return " ".join(line for line in lines if line)
