"""What a recogniser of sherpa-onnx heard: its tokens become words with their times, its tags lose their brackets. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from vivavoce.text.language_codes import language_code
from vivavoce.text.scripts import blank_between, written_language
from vivavoce.types import Language, Word

LONGEST_TOKEN_MS = 400
"""A token's end is not told: it lasts until the next one, but no longer than a slow syllable."""

NO_SPEECH = "nospeech"
"""The language of what nobody says."""

_MORE = "@@"
"""At the end of a token of Paraformer: the word goes on with the next."""

_TAG = re.compile(r"<\|([^|>]*)\|>")


def _as_written(tokens: Sequence[str]) -> Iterable[str]:
    return tokens


def _spelled(tokens: Sequence[str]) -> Iterator[str]:
    """Paraformer's tokens as they stand in its text: a blank before every word in Latin letters, and behind it."""
    before = ""
    for token in tokens:
        latin, after_latin = token[:1].isascii(), before[:1].isascii() and before != ""
        goes_on = latin and before.endswith(_MORE)
        yield f" {token.removesuffix(_MORE)}" if (latin or after_latin) and not goes_on else token.removesuffix(_MORE)
        before = token


@dataclass(frozen=True, slots=True)
class HearingModel:
    """A kind of recogniser. ``files``: by sherpa-onnx's name of each, the names its file may have, first choice first.

    ``weights``: what the catalogue calls it. ``languages`` are those it was trained on; the first is meant where nothing tells.
    ``spelled``: its tokens as they stand in its text. ``tags``: it tells the language, the emotion and what else sounds.
    """

    name: str
    weights: str
    languages: tuple[Language, ...]
    files: Mapping[str, tuple[str, ...]]
    spelled: Callable[[Sequence[str]], Iterable[str]]
    tags: bool


_FILES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"model": ("model.int8.onnx", "model.onnx"), "tokens": ("tokens.txt",)}
)
SENSE_VOICE = HearingModel("sensevoice", "sensevoice-small", ("zh", "en", "ja", "ko"), _FILES, _as_written, tags=True)
PARAFORMER = HearingModel("paraformer", "paraformer-zh", ("zh", "en"), _FILES, _spelled, tags=False)


@dataclass(frozen=True, slots=True)
class Heard:
    """An utterance; ``text`` is empty when nothing was said. ``dialect`` is the language as the model tags it (``yue``),
    ``emotion`` and ``event`` are its own labels, all empty where it has none."""

    text: str
    language: Language | None
    words: tuple[Word, ...]
    dialect: str = ""
    emotion: str = ""
    event: str = ""


def heard(model: HearingModel, answer: Mapping[str, Any], length_ms: int) -> Heard:
    """What an answer of the process says of an utterance of ``length_ms``.

    Raises ``KeyError``, ``TypeError`` and ``ValueError`` for what is no such answer.
    """
    dialect, emotion, event = (_label(answer[tag]) for tag in ("language", "emotion", "event"))
    text = str(answer["text"]).strip()
    if dialect == NO_SPEECH or not any(map(str.isalnum, text)):
        return Heard("", None, (), "", emotion, event)
    spelled = list(model.spelled(answer["tokens"]))
    starts = [round(float(start) * 1000) for start in answer["starts_s"]]
    timed = len(starts) == len(spelled) and "".join(spelled).strip() == text
    words = _words(_units(spelled, starts, length_ms)) if timed else ()
    return Heard(text, language_code(dialect) or written_language(text), words, dialect, emotion, event)


def _label(tag: str) -> str:
    match = _TAG.fullmatch(tag.strip())
    return match[1] if match else ""


def _units(spelled: Sequence[str], starts: Sequence[int], length_ms: int) -> Iterator[Word]:
    """Each token with its time; one of several characters of a script without blanks is parted among them."""
    for text, (start_ms, next_ms) in zip(spelled, pairwise([*starts, length_ms]), strict=True):
        end_ms = max(start_ms, min(next_ms, start_ms + LONGEST_TOKEN_MS))
        seams = [blank_between(one, other) for one, other in pairwise(text)]
        parts = list(text) if seams and not text.startswith(" ") and not any(seams) else [text]
        step = (end_ms - start_ms) / len(parts)
        for number, part in enumerate(parts):
            yield Word(part, round(start_ms + number * step), round(start_ms + (number + 1) * step))


def _words(units: Iterable[Word]) -> tuple[Word, ...]:
    """Units that belong to one word put together: what goes on without a blank, and marks to what they follow."""
    words: list[Word] = []
    for unit in units:
        before = words[-1].text if words else ""
        named = any(map(str.isalnum, unit.text))
        if not words:
            words.append(Word(unit.text.lstrip(), unit.start_ms, unit.end_ms))
        elif unit.text.startswith(" ") or (named and not blank_between(before, unit.text)):
            words.append(unit)
        else:
            words[-1] = Word(before + unit.text, words[-1].start_ms, unit.end_ms)
    return tuple(words)
