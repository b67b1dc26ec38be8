"""Requests of the voice: what holds, what is declined, what the reply is spoken with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session.driving import VAD, Driven
from vivavoce.protocol.client_events import ItemCreate, ResponseCreate, SessionUpdate
from vivavoce.protocol.items import NewItem, Part
from vivavoce.protocol.server_events import ResponseDone
from vivavoce.protocol.session_config import ResponseOverrides, SessionPatch
from vivavoce.session.outputs import StartReply
from vivavoce.session.voice_requests import (
    FASTEST,
    HIGHEST_ST,
    LOUDEST_DB,
    LOWEST_ST,
    SLOWEST,
    SOFTEST_DB,
    VoiceRequests,
)
from vivavoce.speaking.labels import HAPPY
from vivavoce.speaking_style import ALL_CONTROLS, NO_CONTROLS, PLAIN


def told(requests: VoiceRequests, language: str = "en") -> str:
    return requests.note(language, ALL_CONTROLS) or ""


def test_a_pace_holds_until_it_is_changed_and_has_an_end() -> None:
    requests = VoiceRequests()
    requests.take("Please speak slower.")
    slower = requests.style.rate
    assert slower == pytest.approx(0.8)
    assert "slower" in told(requests)
    assert not requests.take("What is the capital of France?")
    assert requests.style.rate == slower
    assert requests.note("en", ALL_CONTROLS) is None
    requests.take("Speak slower.")
    requests.take("Speak slower.")
    assert requests.style.rate == pytest.approx(SLOWEST)
    assert "as slowly as you can" in told(requests)
    requests.take("Speak normally.")
    assert requests.style == PLAIN
    assert requests.wants_usual


def test_a_dialect_holds_and_what_is_sound_is_owned_up_to_once() -> None:
    requests = VoiceRequests()
    requests.take("用四川话说")
    first = told(requests, "zh")
    requests.take("今天天气怎么样？")
    later = told(requests, "zh")
    assert "口音" in first
    assert "口音" not in later
    assert "四川话" in later
    assert requests.style == PLAIN


def test_whisper_loudness_and_pitch_are_honoured() -> None:
    requests = VoiceRequests()
    whispers = []
    for text in ("Hello.", "Can you whisper?", "Go on.", "Stop whispering."):
        requests.take(text)
        whispers.append(requests.style.whisper)
    assert whispers == [False, True, True, False]
    requests.take("小声一点")
    assert requests.style.gain_db < 0
    requests.take("Use a deeper voice.")
    assert requests.style.pitch_st < 0
    assert "lower voice" in told(requests)


def test_a_voice_that_cannot_change_its_pitch_says_so() -> None:
    requests = VoiceRequests()
    requests.take("Speak higher and louder.")
    note = requests.note("en", NO_CONTROLS) or ""
    assert "cannot change the pitch" in note
    assert "louder from now on" in note
    assert "higher" not in note


def test_a_mood_is_words_and_sound() -> None:
    requests = VoiceRequests()
    requests.take("もっと明るく話して")
    assert requests.style == HAPPY
    assert "明るく" in told(requests, "ja")
    requests.take("Speak slower.")
    assert requests.style.rate == pytest.approx(HAPPY.rate * 0.8)


SENTENCES = [
    "Speak slower.", "Speak faster.", "Hello.", "Speak louder.", "Speak more quietly.", "Use a deeper voice.", "Speak higher.",
    "Sound more cheerful.", "Whisper!", "Stop whispering.",
]  # fmt: skip


@given(st.lists(st.sampled_from(SENTENCES), max_size=14))
def test_all_stays_within_what_can_be_understood(texts: list[str]) -> None:
    requests = VoiceRequests()
    for text in texts:
        requests.take(text)
        steps = requests._steps
        assert SLOWEST - 1e-9 <= steps.rate <= FASTEST + 1e-9
        assert SOFTEST_DB <= steps.gain_db <= LOUDEST_DB
        assert LOWEST_ST <= steps.pitch_st <= HIGHEST_ST


def spoken_turn(driven: Driven, text: str, language: str = "en") -> StartReply:
    driven.hear(320, 0.0)
    driven.hear(640, 0.9)
    driven.hear(320, 0.0)
    driven.transcript(text, language)
    driven.whole_reply(("Hello there.", 500))
    driven.wait(2)
    return driven.commands(StartReply)[-1]


def test_replies_are_spoken_as_was_asked_for_and_told_why() -> None:
    driven = Driven(VAD)
    first = spoken_turn(driven, "Please speak slower.")
    second = spoken_turn(driven, "And what is the time?")
    assert first.style.rate == second.style.rate == pytest.approx(0.8)
    assert (first.speed, second.speed) == (1.0, 1.0)
    assert "slower" in first.messages[-1].content
    assert second.messages[-1].role == "user"
    assert first.messages[0] == second.messages[0]  # the head of the prompt, which the cache holds


def user(text: str) -> ItemCreate:
    return ItemCreate(item=NewItem(type="message", role="user", content=(Part(type="input_text", text=text),)))


def assistant(text: str) -> ItemCreate:
    return ItemCreate(item=NewItem(type="message", role="assistant", content=(Part(type="text", text=text),)))


def test_a_history_that_is_given_again_keeps_what_was_asked_for() -> None:
    driven = Driven(VAD)
    driven.take(user("Whisper, please."), assistant("All right."))
    driven.take(user("用高一点的音调，音调高一点"), assistant("好的。"))
    reply = spoken_turn(driven, "What is the time?")
    assert reply.style.whisper
    assert reply.style.pitch_st == 2.0
    assert reply.messages[-1].role == "user"


def test_labels_and_instructions_of_the_client_rule_and_what_is_not_done_is_named() -> None:
    driven = Driven()
    driven.take(
        SessionUpdate(session=SessionPatch(voice_label={"emotion": "高兴"}, instruction="Like a pirate, slowly."))
    )
    driven.take(user("Good morning."), ResponseCreate())
    reply = driven.commands(StartReply)[-1]
    assert reply.style.pitch_st == HAPPY.pitch_st
    assert reply.style.rate == pytest.approx(HAPPY.rate * 0.8)
    driven.whole_reply(("Hello there.", 100))
    driven.wait(2)
    assert driven.events(ResponseDone)[-1].response.not_applied == ("instruction",)
    driven.take(user("And now?"), ResponseCreate(response=ResponseOverrides(voice_label=None, instruction="Whisper.")))
    assert driven.commands(StartReply)[-1].style.whisper
    assert driven.commands(StartReply)[-1].style.pitch_st == 0.0


def test_a_dialect_of_the_client_is_words() -> None:
    driven = Driven()
    driven.take(SessionUpdate(session=SessionPatch(voice_label={"language": "四川话"})))
    driven.take(user("Good morning."), ResponseCreate())
    assert "Sichuanese" in driven.commands(StartReply)[-1].messages[-1].content


def test_instructions_say_how_to_speak() -> None:
    driven = Driven()
    driven.take(SessionUpdate(session=SessionPatch(instructions="You are a guide. Talk quickly.")))
    driven.take(user("Good morning."), ResponseCreate())
    assert driven.commands(StartReply)[-1].style.rate == pytest.approx(1.25)
