"""A user who goes on after their turn was taken to be over: both utterances are one turn."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from session.driving import VAD, Driven, speech
from vivavoce.protocol import server_events as ev
from vivavoce.session.inputs import PromptEvaluated, Replied, ReplyBegun
from vivavoce.session.outputs import DropPreparation, PrepareReply, StartReply, TranscribePartially
from vivavoce.types import ClauseCut, Speech, TextDelta


def utterance(driven: Driven, text: str, *, speech_ms: int = 640) -> None:
    """Somebody speaks until their turn is over, and is understood."""
    driven.live(speech_ms, 0.9)
    driven.live(320, 0.0)
    driven.partially_transcribed(text)


def begin_reply(driven: Driven, audio_ms: int) -> None:
    """The reply in progress has so much audio."""
    response_id = driven.commands(StartReply)[-1].response_id
    driven.take(Replied(response_id, TextDelta("Sure. ")), Replied(response_id, ClauseCut(0, "Sure. ")))
    if audio_ms:
        driven.take(Replied(response_id, Speech(0, speech(audio_ms))))


def test_who_goes_on_before_the_answer_is_heard_is_answered_as_a_whole() -> None:
    driven = Driven(VAD)
    utterance(driven, "I would like a table for.")
    begin_reply(driven, audio_ms=0)
    utterance(driven, "Two people.")
    assert driven.prompts()[-1] == ["I would like a table for Two people."]
    assert driven.events(ev.ResponseDone)[0].response.status_details.reason == "turn_detected"  # type: ignore[union-attr]
    items = [event.item for event in driven.events(ev.ItemCreated) if event.item.role == "user"]
    assert len(items) == 2, "on the wire they are two items"


def test_it_stays_one_turn_in_later_prompts() -> None:
    driven = Driven(VAD)
    utterance(driven, "I would like a table for.")
    utterance(driven, "two people.")
    driven.whole_reply(("A table for two. ", 300))
    driven.wait(1)
    utterance(driven, "Yes.")
    assert driven.prompts()[-1] == ["I would like a table for two people.", "A table for two. ", "Yes."]


def test_who_has_heard_the_answer_begins_another_turn() -> None:
    driven = Driven(VAD)
    utterance(driven, "I would like a table for.")
    begin_reply(driven, audio_ms=2000)
    driven.wait(0.8)
    utterance(driven, "Two people.")
    assert driven.prompts()[-1][0] == "I would like a table for."
    assert driven.prompts()[-1][-1] == "Two people."


def test_a_recording_sent_at_once_is_no_reopened_turn() -> None:
    """Two questions with more than a second between them, and no time between their frames."""
    driven = Driven(VAD)
    for text in ("How are you?", "What time is it?"):
        for milliseconds, probability in ((600, 0.0), (640, 0.9), (600, 0.0)):
            for _ in range(milliseconds // 20):
                driven.hear(20, probability)
        driven.partially_transcribed(text)
        driven.whole_reply((f"{text} ", 1000))
    assert [prompt[-1] for prompt in driven.prompts()] == ["How are you?", "What time is it?"]


def test_it_is_too_late_after_a_while() -> None:
    driven = Driven(VAD, reopen_ms=1000)
    utterance(driven, "I would like a table for.")
    driven.wait(2)
    utterance(driven, "Two people.")
    assert driven.prompts()[-1] == ["I would like a table for.", "Two people."]


def test_a_reopened_turn_counts_as_a_pause_of_this_speaker() -> None:
    driven = Driven(VAD)
    utterance(driven, "I would like a table for.")
    utterance(driven, "two people.")
    assert driven.session.input_turn._pauses.longest_ms == pytest.approx(330, abs=70)


# ---- preparations


def test_a_reply_is_prepared_in_a_pause_and_dropped_when_the_user_goes_on() -> None:
    driven = Driven(VAD)
    driven.hear(640, 0.9)
    driven.hear(96, 0.0)
    driven.partially_transcribed("What is the time in")
    prepared = driven.commands(PrepareReply)
    assert [work.work.messages[-1].content for work in prepared] == ["What is the time in"]
    assert not driven.commands(DropPreparation)
    driven.hear(320, 0.9)
    assert len(driven.commands(DropPreparation)) == 1
    driven.hear(96, 0.0)
    driven.partially_transcribed("What is the time in Rome?")
    driven.hear(320, 0.0)
    (answer,) = driven.commands(StartReply)
    assert driven.commands(PrepareReply)[-1].work.messages == answer.messages
    assert driven.commands(PrepareReply)[-1].work.options == answer.options
    assert len(driven.commands(DropPreparation)) == 1


@pytest.mark.parametrize("prepared", [True, False])
def test_the_marks_tell_what_was_done_in_advance(*, prepared: bool) -> None:
    driven = Driven(VAD, report_marks=True)
    driven.live(640, 0.9)
    driven.live(100, 0.0)
    driven.partially_transcribed("What is the time?")
    driven.live(320, 0.0)
    (answer,) = driven.commands(StartReply)
    driven.take(ReplyBegun(answer.response_id, prepared=prepared, discarded=2), ReplyBegun("other", True, 9))
    driven.take(PromptEvaluated(answer.response_id, 7))
    driven.whole_reply(("Ten. ", 100))
    driven.wait(1)
    marks = driven.events(ev.ResponseDone)[0].response.marks
    assert isinstance(marks, dict)
    assert (marks["discarded_preparations"], marks["evaluated_tokens"]) == (2, 7)
    assert ("prepared" in marks) is prepared
    if prepared:
        assert marks["speech_end"] < marks["prepared"] < marks["endpoint"] == 0


def test_what_was_prepared_for_a_turn_that_was_none_is_dropped() -> None:
    from vivavoce.protocol import client_events as client

    driven = Driven(VAD)
    driven.hear(640, 0.9)
    driven.hear(96, 0.0)
    driven.partially_transcribed("What is the time?")
    driven.take(client.AudioClear())
    assert len(driven.commands(DropPreparation)) == 1


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["speech", "pause", "long pause", "words", "answer", "heard"]),
        st.sampled_from(["Hello.", "and then", "what is it?", ""]),
    ),
    max_size=24,
)


@given(STEPS)
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_whatever_happens_no_preparation_is_seen_and_the_answer_is_to_the_users_words(
    steps: list[tuple[str, str]],
) -> None:
    driven = Driven(VAD)
    for kind, words in steps:
        prepared = len(driven.commands(PrepareReply))
        sent = len(driven.events(ev.ServerEvent))
        match kind:
            case "speech":
                driven.live(320, 0.9)
            case "pause":
                driven.live(100, 0.0)
            case "long pause":
                driven.live(640, 0.0)
            case "words" if driven.commands(TranscribePartially):
                driven.partially_transcribed(words)
                if len(driven.commands(PrepareReply)) > prepared:
                    fresh = driven.events(ev.ServerEvent)[sent:]
                    assert all(isinstance(event, ev.TranscriptionDelta) for event in fresh), "a preparation is not seen"
            case "answer" if driven.session.responses.active:
                driven.whole_reply(("Yes. ", 200))
            case "heard":
                driven.wait(0.5)
    answered = [work.messages for work in driven.commands(StartReply)]
    for messages in answered:
        roles = [message.role for message in messages[1:]]
        assert "user" in roles
