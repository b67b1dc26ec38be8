"""The endpointing bench: pauses are put where they belong, engines answer when they are done, and rules are counted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vivavoce.bench.endpointing import (
    EVIDENCE,
    best_within,
    curve,
    curve_table,
    ends_after_ms,
    known_at,
    outcome,
    rule_table,
)
from vivavoce.bench.endpointing_evidence import ListeningEngines, ScoredPause, scored_pauses
from vivavoce.bench.endpointing_turns import (
    EARLIER_PAUSE_MS,
    HELD_OUT_VOICES,
    RATE_HZ,
    SpokenTurn,
    cut_recording,
    held_out_texts,
    read_texts,
    recorded_turns,
    speak_turns,
)
from vivavoce.client.recording import write_wav
from vivavoce.engines.fake import FakeEndOfTurnModel, FakeLanguageModel, FakeRecognizer, FakeSynthesizer
from vivavoce.turns.end_of_turn import shipped_weights
from vivavoce.types import Samples

ALL = EVIDENCE["all"]
END = ScoredPause(
    turn="one",
    speaker="a",
    language="en",
    question=None,
    number=0,
    final=True,
    speech_ms=1500,
    sounds=(0.99, 0.99, 0.99),
    text="What is the weather today?",
    text_language="en",
    sentence_end=0.8,
    sound_cost_ms=40,
    text_cost_ms=150,
    sentence_end_cost_ms=60,
)
INNER = replace(END, final=False, sounds=(0.02, 0.02, 0.02), text="What is the", sentence_end=0.001)


def voiced(*stretches_ms: int) -> Samples:
    """Tone, and silence in every second stretch."""
    pieces = [
        np.full(length * RATE_HZ // 1000, 0.3 * (number % 2 == 0), np.float32)
        for number, length in enumerate(stretches_ms)
    ]
    return np.concatenate(pieces)


def test_marks_say_where_pauses_are() -> None:
    (turn,) = read_texts('en = [["Who?", "ab, | cd || ef"]]')
    assert turn.question == "Who?"
    assert turn.sentences == (("ab, cd", (0.5,)), ("ef", ()))
    (chinese,) = read_texts('zh = [["", "我想，| 买"]]')
    assert chinese.sentences == (("我想，买", (2 / 3,)),)
    assert chinese.question is None


def test_the_bench_has_turns_and_voices_in_three_languages_and_those_of_the_training_are_others() -> None:
    held_out = held_out_texts()
    assert {turn.language for turn in held_out} == set(HELD_OUT_VOICES) == {"en", "zh", "ja"}
    table = Path(__file__).parents[2] / "benchmarks" / "end_of_turn_texts.toml"
    trained = {
        sentence for turn in read_texts(table.read_text("utf-8")) for sentence, _ in turn.sentences if len(sentence) > 8
    }
    assert not trained & {sentence for turn in held_out for sentence, _ in turn.sentences}


def test_a_recording_is_cut_where_it_is_quiet() -> None:
    turn = cut_recording("one", "a", "en", voiced(900, 60, 800, 60, 900))
    assert [round(place / RATE_HZ * 1000) for place in turn.pauses] == [
        pytest.approx(930, abs=40),
        pytest.approx(1790, abs=40),
    ]


def test_what_is_heard_in_a_pause() -> None:
    turn = SpokenTurn("one", "a", "en", None, voiced(300), (RATE_HZ // 10, RATE_HZ // 5))
    assert len(turn.heard(0, 100)) == (100 + 100) * RATE_HZ // 1000
    assert len(turn.heard(2, 50)) == (300 + 2 * EARLIER_PAUSE_MS + 50) * RATE_HZ // 1000
    assert turn.speech_ms(1) == 200 + EARLIER_PAUSE_MS
    assert np.count_nonzero(turn.heard(2, 50)) == 300 * RATE_HZ // 1000
    noisy = replace(turn, noise=0.01).heard(0, 500)
    assert np.sqrt(np.mean(noisy[-4000:] ** 2)) == pytest.approx(0.01, rel=0.6)


async def test_turns_are_spoken_and_listened_to() -> None:
    texts = read_texts('en = [["Who?", "one two three | four five six || seven eight nine"]]')
    turns = [turn async for turn in speak_turns(FakeSynthesizer(), texts, {"en": ("fake",)})]
    engines = ListeningEngines(FakeEndOfTurnModel(), FakeRecognizer(), FakeLanguageModel(1))
    pauses = [pause async for pause in scored_pauses(turns, engines)]
    assert [pause.final for pause in pauses] == [False, False, True]
    assert [pause.number for pause in pauses] == [0, 1, 2]
    assert all(len(pause.sounds) == 3 and pause.question == "Who?" for pause in pauses)


def test_recordings_come_from_a_manifest(tmp_path: Path) -> None:
    write_wav(tmp_path / "a_1.wav", voiced(900, 60, 800, 60, 900), rate_hz=RATE_HZ)
    rows = [{"file": "a_1.wav", "language": "en"}, {"file": "noise.wav"}]
    (tmp_path / "m.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (turn,) = recorded_turns(tmp_path / "m.jsonl")
    assert (turn.speaker, turn.language, len(turn.pauses)) == ("a", "en", 2)
    assert recorded_turns(tmp_path / "m.jsonl", ["zh"]) == []


def test_engines_answer_when_they_are_done() -> None:
    assert known_at(END, 139, ALL).sound is None
    assert known_at(END, 140, ALL).sound == 0.99
    assert known_at(END, 249, ALL).text is None
    assert known_at(END, 250, ALL).text == END.text
    assert known_at(END, 309, ALL).sentence_end is None
    assert known_at(END, 310, ALL).sentence_end == 0.8
    assert known_at(END, 900, {"sound"}).text is None
    later = replace(END, sounds=(0.1, 0.2, 0.3))
    again = EVIDENCE["sound, scored again"]
    assert [known_at(later, at, again).sound for at in (140, 340, 640)] == [0.1, 0.2, 0.3]
    assert [known_at(later, at, ALL).sound for at in (140, 340, 640)] == [0.1, 0.1, 0.1]
    assert known_at(END, 0, ALL, [300, 500, 900]).typical_pause_ms == 500
    assert known_at(END, 0, ALL, [300, 500, 900]).longest_pause_ms == 900


def test_a_turn_does_not_end_before_what_ends_it_is_known() -> None:
    weights = shipped_weights()
    assert ends_after_ms(END, ALL, "medium", weights) < ends_after_ms(END, {"sound"}, "medium", weights)
    slow = replace(END, sound_cost_ms=3000, text_cost_ms=3000)
    assert ends_after_ms(slow, ALL, "medium", weights) == ends_after_ms(slow, (), "medium", weights)
    assert ends_after_ms(INNER, ALL, "medium", weights) > 900


def test_fixed_silences_are_counted() -> None:
    made = outcome([END, INNER], (200, 400, 600), 500)
    assert (made.cut_off, made.pauses, made.waits_ms) == (1, 3, (500, 500, 500))
    assert made.cut_off_rate == pytest.approx(1 / 3)
    assert outcome([END, INNER], (200, 400, 600), ALL).cut_off == 0


def test_a_curve_trades_cut_offs_for_waiting() -> None:
    points = [
        made for _, made in curve([END, INNER, replace(INNER, sentence_end=0.3)], (200, 400, 800), {"sentence_end"})
    ]
    rates = [made.cut_off_rate for made in points]
    waits = [made.mean_wait_ms for made in points]
    assert rates == sorted(rates, reverse=True)
    assert waits == sorted(waits)
    best = best_within(curve([END, INNER], (200, 800), ALL), 0.0)
    assert best is not None
    assert best.median_wait_ms < 400


def test_tables_have_every_evidence_and_rule() -> None:
    assert curve_table([END, INNER], (200, 400)).row_count == len(EVIDENCE)
    assert rule_table([END, INNER], (200, 400)).row_count == 2 * 6
