from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from vivavoce.bench.measure import TurnMeasure
from vivavoce.bench.report import (
    BaselineError,
    Report,
    print_report,
    read_baseline,
    report_json,
    turn_waterfall,
    write_report,
)
from vivavoce.bench.summary import error_rate, mixed_up, percentile, spread, summarise

figures = st.lists(st.floats(-1e6, 1e6), min_size=1)


def different_words(spoken: str, understood: str, _language: str) -> tuple[int, int]:
    words = spoken.split()
    return len(set(words) - set(understood.split())), len(words)


def good(
    name: str,
    audible_ms: float,
    language: str = "en",
    asked: str = "one two",
    heard: str = "one two",
    pause_ms: int = 0,
) -> TurnMeasure:
    return TurnMeasure(
        name,
        language,
        pause_ms,
        stages={"endpoint": audible_ms / 2, "arrival": audible_ms - 10, "audible": audible_ms},
        leading_silence_ms=10.0,
        underruns=1,
        gap_ms=5.0,
        asked=asked,
        heard=heard,
    )


BAD = TurnMeasure("bad", "en", failure="no reply", asked="one two", splits=2)
MEASURES = [good("a", 1000), good("b", 2000), good("c", 700, "zh", "你好", "你好"), BAD]


@given(figures, st.floats(0, 100))
def test_a_percentile_lies_within_the_values(values: list[float], q: float) -> None:
    assert min(values) <= percentile(values, q) <= max(values)


@given(figures)
def test_percentiles_are_ordered_and_do_not_depend_on_order(values: list[float]) -> None:
    assert percentile(values, 50) <= percentile(values, 95)
    assert percentile(values, 50) == percentile(sorted(values), 50)


def test_percentiles_are_interpolated() -> None:
    assert percentile([1, 2, 3, 4], 50) == 2.5
    assert percentile(list(range(101)), 95) == 95
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 50)


def test_a_spread_skips_what_is_missing() -> None:
    found = spread([None, 1.0, 3.0])
    assert found is not None
    assert (found.p50, found.count) == (2.0, 2)
    assert spread([None]) is None


def test_failed_turns_count_as_failures_and_nowhere_in_the_latencies() -> None:
    english, chinese = summarise(MEASURES, different_words)
    assert (english.language, english.turns, english.failures, english.splits, english.underruns) == ("en", 3, 1, 1, 2)
    assert english.voice_to_voice_ms is not None
    assert (english.voice_to_voice_ms.p50, english.voice_to_voice_ms.count) == (1500.0, 2)
    assert english.error_rate == pytest.approx(2 / 6)  # a failed turn understood nothing
    assert list(english.stages) == ["endpoint", "arrival", "audible"]
    assert chinese.error_rate == 0.0


def test_a_cut_in_is_no_latency_and_no_failure() -> None:
    early = TurnMeasure("early", "en", cut_in=True, stages={"audible": -300.0}, splits=1, asked="one", heard="one")
    (english,) = summarise([good("a", 1000), early], different_words)
    assert (english.turns, english.failures, english.cut_ins) == (2, 0, 1)
    assert english.voice_to_voice_ms is not None
    assert english.voice_to_voice_ms.count == 1
    assert "cut in early" in printed(report([good("a", 1000), early], []))


def test_a_turn_answered_twice_is_named_and_counted_once() -> None:
    twice = replace(good("a", 1000), answers=3, withdrawn=1, prepared=2, discarded=4, evaluated_tokens=8.0)
    measures = [twice, replace(good("b", 900), answers=1, evaluated_tokens=14.0), good("c", 900)]
    (english,) = summarise(measures, different_words)
    assert (english.answered_twice, english.withdrawn, english.prepared, english.discarded) == (1, 1, 2, 4)
    assert english.evaluated_tokens is not None
    assert (english.evaluated_tokens.p50, english.evaluated_tokens.count) == (11.0, 2)
    text = printed(report(measures, []))
    assert "answered twice a: 3 replies" in text
    assert "answered twice b" not in text


def test_turns_with_pauses_are_summed_up_and_shown_beside_those_without() -> None:
    paused = [good("a", 1500, heard="one", pause_ms=400), good("c", 800, "zh", "你好", "你好", pause_ms=400)]
    paused[0] = replace(paused[0], splits=2, cut_in=True)
    shown = report([*MEASURES, *paused], [])
    assert [(one.language, one.pause_ms, one.turns) for one in shown.summaries] == [
        ("en", 0, 3), ("zh", 0, 1), ("en", 400, 1), ("zh", 400, 1),
    ]  # fmt: skip
    assert (shown.summaries[2].cut_ins, shown.summaries[2].splits) == (1, 1)
    rows = [re.split(r"\s*[│┃]\s*", line)[1:-1] for line in printed(shown).splitlines() if line.startswith("│")]
    taken = [row for row in rows if len(row) == 9]
    assert [row[:2] for row in taken] == [["en", "none"], ["en", "400"], ["zh", "none"], ["zh", "400"]]
    assert taken[1] == ["en", "400", "1", "1", "1", "0", "1500", "750", "50.0% (+16.7)"]
    assert "a (pause of 400 ms)" in printed(shown)


def test_the_baseline_of_a_report_with_pauses_is_what_was_asked_without(tmp_path: Path) -> None:
    write_report(tmp_path / "r.json", report([good("a", 1000), good("a", 3000, pause_ms=400)], []))
    assert read_baseline(tmp_path / "r.json") == {"en": 1000.0}


def test_without_known_texts_there_is_no_error_rate() -> None:
    assert error_rate([TurnMeasure("a", "en")], different_words) is None


def test_a_transcript_that_fits_another_conversation_better_is_mixed_up() -> None:
    swapped = [
        good("a", 1, asked="one two", heard="three four"),
        good("b", 1, asked="three four", heard="one two"),
        good("c", 1, asked="five six", heard="five"),
        good("d", 1, asked="seven eight", heard="nothing of the one"),
    ]
    assert [one.question for one in mixed_up(swapped, different_words)] == ["a", "b"]


def test_the_same_question_twice_is_not_mixed_up() -> None:
    assert not mixed_up([good("a", 1), good("b", 1), good("c", 1, heard="")], different_words)


def report(measures: list[TurnMeasure], confused: list[str]) -> Report:
    return Report("2 questions.", "step-audio-2", 2, summarise(measures, different_words), measures, confused)


def printed(shown: Report, baseline: dict[str, float] | None = None) -> str:
    console = Console(file=io.StringIO(), width=200)
    print_report(console, shown, baseline)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_printed_report_shows_latency_failures_and_the_change() -> None:
    text = printed(report(MEASURES, ["c"]), {"en": 1400.0})
    for expected in (
        "1500",
        "1950",
        "1400 (+100)",
        "no reply",
        "mixed up c",
        "2, 10 ms",
        "33.3%",
        "labelled end of speech",
    ):
        assert expected in text


def test_a_report_passes_only_if_every_conversation_got_its_own_reply() -> None:
    assert report(MEASURES[:3], []).passed
    assert not report(MEASURES, []).passed
    assert not report(MEASURES[:3], ["a"]).passed


def test_a_written_report_serves_as_baseline(tmp_path: Path) -> None:
    write_report(tmp_path / "r.json", report(MEASURES, []))
    assert read_baseline(tmp_path / "r.json") == {"en": 1500.0, "zh": 700.0}
    turns = json.loads((tmp_path / "r.json").read_text("utf-8"))["turns"]
    assert [turn["voice_to_voice_ms"] for turn in turns] == [1000, 2000, 700, None]


def test_what_is_no_report_is_no_baseline(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[]")
    with pytest.raises(BaselineError, match=r"x\.json"):
        read_baseline(tmp_path / "x.json")


def test_the_json_names_its_definition_and_machine() -> None:
    plain = report_json(report(MEASURES, []))
    assert "labelled end of speech" in plain["definition"]
    assert plain["machine"]["cpus"]


def test_the_waterfall_of_one_turn_gives_steps() -> None:
    console = Console(file=io.StringIO(), width=120)
    console.print(turn_waterfall({"endpoint": 450.0, "arrival": 1000.0, "audible": 1010.0}))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "+450" in text
    assert "+550" in text
    assert "+10" in text
