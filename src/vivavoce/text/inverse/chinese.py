"""Mandarin: spoken numbers, dates, times and codes as they are typed. Pure."""

from __future__ import annotations

import re

from vivavoce.text.inverse.counts import is_count
from vivavoce.text.inverse.han import DIGIT, NUMERAL, TEN_THOUSANDS, figures, typed_number, value
from vivavoce.text.rules import Rule, alternatives, apply, words

_D, _N = f"[{DIGIT}]", f"[{NUMERAL}]"
_UP_TO_99 = "(?:[一二三四五六七八九]?十[一二三四五六七八九]?|[零〇]?[一二两三四五六七八九])"
_NOT_BEFORE = f"(?<![{NUMERAL}0-9])"
_PARTS_OF_DAY = alternatives(
    words("上午 下午 早上 早晨 晚上 凌晨 中午 傍晚 半夜 今晚 明晚 昨晚 今早 明早 每天 明天 今天 后天 周末")
)
_CODES = alternatives(
    words(
        """
        密码 验证码 号码 编号 代码 型号 航班 航班号 车牌 车牌号 尾号 房号 房间号 工号 学号 电话 电话号码 手机号 手机号码
        邮编 门牌号 座位号 订单号 单号 口令 分机 流水号 账号 卡号 身份证号 序列号 车次
        """
    )
)
_MONEY = alternatives(words("元 块钱 块 欧元 美元 美金 英镑 日元 人民币 港币"))
_MEASURES = alternatives(
    words(
        """
        欧元 美元 美金 英镑 日元 港币 公里 千米 公斤 千克 毫升 毫米 厘米 摄氏度 平方米 平方公里 千瓦 兆 赫兹
        """
    )
)
"""What one digit before it can only measure."""

_TEN_OF = alternatives(words("分钟 秒 元 块钱 欧元 美元 公里 公斤 号 楼 层 岁 点钟 点半 个小时 天 月 度"))
_PLACES = alternatives(words("楼 线 门 厅 院 桌 房 口 出口 航站楼 教室 窗口 柜台 车厢 站台 登机口"))
_COUNTED = re.compile(
    r"[^\u3400-\u9fff]|$|[个月号日楼岁块元分页路层级班人天年倍度位只张本次秒名件台辆条套家米斤加减乘除等比是的和到]|公[里斤]|小时|点"
)
"""What follows a number of 11 to 19 that is not part of a name (十一假期, 十三陵)."""

_AFTER_CODE = r"(?=[号座楼栋口出航线路区门厅室层级型版款和与或的在到是吗吧呢，。！？、,.!?\s]|$)"
_IDIOMS = alternatives(
    words(
        """
        一千零一夜 十万火急 十万八千里 九一八 一二九 七七八八 三三两两 一五一十 三七二十一 九九八十一 一百八十度大转弯
        三十六计 七十二变 二百五 五五开 五十步笑百步 百分百 百分之百 双十一 双十二 两点一线 三点一线 三十而立 四十不惑
        二十四节气 三百六十行 八十一难 十八般 三十六行
        """
    )
)


def _code(match: re.Match[str]) -> str:
    """Letters, and the number said after them."""
    letters, run = match[1], match[2]
    if all(character in DIGIT for character in run):
        return letters.upper() + figures(run)
    number = value(run)
    return match[0] if number is None else f"{letters.upper()}{number}"


def _digits(match: re.Match[str]) -> str:
    """Three digits or more; not a count, and not about how many (七八九个)."""
    run = match[0]
    if is_count(figures(run)) or set(run) == {"一"}:
        return run
    return figures(run)


def _told(match: re.Match[str]) -> str:
    return match[1] + figures(match[2])


def _day(match: re.Match[str]) -> str:
    year, month, day = match[1], match[2], match[3]
    parts = []
    if year:
        parts.append(f"{figures(year)}年")
    if month:
        number = value(month)
        if number is None or not 1 <= number <= 12:
            return match[0]
        parts.append(f"{number}月")
    if day:
        number = value(day[:-1])
        if number is None or not 1 <= number <= 31:
            return match[0]
        parts.append(f"{number}{day[-1]}")
    return "".join(parts)


def _clock(match: re.Match[str]) -> str:
    before, hour, after = match[1] or "", value(match[2]), match[3] or ""
    if hour is None and match[2] == "两":
        hour = 2
    if hour is None or hour > 24:
        return match[0]
    if minutes := re.fullmatch(rf"({_UP_TO_99})(分?)", after):
        number = value(minutes[1].lstrip("零〇"))
        if number is None or number > 59:
            return match[0]
        zero = "0" if minutes[1][0] in "零〇" else ""
        after = f"{zero}{number}{minutes[2]}"
    return f"{before}{hour}点{after}"


def _decimal(match: re.Match[str]) -> str:
    whole, fraction = value(match[1]), figures(match[2])
    return match[0] if whole is None else f"{whole}.{fraction}"


def _percent(match: re.Match[str]) -> str:
    number = match[1] if match[1][0].isdigit() else _quantity(match[1])
    return match[0] if number is None else f"{number}%"


def _quantity(run: str) -> str | None:
    number = value(run)
    return None if number is None else typed_number(number, run)


def _money(match: re.Match[str]) -> str:
    number = value(match[1], short=True) if set(match[1]) & set("十百千万") else None
    return match[0] if number is None else typed_number(number, match[1])


def _number(match: re.Match[str]) -> str:
    """A number of two numerals or more that can be nothing else."""
    run = match[0]
    number = value(run)
    if number is None and run[-1] in "一二三四五六七八九" and run[-2:-1] == "千" and "万" in run:
        number = value(run, short=True)
    if number is None and re.fullmatch("[一二两三四五六七八九]万[一二三四五六七八九]千", run):
        number = value(run.replace("两", "二"))
    if number is None or number < 10 or (len(run) == 2 and run[0] == "一"):
        return run
    if number < 20 and not _COUNTED.match(match.string, match.end()):
        return run
    return typed_number(number, run)


_RULES: tuple[Rule, ...] = (
    # what a recogniser writes half as digits
    (re.compile(r"(?<![0-9A-Za-z.])1(?=[共起直旦切律]|下[，。！？]|定[要会是能])"), "一"),
    (re.compile(r"(?<![0-9.])([0-9]{1,2})\.([0-5][0-9])分(?![之0-9])"), r"\1点\2分"),
    TEN_THOUSANDS,
    (re.compile(r"(?<![0-9])1[0-9]{2}-[0-9]{4}-[0-9]{4}(?![0-9])"), lambda m: m[0].replace("-", "")),
    # what is said in place of one and zero, and heard as other words
    (re.compile(r"(?<=[打拨达])[要腰妖吆幺由](?=[0-9要腰妖吆幺由]{7})"), "1"),
    (re.compile(r"(?<=[0-9])[要腰妖吆幺由](?=[0-9]{2})"), "1"),
    (re.compile(r"(?<=[打拨答])[腰要妖吆幺]{2}[零临灵令0]"), "110"),
    (re.compile(r"((?:号码?|编号|[密代编]码|验证码|版本)[是为：:]?[0-9]+(?:\.[0-9]+)*)亿(?=[，。！？]|$)"), r"\g<1>1"),
    (re.compile(r"(?<=是)[富付复](?=(?:[0-9.]+|[一二三四五六七八九十百千]+)(?:元|块|度|%|摄氏))"), "负"),
    # codes
    (re.compile(rf"(?<![A-Za-z])([A-Za-z]{{1,4}})[ -]?({_D}{{2,}})(?!{_N})"), _code),
    (re.compile(rf"(?<![A-Za-z])([A-Z]{{1,4}})[ -]?([一二三四五六七八九]?[十百]{_N}*)(?![多几来])"), _code),
    (re.compile(rf"(?<![A-Za-z])([A-Z]{{1,3}})[ -]?([一二三四五六七八九])(?!{_N}){_AFTER_CODE}"), _code),
    (re.compile(rf"((?:{_CODES})[是为：: ]{{0,2}})({_D}{{2,}})(?!{_N})"), _told),
    # dates and times
    (
        re.compile(
            rf"{_NOT_BEFORE}(?:({_D}{{4}}|(?<![0-9])[零〇一二三四五六七八九]{{2}}(?=年[一二三四五六七八九十]+月))年)"
            rf"(?:({_UP_TO_99})月)?(?:(?<=月)({_UP_TO_99}[号日]))?"
        ),
        _day,
    ),
    (re.compile(rf"{_NOT_BEFORE}()({_UP_TO_99})月({_UP_TO_99}[号日])"), _day),
    (
        re.compile(
            rf"{_NOT_BEFORE}()({_UP_TO_99})点(半|整|[一三]刻|钟|{_UP_TO_99}分(?!之)|[一二三四五六七八九]?十[一二三四五六七八九]?|"
            rf"[零〇][一二三四五六七八九])(?!{_N})"
        ),
        lambda m: m[0] if m[0].startswith("零") or m[0] in ("一点一", "一点整") else _clock(m),
    ),
    (
        re.compile(rf"((?:{_PARTS_OF_DAY}))((?!一点){_UP_TO_99})点()(?![零一二三四五六七八九十点])"),
        _clock,
    ),
    # decimals, percentages
    (
        re.compile(
            rf"{_NOT_BEFORE}((?!一点)(?:{_N}+))点({_D}+)(?!{_N}|[起定般共直边样下些点]|个(?!小时|月))"
            rf"|{_NOT_BEFORE}(一)点([零〇二三四五六七八九]{_D}*)(?=倍|米|公里|公斤|元|块|亿|万|度|小时|版|$|[，。])"
        ),
        lambda m: _decimal(re.fullmatch(f"({_N}+)点({_D}+)", m[0]) or m),
    ),
    (re.compile(rf"百分之((?!百)[0-9]+(?:\.[0-9]+)?|{_N}+)"), _percent),
    (re.compile(rf"(?<=零下)(?:{_UP_TO_99})(?!{_N})"), lambda m: str(value(m[0]) or m[0])),
    # quantities
    (re.compile(rf"(?<![{NUMERAL}0-9几数好上成第])({_N}{{1,24}})(?={_MONEY})"), _money),
    (re.compile(rf"{_NOT_BEFORE}[一二两三四五六七八九](?={_MEASURES})"), lambda m: _quantity(m[0]) or m[0]),
    (re.compile(rf"(?<![{NUMERAL}0-9几数好上成])十(?={_TEN_OF})"), "10"),
    (re.compile(rf"{_NOT_BEFORE}[一二三四五六七八九](?=号(?:{_PLACES}))"), lambda m: figures(m[0])),
    (re.compile(rf"{_NOT_BEFORE}{_D}{{3,}}(?!{_N}|[个几多])"), _digits),
    (
        re.compile(
            rf"(?<![{NUMERAL}0-9几数好上成])(?:[一二两三四五六七八九][十百千万亿]|十(?=[一二三四五六七八九])){_N}*(?![几点])"
        ),
        _number,
    ),
)

_KEPT = re.compile(f"({_IDIOMS})")


def typed(text: str) -> str:
    """``text`` as it is typed."""
    parts = _KEPT.split(text)
    return "".join(part if at % 2 else apply(_RULES, part) for at, part in enumerate(parts))
