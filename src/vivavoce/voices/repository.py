"""The rows and blobs of voices users made. Every question names the owner: nobody else's voices are there."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from vivavoce.errors import CapacityError, ClientError
from vivavoce.store.store import Store
from vivavoce.voices.tables import ConsentRow, RefinementRow, VoiceRow

Listed = TypeVar("Listed", VoiceRow, ConsentRow)


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted: at most ``limit`` after or before an id, newest first unless ``ascending``."""

    limit: int = 20
    ascending: bool = False
    after: str | None = None
    before: str | None = None


class OwnVoices:
    """Voices, consents and refinements in a store. An owner has at most ``most`` voices, and as many consents."""

    def __init__(self, store: Store, most: int) -> None:
        self._store = store
        self._most = most

    # ---- voices

    async def voice(self, owner: str, voice_id: str) -> VoiceRow:
        """One voice. Raises ``ClientError`` (``voice_not_found``) also for another owner's."""
        found = await self.find(voice_id)
        if found is None or found.owner != owner:
            raise _no_voice(voice_id)
        return found

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
        if (count or 0) >= self._most:
            raise CapacityError("places for voices" if kind is VoiceRow else "places for consents", self._most)

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

        for key in await self._store.database.freeing(drop):
            await self._store.blobs.delete(key)

    async def voices(self, owner: str, page: Page) -> tuple[Sequence[VoiceRow], bool]:
        """A page of an owner's voices, and whether there are more. Raises ``ClientError`` for an unknown cursor."""
        return await self._page(VoiceRow, owner, page)

    # ---- consents

    async def consent(self, owner: str, consent_id: str, param: str = "consent_id") -> ConsentRow:
        """One consent. Raises ``ClientError`` (``consent_not_found``) also for another owner's."""
        async with self._store.reading() as session:
            found = await session.get(ConsentRow, consent_id)
        if found is None or found.owner != owner:
            raise ClientError(f"There is no consent '{consent_id[:100]}'.", code="consent_not_found", param=param)
        return found

    async def add_consent(self, consent: ConsentRow) -> None:
        """Keep a consent with its recording."""
        async with self._store.rows.begin() as session:
            session.add(consent)
            await self._store.blobs.adopt(session, consent.recording)

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

        await self._store.blobs.delete(await self._store.database.freeing(drop))

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
        """With ``before`` alone it is the page that ends there."""
        query = select(kind).where(kind.owner == owner)
        async with self._store.reading() as session:
            for cursor, beyond in ((page.after, True), (page.before, False)):
                if cursor is None:
                    continue
                at = await session.get(kind, cursor)
                if at is None or at.owner != owner:
                    raise ClientError("The list has no such id.", param="after" if beyond else "before")
                later = beyond == page.ascending
                query = query.where(kind.made_at > at.made_at if later else kind.made_at < at.made_at)
            backwards = page.before is not None and page.after is None
            rises = page.ascending != backwards
            query = query.order_by(kind.made_at.asc() if rises else kind.made_at.desc()).limit(page.limit + 1)
            found = (await session.scalars(query)).all()
        rows = found[: page.limit]
        return (rows[::-1] if backwards else rows), len(found) > page.limit


def now_us() -> int:
    """What ``made_at`` counts in."""
    return time.time_ns() // 1000


def _no_voice(voice_id: str) -> ClientError:
    return ClientError(f"There is no voice '{voice_id[:100]}'.", code="voice_not_found", param="voice_id")


def _blobs(voice: VoiceRow) -> list[str]:
    return [voice.clip] if voice.pack is None else [voice.clip, voice.pack]
