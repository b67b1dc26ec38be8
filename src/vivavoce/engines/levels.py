"""One loudness for every voice in every language: no step up or down where a voice, a language or an engine changes.

The built-in voices are measured offline (``python benchmarks/loudness.py``). Others, clones and blends, are measured as
they speak: the first piece by itself, then all that was said so far.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections import OrderedDict
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import numpy as np

from vivavoce.audio.loudness import TARGET_LUFS, limited, loudness
from vivavoce.speaking_style import PLAIN, SpeakingStyle
from vivavoce.types import Language, Samples

MAX_DB = 14.0
"""A voice is made louder or softer by no more than this."""

REMEMBERED = 256
"""Voices that are measured as they speak; the one not heard for the longest goes."""

_MIN_S = 0.3
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
        self._measured: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def levelled(
        self,
        engine: str,
        voice: str,
        language: Language,
        samples: Samples,
        rate_hz: int,
        *,
        style: SpeakingStyle = PLAIN,
    ) -> Samples:
        """``samples`` of this voice, as loud as all others, and then as loud as ``style`` wants it.

        What was not measured offline is measured on a thread, and so is a voice whose sound a style has changed.
        """
        table_db = self._table.get(engine, {}).get(f"{voice}@{language}") if not style.sound else None
        name = f"{engine}/{voice}@{language}{style.sound}"
        add_db = table_db if table_db is not None else await self._learned(name, samples, rate_hz)
        return await louder(samples, add_db + style.gain_db)

    async def _learned(self, name: str, samples: Samples, rate_hz: int) -> float:
        """What to add to a voice that was not measured: so far it has had this much energy in so many samples."""
        long_enough = len(samples) >= _MIN_S * rate_hz
        loudness_db = await asyncio.to_thread(loudness, samples, rate_hz) if long_enough else -math.inf
        energy, count = self._measured.get(name, (0.0, 0.0))
        if math.isfinite(loudness_db):
            energy, count = energy + 10 ** (loudness_db / 10) * len(samples), count + len(samples)
            self._measured[name] = energy, count
            self._measured.move_to_end(name)
            while len(self._measured) > REMEMBERED:
                self._measured.popitem(last=False)
        if not count:
            return 0.0
        return max(-MAX_DB, min(MAX_DB, TARGET_LUFS - 10 * math.log10(energy / count)))


async def louder(samples: Samples, gain_db: float) -> Samples:
    """``samples`` with so much gain, no peak above the ceiling."""
    return await asyncio.to_thread(limited, samples * np.float32(10 ** (gain_db / 20)))
