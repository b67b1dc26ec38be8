"""Whisper's tokens: text both ways, and the prompts that tell the decoder what to do."""

from __future__ import annotations

import json
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
            self._tokens = _tokenizer(path)
        except Exception as error:
            raise EngineError("whisper", f"cannot read the vocabulary {path}: {error}") from error
        self._end = self._id("<|endoftext|>")
        self._start = self._id("<|startoftranscript|>")
        self._earlier = self._id("<|startofprev|>")
        self._transcribe, self._translate = self._id("<|transcribe|>"), self._id("<|translate|>")
        self._no_timestamps = self._id("<|notimestamps|>")

    def _id(self, token: str) -> int:
        number = self._tokens.token_to_id(token)
        if number is None:
            raise EngineError("whisper", f"the vocabulary has no {token}")
        return int(number)

    def knows(self, language: Language) -> bool:
        """Whether the model was trained on ``language``."""
        return self._tokens.token_to_id(f"<|{language}|>") is not None

    def start(self, language: Language, *, translate: bool = False) -> list[int]:
        """What tells the decoder to write down ``language`` as it is, or to ``translate`` it into English."""
        return [self._start, self._id(f"<|{language}|>"), self._translate if translate else self._transcribe]

    def prompt(self, language: Language, earlier: str | None, *, translate: bool = False) -> list[int]:
        """The decoder's beginning, without times; ``earlier`` text, if any, biases the spelling."""
        start = [*self.start(language, translate=translate), self._no_timestamps]
        if not earlier or not earlier.strip():
            return start
        return [self._earlier, *self.tokens(earlier)[-LONGEST_PROMPT:], *start]

    def tokens(self, text: str) -> list[int]:
        """The tokens of ``text``, as they follow other text."""
        ids: list[int] = self._tokens.encode(" " + text.strip(), add_special_tokens=False).ids
        return ids

    def data(self, token: int) -> bytes:
        """The bytes of a token; they may be a part of a character."""
        return bytes(_BYTES[character] for character in self._tokens.id_to_token(token) or "")

    def text(self, tokens: Sequence[int]) -> str:
        """The words of ``tokens``, without special tokens."""
        decoded: str = self._tokens.decode([token for token in tokens if token < self._end])
        return decoded.strip()


def _tokenizer(path: Path) -> Tokenizer:
    """The tokenizer in ``path``.

    In the conversion most people have (Systran's), GPT-2's first merge, a space and ``t``, is missing, so that " the" is
    three tokens no text ever had. It is put back.
    """
    described = json.loads(path.read_text(encoding="utf-8"))
    merges = described["model"].get("merges")
    if merges and _FIRST_MERGE not in (merges[0], " ".join(merges[0])):
        merges.insert(0, _FIRST_MERGE if isinstance(merges[0], str) else _FIRST_MERGE.split())
    tokenizer: Tokenizer = Tokenizer.from_str(json.dumps(described))
    tokenizer.encode_special_tokens = True  # a prompt is text, whatever stands in it
    return tokenizer


_FIRST_MERGE = "Ġ t"


def _byte_alphabet() -> Mapping[str, int]:
    """GPT-2 writes a byte as itself where that can be seen, else as a character from U+0100 on."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    unprintable = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + place): byte for place, byte in enumerate(unprintable)}


_BYTES = _byte_alphabet()


def likeliest(chances: Sequence[tuple[str, float]], languages: Sequence[Language]) -> tuple[Language, float]:
    """The most probable of ``languages``, and how probable; ``chances`` pairs language tokens such as ``<|en|>`` with
    probabilities.
    """
    by_token: Mapping[str, float] = dict(chances)
    best = max(languages, key=lambda language: by_token.get(f"<|{language}|>", 0.0))
    return best, by_token.get(f"<|{best}|>", 0.0)
