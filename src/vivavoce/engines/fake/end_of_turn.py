"""An end-of-turn model that takes silence for the end."""

from __future__ import annotations

import asyncio

import numpy as np
from typing_extensions import override

from vivavoce.engines.base import EndOfTurnModel
from vivavoce.engines.fake.signals import LOUD
from vivavoce.types import Samples

TAIL_MS = 100


class FakeEndOfTurnModel(EndOfTurnModel):
    """The speaker has finished when it is quiet."""

    rate_hz = 16_000
    window_s = 8.0

    @override
    async def score(self, samples: Samples) -> float:
        """0.1 when the RMS of the last ``TAIL_MS`` is above ``LOUD``, else 0.99; nothing at all is quiet."""
        await asyncio.sleep(0)
        tail = samples[-TAIL_MS * self.rate_hz // 1000 :]
        return 0.1 if len(tail) and np.sqrt(np.mean(tail**2)) > LOUD else 0.99

    @override
    def close(self) -> None:
        pass
