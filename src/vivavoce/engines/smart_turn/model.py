"""The scorer all sessions share: one thread, one pause at a time, first come, first served; about 50 ms each."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from typing_extensions import override

from vivavoce.engines.base import EndOfTurnModel, EngineContext, needs_weights
from vivavoce.engines.mel import RATE_HZ
from vivavoce.engines.onnx_session import cpu_session
from vivavoce.engines.settings import always
from vivavoce.engines.smart_turn.features import WINDOW_S, TurnFeatures
from vivavoce.errors import EngineError
from vivavoce.types import Samples

ENGINE = "smart_turn"
WEIGHTS = "smart-turn"
FILE = "smart-turn-v3.2-cpu.onnx"


class SmartTurnModel(EndOfTurnModel):
    """Smart Turn 3.2. ``session`` is the ONNX session; calls to it stay on one thread."""

    rate_hz = RATE_HZ
    window_s = WINDOW_S

    def __init__(self, session: Any) -> None:
        self._session = session
        self._features = TurnFeatures()
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=ENGINE)
        self._closed = False

    @override
    async def score(self, samples: Samples) -> float:
        """Probability in [0, 1] that the speaker has finished at the end of ``samples`` (``float32[n]``, 16 kHz).

        The turn so far with the beginning of the pause; only the last 8 s count. Cancelling before its turn takes it
        out of the queue. Raises ``EngineError``.
        """
        if samples.ndim != 1 or samples.dtype != np.float32:
            raise EngineError(ENGINE, f"audio is float32[n], not {samples.dtype}{list(samples.shape)}")
        try:
            return await asyncio.wrap_future(self._executor.submit(self._run, samples))
        except EngineError:
            raise
        except Exception as error:
            raise EngineError(ENGINE, f"scoring failed: {error}", retriable=not self._closed) from error
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._closed and task is not None and not task.cancelling():
                raise EngineError(ENGINE, "was closed before the pause was scored") from None
            raise

    @override
    def close(self) -> None:
        """Drop what is queued and stop the thread after the call under way. Idempotent."""
        self._closed = True
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _run(self, samples: Samples) -> float:
        if not np.isfinite(samples).all():
            raise EngineError(ENGINE, "the samples are not finite numbers")
        return float(self._session.run(None, {"input_features": self._features(samples)})[0].item())


@needs_weights(always(WEIGHTS))
def load(context: EngineContext) -> SmartTurnModel:
    """Entry point: the scorer, warm.

    Raises ``WeightsError`` without weights and ``EngineError`` for those that cannot be opened.
    """
    path = context.weights(WEIGHTS) / FILE
    try:
        session = cpu_session(path)  # one thread: the recogniser reads the same pause at the same time
        # The first call allocates what all later ones reuse; the first speaker shall not wait for it.
        session.run(None, {"input_features": TurnFeatures()(np.zeros(RATE_HZ, np.float32))})
    except Exception as error:
        raise EngineError(ENGINE, f"cannot open {path}: {error}") from error
    return SmartTurnModel(session)
