"""A spoken turn from microphone to loudspeaker, without sockets and models."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from session.driving import FRAME_MS, VAD, Driven, pcm, speech
from vivavoce.audio.audio_format import AudioFormat
from vivavoce.protocol import client_events as client
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.session_config import SessionPatch, TranscriptionPatch
from vivavoce.session.inputs import Recognised, RecognitionFailed
from vivavoce.session.outputs import Listen, Prefill, StartReply, StopReply, Transcribe
from vivavoce.types import ClauseCut, Speech, TextDelta, Transcript

DOCUMENTED_ORDER = [
    "input_audio_buffer.speech_started",
    "input_audio_buffer.speech_stopped",
    "input_audio_buffer.committed",
    "conversation.item.created",
    "conversation.item.input_audio_transcription.delta",
    "conversation.item.input_audio_transcription.completed",
    "response.created",
    "response.output_item.added",
    "conversation.item.created",
    "response.content_part.added",
    "response.audio_transcript.delta",
    "response.audio.delta",
    "response.audio.done",
    "response.audio_transcript.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.done",
]


def spoken_turn(driven: Driven, milliseconds: int = 640, text: str = "hello", language: str = "en") -> None:
    driven.hear(320, 0.0)
    driven.hear(milliseconds, 0.9)
    driven.hear(320, 0.0)
    driven.transcript(text, language)


def test_a_turn_by_voice_has_the_documented_order() -> None:
    driven = Driven(VAD)
    before = len(driven.outputs)
    spoken_turn(driven)
    driven.whole_reply(("Hello there.", 500))
    driven.wait(1)
    assert driven.names(driven.outputs[before:]) == DOCUMENTED_ORDER
    done = driven.events(ev.ResponseDone)[0].response
    assert done.status == "completed"
    assert done.usage is not None
    assert done.usage.cached_text == 4
    assert done.output[0].parts[0].transcript == "Hello there."


def test_the_prompt_of_a_session_reaches_the_recogniser() -> None:
    driven = Driven()
    hints = TranscriptionPatch(language="en", prompt="Siobhan, Qualtrax.")
    driven.take(client.SessionUpdate(session=SessionPatch(transcription=hints)))
    driven.take(client.AudioAppend(audio=pcm(640)), client.AudioCommit())
    [work] = driven.commands(Transcribe)
    assert (work.language, work.prompt) == ("en", "Siobhan, Qualtrax.")


@pytest.mark.parametrize("itn", [False, True])
def test_codes_are_typed_for_the_model_and_where_asked_for_the_client(itn: bool) -> None:
    driven = Driven(VAD)
    patch = SessionPatch(transcription=TranscriptionPatch(enable_itn=itn))
    driven.take(client.SessionUpdate(session=patch))
    spoken_turn(driven, text="My ticket is E eighteen.")
    assert driven.prompts()[-1][-1] == "My ticket is E18."
    shown = "My ticket is E18." if itn else "My ticket is E eighteen."
    assert driven.events(ev.TranscriptionCompleted)[0].transcript == shown
    [item] = driven.session.conversation
    assert item.parts[0].transcript == shown


def test_all_ids_agree_and_are_unique() -> None:
    driven = Driven(VAD)
    spoken_turn(driven)
    driven.whole_reply(("Hello there.", 500))
    driven.wait(1)
    events = driven.events(ev.ServerEvent)
    assert len({event.event_id for event in events}) == len(events)
    response_id = driven.events(ev.ResponseCreated)[0].response.id
    inner = driven.events(ev.ResponseEvent)
    assert {event.response_id for event in inner} == {response_id}
    message_id = driven.events(ev.OutputItemAdded)[0].item.id
    assert {event.item_id for event in driven.events(ev.PartEvent)} == {message_id}
    user_id = driven.events(ev.SpeechStarted)[0].item_id
    assert driven.events(ev.AudioCommitted)[0].item_id == user_id
    assert driven.events(ev.ItemCreated)[1].previous_item_id == user_id


def test_positions_count_from_the_start_of_the_session() -> None:
    driven = Driven(VAD)
    spoken_turn(driven)
    started, stopped = driven.events(ev.SpeechStarted)[0], driven.events(ev.SpeechStopped)[0]
    assert abs(started.audio_start_ms - (320 - VAD.prefix_padding_ms)) <= 2 * FRAME_MS
    assert abs(stopped.audio_end_ms - (320 + 640 + 200)) <= 2 * FRAME_MS
    samples = driven.commands(Transcribe)[0].samples
    assert len(samples) == (stopped.audio_end_ms - started.audio_start_ms) * 16


def test_the_prompt_holds_what_was_said() -> None:
    driven = Driven(VAD)
    spoken_turn(driven, text="how far is the moon")
    messages = driven.commands(StartReply)[0].messages
    assert [message.role for message in messages] == ["system", "user"]
    assert driven.prompts() == [["how far is the moon"]]
    driven.whole_reply(("Far away.", 300))
    driven.wait(1)
    spoken_turn(driven, text="how far exactly")
    assert driven.prompts()[1] == ["how far is the moon", "Far away.", "how far exactly"]
    assert driven.commands(StartReply)[1].messages[:2] == messages, "what was read once must stay as it was"


def test_noise_without_words_gets_no_answer_and_leaves_no_item() -> None:
    driven = Driven(VAD)
    spoken_turn(driven, text="")
    assert not driven.events(ev.ResponseCreated)
    assert driven.events(ev.ItemDeleted)[0].item_id == driven.events(ev.SpeechStarted)[0].item_id
    assert len(driven.session.conversation) == 0


def test_a_click_is_not_speech() -> None:
    driven = Driven(VAD)
    driven.hear(320, 0.0)
    driven.hear(FRAME_MS, 0.9)
    driven.hear(320, 0.0)
    assert not driven.events(ev.SpeechStarted)


def test_a_failing_recogniser_is_told_and_survived() -> None:
    driven = Driven(VAD)
    driven.hear(320, 0.9)
    driven.hear(320, 0.0)
    work = driven.commands(Transcribe)[0]
    driven.take(RecognitionFailed(work.item_id, 0, "out of memory"))
    assert driven.events(ev.TranscriptionFailed)[0].error.message == "out of memory"
    assert not driven.events(ev.ResponseCreated)
    spoken_turn(driven)
    assert driven.events(ev.ResponseCreated)


def test_speaking_again_before_the_transcript_waits_for_the_end() -> None:
    driven = Driven(VAD)
    driven.hear(320, 0.9)
    driven.hear(320, 0.0)
    first = driven.commands(Transcribe)[0]
    driven.hear(320, 0.9)
    driven.take(Recognised(first.item_id, 0, Transcript("I would like", "en")))
    assert not driven.events(ev.ResponseCreated)
    driven.hear(320, 0.0)
    driven.transcript("a coffee")
    assert driven.prompts() == [["I would like a coffee"]]


def test_an_empty_second_burst_does_not_swallow_the_first_turn() -> None:
    driven = Driven(VAD)
    driven.hear(320, 0.9)
    driven.hear(320, 0.0)
    first = driven.commands(Transcribe)[0]
    driven.hear(320, 0.9)
    driven.take(Recognised(first.item_id, 0, Transcript("hello", "en")))
    driven.hear(320, 0.0)
    driven.transcript("")
    assert len(driven.commands(StartReply)) == 1


def test_barge_in_stops_at_once_and_keeps_what_was_heard() -> None:
    driven = Driven(VAD, audio_lead_ms=1000)
    spoken_turn(driven)
    driven.whole_reply(("One two three four.", 2000), (" Five six seven eight.", 2000))
    driven.wait(2.0)
    fresh = driven.hear(320, 0.9)
    assert driven.names(fresh) == [
        "input_audio_buffer.speech_started",
        "response.audio.done",
        "response.audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.done",
    ]
    assert driven.commands(StopReply)
    done = driven.events(ev.ResponseDone)[0].response
    assert (done.status, done.status_details and done.status_details.reason) == ("cancelled", "turn_detected")
    assert done.output[0].status == "incomplete"
    assert done.output[0].parts[0].transcript == "One two three four."
    after = driven.reply(TextDelta("more"), ClauseCut(2, "more"), Speech(2, speech(100)))
    assert driven.names(after) == []
    driven.hear(64, 0.0)
    driven.partially_transcribed("wait")
    assert driven.names(driven.live(3000, 0.9)) == []


def test_an_interruption_after_all_was_sent_cuts_what_was_not_played() -> None:
    driven = Driven(VAD, audio_lead_ms=5000)
    spoken_turn(driven)
    driven.whole_reply(("One two three four.", 2000), (" Five six seven eight.", 2000))
    assert driven.events(ev.ResponseDone)[0].response.status == "completed"
    driven.wait(2.0)
    fresh = driven.hear(320, 0.9)
    assert driven.names(fresh) == ["input_audio_buffer.speech_started", "conversation.item.truncated"]
    assert driven.events(ev.ItemTruncated)[0].audio_end_ms == 2000
    driven.hear(320, 0.0)
    driven.transcript("stop")
    assert driven.prompts()[1] == ["hello", "One two three four.", "stop"]


def test_what_was_cut_after_all_was_sent_stays_cut() -> None:
    """The user goes on speaking, and the client knows better than we where it stopped playing."""
    driven = Driven(VAD, audio_lead_ms=5000)
    spoken_turn(driven)
    driven.whole_reply(("One two three four.", 2000), (" Five six seven eight.", 2000))
    reply = driven.events(ev.OutputItemDone)[0].item.id
    driven.wait(2.0)
    driven.hear(640, 0.9)
    driven.take(client.ItemTruncate(item_id=reply, audio_end_ms=1000))
    driven.hear(64, 0.0)
    driven.wait(1.0)
    driven.partially_transcribed("no wait")
    driven.take(client.OutputAudioClear())
    assert [cut.audio_end_ms for cut in driven.events(ev.ItemTruncated)] == [2000, 1000]
    assert driven.session.conversation.get(reply).parts[0].transcript == "One two"


def test_audio_is_sent_with_a_bounded_lead_and_none_is_lost() -> None:
    driven = Driven(VAD, audio_lead_ms=1000)
    spoken_turn(driven)
    driven.whole_reply(("A long story.", 5000))
    sent_ms = sum(len(event.delta) for event in driven.events(ev.AudioDelta)) / 48
    assert 1000 <= sent_ms <= 1100
    assert not driven.events(ev.ResponseDone)
    driven.wait(2)
    assert 3000 <= sum(len(event.delta) for event in driven.events(ev.AudioDelta)) / 48 <= 3100
    driven.wait(3)
    assert sum(len(event.delta) for event in driven.events(ev.AudioDelta)) / 48 == 5000
    assert driven.events(ev.ResponseDone)[0].response.status == "completed"


def test_push_to_talk() -> None:
    driven = Driven(None)
    driven.take(client.AudioAppend(audio=pcm(500)))
    assert not driven.commands(Listen)
    fresh = driven.take(client.AudioCommit(), client.ResponseCreate())
    assert driven.names(fresh) == ["input_audio_buffer.committed", "conversation.item.created", "response.created"]
    assert not driven.commands(StartReply)
    driven.transcript("hello")
    assert driven.commands(StartReply)
    driven.whole_reply(("Hi.", 200))
    driven.wait(1)
    assert driven.events(ev.ResponseDone)[0].response.status == "completed"


def test_push_to_talk_hears_the_last_word_whole() -> None:
    """What the resampler holds back belongs to the turn it was said in, not to the next one."""
    driven = Driven(None)
    driven.take(client.AudioAppend(audio=pcm(500)), client.AudioCommit())
    driven.take(client.AudioAppend(audio=bytes(24_000)), client.AudioCommit())
    first = driven.commands(Transcribe)[0].samples
    assert len(first) == pytest.approx(8_000, abs=1)
    assert np.abs(first[-160:]).max() > 0.4
    assert len(driven.commands(Transcribe)) == 1, "nothing of the first turn is left in the second, which is silent"


def test_commit_is_refused_where_the_client_chose_server_vad() -> None:
    driven = Driven(VAD)
    driven.take(client.AudioAppend(audio=pcm(500)), client.AudioCommit())
    assert driven.events(ev.AudioCommitted), "the server's default does not bind a client that never asked for it"
    from vivavoce.protocol.session_config import TurnDetectionPatch

    driven.take(client.SessionUpdate(session=SessionPatch(turn_detection=TurnDetectionPatch(type="server_vad"))))
    driven.take(client.AudioAppend(audio=pcm(500)), client.AudioCommit(event_id="e1"))
    assert driven.events(ev.Error)[0].error.message == "commit when server vad"
    assert driven.events(ev.Error)[0].error.event_id == "e1"


def test_clear_forgets_the_audio() -> None:
    driven = Driven(None)
    driven.take(client.AudioAppend(audio=pcm(500)), client.AudioClear(), client.AudioCommit(event_id="e2"))
    assert driven.events(ev.AudioCleared)
    assert driven.events(ev.Error)[0].error.code == "input_audio_buffer_commit_empty"
    driven.take(client.AudioAppend(audio=bytes(24_000)), client.AudioCommit())
    assert not driven.commands(Transcribe), "nothing of it is left in the next turn, which is silent"


def test_half_a_sample_is_an_error_and_the_stream_goes_on() -> None:
    driven = Driven(None)
    driven.take(client.AudioAppend(audio=b"\0\0\0", event_id="odd"))
    error = driven.events(ev.Error)[0].error
    assert (error.code, error.param, error.event_id) == ("invalid_param", "audio", "odd")
    driven.take(client.AudioAppend(audio=pcm(500)), client.AudioCommit())
    assert driven.events(ev.AudioCommitted)


def test_a_full_buffer_is_refused_in_manual_mode_and_committed_under_vad() -> None:
    manual = Driven(None, buffer_ms=1000)
    manual.take(*(client.AudioAppend(audio=pcm(600)) for _ in range(3)))
    assert manual.events(ev.Error)[0].error.code == "input_audio_buffer_full"
    endless = Driven(VAD, buffer_ms=1000)
    for _ in range(4):
        endless.hear(600, 0.9)
    assert len(endless.commands(Transcribe)) >= 1
    assert len(endless.commands(Transcribe)[0].samples) <= 16 * 1700


@given(
    appends=st.lists(st.tuples(st.integers(0, 12), st.sampled_from([b"", b"", b"\0"])), max_size=12),
    rate_hz=st.sampled_from([8000, 16_000, 24_000, 48_000]),
)
@example(appends=[(10, b""), (11, b"")], rate_hz=8000)
@settings(derandomize=True, database=None)
def test_an_append_is_taken_whole_or_not_at_all(appends: list[tuple[int, bytes]], rate_hz: Any) -> None:
    """Appends of so many times 50 ms, some with half a sample more, into a buffer that holds 1 s."""
    driven = Driven(None, buffer_ms=1010)
    driven.take(client.SessionUpdate(session=SessionPatch(input_audio_format=AudioFormat(rate_hz=rate_hz))))
    held = 0
    for at, (length, half) in enumerate(appends):
        fits = not half and held + length <= 20
        fresh = driven.take(client.AudioAppend(audio=bytes(length * rate_hz // 10) + half, event_id=str(at)))
        errors = driven.events(ev.Error, fresh)
        assert [error.error.event_id for error in errors] == ([] if fits else [str(at)])
        held += length if fits else 0
    if held:
        driven.take(client.AudioCommit())
        assert abs(driven.session.input_turn._buffer.end - held * 800) <= 1


def test_silence_does_not_pile_up() -> None:
    driven = Driven(VAD)
    for _ in range(100):
        driven.hear(1000, 0.0)
    assert driven.session.input_turn._buffer.duration_ms < 3000


def test_the_default_session_is_announced() -> None:
    driven = Driven(VAD)
    created = driven.events(ev.SessionCreated)[0]
    assert created.session_id == driven.session.id
    assert created.session.turn_detection == VAD


def test_marks_of_a_turn_are_in_order() -> None:
    driven = Driven(VAD, report_marks=True)
    driven.hear(320, 0.9)
    driven.hear(320, 0.0)
    driven.now += 0.2
    driven.transcript("hello")
    driven.now += 0.1
    driven.whole_reply(("Hello there.", 100))
    driven.wait(1)
    marks = driven.events(ev.ResponseDone)[0].response.marks
    assert isinstance(marks, dict)
    assert marks["endpoint"] == 0
    assert marks["transcript"] == 200
    assert marks["first_token"] == marks["first_clause"] == marks["first_audio"] == marks["first_sent"] == 300
    assert -260 <= marks["speech_end"] <= -190


def test_base64_of_a_delta_is_whole_samples() -> None:
    driven = Driven(VAD)
    spoken_turn(driven)
    driven.whole_reply(("Odd.", 333))
    driven.wait(1)
    for event in driven.events(ev.AudioDelta):
        assert len(event.delta) % 2 == 0
        assert base64.b64decode(base64.b64encode(event.delta)) == event.delta


@pytest.mark.parametrize("instructions", ["", "You sell tickets."])
def test_the_users_language_is_followed_unless_instructions_speak_of_languages(instructions: str) -> None:
    driven = Driven(VAD)
    driven.take(client.SessionUpdate(session=SessionPatch(instructions=instructions)))
    spoken_turn(driven, text="bonjour", language="fr")
    assert driven.commands(StartReply)[0].messages[1].reply_language == "fr"
    translator = Driven(VAD)
    translator.take(client.SessionUpdate(session=SessionPatch(instructions="Translate into French.")))
    spoken_turn(translator, text="hello")
    assert translator.commands(StartReply)[0].messages[1].reply_language is None


def test_after_each_reply_the_next_prompt_is_read_ahead() -> None:
    driven = Driven(VAD)
    opening = driven.commands(Prefill)
    assert [message.role for message in opening[0].messages] == ["system", "user"]
    spoken_turn(driven, text="hello")
    driven.whole_reply(("Hi there.", 300))
    driven.wait(1)
    ahead = driven.commands(Prefill)[len(opening) :]
    assert len(ahead) == 1
    assert [message.content for message in ahead[0].messages[1:]] == ["hello", "Hi there.", ""]
    spoken_turn(driven, text="bye")
    assert driven.commands(StartReply)[1].messages[:3] == ahead[0].messages[:3]
