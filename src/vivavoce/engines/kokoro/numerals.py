"""Numbers in Chinese text as they are said: 3.5% → 百分之三点五, 10:05 → 十点零五分, 13800138000 digit by digit.

The reading of a plain number is cn2an's; what is read how follows common usage (GB/T 15835 leaves speech open).
"""

from __future__ import annotations

import re
from collections.abc import Callable

import cn2an

_HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF10, 0xFF5B) if chr(code).isalnum()}
_HALF_WIDTH |= {
    ord("○"): ord("零"),
    ord("〇"): ord("零"),
    ord("％"): ord("%"),
    ord("．"): ord("."),
    ord("＋"): ord("+"),
    ord("－"): ord("-"),
    ord("＄"): ord("$"),
}

_CURRENCIES = {"¥": "元", "￥": "元", "$": "美元", "€": "欧元", "£": "英镑"}
_UNITS = {
    "km/h": "公里每小时",
    "km": "公里",
    "cm": "厘米",
    "mm": "毫米",
    "m": "米",
    "kg": "公斤",
    "mg": "毫克",
    "g": "克",
    "ml": "毫升",
    "mL": "毫升",
    "L": "升",
    "ms": "毫秒",
    "s": "秒",
    "℃": "摄氏度",
    "°C": "摄氏度",
    "℉": "华氏度",
    "°F": "华氏度",
    "°": "度",
}
_OPERATORS = {"+": "加", "=": "等于", "×": "乘", "÷": "除以", "<": "小于", ">": "大于"}
_COUNTED = "个只位次种人本张杯件条块双家间台辆瓶碗层遍句封幅岁元周倍口天点小分秒百千万亿"
"""What 2 stands before when it is said 两 and not 二 (measure words and the like)."""

_MOST_DIGITS = 16
"""Longer numbers are said digit by digit (and are more than cn2an reads)."""

_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_ALONE = r"(?<![A-Za-z0-9.])(?<![A-Za-z]-)"
"""Not within a name such as GPT-4, H2O or v1.0."""


def spoken_numbers(text: str) -> str:
    """``text`` with every number that stands alone written out in characters. Other text is untouched."""
    text = text.translate(_HALF_WIDTH)
    for pattern, say in _RULES:
        text = pattern.sub(say, text)
    return text


def _plain(number: str) -> str:
    whole, _, fraction = number.partition(".")
    digit_by_digit = len(whole) > _MOST_DIGITS or (len(whole) > 1 and whole[0] == "0")
    said = _digits(whole) if digit_by_digit else str(cn2an.an2cn(whole, "low"))
    return f"{said}点{_digits(fraction)}" if fraction else said


def _digits(number: str, one: str = "一") -> str:
    return "".join("零一二三四五六七八九"[int(digit)] if digit != "1" else one for digit in number if digit.isdigit())


def _signed(sign: str, number: str) -> str:
    return ("负" if sign else "") + _plain(number)


def _date(match: re.Match[str]) -> str:
    year, month, day = match.groups()
    return f"{_digits(year)}年{_plain(str(int(month)))}月{_plain(str(int(day)))}日"


def _time(match: re.Match[str]) -> str:
    hour, minute, second = match.groups()
    said = f"{_counted(str(int(hour)))}点"
    if int(minute) or second:
        said += f"{'零' if int(minute) < 10 else ''}{_plain(str(int(minute)))}分" if int(minute) else "零分"
    return said + (f"{_plain(str(int(second)))}秒" if second else "")


def _counted(number: str) -> str:
    return "两" if number == "2" else _plain(number)


def _unit(match: re.Match[str]) -> str:
    sign, number, unit = match.groups()
    below = "零下" if sign and unit in {"℃", "°C"} else "负" if sign else ""
    return f"{below}{_counted(number)}{_UNITS[unit]}"


def _phone(match: re.Match[str]) -> str:
    return _digits(match[0], one="幺")


_SIGN = r"(?<![0-9.])((?<![A-Za-z0-9%])-|)"
_RULES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))"), ""),
    (re.compile(r"(?<![0-9])([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})(?![0-9])"), _date),
    (re.compile(r"(?<![0-9])([0-9]{4})(?=\s*(?:年(?!前|后|来|间|多)|届|级))"), lambda m: _digits(m[1])),
    (re.compile(r"(?<![0-9])([0-9]0)(?=年代|后的?)"), lambda m: _digits(m[1]) if m[1] != "10" else "十"),
    (re.compile(r"(?<![0-9:：])([0-9]{1,2})[:：]([0-9]{2})(?:[:：]([0-9]{2}))?(?![0-9:：])"), _time),
    (re.compile(r"(?<![0-9:：])([0-9]+)[:：]([0-9]+)(?![0-9:：])"), lambda m: f"{_plain(m[1])}比{_plain(m[2])}"),
    (re.compile(r"(?<![0-9.])(?:1[3-9][0-9]{9}|0[0-9]{2,3}-?[0-9]{7,8}|400-?[0-9]{3}-?[0-9]{4})(?![0-9.])"), _phone),
    (re.compile(rf"({_NUMBER}%?)\s*[-~～—–]+\s*(?=[0-9])"), r"\1到"),
    (re.compile(rf"{_SIGN}({_NUMBER})\s*%"), lambda m: f"{'负' if m[1] else ''}百分之{_plain(m[2])}"),
    (
        re.compile(rf"([¥￥$€£])\s*({_NUMBER})\s*([万亿]?)"),
        lambda m: f"{_counted(m[2])}{m[3]}{_CURRENCIES[m[1]]}",
    ),
    (re.compile(r"(?<![0-9/.])([0-9]+)/([0-9]+)(?![0-9/])"), lambda m: f"{_plain(m[2])}分之{_plain(m[1])}"),
    (
        re.compile(rf"{_ALONE}(-?)({_NUMBER})\s*({'|'.join(sorted(_UNITS, key=len, reverse=True))})(?![A-Za-z])"),
        _unit,
    ),
    (re.compile(rf"(?<=[0-9{''.join(_OPERATORS)}])\s*([+=×÷<>])\s*(?=-?[0-9])"), lambda m: _OPERATORS[m[1]]),
    (re.compile(rf"(?<!第){_ALONE}2(?=[{_COUNTED}])"), "两"),
    (re.compile(rf"{_ALONE}(-?)({_NUMBER})"), lambda m: _signed(m[1], m[2])),
)
