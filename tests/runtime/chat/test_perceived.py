"""How recordings of a chat sound, and questions in text about them."""

from __future__ import annotations

from typing import Any

from vivavoce.protocol.chat.messages import AssistantMessage, ChatMessage, UserMessage
from vivavoce.runtime.chat.perceived import PerceivedRequest, perceived_in
from vivavoce.session.voice_perception import WORDLESS
from vivavoce.types import Message, Transcript
from vivavoce.voice_facts import Emotion, Perceived, Sound, SoundKinds

DOG = Sound(label="Dog", score=0.8, start_ms=0, end_ms=960)
BARKING = Transcript("", "en", perceived=Perceived(sounds=(DOG,), music=SoundKinds(speech=0.0, singing=0.0, music=0.0)))
SAD = Emotion(label="sad", score=0.95, scores={"sad": 0.95}, source="test")
SPOKEN = Transcript("I am home again.", "en", perceived=Perceived(emotion=SAD))


def user(text: str | None = None, *, recording: bool = True) -> UserMessage:
    content: list[dict[str, Any]] = []
    if recording:
        content.append({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}})
    if text is not None:
        content.append({"type": "text", "text": text})
    return UserMessage.model_validate({"role": "user", "content": content})


def heard(
    messages: list[ChatMessage], transcripts: dict[tuple[int, int], Transcript], *, instruct: bool = True
) -> PerceivedRequest:
    return perceived_in(messages, transcripts, instruct=instruct, style=False)


def test_a_recording_and_a_question_about_it_are_answered_from_what_is_heard() -> None:
    found = heard([user("What animal is that?")], {(0, 0): BARKING})
    assert found.facts is not None
    assert found.facts.sounds == (DOG,)
    assert found.note == found.facts.note
    assert "I think I hear a dog" in str(found.note)
    question = Message("user", "What animal is that?")
    assert found.noted((question,)) == (question, Message("system", str(found.note), hint=True))


def test_a_later_question_in_text_is_about_the_newest_recording() -> None:
    answer = AssistantMessage.model_validate({"role": "assistant", "content": "Hello."})
    found = heard([user(), answer, user("What sound was that?", recording=False)], {(0, 0): BARKING})
    assert found.facts is None
    assert "I think I hear a dog" in str(found.note)


def test_a_recording_without_words_is_answered_with_what_is_heard() -> None:
    found = heard([user()], {(0, 0): BARKING})
    assert "I think I hear a dog" in str(found.note)
    assert found.noted((Message("user", WORDLESS),))[-1].content == found.note


def test_a_question_about_something_else_has_the_note_for_the_voice() -> None:
    found = heard([user("What is the capital of France?")], {(0, 0): SPOKEN})
    assert "sound sad" in str(found.note)


def test_without_recordings_nothing_is_noted_and_what_was_not_listened_to_is_owned_up_to() -> None:
    assert heard([user("What sound was that?", recording=False)], {}) == PerceivedRequest()
    unheard = heard([user("What sound was that?")], {(0, 0): Transcript("Hello.", "en")})
    assert unheard.facts is None
    assert "cannot tell what else sounds" in str(unheard.note)
    assert heard([user("What sound was that?")], {(0, 0): BARKING}, instruct=False).note is None
