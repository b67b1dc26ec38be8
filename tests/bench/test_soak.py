"""What a soak compares, and that it can fail."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from soak_measure import Figures, judged, table

BEFORE = Figures(memory_mb=250.0, files=30, threads=20, tasks=7, children=3, places=0, rows=1)


def test_as_it_was_is_well() -> None:
    assert judged(BEFORE, BEFORE) == []
    assert judged(BEFORE, replace(BEFORE, memory_mb=275.0, files=33, threads=18, tasks=8)) == []


@pytest.mark.parametrize("name", [field.name for field in fields(Figures)])
def test_whatever_is_not_back_is_named(name: str) -> None:
    after = replace(BEFORE, **{name: getattr(BEFORE, name) + 40})
    wrong = judged(BEFORE, after)
    assert wrong == [name]
    assert [line for line in table(BEFORE, after, wrong).splitlines() if "not back" in line] == [
        line for line in table(BEFORE, after, wrong).splitlines() if line.startswith(name)
    ]


def test_rows_that_are_missing_are_not_well() -> None:
    assert judged(BEFORE, replace(BEFORE, rows=0)) == ["rows"]
