"""Japanese: spoken numbers, dates, times and codes as they are typed. Pure.

Names are written with numerals (五十嵐, 三重, 九州), so a number needs its counter, or the end of what is said.
"""

from __future__ import annotations

import re

from vivavoce.text.inverse.counts import is_count
from vivavoce.text.inverse.han import TEN_THOUSANDS, figures, typed_number, value
from vivavoce.text.rules import Rule, alternatives, apply, words

_D = "[零〇一二三四五六七八九]"
_N = "[零〇一二三四五六七八九十百千万億]"
_NOT_BEFORE = "(?<![零〇一二三四五六七八九十百千万億数何第0-9])"
_CODES = alternatives(words("番号 コード ナンバー パスワード 暗証番号 品番 型番 内線 便名 口座 郵便番号 部屋番号"))
_COUNTERS = alternatives(
    words(
        """
        年 月 日 時 時間 分 秒 人 名 個 本 枚 回 歳 才 円 度 週間 週 か月 ヶ月 カ月 泊 杯 階 件 冊 台 匹 倍 点 位 ページ
        メートル センチ ミリ キロ グラム リットル パーセント ドル ユーロ ポンド 号室 号車 号線 番線 番地 番ゲート 番出口
        丁目 ワット ギガ メガ
        """
    )
)
_MEASURES = alternatives(
    words("メートル センチ ミリ キロ グラム リットル パーセント ドル ユーロ ポンド 号室 号車 号線 番線 番地 丁目 円")
)
"""What a digit, or a place alone, before it can only measure."""

_AFTER_NUMBER = rf"(?=(?!分の)(?:{_COUNTERS})|です|だ|でした|を|と|、|。|！|？|$)"
_PARTS_OF_DAY = "(?:午前|午後|朝の?|夜の?|夕方の?|深夜の?)"
_UP_TO_59 = "(?:[二三四五]?十[一二三四五六七八九]?|[一二三四五六七八九])"
_KEPT = re.compile(
    "("
    + alternatives(
        words(
            """
            七五三 三三七拍子 四十九日 十二支 百人一首 三十三間堂 十五夜 二十四節気 五十音 八十八夜 五十歩百歩 千一夜 十二単
            千円札 二千円札 五千円札 一万円札 十人十色
            """
        )
    )
    + ")"
)
_SINGLE_COUNT = "一二三四五六七八九"


def _code(match: re.Match[str]) -> str:
    letters, run = match[1], match[2]
    if all(character not in "十百千万億" for character in run):
        return letters.upper() + figures(run)
    number = value(run, leading=True)
    return match[0] if number is None else f"{letters.upper()}{number}"


def _phone(match: re.Match[str]) -> str:
    return "-".join(figures(part) for part in match[0].split("の"))


def _digits(match: re.Match[str]) -> str:
    run = match[0]
    return run if is_count(figures(run)) else figures(run)


def _number(match: re.Match[str]) -> str:
    run = match[0]
    number = value(run, leading=True)
    return run if number is None else typed_number(number, run)


def _decimal(match: re.Match[str]) -> str:
    whole = value(match[1], leading=True)
    return match[0] if whole is None else f"{whole}.{figures(match[2])}"


def _date(match: re.Match[str]) -> str:
    month, day = value(match[1]), value(match[2])
    if month is None or day is None or not (1 <= month <= 12 and 1 <= day <= 31):
        return match[0]
    return f"{month}月{day}日"


def _clock(match: re.Match[str]) -> str:
    hour = value(match[2])
    if hour is None or hour > 24:
        return match[0]
    after = match[3] or ""
    if after.endswith("分"):
        after = f"{value(after[:-1])}分"
    return f"{match[1] or ''}{hour}時{after}"


_RULES: tuple[Rule, ...] = (
    (re.compile(r"(?:100|百|ひゃく)(?:十|頭|当|とう|とお)(?:番|盤|板|版|ばん)"), "110番"),  # as it is said: hyakutōban
    (re.compile(r"(?<=[0-9])体(?=[0-9])"), "対"),  # scores; the two sound the same
    # codes
    (re.compile(rf"(?<![A-Za-z])([A-Z]{{1,4}})[ -]?([一二三四五六七八九]?[十百千]{_N}*|{_D}+)(?!{_N})"), _code),
    TEN_THOUSANDS,
    (re.compile(rf"{_NOT_BEFORE}{_D}{{2,4}}の{_D}{{2,4}}の{_D}{{3,4}}(?!{_N})"), _phone),
    (re.compile(r"(?<![0-9])(0[0-9]{1,3})の([0-9]{2,4})の([0-9]{3,4})(?![0-9])"), r"\1-\2-\3"),
    (
        re.compile(rf"((?:{_CODES})(?:は|が|：|、)?)({_D}{{2,}})(?!{_N})"),
        lambda m: m[1] + figures(m[2]),
    ),
    # dates and times
    (re.compile(rf"{_NOT_BEFORE}[零〇一二三四五六七八九]{{4}}(?=年)"), lambda m: figures(m[0])),
    (re.compile(rf"{_NOT_BEFORE}(十?[一二三四五六七八九]|十)月([二三]?十?[一二三四五六七八九]|[二三]?十)日"), _date),
    (
        re.compile(
            rf"({_PARTS_OF_DAY})?{_NOT_BEFORE}(二?十[一二三四五六七八九]?|[一二三四五六七八九])時(半|{_UP_TO_59}分)(?!間)"
        ),
        _clock,
    ),
    (re.compile(rf"({_PARTS_OF_DAY})(二?十[一二三四五六七八九]?|[一二三四五六七八九])時()(?!間)"), _clock),
    (
        re.compile(rf"{_NOT_BEFORE}(二?十[一二三四五六七八九]?|[二三四五六七八九])時(?=に|から|まで|です|ごろ|頃)"),
        lambda m: f"{value(m[1])}時",
    ),
    # decimals, quantities
    (re.compile(rf"{_NOT_BEFORE}({_N}+)点({_D}+)(?!{_N}|[つ番])"), _decimal),
    (re.compile(rf"{_NOT_BEFORE}(?:{_N}{{2,}}|[{_SINGLE_COUNT}百千])(?={_MEASURES})"), _number),
    (re.compile(rf"{_NOT_BEFORE}{_D}{{3,}}(?!{_N}|[つ人])"), _digits),
    (
        re.compile(
            rf"{_NOT_BEFORE}(?=[^零〇一二三四五六七八九]|[一二三四五六七八九][十百千万億]){_N}{{2,}}{_AFTER_NUMBER}"
        ),
        _number,
    ),
    (re.compile(rf"{_NOT_BEFORE}[十百](?=(?:分間|分後|秒|歳|階|ページ|個|枚))"), _number),
)


def typed(text: str) -> str:
    """``text`` as it is typed."""
    parts = _KEPT.split(text)
    return "".join(part if at % 2 else apply(_RULES, part) for at, part in enumerate(parts))
