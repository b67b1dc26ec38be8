"""How audio is written on the wire: its encoding and rate. Data only; ``formats`` reads and writes it."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

Encoding: TypeAlias = Literal["pcm16", "g711_ulaw", "g711_alaw", "ogg_opus"]
RateHz: TypeAlias = Literal[8000, 16000, 24000, 48000]


class AudioFormat(msgspec.Struct, frozen=True, kw_only=True):
    """Audio as clients send and get it: mono, and without a header but for Ogg.

    G.711 runs at 8 kHz only. Ogg Opus is read and never written; it says itself what it holds, so ``rate_hz`` is only shown.
    """

    encoding: Encoding = "pcm16"
    rate_hz: RateHz = 24_000
