"""What a client may have a conversation keep, in bytes and in seconds of audio."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session.driving import Driven, pcm
from vivavoce.errors import ClientError
from vivavoce.protocol import client_events as client
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.items import Item, NewItem, Part
from vivavoce.protocol.session_config import ResponseOverrides, SessionPatch, TranscriptionPatch
from vivavoce.session.audio_backlog import MIN_S
from vivavoce.session.inputs import RecognitionFailed
from vivavoce.session.memory_budget import ITEM_BYTES, MemoryBudget, item_bytes
from vivavoce.session.outputs import Output, Transcribe

KIB = 1024


def message(text: str, id: str | None = None) -> NewItem:
    return NewItem(role="user", id=id, content=(Part(type="input_text", text=text),))


def spoken(milliseconds: int, id: str | None = None) -> NewItem:
    return NewItem(role="user", id=id, content=(Part(type="input_audio", audio=pcm(milliseconds)),))


def error(driven: Driven, outputs: list[Output]) -> tuple[str | None, str | None, str | None] | None:
    errors = driven.events(ev.Error, outputs)
    return (errors[-1].error.code, errors[-1].error.param, errors[-1].error.event_id) if errors else None


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 100), st.booleans()), max_size=40))
def test_a_budget_counts_what_is_kept(steps: list[tuple[str, int, bool]]) -> None:
    budget, kept = MemoryBudget(200), dict[str, int]()
    for name, size, keeps in steps:
        if keeps:
            budget.keep(name, size)
            kept[name] = size
        else:
            budget.forget(name)
            kept.pop(name, None)
        assert budget.used == sum(kept.values())
    if budget.used > 200:
        with pytest.raises(ClientError, match="Delete items first"):
            budget.require(0, "item")


def test_characters_beyond_latin_count_as_what_they_take() -> None:
    latin, chinese = (item_bytes(Item(id="x", content=(Part(type="input_text", text=c * 1000),))) for c in "a好")
    assert latin > 1000 + ITEM_BYTES
    assert chinese > latin + 900


def test_items_beyond_the_budget_are_refused_until_others_are_deleted() -> None:
    driven = Driven(most_bytes=64 * KIB)
    assert error(driven, driven.take(client.ItemCreate(item=message("x" * 40 * KIB, "first")))) is None
    refused = driven.take(client.ItemCreate(item=message("y" * 40 * KIB, "second"), event_id="e1"))
    assert error(driven, refused) == ("conversation_too_large", "item", "e1")
    assert len(driven.session.conversation) == 1
    driven.take(client.ItemDelete(item_id="first"))
    assert error(driven, driven.take(client.ItemCreate(item=message("y" * 40 * KIB, "second")))) is None


def test_very_many_empty_items_are_too_much() -> None:
    driven = Driven(most_bytes=64 * KIB)
    results = [error(driven, driven.take(client.ItemCreate(item=message("")))) for _ in range(64)]
    assert results[0] is None
    assert results[-1] is not None


def test_what_the_session_is_told_of_itself_counts() -> None:
    driven = Driven(most_bytes=64 * KIB)
    patch = SessionPatch(voice="v2", transcription=TranscriptionPatch(prompt="x" * 70 * KIB))
    refused = driven.take(client.SessionUpdate(session=patch, event_id="e1"))
    assert error(driven, refused) == ("conversation_too_large", "session", "e1")
    assert driven.session.config.voice == "v1", "nothing of it was taken"
    for _ in range(4):  # what takes the place of something else is not counted beside it
        patch = SessionPatch(transcription=TranscriptionPatch(prompt="x" * 40 * KIB))
        updated = driven.take(client.SessionUpdate(session=patch))
        assert error(driven, updated) is None


def test_the_input_of_one_response_counts_until_it_is_over() -> None:
    driven = Driven(most_bytes=64 * KIB)
    large = ResponseOverrides(input=(message("x" * 70 * KIB),), conversation="none")
    refused = driven.take(client.ResponseCreate(response=large, event_id="e1"))
    assert error(driven, refused) == ("conversation_too_large", "response.input", "e1")
    used = driven.session.conversation.budget.used
    fits = ResponseOverrides(input=(message("x" * 40 * KIB),), conversation="none", modalities=("text",))
    for _ in range(3):
        assert error(driven, driven.take(client.ResponseCreate(response=fits))) is None
        driven.whole_reply()
        driven.wait(1.0)
        assert driven.session.conversation.budget.used == used


def test_audio_in_items_waits_for_its_transcript_within_bounds() -> None:
    driven = Driven()
    one_s = 100_000
    results = [error(driven, driven.take(client.ItemCreate(item=spoken(one_s, f"i{number}")))) for number in range(14)]
    assert results[11] is None
    assert results[12] == ("audio_backlog_full", "item.content", None)
    append = driven.take(client.AudioAppend(audio=pcm(one_s), event_id="e1"))
    assert error(driven, append) == ("audio_backlog_full", "audio", "e1")
    assert driven.session.transcription.backlog.seconds == pytest.approx(MIN_S)
    driven.take(client.ItemDelete(item_id="i0"))
    assert driven.session.transcription.backlog.seconds == pytest.approx(MIN_S), "it is still being read"
    for work in driven.commands(Transcribe)[:6]:
        driven.take(RecognitionFailed(work.item_id, work.content_index, "no"))
    assert driven.session.transcription.backlog.seconds == pytest.approx(MIN_S - 600)
    assert error(driven, driven.take(client.AudioAppend(audio=pcm(one_s)))) is None


def test_a_clients_items_are_not_live_and_its_turns_are() -> None:
    driven = Driven()
    driven.take(client.ItemCreate(item=spoken(1000)))
    driven.take(client.AudioAppend(audio=pcm(1000)), client.AudioCommit())
    assert [work.live for work in driven.commands(Transcribe)] == [False, True]
