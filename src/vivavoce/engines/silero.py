"""Silero voice activity detection on ONNX Runtime: about 0.1 ms a frame alone, so it may run on the event loop.

The model sees a frame of 512 samples behind the last 64 samples of the frame before, and a recurrent state it hands
back with every answer (silero-vad 6, ``utils_vad.OnnxWrapper``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from typing_extensions import override

from vivavoce.engines.base import EngineContext, SpeechDetector, VadStream, needs_weights
from vivavoce.engines.onnx_session import cpu_session
from vivavoce.engines.settings import always
from vivavoce.errors import EngineError
from vivavoce.types import Samples

WEIGHTS = "silero-vad"
RATE_HZ = 16_000
FRAME_SAMPLES = 512
CONTEXT_SAMPLES = 64
STATE_SHAPE = (2, 1, 128)


class SileroStream(VadStream):
    """Voice activity over one stream: its own context and recurrent state, the model shared."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._rate = np.array(RATE_HZ, np.int64)
        self._input = np.zeros((1, CONTEXT_SAMPLES + FRAME_SAMPLES), np.float32)
        self._state = np.zeros(STATE_SHAPE, np.float32)

    @override
    def probability(self, frame: Samples) -> float:
        """Probability in [0, 1] that ``frame`` (``float32[512]`` at 16 kHz) is speech.

        Raises ``EngineError`` for another shape or type, and for samples that are not numbers: those would spoil the
        state for good, so the stream starts afresh.
        """
        _check(frame)
        self._input[0, :CONTEXT_SAMPLES] = self._input[0, -CONTEXT_SAMPLES:]
        self._input[0, CONTEXT_SAMPLES:] = frame
        feed = {"input": self._input, "state": self._state, "sr": self._rate}
        output, self._state = self._session.run(None, feed)
        probability = float(output[0, 0])
        if not math.isfinite(probability):
            self.reset()
            raise EngineError("silero", "the samples are not finite numbers")
        return probability

    def write_input(self, row: Samples, frame: Samples) -> None:
        """What the model is to see of this stream next, into ``row``: ``float32[576]``."""
        _check(frame)
        row[:CONTEXT_SAMPLES] = self._input[0, -CONTEXT_SAMPLES:]
        row[CONTEXT_SAMPLES:] = frame

    @property
    def state(self) -> Samples:
        """What the model remembers of this stream."""
        return self._state

    def move_on(self, row: Samples, state: Samples) -> None:
        """The model has seen ``row`` and remembers ``state``."""
        self._input[0] = row
        self._state = state

    @override
    def reset(self) -> None:
        """Forget the past, as at the start of a stream."""
        self._input[:] = 0.0
        self._state = np.zeros(STATE_SHAPE, np.float32)


def _check(frame: Samples) -> None:
    if frame.shape != (FRAME_SAMPLES,) or frame.dtype != np.float32:
        raise EngineError("silero", f"a frame is float32[{FRAME_SAMPLES}], not {frame.dtype}{list(frame.shape)}")


class SileroDetector(SpeechDetector):
    """One ONNX session for all streams; the session is thread-safe and keeps nothing between calls."""

    rate_hz = RATE_HZ
    frame_samples = FRAME_SAMPLES

    def __init__(self, session: Any) -> None:
        self._session = session
        self._rate = np.array(RATE_HZ, np.int64)

    @override
    def open(self) -> SileroStream:
        """A fresh stream."""
        return SileroStream(self._session)

    @override
    def probabilities(self, streams: Sequence[SileroStream], frames: Sequence[Samples]) -> list[float]:
        """One frame of each stream: thirty at once cost half as much each as one alone.

        Raises ``EngineError`` as a stream does, for all of them; then none has moved on.
        """
        if len(streams) == 1:
            return [streams[0].probability(frames[0])]
        rows = np.empty((len(streams), CONTEXT_SAMPLES + FRAME_SAMPLES), np.float32)
        for row, stream, frame in zip(rows, streams, frames, strict=True):
            stream.write_input(row, frame)
        feed = {"input": rows, "state": np.concatenate([stream.state for stream in streams], axis=1), "sr": self._rate}
        output, states = self._session.run(None, feed)
        if not np.isfinite(output).all():
            raise EngineError("silero", "the samples are not finite numbers")
        for number, stream in enumerate(streams):
            stream.move_on(rows[number], states[:, number : number + 1].copy())
        return [float(probability) for probability in output[:, 0]]

    @override
    def close(self) -> None:
        """Does nothing: the session has no threads of its own and is freed with its last stream."""


@needs_weights(always(WEIGHTS))
def load(context: EngineContext) -> SileroDetector:
    """Entry point. Raises ``WeightsError`` without weights and ``EngineError`` when they cannot be opened."""
    path = context.weights(WEIGHTS) / "silero_vad.onnx"
    try:
        session = cpu_session(path)  # one thread: a frame is far too little work to share
    except Exception as error:
        raise EngineError("silero", f"cannot open {path}: {error}") from error
    return SileroDetector(session)
