"""When a conversation is interactive: somebody speaks, or waits for what they have said to be understood."""

from __future__ import annotations

import pytest

from session.driving import VAD, Driven, pcm
from vivavoce.protocol import client_events as client
from vivavoce.protocol.items import NewItem, Part


def interactive(driven: Driven) -> bool:
    return driven.session.input_turn.interactive


def test_push_to_talk_from_its_first_sound_to_its_transcript() -> None:
    driven = Driven()
    assert not interactive(driven)
    driven.take(client.AudioAppend(audio=pcm(1000)))
    assert interactive(driven)
    driven.take(client.AudioCommit())
    assert interactive(driven)
    driven.transcript("hello")
    assert not interactive(driven)


def test_a_microphone_only_while_there_is_speech() -> None:
    driven = Driven(VAD)
    driven.live(1000, 0.0)
    assert not interactive(driven)
    driven.live(1000, 1.0)
    assert interactive(driven)
    driven.live(2000, 0.0)
    driven.partially_transcribed("hello")
    assert not interactive(driven)


@pytest.mark.parametrize("milliseconds", [1000, 30_000])
def test_audio_in_an_item_is_nobodys_turn(milliseconds: int) -> None:
    driven = Driven()
    part = Part(type="input_audio", audio=pcm(milliseconds))
    driven.take(client.ItemCreate(item=NewItem(role="user", content=(part,))))
    assert driven.session.transcripts
    assert not interactive(driven)
