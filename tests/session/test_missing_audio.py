"""A client that stops sending audio in the midst of a turn: then the clock counts the silence."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from session.driving import VAD, Driven, pcm
from vivavoce.protocol import client_events as client
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.session_config import SessionPatch, TurnDetection, TurnDetectionPatch
from vivavoce.session.arrival import AHEAD_S, GRACE_S
from vivavoce.session.inputs import Connected, Disconnected, Scored, SpeechProbabilities
from vivavoce.session.outputs import Listen, ScoreTurn, StartReply
from vivavoce.turns.end_of_turn import MAX_WAITS_MS, PauseEvidence, wait_ms

SEMANTIC = TurnDetection(type="semantic_vad", prefix_padding_ms=100)


def live(
    driven: Driven, milliseconds: int, probability: float, *, piece_ms: int = 20, finished: float | None = None
) -> None:
    """Audio as a microphone sends it: a piece arrives when it has been spoken.

    ``finished`` is what the scorer says at once when it is asked.
    """
    for _ in range(milliseconds // piece_ms):
        fresh = driven.live(piece_ms, probability, piece_ms=piece_ms)
        if finished is not None and any(isinstance(output, ScoreTurn) for output in fresh):
            score(driven, finished)


def commits(driven: Driven) -> int:
    return len(driven.events(ev.AudioCommitted))


def score(driven: Driven, probability: float | None) -> None:
    work = driven.commands(ScoreTurn)[-1]
    driven.take(Scored(work.item_id, work.voiced_until, probability))


def wait_s(probability: float | None, speech_ms: int = 750) -> float:
    """How long a pause of ``SEMANTIC`` is, in seconds, that sounds so finished; of 800 ms the detector hears about 750."""
    return wait_ms(PauseEvidence(0, speech_ms=speech_ms, sound=probability), "auto") / 1000


def silence_until_committed(driven: Driven, *, most_s: float = 20.0) -> float:
    began = driven.now
    while not commits(driven):
        assert driven.now - began < most_s
        driven.wait(0.01)
    return driven.now - began


@pytest.mark.parametrize("probability", [0.99, 0.9, 0.3, 0.0])
def test_a_pause_in_which_audio_stops_is_as_long_as_one_in_which_it_goes_on(probability: float) -> None:
    driven = Driven(SEMANTIC)
    live(driven, 800, 0.9)
    live(driven, 140, 0.0, finished=probability)
    assert not commits(driven)
    waited_s = 0.14 + silence_until_committed(driven)
    assert waited_s == pytest.approx(max(wait_s(probability), 0.14 + GRACE_S), abs=0.07)


def test_hello_world_and_two_seconds_of_silence_and_then_nothing() -> None:
    driven = Driven(SEMANTIC)
    live(driven, 800, 0.9)
    live(driven, 800, 0.0, finished=0.05)
    assert not commits(driven)
    assert silence_until_committed(driven) == pytest.approx(max(wait_s(0.05) - 0.8, GRACE_S), abs=0.07)
    driven.partially_transcribed("Hello world.")
    assert driven.commands(StartReply)


def test_muted_in_the_midst_of_a_word() -> None:
    """No pause was heard at all."""
    driven = Driven(VAD)
    live(driven, 800, 0.9)
    assert silence_until_committed(driven) == pytest.approx(GRACE_S, abs=0.05)
    stopped = driven.events(ev.SpeechStopped)[0]
    assert stopped.audio_end_ms == 800


def test_muted_in_the_midst_of_a_word_is_scored() -> None:
    driven = Driven(SEMANTIC)
    live(driven, 800, 0.9)
    driven.wait(0.6)
    score(driven, 0.2)
    assert 0.6 + silence_until_committed(driven) == pytest.approx(max(wait_s(0.2), GRACE_S), abs=0.07)


@pytest.mark.parametrize("answers", [True, False])
def test_a_score_that_fails_or_does_not_come_does_not_hold_the_turn(answers: bool) -> None:
    driven = Driven(SEMANTIC)
    live(driven, 800, 0.9)
    driven.wait(0.6)
    if answers:
        score(driven, None)
    assert 0.6 + silence_until_committed(driven) == pytest.approx(max(wait_s(None), GRACE_S), abs=0.07)


def test_what_comes_late_is_the_next_turn() -> None:
    driven = Driven(VAD)
    live(driven, 800, 0.9)
    silence_until_committed(driven)
    driven.transcript("Hello")
    live(driven, 640, 0.9)
    live(driven, 320, 0.0)
    first, second = driven.events(ev.AudioCommitted)
    assert first.item_id != second.item_id
    started = driven.events(ev.SpeechStarted)[1]
    assert started.audio_start_ms >= driven.events(ev.SpeechStopped)[0].audio_end_ms


def test_silence_that_comes_late_changes_nothing() -> None:
    driven = Driven(VAD)
    live(driven, 800, 0.9)
    silence_until_committed(driven)
    live(driven, 3000, 0.0)
    driven.wait(10)
    assert commits(driven) == 1
    assert len(driven.events(ev.SpeechStarted)) == 1


def test_push_to_talk_waits_for_its_commit() -> None:
    driven = Driven(None)
    driven.take(client.AudioAppend(audio=pcm(800)))
    driven.wait(60)
    assert not commits(driven)
    assert driven.wake_at is None


def test_switched_to_push_to_talk_in_the_midst_of_a_turn() -> None:
    driven = Driven(VAD)
    live(driven, 800, 0.9)
    driven.take(client.SessionUpdate(session=SessionPatch(turn_detection=None)))
    driven.wait(60)
    assert not commits(driven)
    driven.take(client.AudioCommit())
    assert commits(driven) == 1


def test_who_does_not_speak_is_not_waited_for() -> None:
    driven = Driven(VAD)
    live(driven, 1000, 0.0)
    assert driven.wake_at is None
    driven.wait(60)
    assert not driven.events(ev.SpeechStopped)


def test_a_detector_that_is_behind_is_waited_for() -> None:
    driven = Driven(VAD)
    live(driven, 800, 0.9)
    (listen,) = (output for output in driven.take(client.AudioAppend(audio=pcm(640))) if isinstance(output, Listen))
    driven.wait(5)
    assert not commits(driven), "it may hear speech in what has come"
    driven.take(SpeechProbabilities(listen.frames.position, [0.9] * len(listen.frames.frames)))
    driven.wait(0.01)
    assert commits(driven) == 1


def test_a_lost_connection_is_no_silence() -> None:
    driven = Driven(VAD)
    live(driven, 800, 0.9)
    driven.take(Disconnected())
    driven.wait(30)
    assert not commits(driven)
    driven.take(Connected())
    live(driven, 800, 0.9)
    live(driven, 320, 0.0)
    assert commits(driven) == 1
    assert len(driven.events(ev.SpeechStarted)) == 1


def test_who_comes_back_and_sends_nothing_has_stopped() -> None:
    driven = Driven(VAD)
    live(driven, 800, 0.9)
    driven.take(Disconnected())
    driven.wait(30)
    driven.take(Connected())
    assert silence_until_committed(driven) == pytest.approx(GRACE_S, abs=0.05)


def test_the_clock_does_not_count_what_was_sent_ahead() -> None:
    """Two seconds of silence that were sent in an instant are two seconds, not four."""
    driven = Driven(SEMANTIC)
    driven.hear(800, 0.9)
    driven.hear(200, 0.0)
    score(driven, 0.05)
    for _ in range(5):
        driven.hear(100, 0.0)
    assert silence_until_committed(driven) == pytest.approx(0.8 + max(wait_s(0.05), 0.7 + GRACE_S), abs=0.07)


def test_a_recording_sent_at_once_with_enough_silence_ends_as_soon_as_it_is_read() -> None:
    """What is known of the pause comes after all of it has: nothing is waited for that is there already."""
    driven = Driven(SEMANTIC)
    driven.hear(800, 0.9)
    for _ in range(12):
        driven.hear(100, 0.0)
    score(driven, 0.99)
    assert not commits(driven)
    driven.partially_transcribed("Turn on the lights.")
    assert silence_until_committed(driven) <= 0.02


def test_a_recording_sent_at_once_with_too_little_silence_is_waited_for() -> None:
    driven = Driven(SEMANTIC)
    driven.hear(800, 0.9)
    driven.hear(200, 0.0)
    score(driven, 0.99)
    driven.partially_transcribed("Turn on the lights.")
    assert silence_until_committed(driven) >= GRACE_S


def test_a_recording_sent_at_once_without_a_pause_at_its_end_is_answered() -> None:
    driven = Driven(VAD)
    for _ in range(600):
        driven.hear(100, 0.9)
    assert silence_until_committed(driven) == pytest.approx(AHEAD_S + GRACE_S, abs=0.05)


@pytest.mark.parametrize("vad", [VAD, SEMANTIC])
def test_next_to_nothing_is_a_pause_as_well(vad: TurnDetection) -> None:
    """In pauses some codecs send 20 ms every 400 ms, so that the line is known to stand."""
    driven = Driven(vad)
    live(driven, 800, 0.9)
    began = driven.now
    while not commits(driven) and driven.now < began + 20:
        driven.wait(0.4)
        if any(isinstance(output, ScoreTurn) for output in driven.hear(20, 0.0)):
            score(driven, 0.2)
    assert driven.now - began == pytest.approx(1.6 if vad is VAD else wait_s(0.2), abs=1.0)


def test_a_pause_is_what_came_and_what_did_not() -> None:
    driven = Driven(SEMANTIC)
    live(driven, 800, 0.9)
    live(driven, 500, 0.0, finished=0.05)
    driven.wait(1.2 * GRACE_S)
    live(driven, 100, 0.0)
    assert not commits(driven)
    paused_s = 0.6 + 1.2 * GRACE_S + silence_until_committed(driven)
    assert paused_s == pytest.approx(max(wait_s(0.05), 0.6 + 2.2 * GRACE_S), abs=0.3)


def test_what_did_not_come_before_there_was_voice_again_is_no_pause() -> None:
    driven = Driven(SEMANTIC)
    live(driven, 800, 0.9)
    live(driven, 500, 0.0, finished=0.05)
    driven.wait(GRACE_S)
    live(driven, 500, 0.9)
    live(driven, 400, 0.0, finished=0.05)
    assert not commits(driven)


def test_a_busy_scorer_says_nothing() -> None:
    """The pause is as long as with no evidence at all."""
    driven = Driven(SEMANTIC)
    live(driven, 800, 0.9)
    live(driven, int(wait_s(None) * 1000) - 64, 0.0)
    assert not commits(driven)
    live(driven, 128, 0.0)
    assert commits(driven) == 1


def test_marks_know_when_speech_ended() -> None:
    driven = Driven(VAD)
    live(driven, 800, 0.9)
    live(driven, 160, 0.0)
    spoken_until = driven.now - 0.16
    turn = driven.session.input_turn._turn
    silence_until_committed(driven)
    assert turn.marks.speech_end == pytest.approx(spoken_until, abs=0.1)


# ---- whatever the network does

DELAYS = st.lists(st.floats(0, 0.9 * GRACE_S), min_size=1, max_size=25)
"""How late each piece is (seconds)."""

PIECES = st.sampled_from([10, 20, 100, 250, 1000])
"""How long the pieces of a client are (ms)."""

VADS: Any = st.sampled_from([VAD, SEMANTIC, TurnDetection(type="semantic_vad", eagerness="high")])


@given(delays=DELAYS, piece_ms=PIECES, vad=VADS)
@settings(max_examples=80, deadline=None, derandomize=True, database=None)
def test_who_speaks_is_never_cut_off_by_a_network_that_is_late(
    delays: list[float], piece_ms: int, vad: TurnDetection
) -> None:
    driven = Driven(vad)
    began = driven.now
    for count, late_s in enumerate([0.0, 0.0, *delays], 1):
        driven.wait(max(began + count * piece_ms / 1000 + late_s - driven.now, 0.0))
        driven.hear(piece_ms, 0.9)
        assert not commits(driven)


@given(bursts=st.lists(st.integers(1, 50), min_size=1, max_size=6), vad=VADS)
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_who_speaks_is_never_cut_off_for_sending_in_bursts(bursts: list[int], vad: TurnDetection) -> None:
    """Pieces of 100 ms, so many at once, as often as they can be spoken."""
    driven = Driven(vad)
    for count in bursts:
        for _ in range(count):
            driven.hear(100, 0.9)
        driven.wait(count / 10)
        assert not commits(driven)


@given(delays=DELAYS, piece_ms=PIECES, silence=st.integers(0, 5), vad=VADS, answered=st.booleans())
@settings(max_examples=80, deadline=None, derandomize=True, database=None)
def test_who_stops_sending_is_answered_once(
    delays: list[float], piece_ms: int, silence: int, vad: TurnDetection, answered: bool
) -> None:
    driven = Driven(vad)
    live(driven, 200, 0.9)
    for late_s in delays:
        driven.wait(late_s)
        driven.hear(piece_ms, 0.9)
    driven.hear(silence * 32, 0.0)
    if answered and driven.commands(ScoreTurn):
        score(driven, 0.0)
    driven.wait(AHEAD_S + GRACE_S + MAX_WAITS_MS["auto"] / 1000)
    assert commits(driven) == 1
    driven.wait(60)
    assert commits(driven) == 1
    assert driven.wake_at is None or driven.wake_at > driven.now


def test_idle_timeout_counts_after_a_turn_the_clock_has_ended() -> None:
    driven = Driven(VAD)
    driven.take(client.SessionUpdate(session=SessionPatch(turn_detection=TurnDetectionPatch(idle_timeout_ms=5000))))
    live(driven, 800, 0.9)
    silence_until_committed(driven)
    driven.transcript("Hello.")
    driven.whole_reply(("Hi. ", 300))
    driven.wait(7)
    assert driven.events(ev.TimeoutTriggered)
