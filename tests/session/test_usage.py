"""What responses cost: text as the language model counts it, audio by its length."""

from __future__ import annotations

import base64
from math import ceil
from typing import Any

import pytest

from session.driving import VAD, Driven, pcm
from session.test_interruption import a_short_noise, responses
from session.test_voice_turn import spoken_turn
from session.wired import Wired, message
from vivavoce.protocol import client_events as client
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.dialect import DialectName
from vivavoce.protocol.items import NewItem, Part
from vivavoce.protocol.session_config import SessionPatch
from vivavoce.protocol.usage import Usage
from vivavoce.session.outputs import StartReply
from vivavoce.text.token_estimates import estimate_tokens
from vivavoce.types import GenerationEnd, ReplyEnd, TextDelta

SECOND = base64.b64encode(pcm(1000)).decode()
RECORDING = {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": SECOND}]}


def usages(driven: Driven) -> list[Usage]:
    found = [event.response.usage for event in driven.events(ev.ResponseDone)]
    return [usage for usage in found if usage is not None]


def committed_ms(driven: Driven, turn: int = -1) -> int:
    """How long a turn's audio is by the events that bound it."""
    start, stop = driven.events(ev.SpeechStarted)[turn], driven.events(ev.SpeechStopped)[turn]
    return stop.audio_end_ms - start.audio_start_ms


def sent_ms(driven: Driven) -> int:
    return sum(len(delta.delta) for delta in driven.events(ev.AudioDelta)) // 48


def test_a_spoken_turn_costs_its_audio_both_ways() -> None:
    driven = Driven(VAD)
    spoken_turn(driven)
    driven.whole_reply(("Hello there.", 730))
    driven.wait(2)
    (usage,) = usages(driven)
    assert usage == Usage(
        input_text=10,
        cached_text=4,
        output_text=3,
        input_audio_ms=committed_ms(driven),
        cached_audio_ms=0,
        output_audio_ms=730,
    )
    assert sent_ms(driven) == 730


def test_audio_of_earlier_turns_is_in_the_prompt_and_known() -> None:
    driven = Driven(VAD)
    spoken_turn(driven)
    driven.whole_reply(("One.", 200))
    driven.wait(2)
    first = committed_ms(driven)
    spoken_turn(driven, 960, "and more")
    driven.whole_reply(("Two.", 200))
    driven.wait(2)
    assert usages(driven)[1].input_audio_ms == first + committed_ms(driven)
    assert usages(driven)[1].cached_audio_ms == first


def test_typed_words_and_written_replies_have_no_audio() -> None:
    driven = Driven()
    driven.take(client.SessionUpdate(session=SessionPatch(modalities=("text",))))
    hello = NewItem(role="user", content=(Part(type="input_text", text="hello"),))
    driven.take(client.ItemCreate(item=hello), client.ResponseCreate())
    driven.reply(TextDelta("Hi"), GenerationEnd("stop", 5, 2, 1), ReplyEnd())
    assert usages(driven) == [Usage(input_text=5, cached_text=2, output_text=1)]


def test_a_recording_that_is_an_item_counts_and_one_that_was_deleted_does_not() -> None:
    wired = Wired("openai")
    for item_id in ("kept", "gone"):
        wired.send({"type": "conversation.item.create", "item": {**RECORDING, "id": item_id}})
        wired.transcript("words")
    wired.send({"type": "conversation.item.delete", "item_id": "gone"}, {"type": "response.create"})
    wired.whole_reply(("Yes.", 100))
    wired.wait(1)
    assert usages(wired)[0].input_audio_ms == 1000


def test_a_response_out_of_band_counts_what_it_was_given() -> None:
    wired = Wired("openai")
    wired.send({"type": "conversation.item.create", "item": RECORDING})
    wired.transcript("words")
    for input, heard in (([message("hi")["item"]], 0), ([RECORDING], 1000)):
        wired.send({"type": "response.create", "response": {"conversation": "none", "input": input}})
        if heard:
            wired.transcript("other words")
        wired.whole_reply(("Yes.", 100))
        wired.wait(1)
        assert usages(wired)[-1].input_audio_ms == heard
        assert usages(wired)[-1].cached_audio_ms == 0


def test_items_that_do_not_fit_the_context_any_more_do_not_count() -> None:
    driven = Driven(VAD, reply_tokens=3500)
    for _ in range(12):
        spoken_turn(driven, text="some twenty words " * 7)
        driven.whole_reply(("Yes.", 100))
        driven.wait(1)
    heard = [usage.input_audio_ms for usage in usages(driven)]
    assert heard[1] == 2 * heard[0]
    assert heard[-1] < 8 * heard[0]


def test_a_reply_that_was_cut_costs_what_the_client_was_given() -> None:
    driven = responses(written=False)
    driven.hear(640, 0.9)
    (usage,) = usages(driven)
    assert usage.output_audio_ms == sent_ms(driven) > 0
    assert usage.output_text == 2  # pieces
    assert usage.input_audio_ms > 0
    assert usage.input_text == sum(map(estimate_tokens, driven.commands(StartReply)[0].messages)), "its prompt was free"


def test_what_is_said_again_costs_again_and_its_prompt_is_known() -> None:
    driven = responses()
    a_short_noise(driven)
    driven.wait(5)
    first, second = usages(driven)
    assert second == Usage(output_audio_ms=2000)  # all of it was written
    driven = responses(written=False)
    a_short_noise(driven)
    driven.reply(TextDelta(" Nine."), GenerationEnd("stop", 30, 28, 2), ReplyEnd())
    driven.wait(5)
    first, second = usages(driven)
    assert (second.input_audio_ms, second.cached_audio_ms) == (first.input_audio_ms, first.input_audio_ms)
    assert second.input_text == 30


@pytest.mark.parametrize(
    ("dialect", "heard_ms", "spoken_ms"), [("openai", 100, 50), ("openai_beta", 100, 50), ("stepfun", 80, 40)]
)
def test_each_dialect_counts_by_its_platforms_rates(dialect: DialectName, heard_ms: int, spoken_ms: int) -> None:
    wired = Wired(dialect, VAD)
    spoken_turn(wired)
    outputs: list[Any] = [*wired.whole_reply(("Hello there.", 730)), *wired.wait(2)]
    (done,) = [event for event in wired.frames(outputs) if event["type"] == "response.done"]
    usage = done["response"]["usage"]
    assert usage["output_token_details"] == {"text_tokens": 3, "audio_tokens": ceil(730 / spoken_ms)}
    assert usage["input_token_details"]["audio_tokens"] == ceil(committed_ms(wired) / heard_ms)
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
