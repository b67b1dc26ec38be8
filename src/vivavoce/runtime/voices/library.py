"""Which voices an owner may speak with, and by what name the speaker knows them."""

from __future__ import annotations

from vivavoce.tiers import Tier
from vivavoce.voices.presets import preset


class VoiceLibrary:
    """The voices of a process, shared by its doors."""

    async def usable(self, owner: str, voice: str, tier: Tier | None = None) -> str:
        """The name the speaker takes for ``voice``, when ``owner`` may use it with models of ``tier``.

        Raises ``ClientError`` (``param="voice"``) for a voice that is not there, is somebody else's, or does not go with
        the tier.
        """
        return preset(voice).id
