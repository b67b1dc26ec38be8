from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from vivavoce.config import load_config
from vivavoce.errors import ClientError
from vivavoce.runtime.engines import load_engines
from vivavoce.runtime.voices import VoiceLibrary
from vivavoce.store.store import open_store


@pytest.fixture
async def library(tmp_path: Path) -> AsyncIterator[VoiceLibrary]:
    storage = {"url": f"sqlite:///{tmp_path / 'vivavoce.db'}", "blobs": str(tmp_path / "blobs")}
    config = load_config({"storage": storage}, profile="fake")
    store, engines = await open_store(config), await load_engines(config)
    opened = VoiceLibrary(config.voices, store, engines, lambda: False)
    yield opened
    await opened.close()
    await engines.close()
    await store.close()


async def test_preset_voices_are_everybodys(library: VoiceLibrary) -> None:
    assert await library.resolve("somebody", "qingchunshaonv") == "qingchunshaonv"


@pytest.mark.parametrize("voice", ["nobody", "voice-tone-abcdefghij"])
async def test_a_voice_that_is_not_there_is_the_clients_mistake(library: VoiceLibrary, voice: str) -> None:
    with pytest.raises(ClientError, match=f"'{voice}' is not valid") as refused:
        await library.resolve("somebody", voice)
    assert refused.value.param == "voice"
