"""What a session hands on to an engine that hears for itself and keeps the conversation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from session.driving import VAD, Driven, pcm, speech
from vivavoce.hosted import HistoryCall, HistoryMessage, HistoryOutput
from vivavoce.protocol import client_events as client
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.items import Item, NewItem, Part, ServerCall
from vivavoce.protocol.session_config import ResponseOverrides, SessionPatch
from vivavoce.session.context import DECLINED
from vivavoce.session.conversation import Conversation
from vivavoce.session.default_prompt import ORIGIN
from vivavoce.session.hosted_history import history_of
from vivavoce.session.memory_budget import MemoryBudget
from vivavoce.session.outbox import Outbox
from vivavoce.session.outputs import (
    CutReply,
    EndTurnAudio,
    HearItem,
    HearTurn,
    Output,
    Prefill,
    StartReply,
    StopReply,
    Transcribe,
)
from vivavoce.text.speech_prompt_rules import SPEECH_PROMPT_RULES
from vivavoce.types import ClauseCut, ClauseSpoken, GenerationEnd, ReplyEnd, Speech, TextDelta, ToolCall


def heard(outputs: list[Output]) -> dict[str, int]:
    """Samples by turn, as an engine keeps them; a turn that was dropped has none."""
    samples: dict[str, int] = {}
    for output in outputs:
        match output:
            case HearTurn():
                samples[output.item_id] = samples.get(output.item_id, 0) + len(output.samples)
            case EndTurnAudio(step="dropped"):
                samples.pop(output.item_id, None)
    return samples


def ended(driven: Driven) -> list[str]:
    return [output.item_id for output in driven.commands(EndTurnAudio) if output.step == "ended"]


def turn(driven: Driven, text: str = "hello") -> None:
    driven.hear(320, 0.0)
    driven.hear(640, 0.9)
    driven.hear(320, 0.0)
    driven.transcript(text)


def typed(text: str) -> client.ItemCreate:
    return client.ItemCreate(item=NewItem(role="user", content=(Part(type="input_text", text=text),)))


def test_nobody_else_gets_audio_or_the_history() -> None:
    driven = Driven(VAD)
    turn(driven)
    assert not driven.commands(HearTurn)
    assert not driven.commands(EndTurnAudio)
    assert driven.commands(StartReply)[0].hosted is None
    assert driven.commands(Prefill)[0].hosted is None


@given(st.lists(st.tuples(st.integers(1, 40), st.sampled_from([0.0, 0.9])), max_size=12), st.integers(0, 3))
def test_a_turn_is_handed_on_whole_and_once(pieces: list[tuple[int, float]], clear_after: int) -> None:
    """However the audio comes: of each committed turn exactly the samples that its transcript is made of."""
    driven = Driven(VAD, hosted=True)
    for number, (tens, probability) in enumerate(pieces):
        driven.hear(tens * 32, probability)
        if number + 1 == clear_after:
            driven.take(client.AudioClear())
    driven.hear(640, 0.0)
    samples = heard(driven.outputs)
    works = {work.item_id: len(work.samples) for work in driven.commands(Transcribe)}
    assert set(works) <= set(ended(driven))
    for item_id, length in works.items():
        assert samples[item_id] == length


def test_audio_is_handed_on_while_the_user_speaks() -> None:
    driven = Driven(VAD, hosted=True)
    driven.hear(320, 0.0)
    assert not driven.commands(HearTurn)
    for _ in range(3):
        before = sum(heard(driven.outputs).values())
        driven.hear(320, 0.9)
        assert sum(heard(driven.outputs).values()) > before
    assert not ended(driven)


def test_push_to_talk_and_a_clear() -> None:
    driven = Driven(None, hosted=True)
    driven.take(client.AudioAppend(audio=pcm(500)))
    driven.take(client.AudioClear())
    assert heard(driven.outputs) == {}
    driven.take(client.AudioAppend(audio=pcm(500)), client.AudioCommit())
    (item_id,) = ended(driven)
    assert heard(driven.outputs) == {item_id: pytest.approx(8000, abs=80)}


def test_a_session_that_is_only_transcribed_hands_on_nothing() -> None:
    driven = Driven(VAD, hosted=True)
    driven.take(client.SessionUpdate(session=SessionPatch(kind="transcription")))
    turn(driven)
    assert not driven.commands(HearTurn)
    assert not driven.commands(EndTurnAudio)


def test_the_history_names_what_was_said_in_which_response() -> None:
    driven = Driven(VAD, hosted=True)
    driven.take(typed("before"))
    turn(driven)
    driven.whole_reply(("Hello there.", 100))
    driven.wait(1)
    turn(driven, "and now")
    first, second = driven.commands(StartReply)
    assert second.hosted is not None
    entries = second.hosted.history
    assert [entry.text for entry in entries if isinstance(entry, HistoryMessage)] == [
        "before", "hello", "Hello there.", "and now",
    ]  # fmt: skip
    answer = entries[2]
    assert isinstance(answer, HistoryMessage)
    assert (answer.role, answer.response_id) == ("assistant", first.response_id)
    assert not second.hosted.apart
    assert ORIGIN in second.hosted.instructions  # nobody reads what it says before it is heard
    assert SPEECH_PROMPT_RULES not in second.hosted.instructions


def test_calls_and_what_came_of_them() -> None:
    driven = Driven(VAD, hosted=True)
    driven.take(typed("call"), client.ResponseCreate())
    driven.reply(ToolCall("call_1", "lamp", "{}"), GenerationEnd("tool_calls"), ReplyEnd())
    driven.wait(0.1)
    output = NewItem(type="function_call_output", call_id="call_1", output="on")
    driven.take(client.ItemCreate(item=output), client.ResponseCreate())
    hosted = driven.commands(StartReply)[-1].hosted
    assert hosted is not None
    assert hosted.history[1:] == (HistoryCall(ToolCall("call_1", "lamp", "{}")), HistoryOutput("call_1", "on"))


def test_what_the_server_called_unseen_and_what_was_not_allowed() -> None:
    outbox = Outbox()
    conversation = Conversation(outbox, MemoryBudget(10_000_000))
    seen = ServerCall(id="call_1", name="search", arguments="{}", output="found")
    items = [
        Item(id="a", role="assistant", content=(Part(type="text", text="Yes."),), calls=(seen,)),
        Item(id="r", type="mcp_approval_request", name="pay", arguments="{}"),
        Item(id="n", type="mcp_approval_response", approval_request_id="r", approve=False),
    ]
    entries = history_of(items, conversation)
    assert entries[:3] == (
        HistoryCall(ToolCall("call_1", "search", "{}")), HistoryOutput("call_1", "found"),
        HistoryMessage("a", "assistant", "Yes."),
    )  # fmt: skip
    assert entries[3:] == (HistoryCall(ToolCall("r", "pay", "{}")), HistoryOutput("r", DECLINED))


def test_a_response_apart_and_its_recording() -> None:
    driven = Driven(None, hosted=True)
    driven.take(typed("not this"))
    content = (Part(type="input_audio", audio=pcm(400)),)
    overrides = ResponseOverrides(conversation="none", input=(NewItem(role="user", content=content),), voice="v2")
    driven.take(client.ResponseCreate(response=overrides))
    driven.transcript("this")
    (recording,) = driven.commands(HearItem)
    hosted = driven.commands(StartReply)[-1].hosted
    assert hosted is not None
    assert hosted.apart
    assert hosted.voice == "v2"
    assert [(entry.key, getattr(entry, "text", "")) for entry in hosted.history] == [(recording.item_id, "this")]


def test_an_interruption_says_how_much_was_heard() -> None:
    driven = Driven(VAD, hosted=True, audio_lead_ms=1000)
    turn(driven)
    driven.reply(TextDelta("One two"), ClauseCut(0, "One two"), Speech(0, speech(4000)))
    driven.wait(2.0)
    driven.hear(640, 0.9)
    (stop,) = driven.commands(StopReply)
    assert stop.played_ms == pytest.approx(2000, abs=150)


def test_what_was_made_and_not_heard_is_cut_later() -> None:
    driven = Driven(VAD, hosted=True)
    turn(driven)
    driven.whole_reply(("One two three four.", 1500))
    driven.wait(0.5)
    assert driven.events(ev.ResponseDone)
    driven.hear(320, 0.9)
    (cut,) = driven.commands(CutReply)
    assert cut.response_id == driven.commands(StartReply)[0].response_id
    assert 0 < cut.played_ms < 1500


def test_a_false_interruption_goes_on_at_the_cut() -> None:
    driven = Driven(VAD, hosted=True, audio_lead_ms=1000)
    turn(driven)
    driven.reply(TextDelta("One two three four five six"), ClauseCut(0, "One two three four five six"))
    driven.reply(Speech(0, speech(3000)))
    driven.wait(2.0)
    driven.hear(160, 0.9)
    driven.hear(320, 0.0)
    driven.transcript("")
    hosted = driven.commands(StartReply)[-1].hosted
    assert hosted is not None
    assert hosted.continues
    last = hosted.history[-1]
    assert isinstance(last, HistoryMessage)
    assert last.text.startswith("One two")
    assert len(last.text) < len("One two three four five six")


def test_the_words_of_a_part_grow() -> None:
    """A clause that is told again has more words; its audio is one."""
    driven = Driven(VAD, hosted=True, audio_lead_ms=1000)
    turn(driven)
    for word in ("One ", "two ", "three ", "four."):
        driven.reply(TextDelta(word), ClauseCut(0, word))
    driven.reply(Speech(0, np.full(24_000 * 4, 0.1, np.float32)), ClauseSpoken(0), GenerationEnd("stop"), ReplyEnd())
    driven.wait(2.0)
    driven.take(client.ResponseCancel())
    (item,) = driven.events(ev.ResponseDone)[-1].response.output
    assert item.parts[0].transcript == "One two"


def test_words_that_are_written_ahead_of_their_sound_are_not_taken_for_heard() -> None:
    """A long text at once, its audio as it is spoken: what is kept is about what was heard, by how fast the voice has been."""
    driven = Driven(VAD, hosted=True, audio_lead_ms=1000)
    text = "one two three four five six seven eight nine ten " * 4
    for said_before in (False, True):
        turn(driven)
        for at in range(0, len(text), 10):
            driven.reply(TextDelta(text[at : at + 10]), ClauseCut(0, text[at : at + 10]))
        driven.reply(Speech(0, speech(3000)))
        if not said_before:  # 196 characters in 15.7 s
            driven.reply(Speech(0, speech(12_680)), ClauseSpoken(0), GenerationEnd("stop"), ReplyEnd())
            driven.wait(20)
            continue
        driven.wait(2.0)
        driven.take(client.ResponseCancel())
        (item,) = driven.events(ev.ResponseDone)[-1].response.output
        heard_words = len(str(item.parts[0].transcript).split())
        assert 4 <= heard_words <= 7  # 2 of 15.7 seconds, of 40 words
