"""What the heads are trained on: the recogniser's view of recordings and their copies."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivavoce.audio.recordings import read_recording
from vivavoce.audio.resample import resample
from vivavoce.bench.voice_copies import RATE_HZ, Surroundings, copies
from vivavoce.config import load_config
from vivavoce.engines.base import Synthesizer
from vivavoce.engines.whisper.model import WhisperModel
from vivavoce.engines.whisper.settings import WhisperSettings
from vivavoce.models.catalogue import load_catalogue
from vivavoce.models.store import WeightStore
from vivavoce.perception.head import pooled
from vivavoce.perception.prosody import measure
from vivavoce.runtime.engines import EngineLoader
from vivavoce.types import Samples, SpeakOptions

SPOKEN = {
    "en": (
        "The train to the coast leaves at a quarter past nine from the second platform.",
        "I have read the whole letter twice and put it back into the drawer.",
        "Could you tell me where the library keeps its old newspapers?",
    ),
    "zh": ("火车九点一刻从第二站台出发。", "我把那封信读了两遍，又放回抽屉里。", "请问图书馆的旧报纸放在哪里？"),
    "ja": ("電車は九時十五分に二番線から出ます。", "手紙を二回読んで、引き出しに戻しました。"),
}
"""Written for this: plain sentences, read by synthetic voices."""

GENDER_COPIES = ("clean", "noise0", "noise1", "room", "g711", "slower", "faster")


@dataclass(frozen=True, slots=True)
class Example:
    """One clip or copy: ``group`` is who speaks, ``copy`` which copy of it, ``features`` as ``pooled`` makes them."""

    label: str
    group: str
    copy: str
    f0_hz: float
    features: NDArray[np.float32]


class ClipEncoder:
    """The recogniser's encoder, as the server uses it."""

    def __init__(self) -> None:
        config, self._settings = load_config(), WhisperSettings()
        store = WeightStore(load_catalogue(), config.weights_folder, config.models)
        self._model = WhisperModel(store.folder(self._settings.weights), self._settings, 2)

    def example(self, label: str, group: str, copy: str, samples: Samples) -> Example | None:
        """What is seen of ``samples`` (at most 29 s); ``None`` if nothing is said."""
        encoding = self._model.encode(samples[: 29 * RATE_HZ], self._settings.context_s)
        features = pooled(encoding.states, encoding.log_mel_of_audio)
        measures = measure(samples, RATE_HZ)
        if features is None or measures is None:
            return None
        return Example(label, group, copy, measures.f0_hz or 0.0, features)


def read(path: Path) -> Samples:
    """A recording at 16 kHz."""
    return read_recording(path, rate_hz=RATE_HZ, max_s=60)


def rows(data: Path) -> list[dict[str, Any]]:
    """The lines of the manifest."""
    return [json.loads(line) for line in (data / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]


def surroundings(data: Path) -> Surroundings:
    """Noises and rooms of the data folder."""
    return Surroundings(
        [read(path) for path in sorted((data / "noise").glob("*.wav"))],
        [read(path) for path in sorted((data / "rooms").glob("*.wav"))],
    )


def emotional(data: Path, encoder: ClipEncoder) -> Iterator[Example]:
    """Every clip of EMO-DB with its copies."""
    around = surroundings(data)
    for seed, row in enumerate(row for row in rows(data) if "emotion" in row):
        for copy, samples in copies(read(data / row["file"]), around, seed):
            if (example := encoder.example(row["emotion"], row["speaker"], copy, samples)) is not None:
                yield example


def read_aloud(data: Path, encoder: ClipEncoder) -> Iterator[Example]:
    """Read speech in English and Mandarin: nobody acts an emotion there. The label is the language."""
    around = surroundings(data)
    for seed, row in enumerate(row for row in rows(data) if row["file"].split("/")[0] in ("english", "mandarin")):
        for copy, samples in copies(read(data / row["file"]), around, seed):
            example = encoder.example(row["language"], row["file"], copy, samples)
            if copy in ("clean", "noise0@10", "room", "g711") and example is not None:
                yield example


def synthetic(data: Path, encoder: ClipEncoder) -> Iterator[Example]:
    """Our own synthetic voices, whose sex is known, with copies."""
    around, router = surroundings(data), EngineLoader(load_config()).synthesizer()
    kokoro = router.synthesizers["kokoro"]
    for seed, (voice, languages) in enumerate(sorted(kokoro.voices.items())):
        if not (len(voice) > 2 and voice[2] == "_"):
            continue
        for language in sorted(languages):
            for sentence in SPOKEN.get(language, ()):
                clip = resample(asyncio.run(_said(kokoro, sentence, voice, language)), kokoro.rate_hz, RATE_HZ)
                for copy, samples in copies(clip, around, seed):
                    sex = "female" if voice[1] == "f" else "male"
                    if copy not in GENDER_COPIES:
                        continue
                    if (example := encoder.example(sex, voice, copy, samples)) is not None:
                        yield example


async def _said(synthesizer: Synthesizer, text: str, voice: str, language: str) -> Samples:
    pieces = synthesizer.speak(text, SpeakOptions(voice, language))
    return np.concatenate([piece async for piece in pieces])


def save(path: Path, examples: Sequence[Example]) -> None:
    """Keep examples for the next run."""
    np.savez_compressed(
        path,
        label=[example.label for example in examples],
        group=[example.group for example in examples],
        copy=[example.copy for example in examples],
        f0_hz=[example.f0_hz for example in examples],
        features=np.stack([example.features for example in examples]).astype(np.float32),
    )


def load(path: Path) -> list[Example]:
    """Examples that were kept."""
    with np.load(path, allow_pickle=False) as file:
        columns = [file[name] for name in ("label", "group", "copy", "f0_hz", "features")]
    return [
        Example(str(label), str(group), str(copy), float(f0), features)
        for label, group, copy, f0, features in zip(*columns, strict=True)
    ]
