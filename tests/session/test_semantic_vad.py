"""How long a pause may be when it depends on how finished the user seems to be."""

from __future__ import annotations

import pytest

from session.driving import FRAME_MS, Driven
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.session_config import Eagerness, TurnDetection
from vivavoce.session.endpointing import SCORED_MS
from vivavoce.session.inputs import Scored, SentenceScored
from vivavoce.session.outputs import PrepareReply, ScoreTurn
from vivavoce.turns.end_of_turn import PauseEvidence, wait_ms

SPEECH_MS = 640


def listening(eagerness: Eagerness = "auto", **vad: object) -> Driven:
    driven = Driven(TurnDetection(eagerness=eagerness, **{"type": "semantic_vad", **vad}))  # type: ignore[arg-type]
    driven.hear(SPEECH_MS, 0.9)
    return driven


def score(driven: Driven, probability: float | None) -> None:
    work = driven.commands(ScoreTurn)[-1]
    driven.take(Scored(work.item_id, work.voiced_until, probability))


def silence_until_stopped(driven: Driven, *, most_ms: int = 10_000) -> int:
    """How much silence, beyond what was heard already, ends the turn."""
    silent_ms = 0
    while not driven.events(ev.SpeechStopped):
        assert silent_ms < most_ms
        driven.hear(FRAME_MS, 0.0)
        silent_ms += FRAME_MS
    return silent_ms


@pytest.mark.parametrize("vad_type", ["semantic_vad", "server_vad"])
@pytest.mark.parametrize("eagerness", ["low", "medium", "high"])
@pytest.mark.parametrize("probability", [0.99, 0.9, 0.3, 0.0, None])
def test_the_wait_follows_from_how_finished_it_sounds(
    eagerness: Eagerness, probability: float | None, vad_type: str
) -> None:
    driven = listening(eagerness, type=vad_type)
    driven.hear(160, 0.0)
    assert len(driven.commands(ScoreTurn)) == 1
    score(driven, probability)
    waited_ms = 160 + silence_until_stopped(driven)
    expected_ms = wait_ms(PauseEvidence(0, speech_ms=SPEECH_MS, sound=probability), eagerness)
    assert abs(waited_ms - max(expected_ms, 192)) <= 3 * FRAME_MS


def test_a_silence_that_was_asked_for_is_kept_to_whatever_it_sounds_like() -> None:
    driven = listening(type="server_vad", silence_duration_ms=400)
    assert 400 <= silence_until_stopped(driven) <= 400 + 2 * FRAME_MS
    assert not driven.commands(ScoreTurn)


def test_a_pause_is_scored_once_and_not_before_it_is_one() -> None:
    driven = listening()
    driven.hear(SCORED_MS - FRAME_MS, 0.0)
    assert not driven.commands(ScoreTurn)
    driven.hear(320, 0.0)
    assert len(driven.commands(ScoreTurn)) == 1


def test_who_goes_on_is_scored_anew() -> None:
    driven = listening()
    driven.hear(160, 0.0)
    score(driven, 0.99)
    driven.hear(320, 0.9)
    driven.hear(160, 0.0)
    assert len(driven.commands(ScoreTurn)) == 2
    expected_ms = wait_ms(
        PauseEvidence(0, speech_ms=1120, sound=0.02, typical_pause_ms=160, longest_pause_ms=160), "auto"
    )
    score(driven, 0.02)
    assert abs(160 + silence_until_stopped(driven) - expected_ms) <= 2 * FRAME_MS, (
        "the score of the earlier pause is void"
    )


def test_a_score_that_comes_too_late_changes_nothing() -> None:
    driven = listening()
    driven.hear(160, 0.0)
    late = driven.commands(ScoreTurn)[-1]
    driven.hear(320, 0.9)
    driven.take(Scored(late.item_id, late.voiced_until, 0.99))
    driven.hear(128, 0.0)
    assert not driven.events(ev.SpeechStopped)


def test_finished_words_end_a_turn_sooner_than_unfinished_ones() -> None:
    waits = {}
    for text, finished in (("What is the capital of France?", 0.9), ("I would like to book a table for", 0.01)):
        driven = listening()
        driven.hear(160, 0.0)
        score(driven, 0.6)
        driven.partially_transcribed(text)
        prepared = driven.commands(PrepareReply)[-1]
        driven.take(SentenceScored(prepared.item_id, prepared.voiced_until, finished))
        waits[text] = silence_until_stopped(driven)
    finished_ms, unfinished_ms = waits.values()
    assert unfinished_ms > finished_ms + 300


def test_a_question_for_a_number_is_waited_for_longer() -> None:
    def waited(question: str) -> int:
        driven = Driven(TurnDetection())
        driven.hear(SPEECH_MS, 0.9)
        while not driven.events(ev.AudioCommitted):
            driven.hear(FRAME_MS, 0.0)
        driven.partially_transcribed("Hello.")
        driven.whole_reply((question, 300))
        driven.wait(2)
        driven.outputs.clear()
        driven.hear(SPEECH_MS, 0.9)
        driven.hear(160, 0.0)
        score(driven, 0.6)
        driven.partially_transcribed("four seven one")
        return silence_until_stopped(driven)

    assert waited("What is your phone number?") > waited("Shall I go on?")


def test_who_pauses_for_long_is_waited_for_longer() -> None:
    def waited(pause_ms: int) -> int:
        driven = Driven(TurnDetection())
        for _ in range(4):
            driven.hear(SPEECH_MS, 0.9)
            driven.hear(160, 0.0)
            score(driven, 0.01)
            driven.hear(pause_ms - 160, 0.0)
        assert not driven.events(ev.SpeechStopped)
        driven.hear(SPEECH_MS, 0.9)
        driven.hear(160, 0.0)
        score(driven, 0.5)
        return silence_until_stopped(driven)

    assert waited(900) > waited(192)
