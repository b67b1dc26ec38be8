"""The Kokoro network: phonemes and a voice in, a clip of speech out. Blocking; runs in the synthesizer's executor."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from vivavoce.engines.kokoro.split_graph import ENERGY, FEATURES, PITCH, STYLE, split_graph
from vivavoce.engines.onnx_session import cpu_session
from vivavoce.engines.pitch_curve import moved_pitch
from vivavoce.errors import EngineError
from vivavoce.speaking_style import PLAIN, SpeakingStyle
from vivavoce.types import Samples

MODEL_FILE = "kokoro-v1.0.int8.onnx"
RATE_HZ = 24_000
MAX_TOKENS = 510
"""Most phonemes in one run: the network's context of 512 less the two pads."""

PAD = 0

SILENT = -8.0
"""Energy below which nothing is heard: padding has -12, the faintest consonants -6."""

MARGIN = 4
"""Frames of silence left around speech (100 ms): onsets begin before their energy, vowels ring on after it."""

LEVELLING = 0.75
"""The network normalises over a whole clip, so that speech without its silence comes out softer. The level is what it was
when the clip is multiplied by (frames with silence / frames without) to this power (fitted on 21 clips of nine voices)."""


class KokoroModel:
    """The network, in two halves, and the vocabulary."""

    def __init__(self, folder: Path, threads: int) -> None:
        self.vocabulary = load_vocabulary()
        first, second = split_graph(folder / MODEL_FILE)
        self._frames = open_session(first, threads)
        self._sound = open_session(second, threads)

    def tokens(self, phonemes: str) -> list[int]:
        """Token ids; characters outside the vocabulary are dropped, as in the original pipeline."""
        return [self.vocabulary[char] for char in phonemes if char in self.vocabulary]

    def synthesize(
        self,
        phonemes: str,
        style: Callable[[int], NDArray[np.float32]],
        speed: float,
        run: ort.RunOptions | None = None,
        *,
        padded: bool = False,
        manner: SpeakingStyle = PLAIN,
    ) -> Samples:
        """One clip, ``float32[n]`` at ``RATE_HZ``; ``padded`` with all the silence the network puts around it.

        The pitch the network means to speak with is moved as ``manner`` says, before there is any sound.

        ``style`` gives the voice's vector, ``float32[1, 256]``, for a number of phonemes. Another thread may set
        ``run.terminate``: the network stops after the layer it is at. Raises ``EngineError`` then, for more than
        ``MAX_TOKENS`` phonemes, or when the network fails.
        """
        ids = self.tokens(phonemes)
        if not ids:
            return np.zeros(0, np.float32)
        if len(ids) > MAX_TOKENS:
            raise EngineError("kokoro", f"{len(ids)} phonemes are more than the {MAX_TOKENS} one run can take")
        inputs = {
            "tokens": np.array([[PAD, *ids, PAD]], np.int64),
            STYLE: style(len(ids)),
            "speed": np.array([speed], np.float32),
        }
        try:
            features, pitch, energy = self._frames.run([FEATURES, PITCH, ENERGY], inputs, run)
            start, end = (0, features.shape[2]) if padded else speech(energy)
            frames = {
                FEATURES: features[:, :, start:end],
                PITCH: moved_pitch(pitch[:, 2 * start : 2 * end], manner),
                ENERGY: energy[:, 2 * start : 2 * end],
            }
            clip = self._sound.run(None, {**frames, STYLE: inputs[STYLE]}, run)[0]
        except Exception as error:
            raise EngineError("kokoro", f"synthesis failed: {error}", retriable=True) from error
        gain = (features.shape[2] / (end - start)) ** LEVELLING
        return np.asarray(clip, np.float32).reshape(-1) * np.float32(gain)


def speech(energy: NDArray[np.float32]) -> tuple[int, int]:
    """Where speech begins and ends, margins included, in frames of ``float32[1, 2 * frames]``; all, if there is none."""
    loudest = energy.reshape(-1, 2).max(axis=1)
    audible = np.flatnonzero(loudest > SILENT)
    if not len(audible):
        return 0, len(loudest)
    return max(0, int(audible[0]) - MARGIN), min(len(loudest), int(audible[-1]) + 1 + MARGIN)


def load_vocabulary() -> Mapping[str, int]:
    """Phoneme → token id, from the configuration published with Kokoro-82M."""
    text = files("vivavoce.engines.kokoro").joinpath("vocab.json").read_text(encoding="utf-8")
    vocabulary: dict[str, int] = json.loads(text)
    return vocabulary


def open_session(model: bytes, threads: int) -> ort.InferenceSession:
    """A CPU session of a serialised model.

    Without memory patterns, because clauses all differ (250 MB resident instead of 350). The arena stays: without it the
    allocator's fragments reach 1 GB.
    """
    with NamedTemporaryFile(prefix="kokoro-", suffix=".onnx") as file:  # a session keeps bytes it is given: 90 MB
        file.write(model)
        file.flush()
        return cpu_session(Path(file.name), threads=threads, memory_patterns=False)
