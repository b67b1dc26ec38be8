"""Which voices an owner may speak with, and by what name the speaker knows them; how they make them and lose them."""

from __future__ import annotations

from collections.abc import Callable, Collection

from vivavoce.config.keeping import VoicesConfig
from vivavoce.errors import ClientError
from vivavoce.runtime.engines import Engines
from vivavoce.runtime.voices.at_hand import AtHand
from vivavoce.runtime.voices.making import VoiceMaker
from vivavoce.runtime.voices.refining import Refiner
from vivavoce.store.rights import require_use
from vivavoce.store.store import Store
from vivavoce.tiers import TIERS, Tier
from vivavoce.types import Language
from vivavoce.voices.presets import preset, unknown_voice
from vivavoce.voices.repository import OwnVoices
from vivavoce.voices.tables import VoiceRow

OWN_PREFIX = "voice-tone-"
"""What the ids of users' voices begin with, as on the hosted platform."""


class VoiceLibrary:
    """The voices of a process, shared by its doors. Until it is opened there are only everybody's.

    ``busy`` tells whether somebody is served at the moment: refining waits.
    """

    def __init__(
        self, config: VoicesConfig, busy: Callable[[], bool], several: Callable[[], bool] = lambda: False
    ) -> None:
        self._several = several
        self._config = config
        self._busy = busy
        self._opened: tuple[OwnVoices, VoiceMaker, Refiner, AtHand] | None = None
        self._engines: Engines | None = None

    def open(self, store: Store, engines: Engines) -> None:
        """From now on there are the voices of users, too."""
        own = OwnVoices(store, self._config.most)
        at_hand = AtHand(engines.speaker, own, store.blobs, engines.decoder)
        refiner = Refiner(self._config, own, store.blobs, engines, at_hand, self._busy, self._several)
        maker = VoiceMaker(self._config, own, store.blobs, engines, at_hand, refiner)
        self._opened = own, maker, refiner, at_hand
        self._engines = engines

    async def close(self) -> None:
        """End what is being refined."""
        if self._opened is not None:
            await self.refiner.close()

    async def usable(self, owner: str, voice: str, tier: Tier | None = None, scopes: Collection[str] = ()) -> str:
        """The name the speaker takes for ``voice``, for ``owner``, models of ``tier`` and a key with ``scopes``.

        Raises ``ClientError`` (``param="voice"``) for a voice that is not there, is somebody else's, is not opened by the
        key, or does not go with the tier; ``EngineError`` and ``StoreError`` when it cannot be brought.
        """
        if not voice.startswith(OWN_PREFIX):
            return voice if self._is_native(voice) else preset(voice).id
        require_use(scopes, "own_voice", "voice")
        if tier is not None and not tier.own_voices:
            takers = ", ".join(one.name for one in TIERS.values() if one.own_voices)
            raise ClientError(
                f"'{tier.name}' speaks with preset voices only; {takers} take voices of one's own.",
                code="voice_not_supported",
                param="voice",
            )
        own, _, _, at_hand = self._open
        row = await own.find(voice)
        if row is None or row.owner != owner:
            raise unknown_voice(voice, "voice")
        await at_hand.put(row)
        return voice

    @property
    def own(self) -> OwnVoices:
        """What users made. Raises ``ClientError`` (``server_loading``) until the library is open."""
        return self._open[0]

    @property
    def maker(self) -> VoiceMaker:
        """Makes voices. Raises as ``own`` does."""
        return self._open[1]

    @property
    def refiner(self) -> Refiner:
        """Makes matches better. Raises as ``own`` does."""
        return self._open[2]

    def languages(self, row: VoiceRow) -> list[Language]:
        """What a voice speaks. Raises as ``own`` does."""
        return self._open[3].languages(row)

    @property
    def _open(self) -> tuple[OwnVoices, VoiceMaker, Refiner, AtHand]:
        if self._opened is None:
            raise ClientError("The server is still loading its models.", code="server_loading", type="server_error")
        return self._opened

    def _is_native(self, voice: str) -> bool:
        """Whether a loaded speaker has a voice of this name."""
        return self._engines is not None and voice in self._engines.speaker.voices
