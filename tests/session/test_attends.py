"""When somebody is attended to: they speak, or wait for what they have said to be understood."""

from __future__ import annotations

import pytest

from session.driving import VAD, Driven, pcm
from vivavoce.protocol import client_events as client
from vivavoce.protocol.items import NewItem, Part


def attends(driven: Driven) -> bool:
    return driven.session.hearing.attends


def test_push_to_talk_from_its_first_sound_to_its_transcript() -> None:
    driven = Driven()
    assert not attends(driven)
    driven.take(client.AudioAppend(audio=pcm(1000)))
    assert attends(driven)
    driven.take(client.AudioCommit())
    assert attends(driven)
    driven.transcript("hello")
    assert not attends(driven)


def test_a_microphone_only_while_there_is_speech() -> None:
    driven = Driven(VAD)
    driven.live(1000, 0.0)
    assert not attends(driven)
    driven.live(1000, 1.0)
    assert attends(driven)
    driven.live(2000, 0.0)
    driven.overheard("hello")
    assert not attends(driven)


@pytest.mark.parametrize("milliseconds", [1000, 30_000])
def test_audio_in_an_item_is_nobodys_turn(milliseconds: int) -> None:
    driven = Driven()
    part = Part(type="input_audio", audio=pcm(milliseconds))
    driven.take(client.ItemCreate(item=NewItem(role="user", content=(part,))))
    assert driven.session.hearing.transcripts
    assert not attends(driven)
