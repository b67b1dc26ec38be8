from __future__ import annotations

import numpy as np
import pytest

from scripted_server import Script, scripted_server, tone
from vivavoce.bench.measure import STAGES, TurnMeasure, measure
from vivavoce.bench.questions import Question
from vivavoce.bench.turn import LEAD_IN_MS, Target, ask, ask_at_once, ask_in_turn
from vivavoce.client.connection import connect
from vivavoce.client.record import HeardReply, SpokenUtterance, TurnRecord
from vivavoce.client.streaming import MicrophoneStream
from vivavoce.client.turn import ClientTurn

QUESTION = Question("q", "en", tone(200), 200.0, "how far is the moon")


async def turn_of(record: TurnRecord) -> ClientTurn:
    """A turn whose question began to be spoken at second 100: its speech ends at 100.2."""
    async with scripted_server(Script()) as url, connect(url) as client:
        stream = MicrophoneStream(client, tone(200))
    stream.origin_s = 100.0
    stream.max_late_ms = 3.0
    return ClientTurn(record, stream, 0.0)


def answered(committed_s: float, arrived_s: float, status: str = "completed") -> TurnRecord:
    reply = HeardReply("r1", committed_s + 0.001, transcript="Far.", status=status)
    reply.marks = {
        "speech_end": -90.0,
        "endpoint": 0.0,
        "transcript": 250.0,
        "first_token": 300.0,
        "first_audio": 500.0,
        "first_sent": 595.0,
    }
    reply.playout.add(np.concatenate([np.zeros(2400, np.float32), tone(50)]), arrived_s)
    return TurnRecord([SpokenUtterance("u1", committed_s, "how far is the moon")], [reply])


async def test_all_stages_lie_on_the_clients_clock_after_the_label() -> None:
    one = measure(QUESTION, await turn_of(answered(100.6, 101.2)))
    assert not one.failure
    assert one.stages == pytest.approx(
        {"endpoint": 400, "transcript": 650, "first_token": 700, "first_audio": 900, "arrival": 1000, "audible": 1100},
        abs=1.0,
    )
    assert [stage for stage, _ in STAGES if stage in one.stages] == list(one.stages)
    assert one.voice_to_voice_ms == pytest.approx(1100, abs=1.0)
    assert one.leading_silence_ms == pytest.approx(100, abs=1.0)
    assert (one.cut_in, one.splits, one.answers, one.underruns, one.late_ms) == (False, 0, 1, 0, 3.0)


async def test_a_late_notice_of_the_turns_end_is_corrected_by_the_first_audio() -> None:
    record = answered(100.65, 101.2)  # sent 595 ms after the end, so the end was at 100.605 at the latest
    one = measure(QUESTION, await turn_of(record))
    assert one.stages["endpoint"] == pytest.approx(405, abs=1.0)
    assert one.stages["first_audio"] <= one.stages["arrival"]


async def test_a_turn_taken_before_the_label_is_a_split_and_its_answer_no_latency() -> None:
    one = measure(QUESTION, await turn_of(answered(100.05, 100.08)))
    assert one.splits == 1
    assert one.cut_in
    assert not one.failure
    assert one.voice_to_voice_ms is None


def withdrawn(audible_s: float, stopped_s: float) -> HeardReply:
    """A reply cancelled at ``stopped_s``."""
    reply = HeardReply("r0", 100.08, status="cancelled", stopped_s=stopped_s)
    reply.marks = {"prepared": -100.0, "endpoint": 0.0, "discarded_preparations": 1.0}
    reply.playout.add(tone(50), audible_s)
    return reply


@pytest.mark.parametrize(("audible_s", "cut_in"), [(100.1, True), (100.14, False), (100.3, False)])
async def test_the_turn_that_was_answered_last_is_measured_and_earlier_ones_are_splits(
    audible_s: float, *, cut_in: bool
) -> None:
    record = answered(100.6, 101.2)
    record.utterances.insert(0, SpokenUtterance("u0", 100.07, "how far"))
    record.utterances[1].transcript = "is the moon"
    record.replies.insert(0, withdrawn(audible_s, stopped_s=100.12))
    one = measure(QUESTION, await turn_of(record))
    assert one.splits == 1
    assert one.stages["endpoint"] == pytest.approx(400, abs=1.0)
    assert one.heard == "how far is the moon"
    assert one.cut_in is cut_in
    assert (one.answers, one.withdrawn) == ((2, 0) if cut_in else (1, 1)), "what nobody heard is no answer"
    assert one.timed, "the reply to the whole came after it"


async def test_what_was_done_in_advance_is_told_by_the_marks_of_all_replies() -> None:
    record = answered(100.6, 101.2)
    record.replies[0].marks = {**record.replies[0].marks, "discarded_preparations": 2.0, "evaluated_tokens": 9.0}
    record.replies.insert(0, withdrawn(100.3, stopped_s=100.12))
    one = measure(QUESTION, await turn_of(record))
    assert (one.prepared, one.discarded, one.evaluated_tokens) == (1, 3, 9.0)
    assert measure(QUESTION, await turn_of(answered(100.6, 101.2))).evaluated_tokens is None


@pytest.mark.parametrize(
    ("record", "failure"),
    [
        (TurnRecord(errors=["bad audio"]), "bad audio"),
        (TurnRecord(), "no reply"),
        (answered(100.6, 101.2, "failed"), "the response failed"),
        (answered(100.6, 101.2, "in_progress"), "did not end in time"),
        (TurnRecord([], [HeardReply("r1", 101.0, status="completed")]), "cannot be heard"),
    ],
)
async def test_what_went_wrong_is_named(record: TurnRecord, failure: str) -> None:
    one = measure(QUESTION, await turn_of(record))
    assert failure in one.failure
    assert one.voice_to_voice_ms is None


async def test_a_question_is_asked_with_marks_and_measured() -> None:
    script = Script(leading_silence_ms=30)
    async with scripted_server(script) as url:
        one = await ask(Target(url, model="step-audio-2-mini", voice="v"), QUESTION)
    assert not one.failure
    assert script.requests == ["/v1/realtime?model=step-audio-2-mini&marks=1"]
    assert script.received[0]["session"] == {"turn_detection": {"type": "server_vad"}, "voice": "v"}
    sent_ms = sum(event["type"] == "input_audio_buffer.append" for event in script.received) * 20
    assert sent_ms >= LEAD_IN_MS + 200 + script.silence_ms
    assert one.stages["endpoint"] >= script.silence_ms
    assert one.stages["transcript"] - one.stages["endpoint"] == pytest.approx(3.0)
    assert one.stages["audible"] - one.stages["arrival"] == pytest.approx(30, abs=1.0)
    assert one.heard == "how far is the moon"


async def test_a_server_that_is_not_there_is_a_failed_turn_and_the_bench_goes_on() -> None:
    seen: list[TurnMeasure] = []
    questions = [QUESTION, QUESTION]
    measures = await ask_in_turn(Target("ws://127.0.0.1:9"), questions, runs=2, on_measure=seen.append)
    assert len(measures) == 4
    assert all("Cannot reach" in one.failure for one in measures)
    assert seen == measures


async def test_rounds_in_parallel_take_the_questions_in_rotation() -> None:
    questions = [Question(name, "en", tone(40), 40.0) for name in "abc"]
    async with scripted_server(Script()) as url:
        rounds = await ask_at_once(Target(url), questions, parallel=2, runs=2, on_measure=lambda _: None)
    assert [[one.question for one in together] for together in rounds] == [["a", "b"], ["c", "a"]]
    assert not any(one.failure for together in rounds for one in together)
