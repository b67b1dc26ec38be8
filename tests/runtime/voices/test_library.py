from __future__ import annotations

import pytest

from vivavoce.config.keeping import VoicesConfig
from vivavoce.errors import ClientError
from vivavoce.runtime.voices import VoiceLibrary


@pytest.fixture
def library() -> VoiceLibrary:
    return VoiceLibrary(VoicesConfig(), lambda: False)


async def test_preset_voices_are_everybodys(library: VoiceLibrary) -> None:
    assert await library.usable("somebody", "qingchunshaonv") == "qingchunshaonv"


async def test_a_voice_that_is_not_there_is_the_clients_mistake(library: VoiceLibrary) -> None:
    with pytest.raises(ClientError, match="'nobody' is not valid") as refused:
        await library.usable("somebody", "nobody")
    assert refused.value.param == "voice"


async def test_own_voices_have_to_wait_for_the_store(library: VoiceLibrary) -> None:
    with pytest.raises(ClientError, match="still loading"):
        await library.usable("somebody", "voice-tone-abcdefghij")
