"""Voices of users that can be spoken with now: brought from the store into the speakers, a bounded number of them."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any

import numpy as np

from vivavoce.engines.base import CloningSpeaker, Speaker, VectorSpeaker
from vivavoce.engines.router import SpeakerRouter
from vivavoce.errors import ClientError
from vivavoce.runtime.decoding import RecordingDecoder
from vivavoce.runtime.voices.enrolment import CLIP_HZ
from vivavoce.store.blobs import Blobs
from vivavoce.types import Language, Voice
from vivavoce.voices.repository import OwnVoices
from vivavoce.voices.tables import VoiceRow

MOST = 64
"""Beyond that the one not asked for longest makes way: a match takes 0.8 MB, a clone as much as its engine keeps."""

MOST_KNOWN = 10_000
"""Voices this process has let somebody use; only those come back by themselves after they made way."""


class AtHand:
    """Puts voices into ``router``; who may use which is asked elsewhere."""

    def __init__(self, router: SpeakerRouter, voices: OwnVoices, blobs: Blobs, decoder: RecordingDecoder) -> None:
        self._router = router
        self._voices = voices
        self._blobs = blobs
        self._decoder = decoder
        self._there: OrderedDict[str, tuple[Any, ...]] = OrderedDict()
        self._known: OrderedDict[str, None] = OrderedDict()
        self._alone = asyncio.Lock()
        router.find = self.bring

    async def put(self, row: VoiceRow) -> None:
        """From now on the router speaks with this voice. Raises ``ClientError``, ``EngineError`` and ``StoreError``."""
        _remember(self._known, row.id, None, MOST_KNOWN)
        version = (row.kind, row.engine, row.pack)
        async with self._alone:
            if self._there.get(row.id) == version:
                self._there.move_to_end(row.id)
                return
            self._router.add(await self._made(row))
            for stale in _remember(self._there, row.id, version, MOST):
                self._take_away(stale)

    async def bring(self, voice_id: str) -> None:
        """Put a voice back that made way; any other stays away."""
        if voice_id in self._known:
            row = await self._voices.find(voice_id)
            if row is not None:
                await self.put(row)

    def forget(self, voice_id: str) -> None:
        """The voice is gone for good."""
        self._known.pop(voice_id, None)
        self._there.pop(voice_id, None)
        self._take_away(voice_id)

    def languages(self, row: VoiceRow) -> list[Language]:
        """What the voice speaks with the speakers that are loaded."""
        spoken: set[Language] = set()
        matching = self.speaker(VectorSpeaker)
        if row.pack is not None and matching is not None:
            spoken.update(*matching[1].voices.values())
        engine = self._router.speakers.get(row.engine)
        if row.kind == "clone" and isinstance(engine, CloningSpeaker):
            spoken |= engine.clones
        return sorted(spoken)

    def speaker(self, kind: type[VectorSpeaker] | type[CloningSpeaker]) -> tuple[str, Any] | None:
        """The first loaded speaker of this kind, with its name."""
        return next(((name, one) for name, one in self._router.speakers.items() if isinstance(one, kind)), None)

    def _take_away(self, voice_id: str) -> None:
        self._router.remove(voice_id)
        for speaker in self._router.speakers.values():
            if isinstance(speaker, VectorSpeaker | CloningSpeaker):
                speaker.remove_voice(voice_id)

    async def _made(self, row: VoiceRow) -> Voice:
        engine = self._router.speakers.get(row.engine)
        speakers: dict[Language, tuple[str, str]] = {}
        matching = self.speaker(VectorSpeaker)
        if row.pack is not None and matching is not None:
            name, speaker = matching
            vectors = np.frombuffer(await self._read(row.pack), "<f2").reshape(next(iter(speaker.stock.values())).shape)
            speakers |= dict.fromkeys(sorted(speaker.add_voice(row.id, vectors, row.sex)), (name, row.id))
        if row.kind == "clone" and isinstance(engine, CloningSpeaker):
            await engine.add_clone(row.id, await self._clip(row.clip), CLIP_HZ, row.transcript)
            speakers |= dict.fromkeys(sorted(engine.clones), (row.engine, row.id))
        _require(engine, row)
        return Voice(row.id, "male" if row.sex == "male" else "female", row.name, speakers)

    async def _clip(self, key: str) -> np.ndarray[Any, np.dtype[np.float32]]:
        async with self._blobs.path(key) as path:
            return await self._decoder.decode(path, rate_hz=CLIP_HZ, most_s=60.0)

    async def _read(self, key: str) -> bytes:
        return b"".join([piece async for piece in self._blobs.stream(key)])


def _require(engine: Speaker | None, row: VoiceRow) -> None:
    """A clone is not replaced by its match behind the client's back: it is not what was asked for."""
    if engine is None:
        raise ClientError(
            f"The voice '{row.id}' was made with the engine '{row.engine}', which is not loaded.",
            code="voice_engine_not_loaded",
            param="voice",
        )


def _remember(places: OrderedDict[str, Any], key: str, value: Any, most: int) -> list[str]:
    """Put ``key`` last; the keys that make way for it."""
    places[key] = value
    places.move_to_end(key)
    return [places.popitem(last=False)[0] for _ in range(len(places) - most)]
