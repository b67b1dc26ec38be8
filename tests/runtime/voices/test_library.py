from __future__ import annotations

import pytest

from vivavoce.errors import ClientError
from vivavoce.runtime.voices import VoiceLibrary


async def test_preset_voices_are_everybodys() -> None:
    assert await VoiceLibrary().usable("somebody", "qingchunshaonv") == "qingchunshaonv"


async def test_a_voice_that_is_not_there_is_the_clients_mistake() -> None:
    with pytest.raises(ClientError, match="'nobody' is not valid") as refused:
        await VoiceLibrary().usable("somebody", "nobody")
    assert refused.value.param == "voice"
