"""Whisper writes Chinese in traditional or simplified characters at will; a transcript is simplified, without spaces."""

from __future__ import annotations

import re

from opencc import OpenCC

_SPACE_BETWEEN_HAN = re.compile(r"(?<=[\u3400-\u9fff])\s+(?=[\u3400-\u9fff])")


class Simplifier:
    """Traditional → simplified characters (OpenCC ``t2s``)."""

    def __init__(self) -> None:
        self._converter = OpenCC("t2s")

    def __call__(self, text: str) -> str:
        """``text`` in simplified characters; spaces Whisper puts for pauses between them are dropped."""
        simplified: str = self._converter.convert(text)
        return _SPACE_BETWEEN_HAN.sub("", simplified)
