"""What becomes of a reply the user speaks into, frame by frame, with recognisers that are slow, busy or broken."""

from __future__ import annotations

from itertools import product

import pytest

from session.driving import VAD, Driven, speech
from session.real_time import RealTime
from session.test_interruption import FIRST, SECOND, responses
from session.test_text_and_items import say
from session.test_voice_turn import spoken_turn
from vivavoce.protocol import client_events as client
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.session_config import (
    FunctionTool,
    Interruption,
    ResponseOverrides,
    SessionPatch,
    TurnDetection,
    TurnDetectionPatch,
)
from vivavoce.session.barge_in import BARGE_IN_TABLE, BargeInEvent, BargeInState, PausedReplyAction
from vivavoce.types import (
    ApprovalNeeded,
    ClauseCut,
    ClauseSpoken,
    GenerationEnd,
    ReplyEnd,
    Speech,
    TextDelta,
    ToolCall,
    ToolCallDelta,
)

STORY = [(f"Sentence {number} of a long story. ", 2000) for number in range(15)]
QUESTION = "Wait, what is the name of the fox?"
TEXT = client.ResponseCreate(response=ResponseOverrides(modalities=("text",)))
SEMANTIC = TurnDetection(type="semantic_vad", eagerness="low", prefix_padding_ms=100)


def statuses(driven: Driven) -> list[str]:
    return [event.response.status for event in driven.events(ev.ResponseDone)]


def telling_a_story(takes_s: float, vad: TurnDetection = VAD) -> RealTime:
    """Three seconds into a story of half a minute."""
    live = RealTime(takes_s, vad)
    live.take(say("Tell me a story."), client.ResponseCreate())
    live.whole_reply(*STORY)
    live.silence(3008)
    return live


# ---- words


@pytest.mark.parametrize(("takes_s", "vad"), list(product([0.1, 1.0, 2.5, 4.0], [VAD, SEMANTIC])))
def test_a_question_into_a_story_stops_it_for_good_however_slow_the_recogniser(
    takes_s: float, vad: TurnDetection
) -> None:
    live = telling_a_story(takes_s, vad)
    live.speak(QUESTION, 2400)
    live.silence(15_008)
    assert live.sent_into_voice_ms == 0
    assert len(live.events(ev.ResponseCreated)) == 2, "the story, and the answer"
    assert live.prompts()[-1][-1] == QUESTION
    assert statuses(live) == ["cancelled"]


@pytest.mark.parametrize("pause_ms", [320, 1000, 3008])
def test_a_recogniser_that_is_busy_elsewhere_does_not_say_that_nothing_was_said(pause_ms: int) -> None:
    live = telling_a_story(1.0, SEMANTIC)
    live.busy_until = live.now + 20
    live.speak("Wait,", 600)
    live.silence(pause_ms)
    live.speak("what is the name of the fox?", 1600)
    live.silence(30_016)
    assert len(live.events(ev.ResponseCreated)) == 2
    assert statuses(live) == ["cancelled"]


@pytest.mark.parametrize("takes_s", [0.1, 1.0, 2.5, 4.0])
def test_a_cough_lets_the_story_go_on_and_a_question_after_it_stops_it(takes_s: float) -> None:
    live = telling_a_story(takes_s)
    live.speak("", 224)
    live.silence(int(takes_s * 1000) + 1024)
    assert statuses(live) == ["cancelled"], "it goes on"
    assert len(live.events(ev.ResponseCreated)) == 2
    live.speak(QUESTION, 2400)
    assert statuses(live) == ["cancelled", "cancelled"]
    live.silence(6016)
    assert live.sent_into_voice_ms == 0
    assert live.prompts()[-1][-1] == QUESTION


def test_words_of_the_final_transcript_stop_what_is_written_while_they_are_said() -> None:
    driven = Driven(VAD)
    driven.take(say("hello"), TEXT)
    driven.reply(TextDelta("One two"))
    driven.hear(320, 0.9)
    driven.hear(320, 0.0)
    driven.reply(TextDelta(" three"))
    driven.transcript("no, stop")
    assert statuses(driven) == ["cancelled"]
    details = driven.events(ev.ResponseDone)[0].response.status_details
    assert details is not None
    assert details.reason == "turn_detected"
    assert driven.prompts()[-1] == ["hello", "One two three", "no, stop"]


# ---- no words


def test_a_cough_does_not_cut_a_written_answer() -> None:
    driven = Driven(VAD)
    driven.take(say("hello"), TEXT)
    driven.reply(TextDelta("One two"))
    driven.hear(320, 0.9)
    driven.hear(320, 0.0)
    driven.transcript("")
    driven.reply(TextDelta(" three."), GenerationEnd("stop"), ReplyEnd())
    assert statuses(driven) == ["completed"]
    assert driven.events(ev.ResponseTextDone)[0].text == "One two three."


def test_a_cough_before_a_written_answer_has_begun_does_not_take_it_away() -> None:
    driven = Driven(VAD)
    driven.take(client.SessionUpdate(session=SessionPatch(modalities=("text",))))
    driven.hear(320, 0.9)
    driven.hear(320, 0.0)
    driven.take(client.ResponseCreate())
    driven.hear(160, 0.9)
    driven.transcript("hello")
    driven.hear(320, 0.0)
    driven.transcript("")
    driven.reply(TextDelta("Hi."), GenerationEnd("stop"), ReplyEnd())
    assert statuses(driven) == ["completed"]
    assert driven.prompts() == [["hello"]]


def calling(driven: Driven, *calls: ToolCall) -> None:
    """The model writes calls, each in two pieces."""
    for call in calls:
        half = len(call.arguments) // 2
        driven.reply(
            ToolCallDelta(call.id, call.name, call.arguments[:half]),
            ToolCallDelta(call.id, call.name, call.arguments[half:]),
            call,
        )


def handed(driven: Driven) -> list[tuple[str, str]]:
    return [(str(event.name), event.arguments) for event in driven.events(ev.ArgumentsDone)]


@pytest.mark.parametrize("coughs", [1, 2])
def test_a_cough_between_two_calls_hands_each_of_them_over_once(coughs: int) -> None:
    driven = Driven(VAD)
    tools = (FunctionTool(name="lamp"), FunctionTool(name="door"))
    driven.take(client.SessionUpdate(session=SessionPatch(tools=tools)))
    spoken_turn(driven, text="light, and close the door")
    calling(driven, ToolCall("call_1", "lamp", '{"on": true}'))
    for number in range(coughs):
        driven.hear(160, 0.9)
        driven.hear(320, 0.0)
        driven.transcript("")
        if number + 1 < coughs:
            calling(driven, ToolCall(f"call_{number}b", "lamp", '{"on":true}'))
    calling(driven, ToolCall("call_3", "lamp", '{"on":true}'), ToolCall("call_4", "door", '{"shut": true}'))
    driven.reply(GenerationEnd("tool_calls"), ReplyEnd())
    assert handed(driven) == [("lamp", '{"on": true}'), ("door", '{"shut": true}')]
    assert statuses(driven)[-1] == "completed"


def test_a_cough_between_two_questions_whether_a_call_may_be_made_asks_each_once() -> None:
    driven = Driven(VAD)
    spoken_turn(driven)
    book, pay = (ApprovalNeeded(ToolCall(f"call_{name}", name, "{}"), "desk", name) for name in ("book", "pay"))
    driven.reply(book)
    driven.hear(160, 0.9)
    driven.hear(320, 0.0)
    driven.transcript("")
    driven.reply(book, pay, GenerationEnd("stop"), ReplyEnd())
    asked = [event.item.name for event in driven.events(ev.OutputItemDone)]
    assert asked == ["book", "pay"]


def test_the_same_call_twice_in_one_reply_is_two_calls() -> None:
    driven = Driven(VAD)
    driven.take(client.SessionUpdate(session=SessionPatch(tools=(FunctionTool(name="ring"),))))
    spoken_turn(driven, text="ring twice")
    calling(driven, ToolCall("call_1", "ring", "{}"))
    driven.hear(160, 0.9)
    driven.hear(320, 0.0)
    driven.transcript("")
    calling(driven, ToolCall("call_2", "ring", "{}"), ToolCall("call_3", "ring", "{}"))
    driven.reply(GenerationEnd("tool_calls"), ReplyEnd())
    assert len(handed(driven)) == 2


# ---- signs of listening


def said_into_a_reply(text: str, language: str = "en", milliseconds: int = 320, **options: object) -> Driven:
    driven = responses(**options)  # type: ignore[arg-type]
    driven.hear(milliseconds, 0.9)
    driven.hear(320, 0.0)
    driven.transcript(text, language)
    return driven


LISTENING = {
    "en": ["Yeah.", "Okay.", "Right.", "Yeah, yeah, okay.", "Uh-huh. I see.", "That makes sense."],
    "zh": ["嗯嗯", "对", "对对对，没错。"],
    "zh-CN": ["嗯，好的"],
    "ja": ["なるほど、そうですね。"],
    "ko": ["네, 네."],
    "de": ["Ja, genau."],
    "fr": ["D’accord."],
    "cy": ["Okay.", "Yeah."],  # taken for another language
}
INTERRUPTING = {
    "en": ["Yeah, but why?", "Stop.", "No.", "Yes, please.", "What?", "Wait.", "Genau."],
    "zh": ["不对", "好了好了", "等一下", "对，但是为什么"],
    "ja": ["ちょっと待って"],
}


def each(texts: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(text, language) for language in texts for text in texts[language]]


@pytest.mark.parametrize(("text", "language"), each(LISTENING))
def test_a_sign_of_listening_lets_the_reply_go_on_where_it_was_cut(text: str, language: str) -> None:
    driven = said_into_a_reply(text, language)
    driven.wait(5)
    assert statuses(driven) == ["cancelled", "completed"]
    assert driven.events(ev.ResponseDone)[-1].response.output[0].parts[0].transcript == SECOND
    assert driven.events(ev.TranscriptionCompleted)[-1].transcript == text, "the client may show what was said"
    assert driven.events(ev.ItemDeleted)[-1].item_id == driven.events(ev.TranscriptionCompleted)[-1].item_id
    driven.take(say("and then?"), client.ResponseCreate())
    assert text not in driven.prompts()[-1]


@pytest.mark.parametrize(("text", "language"), each(INTERRUPTING))
def test_words_of_their_own_stop_the_reply_for_good(text: str, language: str) -> None:
    driven = said_into_a_reply(text, language)
    assert driven.prompts()[-1] == ["hello", FIRST, text]


def asking(text: str, heard_s: float, milliseconds: int = 2000) -> Driven:
    driven = Driven(VAD, audio_lead_ms=1000)
    spoken_turn(driven, text="a table for two")
    driven.whole_reply((text, milliseconds), (" I can do that right away for you.", 2000))
    driven.wait(heard_s)
    driven.hear(320, 0.9)
    driven.hear(320, 0.0)
    return driven


@pytest.mark.parametrize("heard_s", [1.9, 2.0, 2.5, 3.5])
@pytest.mark.parametrize("text", ["Shall I book it?", "要我预订吗？", "予約しますか。"])
def test_yes_to_a_question_that_was_heard_is_an_answer(text: str, heard_s: float) -> None:
    driven = asking(text, heard_s)
    driven.transcript("Okay.")
    assert driven.prompts()[-1][-1] == "Okay."


@pytest.mark.parametrize("heard_s", [1.0, 4.9])
def test_yes_before_a_question_has_been_heard_or_long_after_is_none(heard_s: float) -> None:
    driven = Driven(VAD, audio_lead_ms=1000)
    spoken_turn(driven, text="a table for two")
    driven.whole_reply(("Shall I book it?", 2000), (" I can do that, and here is a long story about it.", 5000))
    driven.wait(heard_s)
    driven.hear(320, 0.9)
    driven.hear(320, 0.0)
    driven.transcript("Okay.")
    assert driven.prompts() == [["a table for two"]]


@pytest.mark.parametrize(("written", "answers"), [("Shall I book it?", True), ("There is one at eight.", False)])
def test_yes_to_what_is_being_written_is_an_answer_if_that_asks(written: str, answers: bool) -> None:
    driven = Driven(VAD)
    driven.take(say("a table for two"), TEXT)
    driven.reply(TextDelta(written))
    driven.hear(320, 0.9)
    driven.hear(320, 0.0)
    driven.transcript("Okay.")
    assert (driven.prompts()[-1][-1] == "Okay.") is answers
    assert driven.session.responses.active


@pytest.mark.parametrize("text", ["Yes, please.", "Okay.", "Mhm."])
def test_after_a_reply_is_over_each_word_is_a_turn(text: str) -> None:
    driven = Driven(VAD, audio_lead_ms=1000)
    spoken_turn(driven, text="a table for two")
    driven.whole_reply(("There is one at eight.", 1500))
    driven.wait(2)
    driven.hear(320, 0.9)
    driven.hear(320, 0.0)
    driven.transcript(text)
    assert driven.prompts()[-1][-1] == text


def test_yes_into_the_silence_at_a_replys_end_is_a_turn() -> None:
    driven = Driven(VAD, audio_lead_ms=5000)
    spoken_turn(driven, text="a table for two")
    text = "There is one at eight."
    driven.reply(
        TextDelta(text), ClauseCut(0, text), Speech(0, speech(1500)), Speech(0, speech(1000) * 0), ClauseSpoken(0)
    )
    driven.reply(GenerationEnd("stop"), ReplyEnd())
    driven.wait(2)
    driven.hear(320, 0.9)
    driven.hear(320, 0.0)
    driven.transcript("Okay.")
    assert driven.prompts()[-1][-1] == "Okay."


def test_a_sign_of_listening_to_a_reply_that_may_not_be_interrupted_is_no_turn() -> None:
    driven = responses()
    patch = SessionPatch(turn_detection=TurnDetectionPatch(interrupt_response=False))
    driven.take(client.SessionUpdate(session=patch))
    driven.hear(320, 0.9)
    driven.hear(320, 0.0)
    driven.transcript("Yeah.")
    driven.wait(5)
    assert statuses(driven) == ["completed"]
    assert driven.prompts() == [["hello"]]


# ---- the client's policy


def with_policy(**fields: object) -> Driven:
    driven = responses()
    policy = Interruption(**fields)  # type: ignore[arg-type]
    driven.take(client.SessionUpdate(session=SessionPatch(turn_detection=TurnDetectionPatch(interruption=policy))))
    return driven


@pytest.mark.parametrize(
    ("fields", "milliseconds", "text", "language", "stops"),
    [
        ({"min_words": 3}, 320, "stop it", "en", False),
        ({"min_words": 3}, 320, "please stop it", "en", True),
        ({"min_words": 3}, 320, "停", "zh", False),
        ({"min_words": 3}, 320, "停一下", "zh", True),
        ({"min_speech_ms": 500}, 320, "stop it", "en", False),
        ({"min_speech_ms": 500}, 640, "stop it", "en", True),
        ({"ignore_words": {"en": ("banana split",)}}, 320, "Banana, split!", "en", False),
        ({"ignore_words": {"en": ("banana split",)}}, 320, "Banana.", "en", True),
        ({"ignore_words": {"en": ("banana split",)}}, 320, "Yeah.", "en", True),
        ({"ignore_words": {"en": ("banana split",)}}, 320, "Mhm.", "en", False),
        ({"ignore_words": {"en": ("banana split",)}}, 320, "对", "zh", False),
        ({"ignore_words": {"zh-CN": ()}}, 320, "对", "zh", True),
        ({"ignore_words": ("banana",)}, 320, "Banana.", "de", False),
        ({"ignore_words": ()}, 320, "Mhm.", "en", True),
    ],
)
def test_the_client_says_what_stops_a_reply(
    fields: dict[str, object], milliseconds: int, text: str, language: str, stops: bool
) -> None:
    driven = with_policy(**fields)
    driven.hear(milliseconds, 0.9)
    driven.hear(320, 0.0)
    driven.transcript(text, language)
    assert (driven.prompts()[-1][-1] == text) is stops
    driven.wait(5)
    assert statuses(driven) == (["cancelled"] if stops else ["cancelled", "completed"])


def test_a_reading_with_too_few_words_decides_nothing_yet() -> None:
    driven = with_policy(min_words=3)
    driven.hear(640, 0.9)
    driven.hear(64, 0.0)
    driven.partially_transcribed("please stop")
    driven.hear(640, 0.9)
    driven.hear(320, 0.0)
    driven.transcript("please stop it now")
    assert driven.prompts()[-1][-1] == "please stop it now"


# ---- the table


@pytest.mark.parametrize("state", BargeInState)
def test_whatever_is_paused_can_be_ended_by_words_or_by_the_client(state: BargeInState) -> None:
    if state is not BargeInState.NONE:
        for event in (
            BargeInEvent.WORDS,
            BargeInEvent.CANCELLED,
            BargeInEvent.NEW_RESPONSE,
            BargeInEvent.DELETED,
            BargeInEvent.RECONFIGURED,
        ):
            assert BARGE_IN_TABLE[state, event] == (BargeInState.NONE, PausedReplyAction.DROP)
    assert BARGE_IN_TABLE[state, BargeInEvent.SPEECH_STARTED] == (BargeInState.LISTENING, PausedReplyAction.KEEP)


def test_every_state_of_a_barge_in_can_be_reached_and_left() -> None:
    assert {state for state, _ in BARGE_IN_TABLE.values()} == set(BargeInState)
    assert {state for state, _ in BARGE_IN_TABLE} == set(BargeInState)


def test_a_paused_reply_stays_until_its_barge_in_is_over() -> None:
    for (before, _), (after, action) in BARGE_IN_TABLE.items():
        ends = before is not BargeInState.NONE and after is BargeInState.NONE
        assert (action is PausedReplyAction.KEEP) == (not ends)
