"""What a model that hears is told of turns: their sound, however far the recogniser is."""

from __future__ import annotations

import numpy as np
import pytest

from session.driving import VAD, Driven, pcm
from vivavoce.audio.pcm import encode_pcm16
from vivavoce.protocol.client_events import AudioAppend, AudioClear, AudioCommit, ItemCreate, ItemDelete, ResponseCreate
from vivavoce.protocol.items import Item, NewItem, Part
from vivavoce.session.inputs import RecognitionFailed
from vivavoce.session.outputs import DropPreparation, PrepareReply, StartReply, Transcribe
from vivavoce.session.turn_audio import TurnAudio
from vivavoce.sound import MOST_HEARD_S
from vivavoce.types import Message


def hearing(turns: int = 1, *, unread: bool = True, vad: bool = True) -> Driven:
    return Driven(VAD if vad else None, audio_turns=turns, answers_unread=unread)


def prompt(talk: Driven) -> list[Message]:
    return [message for message in talk.commands(StartReply)[-1].messages if message.role == "user"]


def speak(talk: Driven, milliseconds: int = 800) -> None:
    talk.hear(milliseconds, 0.9)
    talk.hear(600, 0.0)


def read(talk: Driven, words: str = "How far is the moon?") -> None:
    talk.transcript(words)


def answered(talk: Driven, words: str = "How far is the moon?", milliseconds: int = 800) -> None:
    speak(talk, milliseconds)
    read(talk, words)
    talk.whole_reply(("Far.", 100))
    talk.wait(5)


def test_the_turn_that_is_answered_is_heard() -> None:
    talk = hearing()
    speak(talk)
    read(talk)
    (message,) = prompt(talk)
    assert message.content == "How far is the moon?"
    assert message.audio is not None
    assert (message.audio.rate_hz, message.audio.text) == (16_000, "")
    assert 0.8 < message.audio.seconds < 1.5


def test_others_are_read_unless_more_are_to_be_heard() -> None:
    for turns, expected in ((1, [False, False, True]), (2, [False, True, True]), (9, [True, True, True])):
        talk = hearing(turns)
        for words in ("One of them?", "Two of them?", "Three of them?"):
            answered(talk, words)
        assert [message.audio is not None for message in prompt(talk)] == expected
        assert [message.content for message in prompt(talk)] == ["One of them?", "Two of them?", "Three of them?"]


def test_models_that_read_are_told_nothing_of_sound() -> None:
    talk = Driven(VAD)
    answered(talk)
    assert prompt(talk)[0].audio is None
    assert not talk.commands(PrepareReply)


def test_a_reply_is_made_while_the_transcript_is_and_told_when_there_are_words() -> None:
    talk = hearing()
    speak(talk)
    (prepared,) = talk.commands(PrepareReply)
    message = prepared.work.messages[-1]
    assert (message.role, message.content) == ("user", "")
    assert message.audio is not None
    assert not talk.commands(StartReply)
    read(talk)
    (answer,) = talk.commands(StartReply)
    assert answer.messages[-1].audio == message.audio
    assert not talk.commands(DropPreparation)


def test_a_sound_without_words_is_not_answered() -> None:
    talk = hearing()
    speak(talk)
    read(talk, "")
    assert talk.commands(PrepareReply)
    assert talk.commands(DropPreparation)
    assert not talk.commands(StartReply)
    assert not len(talk.session.conversation)
    assert not list(talk.session.conversation.audio._clips)


def test_where_speculation_costs_money_the_transcript_comes_first() -> None:
    talk = hearing(unread=False)
    speak(talk)
    assert not talk.commands(PrepareReply)
    read(talk)
    assert prompt(talk)[0].audio is not None


def test_a_turn_whose_words_nobody_knows_is_heard_all_the_same() -> None:
    for turns in (1, 0):
        talk = hearing(turns, unread=turns > 0)
        speak(talk)
        work = talk.commands(Transcribe)[-1]
        talk.take(RecognitionFailed(work.item_id, work.content_index, "the recogniser is away"))
        assert bool(talk.commands(StartReply)) is (turns > 0)


def test_push_to_talk_does_not_wait_for_the_transcript_either() -> None:
    talk = hearing(vad=False)
    talk.take(AudioAppend(audio=pcm(900)), AudioCommit(), ResponseCreate())
    (prepared,) = talk.commands(PrepareReply)
    assert prepared.work.messages[-1].audio is not None
    read(talk)
    (answer,) = talk.commands(StartReply)
    assert answer.messages[-1].audio == prepared.work.messages[-1].audio


def test_a_recording_without_words_is_heard_where_a_reply_is_asked_for() -> None:
    talk = hearing(vad=False)
    talk.take(AudioAppend(audio=pcm(900)), AudioCommit())
    read(talk, "")
    talk.take(ResponseCreate())
    (message,) = prompt(talk)
    assert (message.content, message.audio is not None) == ("", True)


def test_audio_in_an_item_is_heard_with_what_is_written_beside_it() -> None:
    talk = hearing(vad=False)
    parts = (Part(type="input_text", text="What is this?"), Part(type="input_audio", audio=pcm(500)))
    talk.take(ItemCreate(item=NewItem(role="user", content=parts)), ResponseCreate())
    read(talk, "a bird")
    (message,) = prompt(talk)
    assert message.content == "What is this? a bird"
    assert message.audio is not None
    assert (message.audio.text, len(message.audio.clips)) == ("What is this?", 1)


def test_in_a_pause_a_reply_is_prepared_to_the_sound_so_far() -> None:
    talk = hearing()
    talk.live(900, 0.9)
    talk.live(160, 0.0)
    talk.partially_transcribed("How far is the moon")
    prepared = talk.commands(PrepareReply)[-1].work.messages[-1]
    assert (prepared.content, prepared.audio is not None) == ("How far is the moon", True)
    talk.live(600, 0.0)
    answer = talk.commands(StartReply)[-1].messages[-1]
    assert prepared.audio is not None
    assert answer.audio is not None
    assert answer.audio.seconds >= prepared.audio.seconds


def test_what_is_cleared_or_deleted_is_not_kept() -> None:
    talk = hearing(3, vad=False)
    kept = talk.session.conversation.audio
    talk.take(AudioAppend(audio=pcm(500)), AudioCommit())
    item_id = talk.commands(Transcribe)[-1].item_id
    assert item_id in kept
    read(talk)
    talk.take(ItemDelete(item_id=item_id))
    assert item_id not in kept
    talk.take(AudioAppend(audio=pcm(500)), AudioClear())
    assert not kept._clips


# ---- what is kept


ONE_S = np.full(16_000, 0.25, np.float32)


def spoken(item_id: str) -> Item:
    return Item(id=item_id, role="user", content=(Part(type="input_audio", transcript="x"),))


def test_the_newest_are_kept_within_what_fits() -> None:
    kept = TurnAudio(3)
    for number in range(5):
        kept.keep(f"item_{number}", [ONE_S, ONE_S])
    assert [f"item_{number}" in kept for number in range(5)] == [False, False, True, True, True]
    audio = kept.of(spoken("item_4"))
    assert audio is not None
    assert (audio.clips, audio.seconds) == ((encode_pcm16(ONE_S),) * 2, 2.0)
    kept.keep("long", [np.tile(ONE_S, int(MOST_HEARD_S) - 3)])
    assert ["long" in kept, "item_4" in kept, "item_3" in kept] == [True, True, False]
    kept.keep("longer", [np.tile(ONE_S, int(MOST_HEARD_S) + 1)])
    assert ["longer" in kept, "long" in kept] == [False, True]
    kept.keep("long", [])
    assert "long" not in kept


@pytest.mark.parametrize("turns", [0, 1])
def test_nothing_is_kept_for_a_model_that_reads(turns: int) -> None:
    kept = TurnAudio(turns)
    kept.keep("item", [ONE_S])
    assert bool(kept) == ("item" in kept) == (turns == 1)
