"""Requests of the voice: which sentences are some, what holds, what is declined."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session.driving import VAD, Driven
from vivavoce.session.outputs import StartReply
from vivavoce.session.voice_requests import FASTEST, SLOWEST, VoiceRequests, asked_of_voice


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("Could you speak a bit slower, please?", "slower"), ("Slow down, please.", "slower"), ("请说慢一点。", "slower"),
        ("Please talk faster.", "faster"), ("你说快点", "faster"), ("Speak normally again.", "usual"),
        ("Can you whisper?", "whisper"), ("小声说", "whisper"), ("Can you speak louder?", "louder"),
        ("Sound more cheerful.", "cheerful"), ("开心一点", "cheerful"), ("Speak more gently.", "calm"),
        ("用四川话说", "sichuanese"), ("请用粤语说", "cantonese"), ("Please use a deeper voice.", "pitch"),
    ],
)  # fmt: skip
def test_requests_are_understood(text: str, request_: str) -> None:
    assert asked_of_voice(text) == request_


@pytest.mark.parametrize(
    "text",
    ["The train is slower than the bus today.", "Is light faster than sound?", "Tell me about whisper networks.",
     "Who speaks Chinese?",
     "What is a slow cooker?", "我今天很开心。", "火车快到了吗？"],
)  # fmt: skip
def test_other_sentences_are_none(text: str) -> None:
    assert asked_of_voice(text) is None


def test_a_pace_holds_until_it_is_changed_and_has_an_end() -> None:
    requests = VoiceRequests()
    requests.take("Please speak slower.")
    slower = requests.pace
    assert slower == pytest.approx(0.8)
    assert "slower" in (requests.note("en") or "")
    assert requests.take("What is the capital of France?") is None
    assert requests.pace == slower
    assert requests.note("en") is None
    requests.take("Speak slower.")
    requests.take("Speak slower.")
    assert requests.pace == pytest.approx(SLOWEST)
    assert "as slowly as you can" in (requests.note("en") or "")
    requests.take("Speak normally.")
    assert requests.pace == 1.0


def test_a_dialect_holds_and_what_is_sound_is_owned_up_to_once() -> None:
    requests = VoiceRequests()
    requests.take("用四川话说")
    first = requests.note("zh")
    requests.take("今天天气怎么样？")
    later = requests.note("zh")
    assert first is not None
    assert later is not None
    assert "口音" in first
    assert "口音" not in later
    assert "四川话" in later


def test_what_cannot_be_done_is_declined() -> None:
    requests = VoiceRequests()
    requests.take("Can you whisper?")
    assert "cannot whisper" in (requests.note("en") or "")
    assert requests.pace == 1.0


@given(st.lists(st.sampled_from(["Speak slower.", "Speak faster.", "Hello."]), max_size=12))
def test_the_pace_stays_within_what_can_be_understood(texts: list[str]) -> None:
    requests = VoiceRequests()
    for text in texts:
        requests.take(text)
        assert SLOWEST - 1e-9 <= requests.pace <= FASTEST + 1e-9


def test_replies_are_spoken_at_the_pace_that_was_asked_for_and_told_why() -> None:
    driven = Driven(VAD)
    for text in ("Please speak slower.", "And what is the time?"):
        driven.hear(320, 0.0)
        driven.hear(640, 0.9)
        driven.hear(320, 0.0)
        driven.transcript(text, "en")
        driven.whole_reply(("Hello there.", 500))
        driven.wait(2)
    first, second = [output for output in driven.outputs if isinstance(output, StartReply)]
    assert first.speed == pytest.approx(0.8)
    assert second.speed == pytest.approx(0.8)
    assert "slower" in first.messages[-1].content
    assert second.messages[-1].role == "user"
