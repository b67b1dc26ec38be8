"""Words while the user is still speaking: only what two readings agree on, never taken back, and whole at the end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session.driving import VAD, Driven
from vivavoce.protocol import client_events as client
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.session_config import SessionPatch, TranscriptionPatch, TurnDetection
from vivavoce.session.inputs import PartialTranscript, Recognised
from vivavoce.session.outputs import AwaitPartialTranscript, PrepareReply, StartReply, Transcribe, TranscribePartially
from vivavoce.session.partial_transcription import MIN_STABLE_PREFIX_MS, RETRY_MS, agreement, extension
from vivavoce.types import Transcript, TranscriptDelta


def talk(driven: Driven, milliseconds: int) -> None:
    """Speech, in pieces as a client sends it."""
    for _ in range(milliseconds // 100):
        driven.hear(100, 0.9)


WORDS = st.lists(st.sampled_from(["one", "Two,", "three", "four.", "五", "六"]), max_size=6).map(" ".join)


@given(WORDS, WORDS, WORDS)
def test_what_was_told_is_never_taken_back(first: str, second: str, third: str) -> None:
    told = ""
    for before, after in (("", first), (first, second), (second, third)):
        told += extension(told, agreement(before, after))
        assert told == "" or after.startswith(told) or extension(told, after) == ""


def test_words_are_certain_when_two_readings_agree() -> None:
    assert agreement("I would", "I would like a") == "I would "
    assert agreement("I wood", "I would like") == "I "
    assert agreement("", "I would like") == ""
    assert extension("I would ", "I would like a coffee.") == "like a coffee."
    assert extension("I would ", "You would like") == ""


def test_the_client_reads_along() -> None:
    driven = Driven(VAD)
    driven.take(client.SessionUpdate(session=SessionPatch(transcription=TranscriptionPatch())))
    for text in ("I would", "I would like a", "I would like a coffee"):
        talk(driven, 1300)
        driven.partially_transcribed(text)
    driven.hear(64, 0.0)
    driven.hear(320, 0.0)
    driven.partially_transcribed("I would like a coffee, please.")
    deltas = [event.delta for event in driven.events(ev.TranscriptionDelta)]
    assert deltas == ["I would ", "like a ", "coffee, please."]
    assert driven.events(ev.TranscriptionCompleted)[0].transcript == "".join(deltas)
    assert not driven.commands(Transcribe), "the reading in the last pause is the transcript"
    assert driven.commands(StartReply)


def test_a_reading_that_is_there_before_the_end_is_the_transcript() -> None:
    driven = Driven(VAD)
    talk(driven, 600)
    driven.hear(64, 0.0)
    driven.partially_transcribed("hello there")
    assert driven.commands(PrepareReply)[-1].work.messages[-1].content == "hello there", "the reply is prepared"
    driven.hear(320, 0.0)
    assert driven.events(ev.TranscriptionCompleted)[0].transcript == "hello there"
    assert driven.prompts() == [["hello there"]]


def test_speech_after_a_reading_makes_it_void() -> None:
    driven = Driven(VAD)
    talk(driven, 600)
    driven.hear(64, 0.0)
    stale = driven.commands(TranscribePartially)[-1]
    talk(driven, 300)
    driven.take(PartialTranscript(stale.item_id, stale.until, Transcript("hello", "en")))
    driven.hear(64, 0.0)
    driven.hear(320, 0.0)
    driven.partially_transcribed("hello again")
    assert driven.events(ev.TranscriptionCompleted)[0].transcript == "hello again"


def test_without_a_reading_the_recogniser_is_asked() -> None:
    driven = Driven(VAD)
    talk(driven, 600)
    driven.hear(64, 0.0)
    work = driven.commands(TranscribePartially)[-1]
    driven.hear(320, 0.0)
    assert not driven.commands(Transcribe)
    driven.take(PartialTranscript(work.item_id, driven.commands(TranscribePartially)[-1].until, None))
    driven.transcript("hello")
    assert driven.prompts() == [["hello"]]


def test_a_long_turn_is_read_piece_by_piece() -> None:
    driven = Driven(VAD)
    talk(driven, MIN_STABLE_PREFIX_MS + 1000)
    driven.hear(64, 0.0)
    driven.partially_transcribed("This was the first part.")
    longest = len(driven.commands(TranscribePartially)[-1].samples)
    talk(driven, 2000)
    assert 16_000 < len(driven.commands(TranscribePartially)[-1].samples) < longest / 4
    driven.partially_transcribed("And this")
    driven.hear(64, 0.0)
    driven.hear(320, 0.0)
    driven.partially_transcribed("And this the second.")
    assert driven.events(ev.TranscriptionCompleted)[0].transcript == "This was the first part. And this the second."


def test_what_is_settled_is_not_read_again_at_the_end() -> None:
    driven = Driven(VAD)
    talk(driven, MIN_STABLE_PREFIX_MS + 1000)
    driven.hear(64, 0.0)
    driven.partially_transcribed("The first part.")
    talk(driven, 1000)
    driven.hear(64, 0.0)
    late = driven.commands(TranscribePartially)[-1]
    driven.hear(320, 0.0)
    driven.take(PartialTranscript(late.item_id, late.until, None))
    driven.take(PartialTranscript(late.item_id, driven.commands(TranscribePartially)[-1].until, None))
    work = driven.commands(Transcribe)[-1]
    assert len(work.samples) < 2 * 16_000
    driven.take(Recognised(work.item_id, 0, Transcript("The second.", "en")))
    assert driven.events(ev.TranscriptionCompleted)[0].transcript == "The first part. The second."


def test_the_clients_hints_reach_the_recogniser() -> None:
    driven = Driven(VAD)
    hints = TranscriptionPatch(language="zh", prompt="Vivavoce")
    driven.take(client.SessionUpdate(session=SessionPatch(transcription=hints)))
    talk(driven, 600)
    driven.hear(64, 0.0)
    work = driven.commands(TranscribePartially)[-1]
    assert (work.language, work.prompt) == ("zh", "Vivavoce")


@pytest.mark.parametrize(
    ("given", "told"), [("auto", None), ("multi", None), ("english", "en"), ("nb-NO", "no"), ("zh-CN", "zh")]
)
def test_the_recogniser_is_told_a_language_it_knows_or_none(given: str, told: str | None) -> None:
    driven = Driven(VAD)
    driven.take(client.SessionUpdate(session=SessionPatch(transcription=TranscriptionPatch(language=given))))
    talk(driven, 600)
    driven.hear(64, 0.0)
    assert driven.commands(TranscribePartially)[-1].language == told


PATIENT = TurnDetection(prefix_padding_ms=100, silence_duration_ms=3000)


def answer(driven: Driven, work: TranscribePartially, text: str | None) -> None:
    driven.take(PartialTranscript(work.item_id, work.until, None if text is None else Transcript(text, "en")))


def test_a_reading_that_could_not_be_made_is_asked_for_again_though_nothing_more_is_said() -> None:
    driven = Driven(PATIENT)
    talk(driven, 600)
    driven.hear(64, 0.0)
    for again in (2, 3):
        answer(driven, driven.commands(TranscribePartially)[-1], None)
        driven.hear(RETRY_MS - 64, 0.0)
        assert len(driven.commands(TranscribePartially)) == again - 1, "not at once: it may fail for a while"
        driven.hear(96, 0.0)
        assert len(driven.commands(TranscribePartially)) == again
    answer(driven, driven.commands(TranscribePartially)[-1], "")
    driven.hear(1200, 0.0)
    assert len(driven.commands(TranscribePartially)) == 3, "an empty one is an answer"


def test_an_older_reading_that_is_finished_counts() -> None:
    """A recogniser that needs longer than people speak without a pause is always behind."""
    driven = Driven(PATIENT)
    driven.take(client.SessionUpdate(session=SessionPatch(transcription=TranscriptionPatch())))
    for _ in range(3):
        talk(driven, 600)
        driven.hear(64, 0.0)
    first, second, third = driven.commands(TranscribePartially)
    answer(driven, first, "I would")
    answer(driven, second, "I would like a")
    assert [event.delta for event in driven.events(ev.TranscriptionDelta)] == ["I would "]
    driven.hear(3100, 0.0)
    answer(driven, third, "I would like a coffee.")
    assert driven.events(ev.TranscriptionCompleted)[0].transcript == "I would like a coffee."


def test_a_reading_that_comes_after_a_newer_one_is_nothing() -> None:
    driven = Driven(PATIENT)
    for _ in range(2):
        talk(driven, 600)
        driven.hear(64, 0.0)
    first, second = driven.commands(TranscribePartially)
    answer(driven, second, "I would like a coffee.")
    answer(driven, first, "I wood")
    driven.hear(3100, 0.0)
    assert driven.events(ev.TranscriptionCompleted)[0].transcript == "I would like a coffee."


def test_the_reading_that_becomes_the_transcript_is_waited_for() -> None:
    driven = Driven(VAD)
    talk(driven, 600)
    driven.hear(64, 0.0)
    assert not driven.commands(AwaitPartialTranscript)
    driven.hear(320, 0.0)
    work = driven.commands(TranscribePartially)[-1]
    assert driven.commands(AwaitPartialTranscript) == [AwaitPartialTranscript(work.item_id, work.until)]
    answer(driven, work, None)
    assert driven.commands(Transcribe), "it could not be made: the recogniser is asked for the transcript"


def test_what_settles_while_the_last_reading_is_on_its_way_is_not_said_twice() -> None:
    driven = Driven(VAD)
    talk(driven, MIN_STABLE_PREFIX_MS)
    driven.hear(64, 0.0)
    settling = driven.commands(TranscribePartially)[-1]
    talk(driven, 600)
    driven.hear(64, 0.0)
    whole = driven.commands(TranscribePartially)[-1]
    assert len(whole.samples) > len(settling.samples), "it began before the other was there"
    answer(driven, settling, "One two three.")
    driven.hear(320, 0.0)
    answer(driven, whole, "One two three. Four.")
    assert driven.events(ev.TranscriptionCompleted)[0].transcript == "One two three. Four."


def test_the_recognisers_own_deltas_do_not_repeat_what_was_told() -> None:
    driven = Driven(PATIENT)
    driven.take(client.SessionUpdate(session=SessionPatch(transcription=TranscriptionPatch())))
    for text in ("I would", "I would like a"):
        talk(driven, 1300)
        driven.partially_transcribed(text)
    talk(driven, 1300)
    driven.take(client.AudioCommit(under_vad=True))
    work = driven.commands(Transcribe)[-1]
    for event in (TranscriptDelta("I wo"), TranscriptDelta("uld like"), TranscriptDelta(" a coffee")):
        driven.take(Recognised(work.item_id, 0, event))
    driven.take(Recognised(work.item_id, 0, Transcript("I would like a coffee.", "en")))
    assert "".join(event.delta for event in driven.events(ev.TranscriptionDelta)) == "I would like a coffee."
