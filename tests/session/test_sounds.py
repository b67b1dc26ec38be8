"""What sounds in turns: without words, before a question, in the pieces of a long turn."""

from __future__ import annotations

from session.driving import VAD, Driven, pcm
from vivavoce.protocol import client_events as client
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.items import NewItem, Part
from vivavoce.session.inputs import Recognised
from vivavoce.session.outputs import StartReply, Transcribe
from vivavoce.session.partial_transcription import PartialTranscription
from vivavoce.session.voice_perception import WORDLESS
from vivavoce.types import Transcript
from vivavoce.voice_facts import Perceived, Sound, SoundKinds

RATE_HZ = 16_000
SPEECH, NO_SPEECH = (SoundKinds(speech=score, singing=0.0, music=0.0) for score in (0.99, 0.0))
DOG = Sound(label="Dog", score=0.8, start_ms=100, end_ms=1000)
BARKING = Perceived(sounds=(DOG,), music=NO_SPEECH)


def driven() -> Driven:
    return Driven(perceives=True, announces_perception=True)


def sent(session: Driven, perceived: Perceived, text: str = "") -> str:
    """Push to talk; the id of the item."""
    session.take(client.AudioAppend(audio=pcm(1000)), client.AudioCommit())
    work = session.commands(Transcribe)[-1]
    session.take(Recognised(work.item_id, work.content_index, Transcript(text, "en", perceived=perceived)))
    return work.item_id


def asked(session: Driven, text: str) -> list[str]:
    """The last two messages of the prompt for a question in text."""
    item = NewItem(role="user", content=(Part(type="input_text", text=text),))
    session.take(client.ItemCreate(item=item), client.ResponseCreate())
    return [message.content for message in session.commands(StartReply)[-1].messages[-2:]]


def test_a_recording_without_words_is_told_of_and_asked_about_in_text() -> None:
    session = driven()
    item_id = sent(session, BARKING)
    [event] = session.events(ev.VoicePerception)
    assert event.item_id == item_id
    assert event.facts.sounds == (DOG,)
    assert session.session.conversation.get(item_id).perception == event.facts
    question, note = asked(session, "What sound was that?")
    assert question == "What sound was that?"
    assert "I think I hear a dog" in note


def test_a_question_about_something_else_is_left_alone() -> None:
    session = driven()
    sent(session, BARKING)
    assert asked(session, "What is the capital of France?")[-1] == "What is the capital of France?"


def test_a_recording_without_words_alone_is_answered_with_what_is_heard_in_it() -> None:
    session = driven()
    sent(session, BARKING)
    session.take(client.ResponseCreate())
    *_, turn, note = session.commands(StartReply)[-1].messages
    assert (turn.role, turn.content) == ("user", WORDLESS)
    assert "a dog" in note.content


def test_the_detector_leaves_nothing_of_a_turn_without_words() -> None:
    session = Driven(vad=VAD, perceives=True, announces_perception=True)
    session.hear(600, 0.9)
    session.hear(600, 0.0)
    work = session.commands(Transcribe)[-1]
    session.take(Recognised(work.item_id, work.content_index, Transcript("", "en", perceived=BARKING)))
    assert session.events(ev.VoicePerception) == []
    assert session.commands(StartReply) == []


def test_sounds_of_the_beginning_of_a_long_turn_are_kept() -> None:
    partial, pause = PartialTranscription(RATE_HZ), RATE_HZ // 10
    first, second = 13 * RATE_HZ, 16 * RATE_HZ
    partial.requested(0, first - pause, first)
    partial.partially_transcribed(
        first, Transcript("A long beginning", "en", perceived=Perceived(sounds=(DOG,), music=SPEECH))
    )
    assert partial.stable_until == first
    partial.requested(first, second - pause, second)
    end = Perceived(sounds=(DOG,), music=NO_SPEECH, female=0.9)
    partial.partially_transcribed(second, Transcript("and its end.", "en", perceived=end))
    assert partial.transcript is not None
    assert partial.transcript.text == "A long beginning and its end."
    perceived = partial.transcript.perceived
    assert perceived is not None
    assert [sound.start_ms for sound in perceived.sounds] == [100, 13_100]
    assert (perceived.music, perceived.female) == (SPEECH, 0.9)
