"""Voices of users that can be spoken with now: brought from the store into the synthesizers, a bounded number of them."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivavoce.engines.base import CloningSynthesizer, Synthesizer, VectorSynthesizer
from vivavoce.engines.router import SynthesizerRouter
from vivavoce.errors import ClientError
from vivavoce.runtime.decoding import RecordingDecoder
from vivavoce.runtime.voices.enrolment import CLIP_HZ
from vivavoce.store.blobs import Blobs
from vivavoce.types import Language, Samples, Voice
from vivavoce.voices.repository import OwnVoices
from vivavoce.voices.tables import VoiceRow

MAX_LOADED = 64
"""Beyond that the one not asked for longest makes way: a match takes 0.8 MB, a clone as much as its engine keeps."""

MAX_RELOADABLE = 10_000
"""Voices this process has let somebody use; only those come back by themselves after they made way."""


class LoadedVoices:
    """Puts voices into ``router``; who may use which is asked elsewhere."""

    def __init__(self, router: SynthesizerRouter, voices: OwnVoices, blobs: Blobs, decoder: RecordingDecoder) -> None:
        self._router = router
        self._voices = voices
        self._blobs = blobs
        self._decoder = decoder
        self._loaded: OrderedDict[str, tuple[Any, ...]] = OrderedDict()
        self._reloadable: OrderedDict[str, None] = OrderedDict()
        self._lock = asyncio.Lock()
        router.find_missing(self.reload)

    async def put(self, row: VoiceRow) -> None:
        """From now on the router speaks with this voice. Raises ``ClientError``, ``EngineError`` and ``StoreError``."""
        _remember(self._reloadable, row.id, None, MAX_RELOADABLE)
        version = (row.kind, row.engine, row.pack)
        async with self._lock:
            if self._loaded.get(row.id) == version:
                self._loaded.move_to_end(row.id)
                return
            self._router.add(await self._make(row))
            for evicted in _remember(self._loaded, row.id, version, MAX_LOADED):
                self._remove(evicted)

    async def reload(self, voice_id: str) -> None:
        """Put a voice back that made way; any other stays away."""
        if voice_id in self._reloadable:
            row = await self._voices.find(voice_id)
            if row is not None:
                await self.put(row)

    def forget(self, voice_id: str) -> None:
        """The voice is gone for good."""
        self._reloadable.pop(voice_id, None)
        self._loaded.pop(voice_id, None)
        self._remove(voice_id)

    def languages(self, row: VoiceRow) -> list[Language]:
        """What the voice speaks with the synthesizers that are loaded."""
        spoken: set[Language] = set()
        matching = self.synthesizer(VectorSynthesizer)
        if row.pack is not None and matching is not None:
            spoken.update(*matching[1].voices.values())
        engine = self._router.synthesizers.get(row.engine)
        if row.kind == "clone" and isinstance(engine, CloningSynthesizer):
            spoken |= engine.clones
        return sorted(spoken)

    def synthesizer(self, kind: type[VectorSynthesizer] | type[CloningSynthesizer]) -> tuple[str, Any] | None:
        """The first loaded synthesizer of this kind, with its name."""
        return next(
            ((name, speaker) for name, speaker in self._router.synthesizers.items() if isinstance(speaker, kind)), None
        )

    def _remove(self, voice_id: str) -> None:
        self._router.remove(voice_id)
        for synthesizer in self._router.synthesizers.values():
            if isinstance(synthesizer, VectorSynthesizer | CloningSynthesizer):
                synthesizer.remove_voice(voice_id)

    async def _make(self, row: VoiceRow) -> Voice:
        engine = self._router.synthesizers.get(row.engine)
        synthesizers: dict[Language, tuple[str, str]] = {}
        matching = self.synthesizer(VectorSynthesizer)
        if row.pack is not None and matching is not None:
            name, synthesizer = matching
            vectors = await self.vectors(row.pack, synthesizer)
            synthesizers |= dict.fromkeys(sorted(synthesizer.add_voice(row.id, vectors, row.sex)), (name, row.id))
        if row.kind == "clone" and isinstance(engine, CloningSynthesizer):
            await engine.add_clone(row.id, await self.clip(row.clip), CLIP_HZ, row.transcript)
            synthesizers |= dict.fromkeys(sorted(engine.clones), (row.engine, row.id))
        _require(engine, row)
        return Voice(row.id, "male" if row.sex == "male" else "female", row.name, synthesizers)

    async def clip(self, key: str) -> Samples:
        """The clip a voice was made of, at ``CLIP_HZ``. Raises ``StoreError``."""
        async with self._blobs.path(key) as path:
            return await self._decoder.decode(path, rate_hz=CLIP_HZ, max_s=60.0)

    async def vectors(self, key: str, synthesizer: VectorSynthesizer) -> NDArray[np.float16]:
        """What ``packed`` has stored, in the shape of the synthesizer's own voices. Raises ``StoreError``."""
        data = b"".join([piece async for piece in self._blobs.stream(key)])
        return np.frombuffer(data, "<f2").reshape(next(iter(synthesizer.builtin_voices.values())).shape)


def packed(vectors: NDArray[np.float16]) -> bytes:
    """Vectors of a voice as they are stored."""
    return vectors.astype("<f2").tobytes()


def _require(engine: Synthesizer | None, row: VoiceRow) -> None:
    """A clone is not replaced by its match behind the client's back: it is not what was asked for."""
    if engine is None:
        raise ClientError(
            f"The voice '{row.id}' was made with the engine '{row.engine}', which is not loaded.",
            code="voice_engine_not_loaded",
            param="voice",
        )


def _remember(entries: OrderedDict[str, Any], key: str, value: Any, limit: int) -> list[str]:
    """Put ``key`` last; the keys that make way for it."""
    entries[key] = value
    entries.move_to_end(key)
    return [entries.popitem(last=False)[0] for _ in range(len(entries) - limit)]
