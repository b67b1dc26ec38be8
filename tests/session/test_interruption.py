"""The user makes a sound while a reply is spoken: when it stops for good, and how it goes on when they meant nothing."""

from __future__ import annotations

import pytest

from session.driving import VAD, Driven, speech
from session.test_voice_turn import spoken_turn
from vivavoce.protocol import client_events as client
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.session_config import SessionPatch, TurnDetectionPatch
from vivavoce.session.inputs import PartialTranscript, RecognitionFailed
from vivavoce.session.outputs import StartReply, Transcribe, TranscribePartially
from vivavoce.types import ClauseCut, ClauseSpoken, GenerationEnd, ReplyEnd, Speech, TextDelta

FIRST = "One two three four."
SECOND = " Five six seven eight."


def sent_ms(driven: Driven, response_id: str) -> float:
    return sum(len(delta.delta) for delta in driven.events(ev.AudioDelta) if delta.response_id == response_id) / 48


def responses(*, written: bool = True) -> Driven:
    """A reply of four seconds, two of which have been heard."""
    driven = Driven(VAD, audio_lead_ms=1000)
    spoken_turn(driven)
    for index, text in enumerate((FIRST, SECOND)):
        driven.reply(TextDelta(text), ClauseCut(index, text), Speech(index, speech(2000)), ClauseSpoken(index))
    if written:
        driven.reply(GenerationEnd("stop"), ReplyEnd())
    driven.wait(2.0)
    return driven


def a_short_noise(driven: Driven) -> None:
    driven.hear(160, 0.9)
    driven.hear(320, 0.0)
    driven.transcript("")


def test_a_short_noise_lets_the_reply_go_on_with_nothing_repeated_or_lost() -> None:
    driven = responses()
    a_short_noise(driven)
    first, second = (event.response.id for event in driven.events(ev.ResponseCreated))
    assert first != second
    driven.wait(3)
    done = driven.events(ev.ResponseDone)
    assert [event.response.status for event in done] == ["cancelled", "completed"]
    assert done[0].response.output[0].parts[0].transcript == FIRST
    assert done[1].response.output[0].parts[0].transcript == SECOND
    heard_ms = 2000
    assert abs(sent_ms(driven, second) - (4000 - heard_ms)) < 1
    assert len(driven.session.conversation) == 3, "the noise left no item"


def test_going_on_makes_what_was_not_made_yet() -> None:
    driven = responses(written=False)
    driven.reply(TextDelta(" Nine"), TextDelta(" ten"))
    a_short_noise(driven)
    work = driven.commands(StartReply)[-1]
    assert work.prefix == " Nine ten"
    assert (work.messages[-1].role, work.messages[-1].content) == ("assistant", FIRST + SECOND + " Nine ten")
    assert [message.role for message in work.messages] == ["system", "user", "assistant"]
    driven.reply(
        TextDelta(" Nine ten"), TextDelta(" eleven."), ClauseCut(0, " Nine ten eleven."),
        Speech(0, speech(500)), ClauseSpoken(0), GenerationEnd("stop"), ReplyEnd(),
    )  # fmt: skip
    driven.wait(5)
    done = driven.events(ev.ResponseDone)[1].response
    assert done.output[0].parts[0].transcript == SECOND + " Nine ten eleven."
    assert abs(sent_ms(driven, done.id) - 2500) < 1


def test_a_clause_that_had_only_part_of_its_audio_is_spoken_anew_from_the_first_unheard_word() -> None:
    driven = Driven(VAD, audio_lead_ms=1000)
    spoken_turn(driven)
    driven.reply(TextDelta(FIRST + SECOND), ClauseCut(0, FIRST + SECOND), Speech(0, speech(2000)))
    driven.wait(1.0)
    a_short_noise(driven)
    work = driven.commands(StartReply)[-1]
    heard = driven.events(ev.ResponseDone)[0].response.output[0].parts[0].transcript
    assert isinstance(heard, str)
    assert heard
    assert f"{heard} {work.prefix}" == FIRST + SECOND
    assert not driven.events(ev.AudioDelta, driven.wait(0.1))


@pytest.mark.parametrize("sound", ["Mhm.", "Uh-huh.", "嗯，嗯。"])
def test_a_backchannel_is_no_interruption(sound: str) -> None:
    driven = responses()
    driven.hear(160, 0.9)
    driven.hear(320, 0.0)
    driven.transcript(sound)
    driven.wait(3)
    assert driven.events(ev.ResponseDone)[-1].response.output[0].parts[0].transcript == SECOND


def test_the_same_sound_answers_a_question_when_nobody_is_speaking() -> None:
    driven = Driven(VAD)
    spoken_turn(driven, text="Mhm.")
    assert driven.prompts() == [["Mhm."]]


def test_words_keep_the_reply_cut_and_are_answered() -> None:
    driven = responses()
    driven.hear(640, 0.9)
    driven.hear(320, 0.0)
    driven.transcript("stop please")
    assert driven.prompts()[-1] == ["hello", FIRST, "stop please"]
    driven.whole_reply(("Sure.", 300))
    driven.wait(3)
    assert [event.response.status for event in driven.events(ev.ResponseDone)] == ["cancelled", "completed"]


def test_a_reply_never_goes_on_while_there_is_voice() -> None:
    driven = responses()
    for _ in range(10):
        driven.hear(1300, 0.9)
        driven.partially_transcribed("")
        driven.wait(1.3)
    assert len(driven.events(ev.ResponseCreated)) == 1
    driven.hear(320, 0.0)
    driven.partially_transcribed("")
    assert len(driven.events(ev.ResponseCreated)) == 2, "what was heard was noise, and it is over"


@pytest.mark.parametrize("reading", ["", "Mhm."])
def test_a_turn_without_a_word_ends_after_two_seconds_of_silence_however_patient_its_detection(reading: str) -> None:
    driven = responses()
    patch = SessionPatch(turn_detection=TurnDetectionPatch(silence_duration_ms=8000))
    driven.take(client.SessionUpdate(session=patch))
    driven.hear(160, 0.9)
    driven.hear(320, 0.0)
    driven.partially_transcribed(reading)
    driven.wait(1.9)
    assert len(driven.events(ev.ResponseCreated)) == 1
    fresh = driven.wait(0.2)
    assert driven.names(fresh)[:2] == ["input_audio_buffer.speech_stopped", "input_audio_buffer.committed"]
    assert len(driven.events(ev.ItemDeleted)) == 1
    driven.wait(3)
    assert driven.events(ev.ResponseDone)[-1].response.output[0].parts[0].transcript == SECOND


def test_without_a_reading_silence_in_the_turn_decides_nothing() -> None:
    driven = responses()
    patch = SessionPatch(turn_detection=TurnDetectionPatch(silence_duration_ms=8000))
    driven.take(client.SessionUpdate(session=patch))
    driven.hear(640, 0.9)
    driven.hear(320, 0.0)
    work = driven.commands(TranscribePartially)[-1]
    driven.take(PartialTranscript(work.item_id, work.until, None))
    driven.wait(5)
    assert len(driven.events(ev.ResponseCreated)) == 1, "the recogniser was busy: nobody knows what was said"
    driven.hear(32, 0.0)
    driven.partially_transcribed("stop please")
    driven.wait(5)
    assert len(driven.events(ev.ResponseCreated)) == 1


def test_voice_after_the_reply_has_gone_on_stops_it_again() -> None:
    driven = responses()
    a_short_noise(driven)
    driven.wait(0.5)
    driven.hear(320, 0.9)
    assert [event.response.status for event in driven.events(ev.ResponseDone)] == ["cancelled", "cancelled"]
    driven.hear(64, 0.0)
    driven.partially_transcribed("no, wait")
    driven.hear(320, 0.0)
    assert driven.prompts()[-1][-1] == "no, wait", "the reading in the pause left nothing out"


def test_overheard_words_end_the_waiting_at_once() -> None:
    driven = responses()
    driven.hear(320, 0.9)
    driven.hear(64, 0.0)
    driven.partially_transcribed("hold on")
    driven.live(5000, 0.9)
    assert len(driven.events(ev.ResponseCreated)) == 1


def test_the_clients_truncate_moves_where_the_reply_goes_on() -> None:
    driven = responses()
    message_id = driven.events(ev.OutputItemAdded)[0].item.id
    driven.hear(160, 0.9)
    driven.take(client.ItemTruncate(item_id=message_id, audio_end_ms=1000))
    driven.hear(320, 0.0)
    driven.transcript("")
    driven.wait(5)
    second = driven.events(ev.ResponseDone)[1].response
    assert abs(sent_ms(driven, second.id) - 3000) < 1
    assert second.output[0].parts[0].transcript == "three four." + SECOND


def test_a_reply_that_was_all_sent_goes_on_too() -> None:
    driven = Driven(VAD, audio_lead_ms=5000)
    spoken_turn(driven)
    driven.whole_reply((FIRST, 2000), (SECOND, 2000))
    driven.wait(2.0)
    a_short_noise(driven)
    driven.wait(5)
    second = driven.events(ev.ResponseDone)[1].response
    assert second.output[0].parts[0].transcript == SECOND
    assert abs(sent_ms(driven, second.id) - 2000) < 1


def test_twice_interrupted_by_noise_the_reply_is_still_whole() -> None:
    driven = responses()
    a_short_noise(driven)
    driven.wait(0.5)
    a_short_noise(driven)
    driven.wait(5)
    done = [event.response for event in driven.events(ev.ResponseDone)]
    assert [response.status for response in done] == ["cancelled", "cancelled", "completed"]
    words = [response.output[0].parts[0].transcript for response in done]
    assert " ".join(str(word).strip() for word in words) == FIRST + SECOND
    assert abs(sent_ms(driven, done[2].id) - 1500) < 1


def test_noise_before_the_first_word_of_the_reply_starts_it_over() -> None:
    driven = Driven(VAD)
    spoken_turn(driven)
    a_short_noise(driven)
    assert driven.prompts() == [["hello"], ["hello"]]


def test_a_failing_recogniser_does_not_cost_the_reply() -> None:
    driven = responses()
    driven.hear(160, 0.9)
    driven.hear(320, 0.0)
    work = driven.commands(Transcribe)[-1]
    driven.take(RecognitionFailed(work.item_id, 0, "out of memory"))
    driven.wait(1.9)
    assert len(driven.events(ev.ResponseCreated)) == 1, "nobody knows what was said: perhaps they go on"
    driven.wait(0.2)
    assert len(driven.events(ev.ResponseCreated)) == 2


def test_a_response_the_client_starts_takes_the_place_of_what_was_cut() -> None:
    driven = responses()
    driven.hear(160, 0.9)
    driven.take(client.ResponseCreate())
    driven.whole_reply(("Something else.", 200))
    driven.hear(320, 0.0)
    driven.transcript("")
    driven.wait(5)
    assert len(driven.events(ev.ResponseCreated)) == 2


def test_without_interrupt_response_the_reply_is_finished_and_the_turn_answered_after_it() -> None:
    driven = responses()
    patch = SessionPatch(turn_detection=TurnDetectionPatch(interrupt_response=False, silence_duration_ms=200))
    driven.take(client.SessionUpdate(session=patch))
    driven.hear(320, 0.9)
    driven.hear(320, 0.0)
    driven.transcript("and then")
    assert len(driven.events(ev.ResponseCreated)) == 1
    driven.wait(3)
    assert [event.response.status for event in driven.events(ev.ResponseDone)] == ["completed"]
    assert driven.prompts()[-1] == ["hello", FIRST + SECOND, "and then"]


def test_without_create_response_nothing_is_answered() -> None:
    driven = Driven(VAD)
    driven.take(client.SessionUpdate(session=SessionPatch(turn_detection=TurnDetectionPatch(create_response=False))))
    spoken_turn(driven)
    driven.hear(640, 0.0)
    assert not driven.events(ev.ResponseCreated)
