"""Things that happen at the wrong moment: what is late, deleted, cleared or changed while something else is under way."""

from __future__ import annotations

from typing import Any

import pytest

from session.driving import VAD, Driven, pcm, speech
from session.test_interruption import FIRST, SECOND, a_short_noise, responses, sent_ms
from session.test_text_and_items import say
from session.test_voice_turn import spoken_turn
from vivavoce.audio.audio_format import AudioFormat
from vivavoce.protocol import client_events as client
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.items import NewItem, Part
from vivavoce.protocol.session_config import (
    FunctionChoice,
    FunctionTool,
    ResponseOverrides,
    SessionPatch,
    TurnDetectionPatch,
)
from vivavoce.session.inputs import (
    PartialTranscript,
    Recognised,
    RecognitionFailed,
    ReplyFailed,
    SpeechProbabilities,
    TimerFired,
)
from vivavoce.session.outputs import StartReply, Transcribe, TranscribePartially, WakeAt
from vivavoce.types import (
    ClauseCut,
    ClauseSpoken,
    GenerationEnd,
    NamedTool,
    ReplyEnd,
    Speech,
    TextDelta,
    ThinkingDelta,
    Transcript,
    TranscriptDelta,
)

ASIDE = client.ResponseCreate(response=ResponseOverrides(conversation="none", modalities=("text",)))


def hears(milliseconds: int = 200, **fields: Any) -> NewItem:
    return NewItem(role="user", content=(Part(type="input_audio", audio=pcm(milliseconds)),), **fields)


def statuses(driven: Driven) -> list[str]:
    return [event.response.status for event in driven.events(ev.ResponseDone)]


def rests(driven: Driven) -> bool:
    """Whether the session asks to be woken later than now, if at all."""
    return all(output.at > driven.now for output in driven.take(TimerFired()) if isinstance(output, WakeAt))


# ---- what was heard late


def test_a_reading_of_audio_that_was_cleared_interrupts_nothing() -> None:
    driven = Driven(VAD)
    driven.hear(1500, 0.9)
    stale = driven.commands(TranscribePartially)[-1]
    driven.take(client.AudioClear(), say("hello"), client.ResponseCreate())
    driven.take(PartialTranscript(stale.item_id, stale.until, Transcript("words of old", "en")))
    assert not driven.events(ev.ResponseDone)


def test_an_older_reading_is_not_taken_for_the_one_that_left_nothing_out() -> None:
    driven = Driven(VAD)
    driven.hear(1500, 0.9)
    driven.hear(640, 0.9)
    driven.hear(64, 0.0)
    driven.hear(320, 0.0)
    older, newer = driven.commands(TranscribePartially)
    driven.take(PartialTranscript(older.item_id, older.until, Transcript("half", "en")))
    assert not driven.events(ev.TranscriptionCompleted)
    driven.take(PartialTranscript(newer.item_id, newer.until, Transcript("half and the rest", "en")))
    assert [event.transcript for event in driven.events(ev.TranscriptionCompleted)] == ["half and the rest"]


@pytest.mark.parametrize("event", [client.AudioCommit(), client.AudioClear()])
def test_frames_heard_after_their_audio_was_taken_begin_no_turn(event: Any) -> None:
    driven = Driven(VAD)
    driven.take(client.AudioAppend(audio=pcm(640)), event)
    driven.take(SpeechProbabilities(0, [0.9] * 10), SpeechProbabilities(320 * 16, [0.0] * 10))
    assert not driven.events(ev.SpeechStarted)
    assert not driven.events(ev.Error)
    spoken_turn(driven)
    assert len(driven.events(ev.SpeechStarted)) == 1


# ---- what was deleted


def test_a_turn_deleted_before_its_transcript_is_not_answered_and_holds_nothing_up() -> None:
    driven = Driven(VAD)
    driven.hear(320, 0.9)
    driven.hear(320, 0.0)
    item_id = driven.events(ev.AudioCommitted)[0].item_id
    driven.take(client.ItemDelete(item_id=item_id))
    driven.take(say("hello"), client.ResponseCreate())
    assert driven.prompts() == [["hello"]]
    driven.whole_reply(("Hi.", 100))
    driven.wait(1)
    driven.transcript("too late")
    assert len(driven.events(ev.ResponseCreated)) == 1
    assert not driven.events(ev.TranscriptionCompleted)


def test_a_response_does_not_wait_for_the_transcript_of_a_deleted_item() -> None:
    driven = Driven()
    driven.take(say("hello"), client.ItemCreate(item=hears(id="heard")), client.ResponseCreate())
    assert not driven.commands(StartReply)
    driven.take(client.ItemDelete(item_id="heard"))
    assert driven.prompts() == [["hello"]]


def test_a_turn_deleted_while_it_waits_for_the_floor_is_not_answered() -> None:
    driven = responses()
    patch = SessionPatch(turn_detection=TurnDetectionPatch(interrupt_response=False, silence_duration_ms=200))
    driven.take(client.SessionUpdate(session=patch))
    driven.hear(320, 0.9)
    driven.hear(320, 0.0)
    driven.transcript("and then")
    driven.take(client.ItemDelete(item_id=driven.events(ev.AudioCommitted)[-1].item_id))
    driven.wait(4)
    assert len(driven.events(ev.ResponseCreated)) == 1


def test_nothing_is_told_of_an_item_that_is_gone() -> None:
    driven = Driven()
    driven.take(client.ItemCreate(item=hears(id="a")), client.ItemCreate(item=hears(id="b")))
    driven.take(client.ItemDelete(item_id="a"), client.ItemDelete(item_id="b"))
    driven.take(Recognised("a", 0, TranscriptDelta("wor")), RecognitionFailed("b", 0, "no"))
    assert not driven.events(ev.TranscriptionDelta)
    assert not driven.events(ev.TranscriptionFailed)


def test_an_id_used_again_is_another_item() -> None:
    driven = Driven()
    part = Part(type="input_text", text="x")
    heard = NewItem(role="user", id="again", content=(part, Part(type="input_audio", audio=pcm(200))))
    driven.take(client.ItemCreate(item=heard), client.ItemDelete(item_id="again"), say("new", id="again"))
    driven.transcript("late")
    assert driven.session.conversation.get("again").parts == (Part(type="input_text", text="new"),)


def test_a_reply_does_not_take_the_place_of_an_item_that_has_its_id() -> None:
    driven = Driven()
    driven.take(say("hello"), client.ResponseCreate())
    driven.reply(TextDelta("Hi"))
    item_id = driven.events(ev.OutputItemAdded)[0].item.id
    driven.take(client.ItemDelete(item_id=item_id), say("mine", id=item_id))
    driven.reply(GenerationEnd("stop"), ReplyEnd())
    assert driven.session.conversation.get(item_id).role == "user"


def test_an_item_made_with_the_id_of_a_spoken_one_cannot_be_truncated() -> None:
    driven = responses()
    driven.wait(3)
    item_id = driven.events(ev.OutputItemAdded)[0].item.id
    new = NewItem(role="assistant", id=item_id, content=(Part(type="text", text="x"),))
    driven.take(client.ItemDelete(item_id=item_id), client.ItemCreate(item=new))
    driven.take(client.ItemTruncate(item_id=item_id, audio_end_ms=10))
    assert driven.events(ev.Error)[-1].error.param == "item_id"


def test_a_cut_reply_that_is_deleted_does_not_go_on() -> None:
    driven = responses()
    driven.hear(160, 0.9)
    driven.take(client.ItemDelete(item_id=driven.events(ev.OutputItemAdded)[0].item.id))
    driven.hear(320, 0.0)
    driven.transcript("")
    driven.wait(5)
    assert len(driven.events(ev.ResponseCreated)) == 1


def test_a_reply_deleted_while_it_is_spoken_does_not_go_on() -> None:
    driven = responses()
    driven.take(client.ItemDelete(item_id=driven.events(ev.OutputItemAdded)[0].item.id))
    a_short_noise(driven)
    driven.wait(5)
    assert len(driven.events(ev.ResponseCreated)) == 1


# ---- ids


def test_the_id_of_the_turn_being_spoken_is_taken() -> None:
    driven = Driven(VAD)
    driven.hear(320, 0.9)
    driven.take(say("mine", id=driven.events(ev.SpeechStarted)[0].item_id))
    assert driven.events(ev.Error)[0].error.code == "item_create_duplicate_item_id"
    driven.hear(320, 0.0)
    spoken_turn(driven)
    assert len(driven.events(ev.AudioCommitted)) == 2


def test_root_is_no_id() -> None:
    driven = Driven()
    driven.take(say("x", id="root"))
    assert driven.events(ev.Error)[0].error.param == "item.id"


def test_input_of_a_response_touches_no_item_of_the_same_id() -> None:
    driven = Driven()
    driven.take(say("mine", id="a"))
    parts = (Part(type="input_text", text="x"), Part(type="input_audio", audio=pcm(200)))
    own = ResponseOverrides(conversation="none", input=(NewItem(role="user", id="a", content=parts),))
    driven.take(client.ResponseCreate(response=own))
    driven.transcript("spoken")
    assert driven.prompts() == [["x spoken"]]
    assert driven.session.conversation.get("a").parts == (Part(type="input_text", text="mine"),)


def test_input_of_a_refused_response_leaves_nothing_behind() -> None:
    driven = Driven()
    driven.take(say("hello"), client.ResponseCreate())
    lost = NewItem(type="item_reference", id="nobody")
    for given in (
        ResponseOverrides(input=(hears(),)),
        ResponseOverrides(input=(hears(), lost), conversation="none"),
    ):
        driven.take(client.ResponseCreate(response=given))
    assert [event.error.param for event in driven.events(ev.Error)] == [None, "response.input[1].id"]
    assert not driven.session.transcripts
    assert not driven.session.conversation._out_of_band


# ---- a reply that was cut, and what else happens meanwhile


def test_a_response_out_of_band_that_waits_is_generated_though_the_turn_had_no_words() -> None:
    driven = responses()
    driven.hear(160, 0.9)
    driven.hear(320, 0.0)
    driven.take(ASIDE)
    driven.transcript("")
    driven.reply(TextDelta("Aside."), GenerationEnd("stop"), ReplyEnd())
    assert statuses(driven) == ["cancelled", "completed"]
    driven.wait(5)
    assert statuses(driven) == ["cancelled", "completed", "completed"]
    assert driven.events(ev.ResponseDone)[2].response.output[0].parts[0].transcript == SECOND


def test_a_reply_goes_on_with_its_audio_after_another_was_spoken_out_of_band() -> None:
    driven = responses()
    driven.hear(160, 0.9)
    driven.take(client.ResponseCreate(response=ResponseOverrides(conversation="none")))
    driven.whole_reply(("Aside.", 300))
    driven.wait(1)
    driven.hear(320, 0.0)
    driven.transcript("")
    driven.wait(5)
    last = driven.events(ev.ResponseDone)[-1].response
    assert abs(sent_ms(driven, last.id) - 2000) < 1


def test_waiting_for_words_does_not_spin_while_another_response_runs() -> None:
    driven = responses()
    patch = SessionPatch(turn_detection=TurnDetectionPatch(silence_duration_ms=8000))
    driven.take(client.SessionUpdate(session=patch))
    driven.hear(160, 0.9)
    driven.hear(320, 0.0)
    driven.partially_transcribed("")
    driven.take(ASIDE)
    driven.live(3000, 0.0)
    assert rests(driven)
    driven.reply(TextDelta("Aside."), GenerationEnd("stop"), ReplyEnd())
    driven.wait(0.1)
    assert len(driven.events(ev.ResponseCreated)) == 3


def test_words_of_one_turn_end_the_reply_though_the_next_turn_has_none() -> None:
    driven = responses()
    driven.hear(160, 0.9)
    driven.hear(320, 0.0)
    first = driven.commands(Transcribe)[-1]
    driven.hear(160, 0.9)
    driven.hear(320, 0.0)
    driven.take(Recognised(first.item_id, 0, Transcript("stop it", "en")))
    driven.transcript("")
    assert driven.prompts()[1:] == [["hello", FIRST, "stop it"]]


def test_a_reply_does_not_go_on_while_words_may_be_on_their_way() -> None:
    driven = responses()
    driven.hear(160, 0.9)
    driven.hear(320, 0.0)
    first = driven.commands(Transcribe)[-1]
    driven.hear(160, 0.9)
    driven.wait(3)
    assert len(driven.events(ev.ResponseCreated)) == 1
    assert rests(driven)
    driven.take(Recognised(first.item_id, 0, Transcript("stop it", "en")))
    driven.hear(320, 0.0)
    driven.transcript("please")
    assert driven.prompts()[1:] == [["hello", FIRST, "stop it please"]]


def test_speaking_anew_waits_anew_for_words() -> None:
    driven = responses()
    driven.hear(160, 0.9)
    driven.hear(320, 0.0)
    driven.wait(1.9)
    driven.hear(160, 0.9)
    driven.transcript("")
    driven.wait(5)
    assert len(driven.events(ev.ResponseCreated)) == 1
    driven.hear(320, 0.0)
    driven.transcript("")
    assert len(driven.events(ev.ResponseCreated)) == 2


def test_a_reply_goes_on_when_the_sound_was_cleared() -> None:
    driven = responses()
    driven.hear(160, 0.9)
    driven.take(client.AudioClear())
    driven.wait(3)
    assert statuses(driven) == ["cancelled", "completed"]


def test_items_made_meanwhile_stay_in_the_prompt_of_a_reply_that_goes_on() -> None:
    driven = responses(written=False)
    driven.hear(160, 0.9)
    driven.take(say("by the way"))
    driven.hear(320, 0.0)
    driven.transcript("")
    messages = driven.commands(StartReply)[-1].messages
    assert [message.content for message in messages[1:]] == ["hello", FIRST + SECOND]
    driven.reply(GenerationEnd("stop"), ReplyEnd())
    driven.wait(4)
    driven.take(client.ResponseCreate())
    assert driven.prompts()[-1] == ["hello", FIRST, "by the way", SECOND]


def test_a_reply_that_goes_on_is_still_known_by_its_metadata() -> None:
    driven = Driven(VAD, audio_lead_ms=1000)
    driven.take(say("hello"), client.ResponseCreate(response=ResponseOverrides(metadata={"topic": "a"})))
    driven.whole_reply((FIRST, 2000))
    driven.wait(1)
    a_short_noise(driven)
    assert [event.response.metadata for event in driven.events(ev.ResponseCreated)] == [{"topic": "a"}] * 2


def test_a_reply_goes_on_in_the_voice_and_format_of_the_session_by_then() -> None:
    driven = Driven(VAD)
    spoken_turn(driven)
    driven.hear(160, 0.9)
    patch = SessionPatch(voice="v2", output_audio_format=AudioFormat(encoding="g711_ulaw", rate_hz=8000))
    driven.take(client.SessionUpdate(session=patch))
    driven.hear(320, 0.0)
    driven.transcript("")
    assert driven.commands(StartReply)[-1].voice == "v2"
    driven.whole_reply((FIRST, 1000))
    driven.wait(2)
    assert sum(len(delta.delta) for delta in driven.events(ev.AudioDelta)) == 8000


def test_a_reply_does_not_go_on_where_nothing_is_spoken_any_more() -> None:
    driven = responses()
    driven.hear(160, 0.9)
    driven.take(client.SessionUpdate(session=SessionPatch(modalities=("text",))))
    driven.hear(320, 0.0)
    driven.transcript("")
    driven.wait(3)
    assert len(driven.events(ev.ResponseCreated)) == 1


def test_a_reply_the_client_has_played_to_its_end_does_not_go_on() -> None:
    driven = Driven(VAD, audio_lead_ms=5000)
    spoken_turn(driven)
    driven.whole_reply((FIRST, 2000))
    driven.wait(1.9)
    driven.hear(160, 0.9)
    item_id = driven.events(ev.OutputItemAdded)[0].item.id
    driven.take(client.ItemTruncate(item_id=item_id, audio_end_ms=2000))
    driven.hear(320, 0.0)
    driven.transcript("")
    assert len(driven.events(ev.ResponseCreated)) == 1


def test_a_clause_with_nothing_to_speak_is_not_said_twice() -> None:
    driven = Driven(VAD, audio_lead_ms=1000)
    spoken_turn(driven)
    for index, (text, milliseconds) in enumerate(((FIRST, 1000), (" —", 0), (SECOND, 2000))):
        driven.reply(TextDelta(text), ClauseCut(index, text))
        if milliseconds:
            driven.reply(Speech(index, speech(milliseconds)))
        driven.reply(ClauseSpoken(index))
    driven.reply(GenerationEnd("stop"), ReplyEnd())
    driven.wait(2.0)
    a_short_noise(driven)
    driven.wait(5)
    said = [item.parts[0].transcript for item in driven.session.conversation if item.role == "assistant"]
    assert said == [FIRST + " — Five six", "seven eight."]


def test_a_sound_in_an_item_the_client_made_is_no_backchannel() -> None:
    driven = responses()
    driven.hear(160, 0.9)
    driven.take(client.ItemCreate(item=hears(id="made")))
    driven.transcript("Ah.")
    assert driven.session.conversation.get("made").parts[0].transcript == "Ah."


def test_the_end_of_a_reply_is_seen_though_it_began_in_the_same_moment() -> None:
    driven = Driven(VAD, audio_lead_ms=5000)
    driven.take(client.SessionUpdate(session=SessionPatch(turn_detection=TurnDetectionPatch(idle_timeout_ms=5000))))
    spoken_turn(driven)
    driven.hear(320, 0.0)
    driven.whole_reply((FIRST, 2000), (SECOND, 500))
    driven.wait(2.0)
    a_short_noise(driven)
    driven.hear(320, 0.0)
    driven.transcript("")
    assert statuses(driven) == ["completed", "completed"]
    driven.wait(5.6)
    assert driven.events(ev.TimeoutTriggered)


# ---- silence, failure, cleared output


def idle(driven: Driven, **fields: Any) -> None:
    patch = TurnDetectionPatch(silence_duration_ms=200, idle_timeout_ms=2000, **fields)
    driven.take(client.SessionUpdate(session=SessionPatch(turn_detection=patch)))


def test_silence_does_not_count_while_the_user_speaks_on_after_a_reply() -> None:
    driven = responses()
    idle(driven, interrupt_response=False)
    driven.hear(320, 0.9)
    driven.wait(2.5)
    assert statuses(driven) == ["completed"]
    driven.wait(4)
    assert not driven.events(ev.TimeoutTriggered)
    assert rests(driven)


def test_silence_counts_again_after_a_noise() -> None:
    driven = Driven(VAD)
    idle(driven)
    spoken_turn(driven)
    driven.whole_reply((FIRST, 500))
    driven.wait(1)
    a_short_noise(driven)
    driven.wait(2.1)
    assert len(driven.events(ev.TimeoutTriggered)) == 1


def test_a_response_out_of_band_does_not_stop_the_count_of_silence() -> None:
    driven = Driven(VAD)
    idle(driven)
    spoken_turn(driven)
    driven.whole_reply((FIRST, 500))
    driven.wait(1)
    driven.take(ASIDE)
    driven.reply(TextDelta("Aside."), GenerationEnd("stop"), ReplyEnd())
    driven.wait(2)
    assert len(driven.events(ev.TimeoutTriggered)) == 1


def test_a_transcription_session_answers_nothing() -> None:
    driven = Driven(VAD)
    driven.take(client.SessionUpdate(session=SessionPatch(kind="transcription")))
    spoken_turn(driven)
    assert driven.events(ev.TranscriptionCompleted)
    assert not driven.events(ev.ResponseCreated)


def test_a_failed_reply_keeps_the_words_that_were_sent() -> None:
    driven = Driven(VAD, audio_lead_ms=1000)
    spoken_turn(driven)
    driven.reply(TextDelta(FIRST + SECOND), ClauseCut(0, FIRST), Speech(0, speech(1000)), ClauseSpoken(0))
    driven.take(ReplyFailed(driven.commands(StartReply)[-1].response_id, "no"))
    assert driven.events(ev.OutputItemDone)[0].item.parts[0].transcript == FIRST


def test_a_reply_cut_by_its_token_limit_can_be_interrupted_while_it_is_played() -> None:
    driven = Driven(VAD, audio_lead_ms=5000)
    spoken_turn(driven)
    driven.reply(TextDelta(FIRST), ClauseCut(0, FIRST), Speech(0, speech(2000)), ClauseSpoken(0))
    driven.reply(GenerationEnd("length"), ReplyEnd())
    assert statuses(driven) == ["incomplete"]
    driven.wait(1)
    driven.hear(160, 0.9)
    assert driven.events(ev.ItemTruncated)


def test_cleared_output_stays_silent_and_only_what_was_heard_is_kept() -> None:
    driven = Driven(VAD, audio_lead_ms=1000)
    spoken_turn(driven)
    driven.reply(TextDelta(FIRST + SECOND), ClauseCut(0, FIRST), Speech(0, speech(2000)), ClauseSpoken(0))
    driven.wait(1)
    fresh = driven.take(client.OutputAudioClear())
    assert driven.names(fresh) == ["output_audio_buffer.cleared"]
    fresh = driven.reply(
        ClauseCut(1, SECOND), Speech(1, speech(2000)), ClauseSpoken(1), GenerationEnd("stop"), ReplyEnd()
    )
    assert not driven.events(ev.AudioDelta, fresh + driven.wait(5))
    done = driven.events(ev.ResponseDone)[0].response
    assert (done.status, done.output[0].parts[0].transcript) == ("completed", "One two")


def test_a_reply_whose_output_was_cleared_does_not_go_on() -> None:
    for active in (True, False):
        driven = Driven(VAD, audio_lead_ms=1000)
        spoken_turn(driven)
        driven.whole_reply((FIRST, 2000), (SECOND, 2000))
        driven.wait(1)
        if active:
            driven.take(client.OutputAudioClear())
            a_short_noise(driven)
        else:
            driven.hear(160, 0.9)
            driven.take(client.OutputAudioClear())
            driven.hear(320, 0.0)
            driven.transcript("")
        driven.wait(5)
        assert len(driven.events(ev.ResponseCreated)) == 1


def test_the_choice_of_tools_reaches_the_model() -> None:
    driven = Driven()
    tool = FunctionTool(name="lamp")
    choice = SessionPatch(tools=(tool,), tool_choice=FunctionChoice(name="lamp"), parallel_tool_calls=False)
    driven.take(client.SessionUpdate(session=choice), say("light"), client.ResponseCreate())
    options = driven.commands(StartReply)[0].options
    assert (options.tool_choice, options.parallel_tool_calls) == (NamedTool("lamp"), False)


def test_a_reply_of_thoughts_only_has_nothing_to_truncate() -> None:
    driven = Driven()
    driven.take(say("hello"), client.ResponseCreate())
    driven.reply(ThinkingDelta("hm"), GenerationEnd("stop"), ReplyEnd())
    item_id = driven.events(ev.OutputItemDone)[0].item.id
    driven.take(client.ItemTruncate(item_id=item_id, audio_end_ms=0), client.OutputAudioClear())
    assert driven.events(ev.Error)[0].error.param == "item_id"
    assert not driven.events(ev.ItemTruncated)


def test_truncating_a_cut_reply_at_its_end_brings_back_no_word_that_was_not_sent() -> None:
    driven = Driven(VAD, audio_lead_ms=500)
    spoken_turn(driven)
    driven.whole_reply((FIRST, 2000), (SECOND, 2000))
    driven.wait(1.0)
    driven.take(client.ResponseCancel())
    item_id = driven.events(ev.OutputItemDone)[0].item.id
    driven.take(client.ItemTruncate(item_id=item_id, audio_end_ms=99_000))
    assert 1500 <= driven.events(ev.ItemTruncated)[0].audio_end_ms <= 1700
    assert driven.session.conversation.get(item_id).parts[0].transcript == "One two three"


def test_what_the_detector_has_not_heard_yet_is_kept() -> None:
    driven = Driven(VAD)
    driven.take(client.AudioAppend(audio=pcm(10_000)))
    for at in range(0, 10_000 - 320, 320):
        driven.take(SpeechProbabilities(at * 16, [0.9 if 2000 <= at < 3000 else 0.0] * 10))
    started, stopped = driven.events(ev.SpeechStarted)[0], driven.events(ev.SpeechStopped)[0]
    assert 2100 <= started.audio_start_ms < 2300
    assert stopped.audio_end_ms > started.audio_start_ms + 1000
