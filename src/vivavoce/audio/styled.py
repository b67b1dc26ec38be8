"""What of a speaking style is done to the sound of any voice, as it comes: a whisper, more or less brightness."""

from __future__ import annotations

import numpy as np

from vivavoce.audio.filters import FilterChain
from vivavoce.audio.whisper import Whisperer
from vivavoce.speaking_style import SpeakingStyle
from vivavoce.types import Samples

SHELF_HZ = 2500
"""Vocal effort lifts what is above it more than the rest (Traunmüller and Eriksson, 2000, Acoustic effects of variation in
vocal effort); less effort lets it fall."""


class StyledSound:
    """One clause: ``push`` its pieces, then ``finish``. Blocking, 1 % of real time at most."""

    def __init__(self, style: SpeakingStyle, rate_hz: int) -> None:
        self._stages: list[Whisperer | FilterChain] = [Whisperer(rate_hz)] if style.whisper else []
        if style.brightness_db:
            shelf = f"g={style.brightness_db:.2f}:f={SHELF_HZ}:t=q:w=0.7"
            self._stages.append(FilterChain(rate_hz, [("highshelf", shelf)]))

    @property
    def changes(self) -> bool:
        """Whether there is anything to do."""
        return bool(self._stages)

    def push(self, samples: Samples) -> Samples:
        """What a piece adds, ``float32[n]``."""
        for stage in self._stages:
            samples = stage.push(samples)
        return samples

    def finish(self) -> Samples:
        """The rest."""
        rest = np.zeros(0, np.float32)
        for stage in self._stages:
            rest = np.concatenate([stage.push(rest), stage.finish()])
        return rest
