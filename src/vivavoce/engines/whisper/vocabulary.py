"""Whisper's tokens: text both ways, and the prompts that tell the decoder what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tokenizers import Tokenizer

from vivavoce.errors import EngineError
from vivavoce.types import Language

TEXT_TOKENS = 448
"""Room of the decoder, for prompt and text together (``n_text_ctx``)."""

LONGEST_PROMPT = TEXT_TOKENS // 2 - 1
"""What the reference implementation keeps of earlier text."""


class Vocabulary:
    """Tokens of one multilingual Whisper model. Raises ``EngineError`` when the file is not such a vocabulary."""

    def __init__(self, path: Path) -> None:
        try:
            self._tokens = Tokenizer.from_file(str(path))
        except Exception as error:
            raise EngineError("whisper", f"cannot read the vocabulary {path}: {error}") from error
        self._end = self._id("<|endoftext|>")
        self._start = self._id("<|startoftranscript|>")
        self._earlier = self._id("<|startofprev|>")
        self._task = (self._id("<|transcribe|>"), self._id("<|notimestamps|>"))

    def _id(self, token: str) -> int:
        number = self._tokens.token_to_id(token)
        if number is None:
            raise EngineError("whisper", f"the vocabulary has no {token}")
        return int(number)

    def knows(self, language: Language) -> bool:
        """Whether the model was trained on ``language``."""
        return self._tokens.token_to_id(f"<|{language}|>") is not None

    def prompt(self, language: Language, earlier: str | None) -> list[int]:
        """The decoder's start: transcribe ``language``; ``earlier`` text, if any, biases the spelling."""
        start = [self._start, self._id(f"<|{language}|>"), *self._task]
        if not earlier or not earlier.strip():
            return start
        spelled = self._tokens.encode(" " + earlier.strip(), add_special_tokens=False).ids
        return [self._earlier, *spelled[-LONGEST_PROMPT:], *start]

    def text(self, tokens: Sequence[int]) -> str:
        """The words of ``tokens``, without special tokens."""
        spoken: str = self._tokens.decode([token for token in tokens if token < self._end])
        return spoken.strip()


def likeliest(chances: Sequence[tuple[str, float]], languages: Sequence[Language]) -> Language:
    """The most probable of ``languages``; ``chances`` pairs language tokens such as ``<|en|>`` with probabilities."""
    by_token: Mapping[str, float] = dict(chances)
    return max(languages, key=lambda language: by_token.get(f"<|{language}|>", 0.0))
