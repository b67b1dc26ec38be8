"""Train the heads of the built-in perceiver: ``python benchmarks/voice_heads.py DATA CACHE``.

``DATA`` is a folder as for ``vivavoce bench perception``; what is computed is kept in ``CACHE``. It writes ``emotion.npz``
(trained on EMO-DB, CC0-1.0) and ``gender.npz`` (on our own synthetic voices) into the package and prints what was found
without the speakers it was trained on.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vivavoce.bench.perception import all_conditions, cached, is_for_training, material
from vivavoce.bench.voice_examples import ClipEncoder, Example, synthetic
from vivavoce.bench.voice_training import Linear, Outcomes, train, without_speaker
from vivavoce.engines.voice import HEADS
from vivavoce.engines.whisper.settings import WhisperSettings

LEAST_EMOTION = 0.9
"""From which score an emotion is told: there read speech of other languages hardly ever gets one."""


def write(name: str, file: str, trained: Linear, outcomes: Outcomes, least: float) -> None:
    """A head of some kilobytes: half precision is far finer than what it tells."""
    HEADS.mkdir(exist_ok=True)
    np.savez_compressed(
        HEADS / file,
        name=name,
        network=WhisperSettings().weights,
        labels=np.array(trained.labels),
        weights=trained.weights.astype(np.float16),
        biases=trained.biases,
        temperature=outcomes.temperature(),
        least=least,
    )
    answered, right = outcomes.coverage(outcomes.temperature(), least)
    print(f"{name}: recall {outcomes.recall():.3f}, temperature {outcomes.temperature():.2f}; {answered:.0%} answered, "
          f"{right:.1%} of them right")  # fmt: skip


def main() -> None:
    """The entry point."""
    data, cache = map(Path, sys.argv[1:3])
    found = material(data, cache)
    trained = train([example for example in found.emotional if is_for_training(example)])
    write("head:emodb-1", "emotion.npz", trained, all_conditions(found), LEAST_EMOTION)
    voices: Sequence[Example] = cached(cache, "synthetic", lambda: synthetic(data, ClipEncoder()))
    outcomes = without_speaker(voices, lambda _: True, lambda _: True)
    write("head:kokoro-gender-1", "gender.npz", train(voices), outcomes, 0.5)


if __name__ == "__main__":
    main()
