"""The Kokoro network: phonemes and a voice in, a clip of speech out. Blocking; runs in the speaker's executor."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from vivavoce.errors import EngineError, WeightsError
from vivavoce.types import Samples

MODEL_FILE = "kokoro-v1.0.int8.onnx"
RATE_HZ = 24_000
MAX_TOKENS = 510
"""Most phonemes in one run: the network's context of 512 less the two pads."""

STYLE_SIZE = 256
PAD = 0
BLEND = "+"
"""``zf_xiaoxiao+zf_xiaoyi`` is the voice half way between the two (the mean of their style vectors)."""


class KokoroModel:
    """The ONNX session, the vocabulary and the voices' style vectors (``float32[510, 1, 256]``: one for each length)."""

    def __init__(self, model: Path, voices: Path, threads: int) -> None:
        self.vocabulary = load_vocabulary()
        self._styles = {file.stem: _style(file) for file in sorted(voices.glob("*.bin"))}
        if not self._styles:
            raise WeightsError(f"No Kokoro voice (*.bin) in {voices}; run `vivavoce models pull kokoro-voices`.")
        self._session = open_session(model / MODEL_FILE, threads)

    @property
    def voice_names(self) -> tuple[str, ...]:
        """The voices there are files for."""
        return tuple(self._styles)

    def tokens(self, phonemes: str) -> list[int]:
        """Token ids; characters outside the vocabulary are dropped, as in the original pipeline."""
        return [self.vocabulary[char] for char in phonemes if char in self.vocabulary]

    def synthesize(self, phonemes: str, voice: str, speed: float, run: ort.RunOptions | None = None) -> Samples:
        """One clip, ``float32[n]`` at ``RATE_HZ``, with the silence the network puts around it.

        Another thread may set ``run.terminate``: the network stops after the layer it is at. Raises ``EngineError`` then,
        for an unknown voice, more than ``MAX_TOKENS`` phonemes, or when the network fails.
        """
        ids = self.tokens(phonemes)
        if not ids:
            return np.zeros(0, np.float32)
        if len(ids) > MAX_TOKENS:
            raise EngineError("kokoro", f"{len(ids)} phonemes are more than the {MAX_TOKENS} one run can take")
        inputs = {
            "tokens": np.array([[PAD, *ids, PAD]], np.int64),
            "style": self._style_of(voice, len(ids)),
            "speed": np.array([speed], np.float32),
        }
        try:
            clip = self._session.run(None, inputs, run)[0]
        except Exception as error:
            raise EngineError("kokoro", f"synthesis failed: {error}", retriable=True) from error
        return np.asarray(clip, np.float32).reshape(-1)

    def _style_of(self, voice: str, length: int) -> NDArray[np.float32]:
        parts = voice.split(BLEND)
        missing = [part for part in parts if part not in self._styles]
        if missing:
            raise EngineError("kokoro", f"there is no voice '{missing[0]}'")
        # The original pipeline takes row len - 1; the rows hold styles for utterances of that many phonemes.
        rows = np.stack([self._styles[part][min(length, MAX_TOKENS) - 1] for part in parts])
        style: NDArray[np.float32] = rows.mean(axis=0, dtype=np.float32)
        return style


def load_vocabulary() -> Mapping[str, int]:
    """Phoneme → token id, from the configuration published with Kokoro-82M."""
    text = files("vivavoce.engines.kokoro").joinpath("vocab.json").read_text(encoding="utf-8")
    vocabulary: dict[str, int] = json.loads(text)
    return vocabulary


def open_session(model: Path, threads: int) -> ort.InferenceSession:
    """A CPU session.

    Memory patterns are off: they are planned for one input length, and clauses all differ (250 MB resident instead of
    350). The arena stays: without it the allocator's fragments reach 1 GB. Threads sleep when idle: spinning costs a
    third more CPU time, which the language model needs.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def _style(file: Path) -> NDArray[np.float32]:
    return np.fromfile(file, np.dtype("<f4")).reshape(-1, 1, STYLE_SIZE).astype(np.float32)
