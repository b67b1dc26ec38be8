"""What was heard in an utterance, and in consecutive pieces of one as a whole. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vivavoce.text.scripts import blank_between, joined
from vivavoce.types import Confidence, Language, Token, Word


@dataclass(frozen=True, slots=True)
class UtteranceText:
    """The text of an utterance (empty when nothing was said), the language spoken, and what ``Transcript`` tells else."""

    text: str
    language: Language | None
    words: tuple[Word, ...] = ()
    tokens: tuple[Token, ...] = ()
    confidence: Confidence | None = None


def later(result: UtteranceText, start_ms: int) -> UtteranceText:
    """What was heard in a piece that began at ``start_ms``."""
    return replace(
        result,
        words=tuple(
            replace(word, start_ms=word.start_ms + start_ms, end_ms=word.end_ms + start_ms) for word in result.words
        ),
    )


def together(parts: Sequence[UtteranceText], language: Language | None) -> UtteranceText:
    """What was heard in consecutive pieces, as one."""
    text, words = "", list[Word]()
    for part in parts:
        between = blank_between(text, part.text)
        words += [replace(word, text=between + word.text) for word in part.words[:1]]
        words += part.words[1:]
        text = joined(text, part.text)
    return UtteranceText(
        text,
        language,
        tuple(words),
        tuple(token for part in parts for token in part.tokens),
        _lowest_confidence([part.confidence for part in parts if part.confidence is not None]),
    )


def _lowest_confidence(confidences: Sequence[Confidence]) -> Confidence | None:
    """An utterance is as sure as its least sure piece."""
    if not confidences:
        return None
    return Confidence(
        min(confidence.log_probability for confidence in confidences),
        max(confidence.no_speech for confidence in confidences),
        max(confidence.compression for confidence in confidences),
    )
