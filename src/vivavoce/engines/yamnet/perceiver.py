"""The perceiver of what else sounds: dogs, doors, sirens, music. It hears nothing in the voice itself."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from typing import Any

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray
from typing_extensions import override

from vivavoce.audio.resample import resample
from vivavoce.engines.base import EngineContext, Perceiver, needs_weights
from vivavoce.engines.onnx_session import cpu_session
from vivavoce.engines.settings import always
from vivavoce.engines.yamnet.checkpoint import Checkpoint
from vivavoce.engines.yamnet.graph import classifier
from vivavoce.errors import EngineError
from vivavoce.perception.sound_groups import folded, music_of, sounds_of
from vivavoce.perception.sound_patches import RATE_HZ, log_mel, patches
from vivavoce.types import Samples
from vivavoce.voice_facts import Perceived, PerceiveOptions, SpeechEncoding

ENGINE = "yamnet"
WEIGHTS = "yamnet"
INDEX, DATA = "variables.index", "variables.data-00000-of-00001"

MAX_S = 300
"""Of longer audio the beginning is listened to."""

BATCH = 16
"""Patches scored at once: memory for more would be kept for good."""

REMEMBERED = 2048
"""Patches whose scores are kept, 150 bytes each: a quarter of an hour of everybody's audio."""


class YamnetPerceiver(Perceiver):
    """One thread. While somebody speaks the same audio comes again and again, a little longer each time (partial transcripts),
    so scores are kept by the digest of their patch: at the end of a turn only its last second is new.
    """

    network: str | None = None

    def __init__(self, session: Any) -> None:
        self._session = session
        self._scores: LRUCache[bytes, NDArray[np.float32]] = LRUCache(REMEMBERED)
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=ENGINE)

    @override
    async def perceive(
        self, samples: Samples, rate_hz: int, encoding: SpeechEncoding | None, options: PerceiveOptions
    ) -> Perceived:
        """The sounds, and how sure it is that there is speech, singing and music. Nothing of less than a tenth of a second."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._executor, self._perceive, samples, rate_hz)
        except RuntimeError as error:
            raise EngineError(ENGINE, f"is closed, or failed: {error}") from error

    def _perceive(self, samples: Samples, rate_hz: int) -> Perceived:
        heard = samples[: MAX_S * rate_hz]
        if rate_hz != RATE_HZ:
            heard = resample(heard, rate_hz, RATE_HZ)
        if len(heard) < RATE_HZ // 10:
            return Perceived()
        scores = self._folded(patches(heard))
        length_ms = len(samples) * 1000 // rate_hz
        return Perceived(sounds=sounds_of(scores, length_ms), music=music_of(scores))

    def _folded(self, stretches: list[Samples]) -> NDArray[np.float32]:
        """The scores of patches by group, ``float32[n, 1 + groups]``: remembered or new."""
        digests = [blake2b(stretch.tobytes(), digest_size=16).digest() for stretch in stretches]
        known = {digest: self._scores[digest] for digest in digests if digest in self._scores}
        new = {digest: stretch for digest, stretch in zip(digests, stretches, strict=True) if digest not in known}
        waiting = list(new.items())
        for start in range(0, len(waiting), BATCH):
            batch = waiting[start : start + BATCH]
            spectra = log_mel(np.stack([stretch for _, stretch in batch]))[:, None]
            rows = folded(self._session.run(None, {"patches": spectra})[0])
            known |= {digest: row for (digest, _), row in zip(batch, rows, strict=True)}
        self._scores.update(known)
        return np.stack([known[digest] for digest in digests])

    @override
    def close(self) -> None:
        """Stop the thread after the utterance under way."""
        self._executor.shutdown(wait=False, cancel_futures=True)


@needs_weights(always(WEIGHTS))
def load(context: EngineContext) -> YamnetPerceiver:
    """Entry point. Raises ``WeightsError`` without weights and ``EngineError`` for those that cannot be opened."""
    folder = context.weights(WEIGHTS)
    try:
        graph = classifier(Checkpoint(folder / INDEX, folder / DATA))
        # One thread: the recogniser works at the same time, and what it does is waited for.
        session = cpu_session(graph.SerializeToString())
    except Exception as error:
        raise EngineError(ENGINE, f"cannot open the weights in {folder}: {error}") from error
    return YamnetPerceiver(session)
