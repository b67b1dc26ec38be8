"""What the bench asks: recordings named by a manifest, or questions spoken by the project's own synthesizers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np

from vivavoce.audio.resample import resample
from vivavoce.client.events import WIRE_RATE_HZ
from vivavoce.client.recording import read_audio, speech_end_ms
from vivavoce.engines.base import Synthesizer
from vivavoce.errors import VivavoceError
from vivavoce.types import Language, Samples, SpeakOptions

OWN_QUESTIONS: dict[Language, tuple[str, ...]] = {
    "en": (
        "What is the tallest mountain in the world?",
        "Can you tell me a short joke?",
        "How do I boil an egg?",
        "Which planet is closest to the sun?",
        "What should I wear on a rainy day?",
    ),
    "zh": (
        "世界上最高的山是哪一座？",
        "给我讲一个简短的笑话。",
        "怎么煮鸡蛋？",
        "今天下雨，我应该穿什么？",
        "中国的首都是哪里？",
    ),
}
"""Spoken by the bench itself when there is no manifest."""


class ManifestError(VivavoceError):
    """The manifest cannot be read, or nothing in it fits."""


@dataclass(frozen=True, slots=True)
class Question:
    """Something to say to the server: samples at 24 kHz, where the speech in them ends, and its text if known.

    ``pause_ms`` of silence was put into the speech.
    """

    name: str
    language: Language
    samples: Samples
    speech_end_ms: float
    text: str | None = None
    pause_ms: int = 0


def read_manifest(
    path: Path, *, language: Language | None = None, files: str = "*", limit: int | None = None
) -> list[Question]:
    """The recordings of a JSON-lines manifest.

    A line is an object with ``file`` (relative to the manifest) and ``language``; ``text`` and ``speech_end_ms`` are
    optional. Lines without a language are no speech and skipped; ``files`` is a pattern such as ``english/*``;
    ``limit`` counts per language. Raises ``ManifestError`` and ``RecordingError``.
    """
    try:
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
        selected = [row for row in rows if row.get("language") and fnmatch(row["file"], files)]
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise ManifestError(f"Cannot read the manifest {path}: {error!r}.") from error
    chosen: list[Question] = []
    for row in selected:
        if language not in (None, row["language"]):
            continue
        if limit is None or sum(question.language == row["language"] for question in chosen) < limit:
            chosen.append(_recorded(path.parent, row))
    if not chosen:
        raise ManifestError(f"No recording in {path} fits language {language or 'any'} and files {files!r}.")
    return chosen


def _recorded(folder: Path, row: dict[str, Any]) -> Question:
    samples = read_audio(folder / row["file"])
    label = row.get("speech_end_ms")
    return Question(
        name=row["file"],
        language=row["language"],
        samples=samples,
        speech_end_ms=speech_end_ms(samples) if label is None else float(label),
        text=row.get("text"),
    )


async def synthesise_questions(
    synthesizer: Synthesizer, *, voice: str, languages: Sequence[Language], limit: int | None = None
) -> list[Question]:
    """Speak ``OWN_QUESTIONS`` with ``voice``, at most ``limit`` per language. Raises ``EngineError``."""
    return [
        await _spoken(synthesizer, f"{language}-{number}", text, voice, language)
        for language in languages
        for number, text in enumerate(OWN_QUESTIONS[language][:limit], start=1)
    ]


async def _spoken(synthesizer: Synthesizer, name: str, text: str, voice: str, language: Language) -> Question:
    pieces = [piece async for piece in synthesizer.speak(text, SpeakOptions(voice, language))]
    samples = resample(np.concatenate(pieces), synthesizer.rate_hz, WIRE_RATE_HZ)
    return Question(name, language, samples, speech_end_ms(samples), text)
