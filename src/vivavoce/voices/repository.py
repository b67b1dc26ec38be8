"""The rows and blobs of voices users made. Every question names the owner: nobody else's voices are there."""

from __future__ import annotations

import time
from collections.abc import AsyncIterable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from vivavoce.errors import CapacityError, ClientError
from vivavoce.store.files import new_id
from vivavoce.store.paging import Page, paged
from vivavoce.store.store import Store
from vivavoce.voices.tables import ConsentRow, RefinementRow, VoiceRow

Listed = TypeVar("Listed", VoiceRow, ConsentRow)


class OwnVoices:
    """Voices, consents and refinements in a store. An owner has at most ``most`` voices, and as many consents."""

    def __init__(self, store: Store, max_voices: int) -> None:
        self._store = store
        self._max_voices = max_voices

    # ---- voices

    async def voice(self, owner: str, voice_id: str) -> VoiceRow:
        """One voice. Raises ``ClientError`` (``voice_not_found``) also for another owner's."""
        row = await self.find(voice_id)
        if row is None or row.owner != owner:
            raise _no_voice(voice_id)
        return row

    async def find(self, voice_id: str) -> VoiceRow | None:
        """A voice of whoever it is."""
        async with self._store.reading() as session:
            return await session.get(VoiceRow, voice_id)

    async def same(self, owner: str, fingerprint: str) -> VoiceRow | None:
        """The voice an owner made by the same request before."""
        query = select(VoiceRow).where(VoiceRow.owner == owner, VoiceRow.fingerprint == fingerprint)
        async with self._store.reading() as session:
            return (await session.scalars(query)).one_or_none()

    async def require_room(self, owner: str, kind: type[VoiceRow] | type[ConsentRow] = VoiceRow) -> None:
        """Raises ``CapacityError`` when the owner has as many as there may be, ``ClientError`` when they keep too much."""
        async with self._store.reading() as session:
            await self._store.quota.require(session, owner)
            count = await session.scalar(select(func.count()).select_from(kind).where(kind.owner == owner))
        if (count or 0) >= self._max_voices:
            raise CapacityError("places for voices" if kind is VoiceRow else "places for consents", self._max_voices)

    async def add(self, voice: VoiceRow) -> tuple[VoiceRow, bool]:
        """Keep a voice with its blobs; if the same was made at the same time, that one, and ``True``."""
        try:
            async with self._store.rows.begin() as session:
                session.add(voice)
                for key in _blobs(voice):
                    await self._store.blobs.adopt(session, key)
        except IntegrityError:
            existing = await self.same(voice.owner, voice.fingerprint)
            if existing is None:
                raise
            for key in _blobs(voice):
                await self._store.blobs.delete(key)
            return existing, True
        return voice, False

    async def change(self, owner: str, voice_id: str, values: Mapping[str, Any]) -> VoiceRow:
        """Change columns of a voice; a new ``pack`` takes the place of the old one. Raises as ``voice`` does."""
        stale: str | None = None
        async with self._store.rows.begin() as session:
            voice = await session.get(VoiceRow, voice_id)
            if voice is None or voice.owner != owner:
                raise _no_voice(voice_id)
            if "pack" in values and values["pack"] != voice.pack:
                stale = voice.pack
                if values["pack"] is not None:
                    await self._store.blobs.adopt(session, values["pack"])
                if stale is not None:
                    await self._store.blobs.release(session, stale)
            for name, value in values.items():
                setattr(voice, name, value)
        if stale is not None:
            await self._store.blobs.delete(stale)
        return voice

    async def delete_voice(self, owner: str, voice_id: str) -> None:
        """Delete a voice, its clip and its vectors. Raises as ``voice`` does."""

        async def drop() -> list[str]:
            async with self._store.rows.begin() as session:
                voice = await session.get(VoiceRow, voice_id)
                if voice is None or voice.owner != owner:
                    raise _no_voice(voice_id)
                await session.delete(voice)
                await session.execute(delete(RefinementRow).where(RefinementRow.voice_id == voice_id))
                for key in _blobs(voice):
                    await self._store.blobs.release(session, key)
                return _blobs(voice)

        for key in await self._store.database.delete_with_reserve(drop):
            await self._store.blobs.delete(key)

    async def voices(self, owner: str, page: Page) -> tuple[Sequence[VoiceRow], bool]:
        """A page of an owner's voices, and whether there are more. Raises ``ClientError`` for an unknown cursor."""
        return await self._page(VoiceRow, owner, page)

    # ---- consents

    async def consent(self, owner: str, consent_id: str, param: str = "consent_id") -> ConsentRow:
        """One consent. Raises ``ClientError`` (``consent_not_found``) also for another owner's."""
        async with self._store.reading() as session:
            row = await session.get(ConsentRow, consent_id)
        if row is None or row.owner != owner:
            raise ClientError(f"There is no consent '{consent_id[:100]}'.", code="consent_not_found", param=param)
        return row

    async def add_consent(
        self, owner: str, name: str, language: str, recording: AsyncIterable[bytes], max_bytes: int
    ) -> ConsentRow:
        """Keep a consent with its recording. Raises as ``require_room`` does, and ``ClientError`` for one that is too long."""
        await self.require_room(owner, ConsentRow)
        blob = await self._store.blobs.put(recording, max_bytes=max_bytes)
        consent = ConsentRow(
            id=new_id("cons_"), owner=owner, name=name, language=language, recording=blob.key, made_at=now_us()
        )
        try:
            async with self._store.rows.begin() as session:
                session.add(consent)
                await self._store.blobs.adopt(session, consent.recording)
        except BaseException:
            await self._store.blobs.delete(blob.key)
            raise
        return consent

    async def rename_consent(self, owner: str, consent_id: str, name: str) -> ConsentRow:
        """Give a consent another name. Raises as ``consent`` does."""
        await self.consent(owner, consent_id)
        async with self._store.rows.begin() as session:
            consent = await session.get_one(ConsentRow, consent_id)
            consent.name = name
        return consent

    async def delete_consent(self, owner: str, consent_id: str) -> None:
        """Delete a consent and its recording; voices keep the record of what was said. Raises as ``consent`` does."""
        await self.consent(owner, consent_id)

        async def drop() -> str:
            async with self._store.rows.begin() as session:
                consent = await session.get_one(ConsentRow, consent_id)
                await session.delete(consent)
                await self._store.blobs.release(session, consent.recording)
                return consent.recording

        await self._store.blobs.delete(await self._store.database.delete_with_reserve(drop))

    async def consents(self, owner: str, page: Page) -> tuple[Sequence[ConsentRow], bool]:
        """A page of an owner's consents. Raises ``ClientError`` for an unknown cursor."""
        return await self._page(ConsentRow, owner, page)

    # ---- refinements

    async def refinement(self, owner: str, voice_id: str) -> RefinementRow | None:
        """The newest refinement of a voice."""
        query = select(RefinementRow).where(RefinementRow.owner == owner, RefinementRow.voice_id == voice_id)
        async with self._store.reading() as session:
            return (await session.scalars(query.order_by(RefinementRow.made_at.desc()).limit(1))).one_or_none()

    async def add_refinement(self, refinement: RefinementRow) -> None:
        """Keep a refinement."""
        async with self._store.rows.begin() as session:
            session.add(refinement)

    async def progress(self, refinement_id: str, values: Mapping[str, Any]) -> None:
        """Change columns of a refinement; ``seen_at`` becomes now."""
        async with self._store.rows.begin() as session:
            refinement = await session.get_one(RefinementRow, refinement_id)
            for name, value in {**values, "seen_at": int(time.time())}.items():
                setattr(refinement, name, value)

    async def _page(self, kind: type[Listed], owner: str, page: Page) -> tuple[Sequence[Listed], bool]:
        own = kind.owner == owner
        async with self._store.reading() as session:
            made_at = {
                cursor: await session.scalar(select(kind.made_at).where(own, kind.id == cursor))
                for cursor in page.cursors
            }
            return await paged(session, select(kind).where(own), kind.made_at, page, made_at.__getitem__)


def now_us() -> int:
    """What ``made_at`` counts in."""
    return time.time_ns() // 1000


def _no_voice(voice_id: str) -> ClientError:
    return ClientError(f"There is no voice '{voice_id[:100]}'.", code="voice_not_found", param="voice_id")


def _blobs(voice: VoiceRow) -> list[str]:
    return [voice.clip] if voice.pack is None else [voice.clip, voice.pack]
