"""Questions whose answers must be thought out, in English and Chinese, and whether an answer is right. Pure, written for this.

Four kinds: chains of arithmetic, dates, orders of people (logic), comparisons. They are made from figures, so that the right
answer is computed and not typed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from vivavoce.text.inverse import inverse_normalized
from vivavoce.types import Language

Kind = Literal["arithmetic", "dates", "logic", "comparison"]


@dataclass(frozen=True, slots=True)
class ReasoningQuestion:
    """A question, its right answer, and what else could be named (``None``: the answer is a number)."""

    text: str
    language: Language
    kind: Kind
    answer: str
    candidates: tuple[str, ...] | None = None


DAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "zh": ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"),
}
NAMES = {"en": ("Ann", "Ben", "Carl", "Dora"), "zh": ("小明", "小红", "小丽", "小刚")}

_BAGS = ((12, 3, 4, 2), (20, 6, 5, 3), (15, 2, 7, 2), (30, 11, 4, 2), (18, 9, 3, 4), (25, 10, 8, 3))
_SHOPS = ((3, 7, 50), (4, 6, 30), (8, 9, 100), (12, 5, 80), (6, 11, 70), (7, 8, 90))
_DAYS_AHEAD = ((1, 10), (3, 9), (4, 16), (6, 5), (0, 20))
_HOURS = ((9, 50, 3, 25), (7, 40, 2, 35), (10, 15, 4, 50), (8, 45, 1, 30), (11, 20, 2, 45))
_PAIRS = ((18, 23, 5, 9), (40, 26, 3, 7), (12, 31, 8, 6), (27, 15, 4, 5), (33, 21, 2, 9))


_BESIDE = re.compile(r"\bthan (?:Ann|Ben|Carl|Dora)\b|比小[明红丽刚]")
"""Who somebody is compared with is not the answer."""


def questions() -> list[ReasoningQuestion]:
    """All of them, 84, the kinds and languages in turns."""
    kinds = [list(make()) for make in (_arithmetic, _dates, _logic, _comparisons)]
    longest = max(map(len, kinds))
    return [kind[at] for at in range(longest) for kind in kinds if at < len(kind)]


def is_right(question: ReasoningQuestion, answer: str) -> bool:
    """Whether what is said at last is the right answer: the last number, or the last of the candidates that is named."""
    if question.candidates is None:
        typed = inverse_normalized(answer, question.language).replace(",", "")
        numbers = re.findall(r"\d+(?:\.\d+)?", typed)
        return bool(numbers) and float(numbers[-1]) == float(question.answer)
    named = _BESIDE.sub(" ", answer.replace("周", "星期").replace("星期天", "星期日"))
    positions = {name: named.rfind(name) for name in question.candidates}
    last = max(positions, key=lambda name: positions[name])
    return positions[last] >= 0 and last == question.answer


def _arithmetic() -> Iterator[ReasoningQuestion]:
    for (start, first, second, times), (price, count, paid) in zip(_BAGS, _SHOPS, strict=True):
        left = start - first - second
        yield ReasoningQuestion(
            f"I had {start} apples, gave {first} to a friend and {second} to my sister, and then bought {times} times as "
            "many as I had left. How many apples do I have now?",
            "en", "arithmetic", str(left + times * left),
        )  # fmt: skip
        yield ReasoningQuestion(
            f"我有{start}个苹果，给了朋友{first}个，给了妹妹{second}个，然后又买了剩下的{times}倍。我现在一共有几个苹果？",
            "zh", "arithmetic", str(left + times * left),
        )  # fmt: skip
        yield ReasoningQuestion(
            f"A pen costs {price} euros. I buy {count} pens and pay with {paid} euros. How much change do I get?",
            "en", "arithmetic", str(paid - price * count),
        )  # fmt: skip
        yield ReasoningQuestion(
            f"一支笔{price}块钱，我买了{count}支，付了{paid}块，应该找回多少钱？",
            "zh", "arithmetic", str(paid - price * count),
        )  # fmt: skip


def _dates() -> Iterator[ReasoningQuestion]:
    for (today, ahead), (hour, minute, hours, minutes) in zip(_DAYS_AHEAD, _HOURS, strict=True):
        for language, text in (
            ("en", f"Today is {DAYS['en'][today]}. What day of the week is it in {ahead} days?"),
            ("zh", f"今天是{DAYS['zh'][today]}，再过{ahead}天是星期几？"),
        ):
            days = DAYS[language]
            yield ReasoningQuestion(text, language, "dates", days[(today + ahead) % 7], days)
        total = hours * 60 + minutes
        yield ReasoningQuestion(
            f"A train leaves at {hour}:{minute:02} and the ride takes {hours} hours and {minutes} minutes. "
            "How many minutes does the ride take in all?",
            "en", "dates", str(total),
        )  # fmt: skip
        yield ReasoningQuestion(
            f"火车{hour}点{minute}分出发，路上要{hours}小时{minutes}分钟。路上一共是多少分钟？",
            "zh",
            "dates",
            str(total),
        )


def _logic() -> Iterator[ReasoningQuestion]:
    orders = ((0, 1, 2, 3), (2, 0, 3, 1), (3, 2, 1, 0), (1, 3, 0, 2), (0, 2, 1, 3))
    for order in orders:
        for language in ("en", "zh"):
            names = NAMES[language]
            a, b, c, d = (names[at] for at in order)
            tallest, shortest = (
                (
                    f"{b} is taller than {c}. {a} is taller than {b}. {c} is taller than {d}. Who is the tallest?",
                    f"{b} is taller than {c}. {a} is taller than {b}. {c} is taller than {d}. Who is the shortest?",
                )
                if language == "en"
                else (f"{b}比{c}高，{a}比{b}高，{c}比{d}高。谁最高？", f"{b}比{c}高，{a}比{b}高，{c}比{d}高。谁最矮？")
            )
            yield ReasoningQuestion(tallest, language, "logic", a, names)
            yield ReasoningQuestion(shortest, language, "logic", d, names)


def _comparisons() -> Iterator[ReasoningQuestion]:
    for first, second, per_first, per_second in _PAIRS:
        one, two = first * per_first, second * per_second
        for language, text, shops in (
            (
                "en",
                f"Ann sells {first} cakes for {per_first} euros each, Ben sells {second} cakes for {per_second} euros each. "
                "Who earns more?",
                ("Ann", "Ben"),
            ),
            (
                "zh",
                f"小明卖{first}个蛋糕，每个{per_first}块钱；小红卖{second}个蛋糕，每个{per_second}块钱。谁赚得多？",
                ("小明", "小红"),
            ),
        ):
            yield ReasoningQuestion(text, language, "comparison", shops[0] if one > two else shops[1], shops)
        yield ReasoningQuestion(
            f"Ann sells {first} cakes for {per_first} euros each, Ben sells {second} for {per_second} euros each. "
            "What is the difference of what they earn?",
            "en", "comparison", str(abs(one - two)),
        )  # fmt: skip
        yield ReasoningQuestion(
            f"小明卖{first}个蛋糕，每个{per_first}块；小红卖{second}个，每个{per_second}块。两人的收入相差多少块？",
            "zh", "comparison", str(abs(one - two)),
        )  # fmt: skip
