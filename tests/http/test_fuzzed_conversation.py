"""Texts nobody writes, in a conversation: it goes on."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from fuzzed_texts import fuzzed, talk

from running import RunningServer
from vivavoce.client.address import ServerAddress
from vivavoce.engines.fake import synthesizer


async def test_a_conversation_goes_on(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthesizer, "CHARACTER_MS", 1)  # replies are not sent faster than they are played
    chance, found = random.Random(5), Counter[str]()
    made = [text for text in (fuzzed(chance) for _ in range(40)) if text.strip()]
    await talk(ServerAddress(server.ws), made, "alloy", found)
    assert found == {"completed": len(made)}
