"""What synthesizers do to a clip before it leaves: cut the model's own silence, add the pause its punctuation asks for.

Pauses are shorter than those of a reader (people pause about 0.4 to 0.6 s between read sentences): this is conversation,
and the next clause adds the breath of its own onset. Commas get half of a full stop; a clip that ends without
punctuation was cut within a phrase and goes on at once.
"""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from vivavoce.audio.silence import silence, trim
from vivavoce.types import Samples

SENTENCE_MS = 240
CLAUSE_MS = 120
PAUSES_MS = MappingProxyType(
    dict.fromkeys(".!?…", SENTENCE_MS) | dict.fromkeys(";:—", CLAUSE_MS + 40) | dict.fromkeys(",", CLAUSE_MS)
)
_CLOSING = ' "”)'


def pause_ms(phonemes: str) -> int:
    """The pause after a string of phonemes, by its last punctuation mark; 0 when it ends in none."""
    return PAUSES_MS.get(phonemes.rstrip(_CLOSING)[-1:], 0)


def finish(clip: Samples, phonemes: str, rate_hz: int, pace: float) -> Samples:
    """The clip as it is sent: trimmed, with its pause, by ``pace`` shorter. Empty stays empty."""
    trimmed = trim(clip, rate_hz)
    if not len(trimmed):
        return trimmed
    return np.concatenate([trimmed, silence(pause_ms(phonemes) / pace, rate_hz)])
