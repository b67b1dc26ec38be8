"""Numbers and a yes of an answer, held to what was found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.tools.grounding import AnswerCheck, denying_line, evidence_of


def checked(answer: str, passage: str, question: str = "", *, by: int = 3) -> tuple[str, str]:
    """What is let through of an answer that comes in pieces, and the fault."""
    check = AnswerCheck(evidence_of([passage], [passage], question))
    text = "".join(check.push(answer[at : at + by]) for at in range(0, len(answer), by)) + check.flush()
    return text, check.fault


@pytest.mark.parametrize(
    ("answer", "passage"),
    [
        ("You have 45 days.", "Items may be returned within 45 days."),
        ("You have forty-five days.", "Items may be returned within 45 days."),
        ("It lasts eleven hours.", "Battery: 11 h"),
        ("It lasts 11 hours.", "The battery lasts eleven hours."),
        ("We open at 9 and close at 5 pm.", "Mon-Fri 9:00-17:00"),
        ("We close at five thirty.", "Closes 17:30"),
        ("It costs 129 euros and 90 cents.", "129.90 EUR"),
        ("It costs 1,299 euros.", "Price 1299 EUR"),
        ("二十四小时内发货，运费六元。", "24小时内发货，运费6元"),
        ("保修两年。", "保修期2年"),
        ("You can return one of them.", "Items may be returned."),
        ("On the 4th of March 2024.", "2024-03-04"),
        ("Its number is 5-0-2-6-8.", "order 50268"),
        ("Its number is five zero two six eight.", "order 50268"),
        ("Its number is 50268.", "order five oh two six eight"),
        ("Nothing with a number here at all.", ""),
    ],
)
def test_what_stands_there_is_said(answer: str, passage: str) -> None:
    assert checked(answer, passage) == (answer, "")


@pytest.mark.parametrize(
    ("answer", "passage", "spoken"),
    [
        ("You usually have 30 days.", "Items may be returned within 45 days.", "You usually have "),
        ("It lasts approximately 10 hours.", "The battery lasts eleven hours.", "It lasts approximately "),
        ("You have thirty days.", "45 days", "You have "),
        ("It costs 129.90 euros.", "139.90 EUR", "It costs "),
        ("退货期是三十天。", "45天内可以退货", "退货期是"),
        ("保修三年。", "保修期2年", "保修"),
    ],
)
def test_a_number_that_stands_nowhere_is_not(answer: str, passage: str, spoken: str) -> None:
    text, fault = checked(answer, passage)
    assert text == spoken
    assert fault


@pytest.mark.parametrize(
    ("question", "line", "answer", "denied"),
    [
        ("Are you open on Sundays?", "Sunday: closed", "Yes, we are.", True),
        ("Are you open on Sundays?", "We are closed on Sundays and holidays.", "Yes, we are.", True),
        ("你们周日开门吗？", "周日休息", "可以的，周日开门。", True),
        ("Can I return opened items?", "Opened items cannot be returned.", "Sure, you can.", True),
        ("Are you open on Sundays?", "Sunday 10:00-14:00", "Yes, from 10.", False),
        ("Can I return it after 30 days?", "Items cannot be returned after 45 days.", "Yes.", False),
        ("Can I return the kettle?", "Goods can be returned, but not without the box.", "Yes.", False),
        ("Are you open on Sundays?", "Sunday: closed", "No, we are closed.", False),
    ],
)
def test_a_yes_is_held_to_the_line(question: str, line: str, answer: str, denied: bool) -> None:
    assert (checked(answer, line, question)[1] != "") == denied


def test_nothing_is_denied_without_lines() -> None:
    assert denying_line(evidence_of([], [], "Are you open?")) == ""


@given(st.text(), st.integers(min_value=1, max_value=5))
def test_words_without_numbers_come_through(text: str, by: int) -> None:
    evidence = evidence_of([text], [], "")
    check = AnswerCheck(evidence)
    through = "".join(check.push(text[at : at + by]) for at in range(0, len(text), by)) + check.flush()
    assert text.startswith(through)
    assert through == text or check.fault


@pytest.mark.parametrize(
    ("answer", "is_held"),
    [
        ("You can come until 7.", True),
        ("Until seven in the evening.", True),
        ("It closes at 7 p.m.", True),
        ("晚上7点关门。", True),
        ("You have to wait 7 hours.", False),
        ("It takes seven days.", False),
        ("It costs 7 euros.", False),
        ("要等7个小时。", False),
        ("要7元。", False),
        ("You have to wait 19 hours.", True),  # it was said: no comparison of units
    ],
)
def test_an_hour_of_the_clock_is_no_amount(answer: str, is_held: bool) -> None:
    check = AnswerCheck(evidence_of(["Open until 19:00."], [], "When?"))
    check.push(answer)
    check.flush()
    assert (not check.fault) == is_held


@pytest.mark.parametrize(
    ("lines", "question", "denied"),
    [
        (["周二至周六营业，10:00到18:30。", "周日和周一休息。"], "你们周日开门吗？", 1),
        (["Open from Tuesday to Saturday.", "On Mondays it is closed."], "Are you open on Mondays?", 1),
        (["Open from Tuesday to Saturday.", "On Mondays it is closed."], "Are you open on Saturday?", None),
        (["Breakfast is served from 7:00.", "The pool is closed in winter."], "Is breakfast served in bed?", None),
    ],
)
def test_the_line_that_shares_most_with_the_question_denies_it(
    lines: list[str], question: str, denied: int | None
) -> None:
    assert denying_line(evidence_of([], lines, question)) == ("" if denied is None else lines[denied])


CLOSED = ["周日和周一休息。"]
DOGS = ["Animals are not allowed in the building, except for guide dogs."]


@pytest.mark.parametrize(
    ("lines", "question", "answer", "contradicts"),
    [
        (CLOSED, "你们周日开门吗？", "周日我们开门。", True),
        (CLOSED, "你们周日开门吗？", "我们周日会开门。", True),
        (CLOSED, "你们周日开门吗？", "我们周日不开门。", False),
        (CLOSED, "你们周日开门吗？", "周日休息。", False),
        (DOGS, "May I bring animals into the building?", "You can bring animals into the building.", True),
        (DOGS, "May I bring animals into the building?", "You may bring guide dogs only.", False),
        (DOGS, "May I bring animals into the building?", "It is not allowed.", False),
        (DOGS, "Which animals are allowed in the building?", "You can bring guide dogs.", False),
        (["Open daily."], "Are you open daily?", "We are open daily.", False),
    ],
)
def test_a_yes_without_the_word_is_one(lines: list[str], question: str, answer: str, contradicts: bool) -> None:
    check = AnswerCheck(evidence_of([], lines, question))
    said = "".join([*map(check.push, answer), check.flush()])
    assert bool(check.fault) == contradicts
    assert said == ("" if contradicts else answer)
