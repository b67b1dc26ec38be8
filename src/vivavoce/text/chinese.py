"""Chinese text as it is said: what the transducers get wrong by rules, the rest by them.

Codes, telephone numbers and rooms are read digit by digit, quantities as numbers; which it is shows in the words around it.
"""

from __future__ import annotations

import re
import unicodedata

from vivavoce.text.chinese_numbers import DIGITS, MAX_DIGITS, digits, number
from vivavoce.text.chinese_tables import CODES, COMPARED, FULL_WIDTH, MONEY, PHONES, SIGNS, UNITS
from vivavoce.text.numerals import unframed
from vivavoce.text.rules import HOST_ENDS, Rule, alternatives, apply
from vivavoce.text.wfst_normalization import wfst_normalized

_N = r"[0-9]+(?:\.[0-9]+)?"
_LATIN = "A-Za-z0-9"
_TO = r"[ \t]*[-~～—–−]+[ \t]*"
_YEAR = r"(?:1[5-9]|20)[0-9]{2}"

_LAST_DIGITS = r"(?:[后末前][二三四五六七八两2-8]位|[后末]尾数?)"
_LINK = r"(?:号码|号)?(?:是|为|：|:|叫|尾数|[ \t]){0,3}"
_BIG = {"k": 3, "K": 3, "w": 4, "M": 6, "B": 9}
_COUNTED = (
    "个只位次种人本张杯件条块双家间台辆瓶碗层遍句封幅周倍天点小名米颗口把套份头项门栋座艘架支根片滴元万亿千公斤厘平立升毫"
    "美欧英港"
)
"""What 2 stands before when it is said 两 and not 二: measure words, and the beginnings of units and currencies."""

_QUANTITIES = "个次人元块折间套单位平度天年月岁多万千百亿米公条张项笔份件桌家%"
"""What stands behind a quantity, not behind a code."""

_VULGAR = "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒"
_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")


def _counted(figures: str) -> str:
    return "两" if figures == "2" else number(figures)


def _coded(match: re.Match[str]) -> str:
    spelled = match[1] + re.sub(r"[0-9]+", lambda run: digits(run[0]), match[2])
    # what follows may be a number, too: 航班CA1831九点起飞
    return spelled + ("，" if re.match("[零一二两三四五六七八九十]", match.string[match.end() :]) else "")


def _lettered(match: re.Match[str]) -> str:
    """``A-1002``, ``A023``; behind the sign of a currency an amount."""
    return match[0] if match[1] in MONEY else match[1].rstrip("-") + digits(match[2])


def _dialled(match: re.Match[str]) -> str:
    return match[1] + digits(match[2], "幺")


def _date(match: re.Match[str]) -> str:
    year, month, *day = match.groups()
    if not 1 <= int(month) <= 12 or (day and not 1 <= int(day[0]) <= 31):
        return match[0]
    return f"{digits(year)}年{number(str(int(month)))}月" + (f"{number(str(int(day[0])))}日" if day else "")


def _version(match: re.Match[str]) -> str:
    parts = match[0].split(":")[0].split("/")[0].split(".")
    return "点".join(digits(part) if len(parts) > 3 else number(part) for part in parts)


def _address(match: re.Match[str]) -> str:
    address = re.sub("[0-9]+", lambda run: digits(run[0]), match[0])
    for sign, word in (("@", "艾特"), (".", "点"), ("_", "下划线"), ("-", "杠"), ("+", "加")):
        address = address.replace(sign, word)
    return address


def _feet_or_minutes(match: re.Match[str]) -> str:
    """``5'8"`` is how tall somebody is, ``3'20"`` how long something takes."""
    first, second = match.groups()
    units = ("英尺", "英寸") if first in "4567" and int(second) < 12 else ("分", "秒")
    return f"{_counted(first)}{units[0]}{number(second)}{units[1]}"


def _roman(match: re.Match[str]) -> str:
    return number(str(_ROMAN.index(match[0]) + 1))


def _stopwatch(match: re.Match[str]) -> str:
    """``1:23.45``: minutes, seconds, and what is behind the point digit by digit."""
    minutes = f"{_counted(str(int(match[1])))}分" if int(match[1]) else ""
    return f"{minutes}{number(str(int(match[2])))}点{digits(match[3])}秒"


def _celsius_range(match: re.Match[str]) -> str:
    """``-5~3℃``, ``-10~-5℃``."""
    below = [f"{'零下' if sign else ''}{number(figures)}" for sign, figures in (match.group(1, 2), match.group(3, 4))]
    return f"{below[0]}到{below[1]}摄氏度"


def _time(match: re.Match[str]) -> str:
    hour, minute, second = match.groups()
    words = f"{_counted(str(int(hour)))}点"
    if int(minute) or second:
        words += ("零" if 0 < int(minute) < 10 else "") + number(str(int(minute))) + "分"
    return words + (f"{number(str(int(second)))}秒" if second else "")


def _yuan(match: re.Match[str]) -> str:
    integer, dime, cent = match.groups()
    words = f"{_counted(integer)}元" if int(integer) else ""
    if dime != "0":
        words += f"{DIGITS[int(dime)]}角"
    if cent != "0":
        words += ("零" if dime == "0" and words else "") + f"{DIGITS[int(cent)]}分"
    return words or "零元"


def _amount(match: re.Match[str]) -> str:
    """``$5``, ``HKD13.5``, ``€2万``; the sign is the first group, the figures the second, 万 or 亿 the third."""
    sign, figures, big = match[1].strip(), match[2].replace(",", ""), match[3]
    if big in _BIG:
        figures, big = _shifted(figures, _BIG[big]), ""
    cents = re.fullmatch(r"([0-9]+)\.([0-9])([0-9])", figures)
    if cents and not big and int(cents[2] + cents[3]) == 0:
        figures = cents[1]
    elif cents and not big and MONEY[sign] == "元":
        return _yuan(cents)
    return f"{_counted(figures)}{big}{MONEY[sign]}"


def _between(match: re.Match[str]) -> str:
    first, second = match[1], match[2]
    if len(first) == len(second) == 4 and re.fullmatch(_YEAR, first) and re.fullmatch(_YEAR, second):
        return f"{digits(first)}到{digits(second)}"
    if float(first) > float(second):
        return f"{number(first)}比{number(second)}"
    return f"{number(first)}到{_counted(second)}"


def _power(match: re.Match[str]) -> str:
    power = match[1].translate(_SUPERSCRIPTS)
    words = {"2": "平方", "3": "立方"}.get(power) or f"{'负' if power[0] == '-' else ''}{number(power.strip('-+'))}次方"
    return f"的{words}"


def _big(match: re.Match[str]) -> str:
    return number(_shifted(match[1], _BIG[match[2]]))


def _shifted(figures: str, zeros: int) -> str:
    integer, _, fraction = figures.partition(".")
    return (integer + fraction[:zeros].ljust(zeros, "0")).lstrip("0") + (
        f".{fraction[zeros:]}" if fraction[zeros:] else ""
    ) or "0"


_RULES: tuple[Rule, ...] = (
    (re.compile(r"(?<![0-9.,])([0-9]{1,3}(?:,[0-9]{3})+)(?![0-9])"), lambda m: m[1].replace(",", "")),
    # signs that stand for numbers
    (re.compile(f"([0-9])(?=[{_VULGAR}])"), lambda m: f"{number(m[1])}又"),
    (re.compile(f"[{_VULGAR}]"), lambda m: unicodedata.normalize("NFKC", m[0]).replace("\u2044", "/")),
    (re.compile(r"(?<![A-Za-z0-9])(?:II|III|IV|VI|VII|VIII|IX|XI|XII)(?=[级期型度章类区线代世])"), _roman),
    (re.compile(r"(?<![0-9])([0-9]{2})年(?=[0-9]{1,2}月)"), lambda m: f"{digits(m[1])}年"),
    (re.compile(r"(?<![0-9:.])([0-9]{1,2}):([0-5][0-9])\.([0-9]{1,3})(?![0-9])"), _stopwatch),
    (re.compile(r"(?<![0-9-])7-(?:11|ELEVEN)(?=便利店|超市)|(?<=[家去到的])7-11(?![0-9])"), "七幺幺"),
    (re.compile(r"(?<![0-9/])24/7(?![0-9/])"), "二十四七"),
    (
        re.compile(
            r"(?<=[歼轰运直强苏教图])[-－]?([0-9]{1,3})(?![0-9.])|(?<=东风|红旗|长征|神舟|天宫|嫦娥|米格)[-－]([0-9]{1,3})(?![0-9.])"
        ),
        lambda m: number(m[1] or m[2]),
    ),
    (
        re.compile(r"(波音)([0-9]{3})(?![0-9])|(空客[ ]?A)([0-9]{3})(?![0-9])"),
        lambda m: (m[1] or m[3]) + digits(m[2] or m[4]),
    ),
    # addresses
    (
        re.compile(r"([A-Za-z0-9._%+-]+)@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)"),
        _address,
    ),
    (
        re.compile(rf"(?<![A-Za-z0-9.])[A-Za-z][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)*\.{HOST_ENDS}(?![A-Za-z0-9])"),
        lambda m: m[0].replace(".", "点"),
    ),
    # dates and versions
    (re.compile(rf"(?<![0-9.-])([0-9]{{1,2}}){_TO}([0-9]{{1,2}})(?=[月日号点时](?!钟))"), _between),
    (re.compile(rf"(?<![0-9])({_YEAR})(?=Q[1-4])"), lambda m: digits(m[1])),
    (re.compile(r"(?<![0-9])([0-9]+)分之([0-9]+)"), lambda m: f"{number(m[1])}分之{number(m[2])}"),
    (re.compile(rf"(?<![0-9])({_YEAR})[-/.]([0-9]{{1,2}})[-/.]([0-9]{{1,2}})(?![0-9.])"), _date),
    (re.compile(rf"(?<![0-9/])({_YEAR})/([0-9]{{1,2}})(?![0-9/])"), _date),
    (
        re.compile(r"(?<![0-9.])([0-9]+(?:\.[0-9]+){3})([:/])([0-9]{1,5})(?![0-9:/])"),
        lambda m: f"{_version(m)}{'冒号' + digits(m[3]) if m[2] == ':' else '斜杠' + number(m[3])}",
    ),
    (re.compile(r"(?<![0-9.])[0-9]+(?:\.[0-9]+){2,}(?![0-9])"), _version),
    (
        re.compile(rf"(?<![{_LATIN}.])({_N})(?:e|E(?=[-+]))([-+]?)([0-9]{{1,3}})(?![{_LATIN}]|\.[0-9])"),
        lambda m: f"{number(m[1])}乘以十的{'负' if m[2] == '-' else ''}{number(m[3])}次方",
    ),
    (re.compile(rf"(?<![{_LATIN}.])\.(?=[0-9]+(?![{_LATIN}]|\.[0-9]))"), "0."),
    (
        re.compile(r"(?<![0-9])([0-9]{1,2})月([0-9]{1,2})(?=[日号])"),
        lambda m: f"{number(str(int(m[1])))}月{number(str(int(m[2])))}",
    ),
    (re.compile(r"(?<![0-9])([0-9]{1,2})月(?!亮)"), lambda m: f"{number(str(int(m[1])))}月"),
    (re.compile(rf"({_YEAR}){_TO}({_YEAR})(?=年)"), _between),
    (re.compile(r"(?<![0-9])([0-9]0)(?=年代|后的?)"), lambda m: digits(m[1]) if m[1] != "10" else "十"),
    (re.compile(rf"(?<![0-9])({_YEAR})(?=[款版届级])"), lambda m: digits(m[1])),
    (
        re.compile(rf"(?<![0-9])({_YEAR})/([0-9]{{2}})(?=赛季|学年|财年|年度)"),
        lambda m: f"{digits(m[1])}到{digits(m[2])}",
    ),
    (re.compile(r"(?<![0-9])([0-9]{1,2})[·•]([0-9]{1,2})(?![0-9])"), lambda m: digits(m[1]) + digits(m[2])),
    (
        re.compile(
            r"(?<![0-9.])(996|985|211|618|315|502|520)(?=大促|工作制|高校|晚会|胶水|购物|活动|大学|院校)"
            r"|(?<![0-9.])(?:1080|720|2160)(?=[Pp])"
        ),
        lambda m: digits(m[0], "幺" if m[1] else "一"),
    ),
    (re.compile(r"(?:\+|00)86[ -]?(?=1[3-9][0-9])"), "加八六，"),
    # telephones and codes
    (
        re.compile(
            r"()(?<![0-9.])(\(0[0-9]{2,3}\)[ -]?[0-9]{3,4}[ -]?[0-9]{4}|1[3-9][0-9]([ -]?)[0-9]{4}\3[0-9]{4}"
            r"|(?<![0-9][ -])0[0-9]{2,3}[- ]?[0-9]{3,4}[- ]?[0-9]{4}"
            r"|[48]00[- ]?[0-9]{3}[- ]?[0-9]{4})(?![0-9.])"
        ),
        _dialled,
    ),
    (
        re.compile(
            rf"((?:{PHONES}){_LINK})([0-9][0-9 -]{{1,18}}[0-9])(?![0-9.]|[ \t]*[个次人元块名分秒多万千百天年月%])"
        ),
        _dialled,
    ),
    (
        re.compile(r"([打拨叫找][ ]?)(1(?:10|14|19|20|22)|12[0-9]{3}|100[0-9]{2}|9[56][0-9]{3})(?![0-9.分个次元])"),
        _dialled,
    ),
    (
        re.compile(
            rf"((?:{CODES}|{_LAST_DIGITS}){_LINK})([A-Za-z]{{0,4}}[ -]?[0-9](?:[ ]?[A-Za-z0-9-])*[0-9])"
            rf"(?![0-9]|\.[0-9]|[ \t]*[{_QUANTITIES}])"
        ),
        _coded,
    ),
    (
        re.compile(
            r"((?:车牌号?(?:是|为|：|:)?)?[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z])([·]?[A-Z0-9]*[0-9][A-Z0-9]{3,5})(?![A-Z0-9])"
        ),
        _coded,
    ),
    (re.compile(r"()(?<![0-9.])([0-9]{3,4})(?=(?:号)?(?:房间|房|室|包间|病房)|路(?:公交|车|巴士))"), _coded),
    (re.compile(r"((?<![A-Za-z0-9])[A-Z0-9]{2}[ ]?)([0-9]{3,4})(?=航班|班机|次)"), _coded),
    (re.compile(r"((?<![A-Za-z])[GDCZTK])([0-9]{1,4})(?=次|列车|高铁)"), _coded),
    (
        re.compile(rf"((?<![A-Za-z])(?!{SIGNS})[A-Z]{{2,5}}[ -]?)([0-9]{{3,}})(?![0-9A-Za-z.]|[ ]*[个元块人次万亿年])"),
        _coded,
    ),
    (re.compile(r"((?<![A-Za-z0-9])[A-Z]{1,5}-?)([0-9]{3,})(?![0-9A-Za-z.-]|[ ]*[个元块人次万亿年])"), _lettered),
    (re.compile(r"([栋座][ ]?)([0-9]{3,4})(?![0-9层米])"), _coded),
    (re.compile(r"(?<![A-Za-z0-9])([A-Z])([0-9]{1,3})(?=[层座栋口区号展股型])"), lambda m: m[1] + number(m[2])),
    # scores and times
    (re.compile(r"([上下]午|早上|晚上|凌晨|中午)([0-9]{1,2}[:：][0-9]{2})[ ]?[AaPp][Mm]"), r"\1\2"),
    (
        re.compile(r"([0-9]{1,2}[:：][0-9]{2})[ ]?([AaPp])[Mm](?![A-Za-z])"),
        lambda m: ("上午" if m[2] in "Aa" else "下午") + m[1],
    ),
    (
        re.compile(r"(比分(?:是|为|：|:)?[ \t]*)([0-9]+)[ \t]*[-:：—–][ \t]*([0-9]+)"),
        lambda m: f"{m[1]}{number(m[2])}比{number(m[3])}",
    ),
    (
        re.compile(r"(?<![0-9])(?<![0-9][:：])([01]?[0-9]|2[0-4])[:：]([0-5][0-9])(?:[:：]([0-5][0-9]))?(?![0-9:：])"),
        _time,
    ),
    (
        re.compile(r"(?<![0-9:：])([0-9]{1,3})[:：]([0-9]{1,3})(?![0-9:：])"),
        lambda m: f"{number(m[1])}比{number(m[2])}",
    ),
    (re.compile(rf"(?<=[点分秒日号月年]){_TO}(?=[0-9零一二两三四五六七八九十第])"), "到"),
    # money
    (
        re.compile(rf"(?<![{_LATIN}.])({_N})([千万亿]){_TO}({_N})(?=[千万亿])"),
        lambda m: f"{_counted(m[1])}{m[2]}到{_counted(m[3])}",
    ),
    (
        re.compile(rf"({SIGNS})[ \t]*({_N}){_TO}(?:\1)?[ \t]*({_N})()"),
        lambda m: f"{number(m[2])}到{_counted(m[3])}{MONEY[m[1]]}",
    ),
    (re.compile(rf"(?<![A-Za-z])({SIGNS})[ \t]*({_N})[ \t]*([万亿]|[kKMB](?![A-Za-z])|)(?:元|块)?"), _amount),
    (
        re.compile(rf"()(?<![0-9.])({_N})[ \t]*([万亿]?)[ \t]*({SIGNS})(?![A-Za-z0-9])"),
        lambda m: f"{_counted(m[2])}{m[3]}{MONEY[m[4]]}",
    ),
    (re.compile(r"(?<![0-9.])([0-9]+)\.([0-9])([0-9])元"), _yuan),
    # signs, before and between numbers
    (re.compile(r"(?<![0-9])~(?=[0-9])"), "约"),
    (re.compile(r"(?<=[零幺一二三四五六七八九])转(?:分机)?([0-9]{1,6})(?![0-9])"), lambda m: f"转{digits(m[1], '幺')}"),
    (re.compile(r"(?<![0-9.])([12])米([0-9]{2})(?![0-9.])"), lambda m: f"{_counted(m[1])}米{digits(m[2])}"),
    (
        re.compile(r"(血压[^0-9。]{0,4})([0-9]{2,3})/([0-9]{2,3})(?![0-9/])"),
        lambda m: f"{m[1]}{number(m[2])}，{number(m[3])}",
    ),
    (re.compile(r"(?<=[0-9])[ ]?[xX][ ]?(?=[0-9])"), "乘"),
    (re.compile(rf"(?<![{_LATIN}.])({_N})[wW]\+"), lambda m: f"{number(_shifted(m[1], 4))}多"),
    (re.compile(rf"(?<![{_LATIN}.])([0-9]+)\+(?![0-9A-Za-z ])"), lambda m: f"{number(m[1])}多"),
    (re.compile(rf"(?<![{_LATIN}.])([0-9]+)#"), lambda m: f"{number(m[1])}号"),
    (re.compile(rf"(?<![0-9.{_LATIN}%])(-?)({_N})[ ]?[~～—–至到-][ ]?(-?)({_N})[ ]?(?:℃|°C)"), _celsius_range),
    (re.compile(rf"(?<![{_LATIN}])\+({_N})[ ]?(?=℃|°C)"), lambda m: f"零上{_counted(m[1])}"),
    (re.compile(rf"(?<![{_LATIN})）])\+({_N})%"), lambda m: f"正百分之{number(m[1])}"),
    (
        re.compile(r"(?<![0-9/])([0-9]{2,3})/([0-9]{2,3})(?=[ ]?mm[ ]?Hg)"),
        lambda m: f"{number(m[1])}，{number(m[2])}",
    ),
    (
        re.compile(r"(?<![0-9A-Za-z])([0-9])['’′][ ]?([0-9]{1,2})[\"”″]"),
        _feet_or_minutes,
    ),
    (re.compile(rf"(?<![0-9.{_LATIN}%])-({_N})[ \t]*(?:℃|°C)"), lambda m: f"零下{_counted(m[1])}摄氏度"),
    (re.compile(rf"(?<![{_LATIN}.])±[ ]?({_N})%"), lambda m: f"正负百分之{number(m[1])}"),
    (re.compile(rf"({_N})(%?){_TO}({_N})%"), lambda m: f"百分之{number(m[1])}到百分之{number(m[3])}"),
    (re.compile(r"(?<![0-9/.A-Za-z])-([0-9]+)/([0-9]+)(?![0-9/])"), lambda m: f"负{number(m[2])}分之{number(m[1])}"),
    (re.compile(r"(?<![0-9/.])([0-9]+)/([0-9]+)(?![0-9/])"), lambda m: f"{number(m[2])}分之{number(m[1])}"),
    (re.compile(rf"(?<![0-9.{_LATIN}%])-({_N})[ \t]*%"), lambda m: f"负百分之{number(m[1])}"),
    (re.compile(rf"({_N})[ \t]*‰"), lambda m: f"千分之{number(m[1])}"),
    (
        re.compile(rf"({_N})[kK]{_TO}({_N})[kK](?![A-Za-z])"),
        lambda m: f"{number(_shifted(m[1], 3))}到{number(_shifted(m[2], 3))}",
    ),
    (re.compile(rf"(?<![{_LATIN}.])({_N})([kw])(?![A-Za-z])"), _big),
    (re.compile(rf"(?<![{_LATIN}.])([0-9]+){_TO}([0-9]+)(?=[ \t]*=)"), lambda m: f"{number(m[1])}减{number(m[2])}"),
    (re.compile(rf"(?<![{_LATIN}.-])({_N}){_TO}({_N})(?![0-9-])"), _between),
    (re.compile(rf"时速(?:是|为|达|约)?[ \t]*({_N})[ \t]*km/h"), lambda m: f"时速{number(m[1])}公里"),
    (
        re.compile(
            rf"(?<![{_LATIN}.])(-?)({_N}|[零一二三四五六七八九十百千万到两]+)[ \t]*({alternatives(UNITS)})(?![A-Za-z²³])"
        ),
        lambda m: f"{'负' if m[1] else ''}{_counted(m[2]) if m[2][0] in '0123456789' else m[2]}{UNITS[m[3]]}",
    ),
    (re.compile(r"(?<=[A-Za-z0-9)）])([⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)"), _power),
    (re.compile(r"(?<=[0-9A-Za-z)）])\^(-?[0-9]+)"), _power),
    (re.compile("∞"), "无穷大"),
    (re.compile(r"√(?=[ \t]*[A-Za-z0-9])"), "根号"),
    (re.compile(r"(?<![ \t])[ \t]*(>=|<=|[≥≤≠≈])[ \t]*"), lambda m: COMPARED[m[1]]),
    (
        re.compile(r"(?<=[0-9A-Za-z)）方克升米秒])[ \t]*([+=×÷<>*])[ \t]*(?=-?[0-9A-Za-z(（])"),
        lambda m: COMPARED[m[1]],
    ),
    (re.compile(rf"(?:(?<=等于)|(?<=[大小]于)|(?<![{_LATIN}%)）年月日号时点分到]))-(?={_N})"), "负"),
    (re.compile(r"(?<=[A-Za-z])-(?=[0-9]+(?![0-9A-Za-z]))"), " "),
    (
        re.compile(rf"(?:^|(?<=[，。：（(\s\u4e00-\u9fff]))(>=|<=|[<>≥≤≈])[ \t]*(?={_N}|百分之)"),
        lambda m: COMPARED[m[1]],
    ),
    (
        re.compile(
            r"(?<=[0-9元角分块斤克升米里时吨千币镑次])/(?=[片粒枚张人袋斤盒瓶天月年次件个台吨晚间平秒套箱只本位周分]|公斤|千克|小时|平方)"
        ),
        "每",
    ),
    # 二 and 两, ordinals
    (re.compile(r"(?<![0-9.第])2(?=年(?![级代0-9]))"), "两"),
    (re.compile(r"(?<![0-9.])2(?=点[0-9]{1,2}分|点[半钟整])"), "两"),
    (re.compile(r"(?<![0-9.])2(?=单元|栋|幢|号|环|级|期|班|楼|月|日)"), "二"),
    (
        re.compile(rf"(?<![{_LATIN}.])([0-9]+\.[0-9]+)(?![0-9.%‰]|[ ]?(?:%|劳动|国庆|假期|长假|日|号))"),
        lambda m: number(m[1]),
    ),
    (re.compile(r"(?<![A-Za-z])(?:No|NO|no)\.[ \t]*([0-9]+)"), lambda m: f"第{number(m[1])}"),
    (re.compile(r"第([0-9]+)"), lambda m: f"第{number(m[1])}"),
    (re.compile(rf"(?<![{_LATIN}.])2(?=[{_COUNTED}])(?!点[0-9])"), "两"),
    (re.compile(rf"(?<![{_LATIN}.])([0-9]{{{MAX_DIGITS + 1},}})"), lambda m: digits(m[1])),
    (re.compile(rf"(?<![{_LATIN}.])(0[0-9]+)(?![0-9.])"), lambda m: digits(m[1])),
)
_NAME = re.compile(rf"((?<![{_LATIN}])[A-Za-z]+-?[0-9]+[A-Za-z][{_LATIN}]*(?![{_LATIN}.-]))")
"""A name with digits between its letters: ``H2O``, ``GPT-4o``. Those behind letters are Chinese: MP三, A四纸."""

_REMAINING: tuple[Rule, ...] = (
    (re.compile(rf"(?<![{_LATIN}.]){_N}(?![A-Za-z])"), lambda m: number(m[0])),
    (re.compile(r"(?<=[A-Za-z])[ \t]?([0-9]+)(?=[^A-Za-z0-9.]|$)"), lambda m: f" {number(m[1])}"),
)


def chinese_words(text: str) -> str:
    """``text`` with its numbers and signs in characters. Names such as ``H2O`` and ``MP3`` keep their digits."""
    parts = _NAME.split(apply(_RULES, unframed(text, "", "、").translate(FULL_WIDTH)))
    return "".join(part if at % 2 else apply(_REMAINING, wfst_normalized(part, "zh")) for at, part in enumerate(parts))
