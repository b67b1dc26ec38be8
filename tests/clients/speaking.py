"""Spoken questions of our own making, so that nobody needs recordings to run these tests."""

from __future__ import annotations

import numpy as np
from hibari import Hibari

from vivavoce.audio.pcm import encode_pcm16


def spoken(text: str) -> bytes:
    """English speech as PCM16 at 24 kHz, between half a second and a second of silence."""
    speech = np.asarray(Hibari(threads=1)(text, seed=1), np.float32)
    return encode_pcm16(np.concatenate([np.zeros(12_000, np.float32), speech, np.zeros(24_000, np.float32)]))
