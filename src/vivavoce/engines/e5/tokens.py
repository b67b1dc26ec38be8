"""Text into the ids of pieces, as XLM-RoBERTa's SentencePiece model cuts it."""

from __future__ import annotations

import re

from tokenizers import Tokenizer
from tokenizers.models import Unigram
from tokenizers.pre_tokenizers import Metaspace

from vivavoce.engines.e5.weights import EmbedderVocabulary

_SPACES = re.compile(" {2,}")


class Pieces:
    """Cuts texts. ``most`` is the length of the longest answer, with the two ids that frame it; the rest is left out."""

    def __init__(self, vocabulary: EmbedderVocabulary, max_tokens: int) -> None:
        self._normal = vocabulary.normal
        self._frame = vocabulary.begin, vocabulary.end
        self._max_tokens = max_tokens - 2
        self._tokenizer = Tokenizer(Unigram(vocabulary.pieces, unk_id=vocabulary.unknown, byte_fallback=False))
        self._tokenizer.pre_tokenizer = Metaspace()

    def ids(self, text: str) -> list[int]:
        """The ids of one text."""
        normal = _SPACES.sub(" ", text.translate(self._normal))
        begin, end = self._frame
        return [begin, *self._tokenizer.encode(normal, add_special_tokens=False).ids[: self._max_tokens], end]
