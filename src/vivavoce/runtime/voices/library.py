"""Which voices an owner may speak with, and by what name the synthesizer knows them; how they make them and lose them."""

from __future__ import annotations

from collections.abc import Callable, Collection

from vivavoce.config.keeping import VoicesConfig
from vivavoce.errors import ClientError
from vivavoce.permissions import require_use
from vivavoce.runtime.engines import Engines
from vivavoce.runtime.voices.loaded_voices import LoadedVoices
from vivavoce.runtime.voices.refining import Refiner
from vivavoce.runtime.voices.service import VoiceService
from vivavoce.store.store import Store
from vivavoce.tiers import TIERS, Tier
from vivavoce.types import Language
from vivavoce.voices.presets import preset, unknown_voice
from vivavoce.voices.repository import OwnVoices
from vivavoce.voices.tables import VoiceRow

OWN_PREFIX = "voice-tone-"
"""What the ids of users' voices begin with, as on the hosted platform."""


class VoiceLibrary:
    """The voices of a process, shared by its routes: ``own`` are what users made, ``service`` makes them, ``refiner`` makes
    matches better.

    ``busy`` tells whether somebody is served at the moment: refining waits.
    """

    def __init__(
        self,
        config: VoicesConfig,
        store: Store,
        engines: Engines,
        busy: Callable[[], bool],
        multiple_owners: Callable[[], bool] = lambda: False,
    ) -> None:
        self._synthesizer = engines.synthesizer
        self.own = OwnVoices(store, config.most)
        self._loaded = LoadedVoices(engines.synthesizer, self.own, store.blobs, engines.decoder)
        self.refiner = Refiner(config, self.own, store.blobs, engines, self._loaded, busy, multiple_owners)
        self.service = VoiceService(config, self.own, store.blobs, engines, self._loaded, self.refiner)

    async def close(self) -> None:
        """End what is being refined."""
        await self.refiner.close()

    async def resolve(self, owner: str, voice: str, tier: Tier | None = None, scopes: Collection[str] = ()) -> str:
        """The name the synthesizer takes for ``voice``, for ``owner``, models of ``tier`` and a key with ``scopes``.

        Raises ``ClientError`` (``param="voice"``) for a voice that is not there, is somebody else's, is not opened by the
        key, or does not go with the tier; ``EngineError`` and ``StoreError`` when it cannot be brought.
        """
        if not voice.startswith(OWN_PREFIX):
            return voice if voice in self._synthesizer.voices else preset(voice).id
        require_use(scopes, "own_voice", "voice")
        if tier is not None and not tier.own_voices:
            names = ", ".join(candidate.name for candidate in TIERS.values() if candidate.own_voices)
            raise ClientError(
                f"'{tier.name}' speaks with preset voices only; {names} take voices of one's own.",
                code="voice_not_supported",
                param="voice",
            )
        row = await self.own.find(voice)
        if row is None or row.owner != owner:
            raise unknown_voice(voice, "voice")
        await self._loaded.put(row)
        return voice

    def languages(self, row: VoiceRow) -> list[Language]:
        """What a voice speaks."""
        return self._loaded.languages(row)
