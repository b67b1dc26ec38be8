from __future__ import annotations

import base64
from typing import Any

import pytest

from scripted_server import tone
from vivavoce.audio.pcm import encode_pcm16
from vivavoce.client.events import ReceivedEvent
from vivavoce.client.record import TurnRecord

TRANSCRIBED = "conversation.item.input_audio_transcription.completed"


def record_of(*events: tuple[str, dict[str, Any]]) -> TurnRecord:
    """Events that arrive at second 1, 2, 3 …"""
    record = TurnRecord()
    for at_s, (type, fields) in enumerate(events, start=1):
        record.receive(ReceivedEvent(type, float(at_s), {"type": type, **fields}))
    return record


def committed(item: str) -> tuple[str, dict[str, Any]]:
    return "input_audio_buffer.committed", {"item_id": item}


def understood(item: str, text: str) -> tuple[str, dict[str, Any]]:
    return TRANSCRIBED, {"item_id": item, "transcript": text}


def created(response: str) -> tuple[str, dict[str, Any]]:
    return "response.created", {"response": {"id": response}}


def done(response: str, status: str = "completed", **fields: Any) -> tuple[str, dict[str, Any]]:
    return "response.done", {"response": {"id": response, "status": status, **fields}}


Event = tuple[str, dict[str, Any]]
STARTED: Event = ("input_audio_buffer.speech_started", {})
STOPPED: Event = ("input_audio_buffer.speech_stopped", {})
TURN: tuple[Event, ...] = (STARTED, STOPPED, committed("u1"), understood("u1", "hello"), created("r1"))


def test_a_whole_turn_is_finished_only_at_its_end() -> None:
    for length in range(len(TURN) + 1):
        assert not record_of(*TURN[:length]).finished
    assert record_of(*TURN, done("r1")).finished


def test_words_sound_and_marks_are_collected() -> None:
    audio = base64.b64encode(encode_pcm16(tone(40))).decode()
    record = record_of(
        *TURN,
        ("response.audio_transcript.delta", {"response_id": "r1", "delta": "Hi "}),
        ("response.audio.delta", {"response_id": "r1", "delta": audio}),
        ("response.audio_transcript.delta", {"response_id": "r1", "delta": "there."}),
        done("r1", marks={"endpoint": 0, "transcript": 2.5, "first_token": None}),
    )
    assert record.reply is not None
    assert record.reply.transcript == "Hi there."
    assert record.reply.playout.starts_s == 7.0
    assert record.reply.playout.duration_ms == pytest.approx(40)
    assert record.reply.marks == {"endpoint": 0.0, "transcript": 2.5}
    assert record.transcript == "hello"
    assert record.utterances[0].committed_s == 3.0


def test_a_reply_cut_off_by_more_speech_does_not_count() -> None:
    record = record_of(*TURN, STARTED, done("r1", "cancelled"))
    assert record.reply is None
    assert not record.finished
    again = record_of(
        *TURN, STARTED, done("r1", "cancelled"), STOPPED, committed("u2"), understood("u2", "again"),
        created("r2"), done("r2"),
    )  # fmt: skip
    assert again.finished
    assert again.transcript == "hello again"
    assert again.reply is not None
    assert again.reply.response_id == "r2"


def audio(response: str, duration_ms: float = 40) -> Event:
    delta = base64.b64encode(encode_pcm16(tone(duration_ms))).decode()
    return "response.audio.delta", {"response_id": response, "delta": delta}


def test_all_replies_are_kept_and_those_withdrawn_in_time_were_not_heard() -> None:
    more = (STOPPED, committed("u2"), understood("u2", "more"), created("r2"))
    heard = record_of(*TURN, audio("r1"), STARTED, done("r1", "cancelled"), *more, audio("r2"), done("r2"))
    assert [reply.audible_s for reply in heard.replies] == [pytest.approx(6, abs=0.01), pytest.approx(13, abs=0.01)]
    unheard = record_of(*TURN, STARTED, audio("r1"), done("r1", "cancelled"), *more, audio("r2"), done("r2"))
    assert [reply.audible_s for reply in unheard.replies] == [None, pytest.approx(13, abs=0.01)]
    cancelled = record_of(*TURN, done("r1", "cancelled"), audio("r1"))
    assert cancelled.replies[0].audible_s is None


def test_an_earlier_reply_does_not_answer_a_later_utterance() -> None:
    assert not record_of(*TURN, done("r1"), committed("u2"), understood("u2", "more")).finished


def test_an_utterance_that_was_nothing_is_forgotten() -> None:
    record = record_of(*TURN, committed("u2"), ("conversation.item.deleted", {"item_id": "u2"}), done("r1"))
    assert record.finished
    assert len(record.utterances) == 1


def test_a_transcript_still_missing_keeps_the_turn_open() -> None:
    record = record_of(committed("u1"), created("r1"), done("r1"))
    assert not record.finished
    record.receive(ReceivedEvent(TRANSCRIBED, 9.0, {"item_id": "u1", "transcript": ""}))
    assert record.finished


def test_failures_and_errors_keep_the_servers_words() -> None:
    failed = done("r1", "failed", status_details={"type": "failed", "error": {"message": "out of memory"}})
    record = record_of(*TURN, failed, ("error", {"error": {"message": "bad", "code": "invalid_value"}}))
    assert record.reply is not None
    assert record.reply.failure == "out of memory"
    assert record.errors == ["bad (invalid_value)"]


def test_a_failed_transcription_is_an_error_and_does_not_hang_the_turn() -> None:
    failed = ("conversation.item.input_audio_transcription.failed", {"item_id": "u1", "error": {"message": "deaf"}})
    record = record_of(committed("u1"), failed, created("r1"), done("r1"))
    assert record.finished
    assert record.errors == ["Transcription failed: deaf"]


def test_events_of_unknown_responses_and_types_are_skipped() -> None:
    record = record_of(("response.audio.delta", {"response_id": "r9", "delta": "AAAA"}), ("rate_limits.updated", {}))
    assert record == TurnRecord()


def test_a_text_turn_needs_no_utterance() -> None:
    record = record_of(created("r1"), ("response.text.delta", {"response_id": "r1", "delta": "42"}), done("r1"))
    assert record.finished
    assert record.reply is not None
    assert record.reply.transcript == "42"
