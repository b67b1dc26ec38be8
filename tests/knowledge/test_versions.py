"""Which of several versions of a line is valid."""

from __future__ import annotations

from datetime import date

import pytest

from vivavoce.knowledge.versions import newest_date, superseded

TODAY = date(2026, 11, 30)


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("Fees from January 2025", (2025, 1, 0)),
        ("Price list, as of 1 March 2024", (2024, 3, 1)),
        ("Valid from September 3rd, 2026", (2026, 9, 3)),
        ("tariff-2026-04-12.pdf", (2026, 4, 12)),
        ("Stand: 01.07.2025", (2025, 7, 1)),
        ("notice-2024.txt", (2024, 0, 0)),
        ("充电价格（2026年2月1日起）", (2026, 2, 1)),
        ("费用（2025年1月起）", (2025, 1, 0)),
        ("料金表 2026年10月", (2026, 10, 0)),
        ("Aurora 2000", (2000, 0, 0)),
        ("Room 2304", None),
        ("Opening hours", None),
        ("From January 2027", None),  # still to come
    ],
)
def test_dates(text: str, when: tuple[int, int, int] | None) -> None:
    assert newest_date([text], TODAY) == when


OLD, NEW = (2025, 1, 0), (2026, 7, 0)


@pytest.mark.parametrize(
    ("lines", "dates", "old"),
    [
        (["A locker costs 3 euros a day.", "A locker costs 4.50 euros a day."], [OLD, NEW], {0}),
        (["A locker now costs 4.50 euros a day.", "The locker costs 3 euros a day."], [NEW, OLD], {1}),
        (["寄存一天3元。", "寄存现在一天5元。"], [OLD, NEW], {0}),
        (["A locker costs 3 euros a day.", "A bicycle costs 12 euros a day."], [OLD, NEW], set()),
        (["Gift wrapping: 4 euros per article.", "Gift wrapping now costs 6 euros an article."], [OLD, NEW], {0}),
        (["A locker costs 3 euros a day.", "A locker costs 3 euros a day."], [OLD, NEW], set()),
        (["A locker costs 3 euros a day.", "A locker costs 4 euros a day."], [None, NEW], set()),
        (["A locker costs 3 euros a day.", "A locker costs 4 euros a day."], [NEW, NEW], set()),
        (["Lockers are at the gate.", "Lockers are at the station."], [OLD, NEW], set()),
    ],
)
def test_what_a_newer_document_says_otherwise_is_left_out(
    lines: list[str], dates: list[tuple[int, int, int] | None], old: set[int]
) -> None:
    assert superseded(lines, dates, "What does a locker cost?") == old


@pytest.mark.parametrize(
    "question", ["What did a locker cost in 2025?", "What did it cost before?", "以前寄存多少钱？"]
)
def test_who_asks_how_it_was_is_told_both(question: str) -> None:
    lines = ["A locker costs 3 euros a day.", "A locker costs 4 euros a day."]
    assert not superseded(lines, [OLD, NEW], question)
