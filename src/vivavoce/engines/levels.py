"""One loudness for every voice in every language: no step up or down where a voice, a language or an engine changes.

The built-in voices are measured offline (``python -m vivavoce.bench.loudness``). Others, clones and blends, are measured as
they speak: the first piece by itself, then all that was said so far.
"""

from __future__ import annotations

import json
import math
from collections import OrderedDict
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import numpy as np

from vivavoce.audio.loudness import TARGET_LUFS, limited, loudness
from vivavoce.types import Language, Samples

MOST_DB = 14.0
"""A voice is made louder or softer by no more than this."""

REMEMBERED = 256
"""Voices that are measured as they speak; the one not heard for the longest goes."""

_LEAST_S = 0.3
"""A shorter piece does not tell how loud a voice is."""


@cache
def measured() -> Mapping[str, Mapping[str, float]]:
    """Decibels to add, by engine and ``voice@language``."""
    table: dict[str, dict[str, float]] = json.loads(
        files("vivavoce.engines").joinpath("levels.json").read_text(encoding="utf-8")
    )
    return table


class Levels:
    """Brings what engines say to ``TARGET_LUFS``, with no peak above the ceiling."""

    def __init__(self, table: Mapping[str, Mapping[str, float]] | None = None) -> None:
        """``table``: decibels to add, by engine and ``voice@language``; that of the project unless given."""
        self._table = measured() if table is None else table
        self._heard: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def levelled(self, engine: str, voice: str, language: Language, samples: Samples, rate_hz: int) -> Samples:
        """``samples`` of this voice, as loud as all others."""
        known = self._table.get(engine, {}).get(f"{voice}@{language}")
        add_db = self._learned(f"{engine}/{voice}@{language}", samples, rate_hz) if known is None else known
        return limited(samples * np.float32(10 ** (add_db / 20)))

    def _learned(self, name: str, samples: Samples, rate_hz: int) -> float:
        """What to add to a voice that was not measured: so far it has had this much energy in so many samples."""
        energy, count = self._heard.get(name, (0.0, 0.0))
        found = loudness(samples, rate_hz) if len(samples) >= _LEAST_S * rate_hz else -math.inf
        if math.isfinite(found):
            energy, count = energy + 10 ** (found / 10) * len(samples), count + len(samples)
            self._heard[name] = energy, count
            self._heard.move_to_end(name)
            while len(self._heard) > REMEMBERED:
                self._heard.popitem(last=False)
        if not count:
            return 0.0
        return max(-MOST_DB, min(MOST_DB, TARGET_LUFS - 10 * math.log10(energy / count)))
