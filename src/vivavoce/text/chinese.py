"""Chinese text as it is said: what the transducers get wrong by rules, the rest by them.

Codes, telephone numbers and rooms are read digit by digit, quantities as numbers; which it is shows in the words around it.
"""

from __future__ import annotations

import re

from vivavoce.text.rules import HOST_ENDS, Rule, alternatives, apply, table, words
from vivavoce.text.transducers import transduced

_DIGITS = "零一二三四五六七八九"
_PLACES = (("亿", 10**8), ("万", 10**4), ("千", 1000), ("百", 100), ("十", 10))
_MOST_DIGITS = 16
"""Longer numbers are said digit by digit."""

_FULL_WIDTH: dict[int, int | str] = {code: code - 0xFEE0 for code in range(0xFF10, 0xFF5B) if chr(code).isalnum()}
_FULL_WIDTH |= {ord(wide): narrow for wide, narrow in zip("％．＋－＄＠／～＝﹣−", "%.+-$@/~=--", strict=True)}
_FULL_WIDTH |= {ord("○"): "零", ord("〇"): "零"}

_N = r"[0-9]+(?:\.[0-9]+)?"
_LATIN = "A-Za-z0-9"
_TO = r"[ \t]*[-~～—–−]+[ \t]*"
_YEAR = r"(?:1[5-9]|20)[0-9]{2}"

_CODES = alternatives(
    words(
        """
        订单 订单号 单号 编号 验证码 动态码 校验码 激活码 邀请码 取件码 提取码 兑换码 代码 房间 房间号 房号 包间
        尾号 密码 口令 邮编 邮政编码 会员号 客户号 用户号 卡号 账号 帐号 学号 工号 门牌号 车牌 车牌号 航班 航班号
        车次 序列号 流水号 合同号 发票号 分机 分机号 身份证号 座位号 客户编号 订单编号 QQ号 QQ 微信号 PIN ID 病历号
        运单号 快递单号 案件编号 工单 工单号
        """
    )
)
_PHONES = alternatives(
    words(
        """
        拨 拨打 致电 拨通 呼叫 热线 电话 手机 手机号 客服 打给 快打 请打 电话号码 手机号码 号码 联系电话
        """
    )
)
_LINK = r"(?:号码|号)?(?:是|为|：|:|叫|尾数|[ \t]){0,3}"
_MONEY = table(
    """
    ¥=元, ￥=元, $=美元, US$=美元, €=欧元, £=英镑, ₩=韩元, ₽=卢布, ₹=卢比, ฿=泰铢, HK$=港元, A$=澳元, AU$=澳元,
    C$=加元, NT$=新台币, S$=新加坡元, JP¥=日元, RMB=元, CNY=元, USD=美元, EUR=欧元, GBP=英镑, JPY=日元, HKD=港元,
    KRW=韩元, AUD=澳元, CAD=加元, SGD=新加坡元, TWD=新台币, CHF=瑞士法郎, THB=泰铢, MOP=澳门元
    """
)
_SIGNS = alternatives(_MONEY)
_UNITS = table(
    """
    km²=平方公里, m²=平方米, cm²=平方厘米, m³=立方米, cm³=立方厘米, km/h=公里每小时, m/s=米每秒, km=公里, m=米,
    cm=厘米, mm=毫米, kg=公斤, KG=公斤, g=克, mg=毫克, t=吨, ml=毫升, mL=毫升, l=升, L=升, ms=毫秒, s=秒,
    min=分钟, h=小时, kWh=千瓦时, mAh=毫安时, kV=千伏, W=瓦, kW=千瓦, V=伏, Hz=赫兹, kHz=千赫, MHz=兆赫,
    GHz=吉赫, dB=分贝, ℃=摄氏度, °C=摄氏度, ℉=华氏度, °F=华氏度, °=度, ㎡=平方米, ㎞=公里, ㎏=公斤
    """
)
_BIG = {"k": 3, "K": 3, "w": 4, "M": 6, "B": 9}
_COUNTED = (
    "个只位次种人本张杯件条块双家间台辆瓶碗层遍句封幅周倍天点小名米颗口把套份头项门栋座艘架支根片滴元万亿千公斤厘平立升毫"
    "美欧英港"
)
"""What 2 stands before when it is said 两 and not 二: measure words, and the beginnings of units and currencies."""

_QUANTITIES = "个次人元块折间套单位平度天年月岁多万千百亿米公条张项笔份件桌家%"
"""What stands behind a quantity, not behind a code."""

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_COMPARED = {
    "≥": "大于等于",
    "≤": "小于等于",
    "≠": "不等于",
    "≈": "约等于",
    ">": "大于",
    "<": "小于",
    ">=": "大于等于",
    "<=": "小于等于",
}
_COMPARED |= {"=": "等于", "+": "加", "×": "乘", "÷": "除以", "*": "乘", "±": "正负", "−": "减"}


def digits(number: str, one: str = "一") -> str:
    """Digit by digit; ``one`` is what 1 is called (幺 on the telephone). Other characters are left out."""
    return "".join(one if digit == "1" else _DIGITS[int(digit)] for digit in number if "0" <= digit <= "9")


def number(written: str) -> str:
    """A number as a quantity: ``1205`` → 一千二百零五, ``3.14`` → 三点一四. With zeros before it, or very long, by digits."""
    whole, _, fraction = written.replace(",", "").partition(".")
    by_digits = len(whole) > _MOST_DIGITS or (len(whole) > 1 and whole[0] == "0")
    said = digits(whole) if by_digits else _whole(int(whole or 0))
    return f"{said}点{digits(fraction)}" if fraction else said


def _whole(value: int) -> str:
    if value < 10:
        return _DIGITS[value]
    name, size = next(place for place in _PLACES if value >= place[1])
    head, rest = divmod(value, size)
    said = ("" if head == 1 and 10 <= value < 20 else _whole(head)) + name
    if not rest:
        return said
    gap = "零" if rest < size // 10 else ""
    ten = "一" if gap == "" and size > 10 and 10 <= rest < 20 else ""
    return said + gap + (ten or ("一" if gap and 10 <= rest < 20 else "")) + _whole(rest)


def _counted(written: str) -> str:
    return "两" if written == "2" else number(written)


def _coded(match: re.Match[str]) -> str:
    return match[1] + re.sub(r"[0-9]+", lambda one: digits(one[0]), match[2])


def _dialled(match: re.Match[str]) -> str:
    return match[1] + digits(match[2], "幺")


def _date(match: re.Match[str]) -> str:
    year, month, *day = match.groups()
    if not 1 <= int(month) <= 12 or (day and not 1 <= int(day[0]) <= 31):
        return match[0]
    return f"{digits(year)}年{number(str(int(month)))}月" + (f"{number(str(int(day[0])))}日" if day else "")


def _version(match: re.Match[str]) -> str:
    parts = match[0].split(".")
    return "点".join(digits(part) if len(parts) > 3 else number(part) for part in parts)


def _time(match: re.Match[str]) -> str:
    hour, minute, second = match.groups()
    said = f"{_counted(str(int(hour)))}点"
    if int(minute) or second:
        said += ("零" if 0 < int(minute) < 10 else "") + number(str(int(minute))) + "分"
    return said + (f"{number(str(int(second)))}秒" if second else "")


def _yuan(match: re.Match[str]) -> str:
    whole, dime, cent = match.groups()
    said = f"{_counted(whole)}元" if int(whole) else ""
    if dime != "0":
        said += f"{_DIGITS[int(dime)]}角"
    if cent != "0":
        said += ("零" if dime == "0" and said else "") + f"{_DIGITS[int(cent)]}分"
    return said or "零元"


def _amount(match: re.Match[str]) -> str:
    """``$5``, ``HKD13.5``, ``€2万``; the sign is the first group, the figures the second, 万 or 亿 the third."""
    sign, figures, big = match[1].strip(), match[2].replace(",", ""), match[3]
    if big in _BIG:
        figures, big = _shifted(figures, _BIG[big]), ""
    cents = re.fullmatch(r"([0-9]+)\.([0-9])([0-9])", figures)
    if cents and not big and int(cents[2] + cents[3]) == 0:
        figures = cents[1]
    elif cents and not big and _MONEY[sign] == "元":
        return _yuan(cents)
    return f"{_counted(figures)}{big}{_MONEY[sign]}"


def _between(match: re.Match[str]) -> str:
    first, second = match[1], match[2]
    if len(first) == len(second) == 4 and re.fullmatch(_YEAR, first) and re.fullmatch(_YEAR, second):
        return f"{digits(first)}到{digits(second)}"
    if float(first) > float(second):
        return f"{number(first)}比{number(second)}"
    return f"{number(first)}到{_counted(second)}"


def _power(match: re.Match[str]) -> str:
    power = match[1].translate(_SUPERSCRIPTS)
    said = {"2": "平方", "3": "立方"}.get(power) or f"{'负' if power[0] == '-' else ''}{number(power.strip('-+'))}次方"
    return f"的{said}"


def _big(match: re.Match[str]) -> str:
    return number(_shifted(match[1], _BIG[match[2]]))


def _shifted(written: str, zeros: int) -> str:
    whole, _, fraction = written.partition(".")
    return (whole + fraction[:zeros].ljust(zeros, "0")).lstrip("0") + (
        f".{fraction[zeros:]}" if fraction[zeros:] else ""
    ) or "0"


_RULES: tuple[Rule, ...] = (
    (re.compile(r"(?<![0-9.,])([0-9]{1,3}(?:,[0-9]{3})+)(?![0-9])"), lambda m: m[1].replace(",", "")),
    # addresses
    (
        re.compile(r"([A-Za-z0-9._%+-]+)@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)"),
        lambda m: f"{m[1]}@{m[2]}".replace(".", "点").replace("@", "艾特"),
    ),
    (
        re.compile(rf"(?<![A-Za-z0-9.])[A-Za-z][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)*\.{HOST_ENDS}(?![A-Za-z0-9])"),
        lambda m: m[0].replace(".", "点"),
    ),
    # dates and versions
    (re.compile(rf"(?<![0-9])({_YEAR})[-/.]([0-9]{{1,2}})[-/.]([0-9]{{1,2}})(?![0-9.])"), _date),
    (re.compile(rf"(?<![0-9/])({_YEAR})/([0-9]{{1,2}})(?![0-9/])"), _date),
    (re.compile(r"(?<![0-9.])[0-9]+(?:\.[0-9]+){2,}(?![0-9])"), _version),
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
            r"()(?<![0-9.])(1[3-9][0-9]([ -]?)[0-9]{4}\3[0-9]{4}|0[0-9]{2,3}[- ]?[0-9]{7,8}"
            r"|[48]00[- ]?[0-9]{3}[- ]?[0-9]{4})(?![0-9.])"
        ),
        _dialled,
    ),
    (
        re.compile(
            rf"((?:{_PHONES}){_LINK})([0-9][0-9 -]{{1,18}}[0-9])(?![0-9.]|[ \t]*[个次人元块名分秒多万千百天年月%])"
        ),
        _dialled,
    ),
    (
        re.compile(r"([打拨叫找][ ]?)(1(?:10|14|19|20|22)|12[0-9]{3}|100[0-9]{2}|9[56][0-9]{3})(?![0-9.分个次元])"),
        _dialled,
    ),
    (
        re.compile(
            rf"((?<![A-Za-z])(?:{_CODES}){_LINK})([A-Za-z]{{0,4}}[ -]?[0-9](?:[ ]?[A-Za-z0-9-])*[0-9])"
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
    (re.compile(r"((?<![A-Za-z0-9])[A-Z0-9]{2}[ ]?)([0-9]{3,4})(?=航班|班机|次航班)"), _coded),
    (re.compile(r"((?<![A-Za-z])[GDCZTK])([0-9]{1,4})(?=次|列车|高铁)"), _coded),
    (
        re.compile(
            rf"((?<![A-Za-z])(?!{_SIGNS})[A-Z]{{2,5}}[ -]?)([0-9]{{3,}})(?![0-9A-Za-z.]|[ ]*[个元块人次万亿年])"
        ),
        _coded,
    ),
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
    (re.compile(rf"(?<=[点分秒日号月年]){_TO}(?=[0-9零一二两三四五六七八九十第])"), "到"),
    # money
    (
        re.compile(rf"({_SIGNS})[ \t]*({_N}){_TO}(?:\1)?[ \t]*({_N})()"),
        lambda m: f"{number(m[2])}到{_counted(m[3])}{_MONEY[m[1]]}",
    ),
    (re.compile(rf"(?<![A-Za-z])({_SIGNS})[ \t]*({_N})[ \t]*([万亿]|[kKMB](?![A-Za-z])|)(?:元|块)?"), _amount),
    (
        re.compile(rf"()(?<![0-9.])({_N})[ \t]*([万亿]?)[ \t]*({_SIGNS})(?![A-Za-z0-9])"),
        lambda m: f"{_counted(m[2])}{m[3]}{_MONEY[m[4]]}",
    ),
    (re.compile(r"(?<![0-9.])([0-9]+)\.([0-9])([0-9])元"), _yuan),
    # signs, before and between numbers
    (re.compile(r"(?<![0-9])~(?=[0-9])"), "约"),
    (re.compile(r"(?<=[0-9])[ ]?[xX][ ]?(?=[0-9])"), "乘"),
    (re.compile(rf"(?<![{_LATIN}.])([0-9]+)\+(?![0-9A-Za-z ])"), lambda m: f"{number(m[1])}多"),
    (re.compile(rf"(?<![{_LATIN}.])([0-9]+)#"), lambda m: f"{number(m[1])}号"),
    (re.compile(rf"(?<![{_LATIN}])\+({_N})[ ]?(?=℃|°C)"), lambda m: f"零上{_counted(m[1])}"),
    (re.compile(rf"(?<![0-9.{_LATIN}%])-({_N})[ \t]*(?:℃|°C)"), lambda m: f"零下{_counted(m[1])}摄氏度"),
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
            rf"(?<![{_LATIN}.])(-?)({_N}|[零一二三四五六七八九十百千万到两]+)[ \t]*({alternatives(_UNITS)})(?![A-Za-z²³])"
        ),
        lambda m: f"{'负' if m[1] else ''}{_counted(m[2]) if m[2][0] in '0123456789' else m[2]}{_UNITS[m[3]]}",
    ),
    (re.compile(r"(?<=[A-Za-z0-9)）])([⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)"), _power),
    (re.compile(r"√(?=[ \t]*[A-Za-z0-9])"), "根号"),
    (re.compile(r"[ \t]*(>=|<=|[≥≤≠≈])[ \t]*"), lambda m: _COMPARED[m[1]]),
    (re.compile(r"(?<=[0-9A-Za-z)）方])[ \t]*([+=×÷<>*])[ \t]*(?=-?[0-9A-Za-z(（])"), lambda m: _COMPARED[m[1]]),
    (re.compile(rf"(?:(?<=等于)|(?<=[大小]于)|(?<![{_LATIN}%)）年月日号时点分到]))-(?={_N})"), "负"),
    (re.compile(r"(?<=[A-Za-z])-(?=[0-9]+(?![0-9A-Za-z]))"), " "),
    # 二 and 两, ordinals
    (re.compile(r"(?<![A-Za-z])(?:No|NO|no)\.[ \t]*([0-9]+)"), lambda m: f"第{number(m[1])}"),
    (re.compile(r"第([0-9]+)"), lambda m: f"第{number(m[1])}"),
    (re.compile(rf"(?<![{_LATIN}.])2(?=[{_COUNTED}])(?!点[0-9])"), "两"),
    (re.compile(rf"(?<![{_LATIN}.])([0-9]{{{_MOST_DIGITS + 1},}})"), lambda m: digits(m[1])),
    (re.compile(rf"(?<![{_LATIN}.])(0[0-9]+)(?![0-9.])"), lambda m: digits(m[1])),
)
_NAME = re.compile(rf"((?<![{_LATIN}])(?:[A-Za-z]+-?[0-9]+[A-Za-z][{_LATIN}]*|[A-Z]{{1,3}}[0-9])(?![{_LATIN}.-]))")
"""A name with digits in it: ``H2O``, ``MP3``, ``GPT-4o``."""

_LEFT: tuple[Rule, ...] = (
    (re.compile(rf"(?<![{_LATIN}.]){_N}(?![A-Za-z])"), lambda m: number(m[0])),
    (re.compile(r"(?<=[A-Za-z])[ \t]?([0-9]+)(?=[^A-Za-z0-9.]|$)"), lambda m: f" {number(m[1])}"),
)


def chinese_words(text: str) -> str:
    """``text`` with its numbers and signs in characters. Names such as ``H2O`` and ``MP3`` keep their digits."""
    parts = _NAME.split(apply(_RULES, text.translate(_FULL_WIDTH)))
    return "".join(part if at % 2 else apply(_LEFT, transduced(part, "zh")) for at, part in enumerate(parts))
