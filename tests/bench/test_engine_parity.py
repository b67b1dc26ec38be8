"""What the comparison of engines here and elsewhere makes of its measures."""

from __future__ import annotations

from io import StringIO

from engine_parity import ALL, IN_PROCESS, MODEL, Parity, interval, print_parity
from rich.console import Console

from vivavoce.bench.measure import TurnMeasure


def turn(audible_ms: float | None) -> TurnMeasure:
    if audible_ms is None:
        return TurnMeasure("q", "en", failure="no answer")
    return TurnMeasure("q", "en", stages={"transcript": 300.0, "first_token": 500.0, "audible": audible_ms})


def test_differences_are_those_of_one_question() -> None:
    """A turn that failed on either side is no pair."""
    here, there = [800.0, 900.0, None, 1000.0], [840.0, None, 900.0, 1050.0]
    parity = Parity({IN_PROCESS: [turn(ms) for ms in here], MODEL: [turn(ms) for ms in there], ALL: [turn(None)] * 4})
    assert parity.differences_ms(MODEL) == [40.0, 50.0]
    assert parity.differences_ms(ALL) == []
    written = StringIO()
    print_parity(Console(file=written, width=200), parity)
    rows = {line.strip().split("  ")[0]: line for line in written.getvalue().splitlines()}
    assert "+45 (+40 to +50)" in rows[MODEL]
    assert rows[ALL].split()[-3:] == ["4", "0", "0"]


def test_the_interval_holds_the_median() -> None:
    low, high = interval([10.0, 20.0, 30.0, 40.0, 1000.0])
    assert low < 30 < high
    assert interval([7.0, 7.0]) == (7.0, 7.0)
