"""Makes voices of clips: matches always, clones where an engine for them is loaded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeAlias

from vivavoce.audio.encoding import encode
from vivavoce.config.keeping import VoicesConfig
from vivavoce.engines.base import CloningSynthesizer, VectorSynthesizer
from vivavoce.errors import ClientError
from vivavoce.runtime.engines import Engines
from vivavoce.runtime.voices.enrolment import CLIP_HZ, Examined, Match, examine, match
from vivavoce.runtime.voices.loaded_voices import LoadedVoices, packed
from vivavoce.runtime.voices.refining import Refiner
from vivavoce.store.blobs import Blobs
from vivavoce.store.files import new_id
from vivavoce.voices.repository import OwnVoices, now_us
from vivavoce.voices.tables import VoiceRow

Kind: TypeAlias = Literal["match", "clone"]

MAX_PACK_BYTES = 4 * 1024 * 1024
MAX_CLIP_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class CreateVoice:
    """What a client asks for. Without a ``kind`` it is a clone where cloning is loaded, else a match.

    ``text`` is what is said in the clip; ``consent`` the id of a consent, or what the owner states.
    """

    name: str = ""
    kind: Kind | None = None
    text: str | None = None
    model: str | None = None
    file_id: str | None = None
    consent: str | None = None


class VoiceService:
    """Examines clips, matches them and keeps the voices."""

    def __init__(
        self,
        config: VoicesConfig,
        own: OwnVoices,
        blobs: Blobs,
        engines: Engines,
        loaded_voices: LoadedVoices,
        refiner: Refiner,
    ) -> None:
        self._config = config
        self._own = own
        self._blobs = blobs
        self._engines = engines
        self._loaded_voices = loaded_voices
        self._refiner = refiner

    async def create(self, owner: str, source: BinaryIO | Path, request: CreateVoice) -> tuple[VoiceRow, bool]:
        """The voice of a clip, and whether the same request had made it before.

        Raises ``ClientError`` for what is wrong with the clip or the request, ``EngineError`` and ``StoreError``.
        """
        kind = self._possible(request.kind)
        fingerprint = await asyncio.to_thread(_fingerprint, source, request, kind)
        existing = await self._own.same(owner, fingerprint)
        if existing is not None:
            return existing, True
        consent = await self._consent(owner, request)
        await self._own.require_room(owner)
        row, blobs = await self._make(owner, source, request, kind)
        row.fingerprint, row.consent = fingerprint, json.dumps(consent, ensure_ascii=False)
        try:
            await self._loaded_voices.put(row)  # what cannot be spoken with is not kept
            voice, duplicated = await self._own.add(row)
        except BaseException:
            self._loaded_voices.forget(row.id)
            for key in blobs:
                if await self._own.find(row.id) is None:
                    await self._blobs.delete(key)
            raise
        if duplicated:
            self._loaded_voices.forget(row.id)
        return voice, duplicated

    @asynccontextmanager
    async def temporary(self, owner: str, source: BinaryIO | Path, request: CreateVoice) -> AsyncIterator[str]:
        """A voice for the length of a block, to hear how it would be; nothing of it is kept. Raises as ``create``."""
        row, blobs = await self._make(owner, source, request, self._possible(request.kind))
        try:
            await self._loaded_voices.put(row)
            yield row.id
        finally:
            self._loaded_voices.forget(row.id)
            for key in blobs:
                await self._blobs.delete(key)

    async def change(self, owner: str, voice_id: str, name: str | None, kind: Kind | None) -> VoiceRow:
        """Rename a voice, or make a clone of a match with the clip that was kept, and back. Raises ``ClientError``."""
        row = await self._own.voice(owner, voice_id)
        values: dict[str, Any] = {} if name is None else {"name": name}
        if kind is not None and kind != row.kind:
            if kind == "match" and row.pack is None:
                raise ClientError("This voice has no match to go back to.", code="matching_unavailable", param="kind")
            values |= {"kind": kind, "engine": self._engine(self._possible(kind))}
        if not values:
            return row
        previous = {value: getattr(row, value) for value in values}
        changed = await self._own.change(owner, voice_id, values)
        try:
            await self._loaded_voices.put(changed)
        except BaseException:
            await self._own.change(owner, voice_id, previous)
            raise
        return changed

    async def delete(self, owner: str, voice_id: str) -> None:
        """Delete a voice with all that was kept of it; what is being refined of it ends. Raises ``ClientError``."""
        await self._own.voice(owner, voice_id)
        await self._refiner.cancel(owner, voice_id)
        await self._own.delete_voice(owner, voice_id)
        self._loaded_voices.forget(voice_id)

    def _possible(self, kind: Kind | None) -> Kind:
        """The kind that is made. Raises ``ClientError`` for one that cannot be."""
        clones = self._loaded_voices.synthesizer(CloningSynthesizer) is not None
        matches = self._loaded_voices.synthesizer(VectorSynthesizer) is not None
        if kind == "clone" and not clones:
            raise ClientError(
                "This server has no engine that clones voices; it can match one: kind 'match'. See docs/voices.md.",
                code="cloning_unavailable",
                param="kind",
            )
        if not (clones or matches) or (kind == "match" and not matches):
            raise ClientError(
                "This server has no speaker whose voices can be mixed.", code="matching_unavailable", param="kind"
            )
        return kind or ("clone" if clones else "match")

    def _engine(self, kind: Kind) -> str:
        entry = self._loaded_voices.synthesizer(CloningSynthesizer if kind == "clone" else VectorSynthesizer)
        assert entry is not None
        return entry[0]

    async def _make(
        self, owner: str, source: BinaryIO | Path, request: CreateVoice, kind: Kind
    ) -> tuple[VoiceRow, tuple[str, ...]]:
        """The row and its blobs, which are loose: a clone has its match as well, for what it does not speak."""
        examined = await examine(source, request.text, self._engines)
        entry = self._loaded_voices.synthesizer(VectorSynthesizer)
        matched = None
        if entry is not None:
            with self._refiner.offline_synthesis(entry[1]):
                matched = await match(examined.sound, entry[1], self._engines)
        flac = await asyncio.to_thread(encode, examined.samples, "flac", CLIP_HZ)
        clip, pack = (await self._blobs.put(flac, max_bytes=MAX_CLIP_BYTES)).key, None
        if matched is not None:
            try:
                pack = (await self._blobs.put(packed(matched.vectors), max_bytes=MAX_PACK_BYTES)).key
            except BaseException:
                await self._blobs.delete(clip)
                raise
        row = _row(owner, request, kind, examined, matched)
        row.engine, row.clip, row.pack = self._engine(kind), clip, pack
        return row, (clip,) if pack is None else (clip, pack)

    async def _consent(self, owner: str, request: CreateVoice) -> dict[str, Any]:
        """What is recorded. Raises ``ClientError`` for a consent that is not there, or missing where one is required."""
        record: dict[str, Any] = {"by": owner, "at": now_us() // 1_000_000}
        if request.consent is not None and request.consent.startswith("cons_"):
            consent = await self._own.consent(owner, request.consent, "consent")
            return {**record, "recording": consent.id, "name": consent.name, "language": consent.language}
        if not request.consent and self._config.require_consent:
            raise ClientError(
                "Say in 'consent' that the speaker agrees, or name a recording of it.",
                code="consent_required",
                param="consent",
            )
        return {**record, "statement": request.consent}


def _row(owner: str, request: CreateVoice, kind: Kind, examined: Examined, matched: Match | None) -> VoiceRow:
    identity = new_id("voice-tone-")
    return VoiceRow(
        id=identity,
        owner=owner,
        name=request.name or identity,
        kind=kind,
        model=request.model,
        file_id=request.file_id,
        transcript=examined.transcript,
        language=examined.language,
        duration_ms=len(examined.samples) * 1000 // CLIP_HZ,
        sex=examined.sex if matched is None else matched.sex,
        similarity=None if matched is None else matched.similarity,
        recipe=None if matched is None else json.dumps(dict(matched.recipe)),
        refined=False,
        made_at=now_us(),
    )


def _fingerprint(source: BinaryIO | Path, request: CreateVoice, kind: Kind) -> str:
    """Of the bytes of the clip and of what was asked; blocking."""
    digest = sha256()
    if isinstance(source, Path):
        with source.open("rb") as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
    else:
        source.seek(0)
        while piece := source.read(1 << 20):
            digest.update(piece)
        source.seek(0)
    digest.update(json.dumps([kind, request.name, request.text, request.model]).encode())
    return digest.hexdigest()
