"""Japanese text as it is said: what the transducers get wrong by rules, the rest by them.

Numbers become kanji, whose readings with their counters Open JTalk knows (三本, 一日); digits of codes become kana.
"""

from __future__ import annotations

import re
import unicodedata

from vivavoce.text.numerals import unframed
from vivavoce.text.rules import HOST_ENDS, Rule, alternatives, apply, table, words
from vivavoce.text.wfst_normalization import wfst_normalized

_KANA_DIGITS = ("ゼロ", "イチ", "ニー", "サン", "ヨン", "ゴー", "ロク", "ナナ", "ハチ", "キュー")
_KANJI_DIGITS = "〇一二三四五六七八九"
_MAGNITUDES = (("兆", 10**12), ("億", 10**8), ("万", 10**4), ("千", 1000), ("百", 100), ("十", 10))
_MAX_DIGITS = 16

_LETTERS = dict(
    zip(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        words(
            """
            エー ビー シー ディー イー エフ ジー エイチ アイ ジェー ケー エル エム エヌ オー ピー キュー アール エス ティー
            ユー ブイ ダブリュー エックス ワイ ゼット
            """
        ),
        strict=True,
    )
)
_WORDS_IN_CAPITALS = frozenset(
    words("NASA NATO JAL ANA SIM PIN LAN WEB LINE ZOOM OPEC AIDS PASMO IKEA ZIP GIF JICA JAXA TOEIC OK NG")
)

_N = r"[0-9]+(?:\.[0-9]+)?"
_LATIN = "A-Za-z0-9"
_YEAR = r"(?:1[5-9]|20)[0-9]{2}"
_TO = r"[ ]*[-~〜～–—−][ ]*"
_CODES = (
    r"(?:番号|[下上末頭][0-9一二三四五六]?桁|ポート|エラー|ステータス|コード|"
    r"ナンバー|パスワード|フライト|ＩＤ|ID|PIN|暗証|品番|型番|シリアル|口座|内線|ルームナンバー|便名)"
)
_LINK = r"(?:番号)?(?:は|が|：|:|、|[ ]){0,2}"
_MONEY = table(
    """
    ¥=円, ￥=円, JPY=円, $=ドル, USD=ドル, US$=ドル, €=ユーロ, EUR=ユーロ, £=ポンド, GBP=ポンド, ₩=ウォン,
    KRW=ウォン, CNY=元, RMB=元, HK$=香港ドル, HKD=香港ドル, A$=豪ドル, AUD=豪ドル, C$=カナダドル, NT$=台湾ドル,
    ₹=ルピー
    """
)
_SIGNS = alternatives(_MONEY)
_UNITS = table(
    """
    km²=平方キロメートル, m²=平方メートル, cm²=平方センチメートル, m³=立方メートル, cm³=立方センチメートル,
    km/h=キロ, m/s=メートル毎秒, km=キロメートル, m=メートル, cm=センチメートル, mm=ミリメートル, kg=キログラム,
    g=グラム, mg=ミリグラム, t=トン, l=リットル, L=リットル, ml=ミリリットル, mL=ミリリットル, dL=デシリットル,
    KB=キロバイト, MB=メガバイト, GB=ギガバイト, TB=テラバイト, Hz=ヘルツ, kHz=キロヘルツ, MHz=メガヘルツ,
    GHz=ギガヘルツ, W=ワット, kW=キロワット, V=ボルト, kWh=キロワットアワー, dB=デシベル, ms=ミリ秒,
    kcal=キロカロリー, °C=度, ℃=度, °F=度, ℉=度, °=度, ㎡=平方メートル, ㎞=キロメートル, ㎏=キログラム,
    hPa=ヘクトパスカル, mAh=ミリアンペアアワー, Mbps=メガビーピーエス, Gbps=ギガビーピーエス, MW=メガワット,
    µg=マイクログラム, cal=カロリー, mmHg=ミリメートル水銀柱, kPa=キロパスカル, m/s²=メートル毎秒毎秒, rpm=アールピーエム,
    h=時間, min=分, sec=秒, ㎝=センチメートル, ㎜=ミリメートル, %=パーセント, ‰=パーミル, ppm=ピーピーエム, pt=ポイント
    """
)
_UNIT = rf"(?:{alternatives(_UNITS)})(?![A-Za-z²³/])"
_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
_NAMED_FIGURES = {"2": "ツー", "8": "ハチ", "3": "スリー", "4": "フォー", "5": "ファイブ"}
"""Figures that are said in English: 3D, 4K, 5G."""

_BIG = {"k": 3, "K": 3, "M": 6, "B": 9}
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_COUNTERS = words(
    """
    年 月 日 時 分 秒 人 名 個 本 枚 回 歳 才 円 度 週 か月 ヶ月 カ月 ヵ月 泊 杯 階
    件 冊 台 匹 倍 歩 つ 点 位 ページ メートル キロ パーセント ドル 万 億
    """
)
_COUNTER = rf"(?=[ ]*(?:{alternatives(_COUNTERS)}))"
_MATHS = {"+": "足す", "＋": "足す", "×": "かける", "÷": "割る", "*": "かける", "=": "は", "＝": "は"}
_RANGE_CHARACTERS = r"0-9一二三四五六七八九十百千万億\u30a1-\u30fa\u3400-\u9fff%℃"


def digits(number: str) -> str:
    """Digit by digit, in kana; other characters part the groups."""
    groups = ("".join(_KANA_DIGITS[int(digit)] for digit in group) for group in re.findall(r"[0-9]+", number))
    return "、".join(groups)


def number(figures: str) -> str:
    """A number as a quantity, in kanji; with zeros before it, or very long, digit by digit."""
    integer, _, fraction = figures.replace(",", "").partition(".")
    if len(integer) > _MAX_DIGITS or (len(integer) > 1 and integer[0] == "0"):
        words = digits(integer)
    else:
        words = _integer(int(integer or 0)) if int(integer or 0) else "ゼロ"
    return (
        f"{words}点{''.join('ゼロ' if digit == '0' else _KANJI_DIGITS[int(digit)] for digit in fraction)}"
        if fraction
        else words
    )


def _integer(value: int) -> str:
    if value < 10:
        return _KANJI_DIGITS[value] if value else ""
    name, size = next(place for place in _MAGNITUDES if value >= place[1])
    head, remainder = divmod(value, size)
    return ("" if head == 1 and size < 10**4 else _integer(head)) + name + _integer(remainder)


def _address(match: re.Match[str]) -> str:
    address = re.sub("[0-9]+", lambda run: digits(run[0]), match[0])
    for sign, word in (
        ("@", "アットマーク"),
        (".", "ドット"),
        ("_", "アンダーバー"),
        ("-", "ハイフン"),
        ("+", "プラス"),
    ):
        address = address.replace(sign, word)
    return address


def _roman(match: re.Match[str]) -> str:
    return number(str(_ROMAN.index(match[0]) + 1))


def _code(match: re.Match[str]) -> str:
    """``AB-1234``: letters by their names, digits one by one; of one or two digits (``F-16``) a number."""
    letters, figures = match[1], match[2]
    spelled = "".join(_LETTERS[letter] for letter in letters)
    return spelled + (number(figures) if len(figures) < 3 else f"、{digits(figures)}")


def _date(match: re.Match[str]) -> str:
    year, month, day = match.groups()
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return match[0]
    return f"{number(year)}年{_integer(int(month))}月{_integer(int(day))}日"


def _time(match: re.Match[str]) -> str:
    half, hour, minute = match[1] or match[4] or "", int(match[2]), int(match[3])
    if hour > 30:
        return f"{number(match[2])}対{number(match[3])}"
    words = {"a": "午前", "p": "午後"}.get(half[:1].lower(), "") + (_integer(hour) or "零") + "時"
    return words + (f"{_integer(minute)}分" if minute else "")


def _slashed(match: re.Match[str]) -> str:
    """``1/2`` is a fraction, ``12/25`` a day: its second number cannot be beneath a fraction people write."""
    first, second, weekday = int(match[1]), int(match[2]), match[3]
    day = 1 <= first <= 12 and 1 <= second <= 31
    if day and (weekday or (second in range(11, 32) and second not in {12, 16, 20})):
        return f"{_integer(first)}月{_integer(second)}日" + (f"、{weekday[1]}曜日" if weekday else "")
    return f"{number(match[2])}分の{number(match[1])}" + (weekday or "")


def _version(match: re.Match[str]) -> str:
    parts = match[0].split(":")[0].split("/")[0].split(".")
    return "点".join(number(part) for part in parts)


def _amount(sign: str, figures: str, big: str) -> str:
    figures = figures.replace(",", "")
    if big in _BIG:
        figures, big = _shifted(figures, _BIG[big]), ""
    cents = re.fullmatch(r"([0-9]+)\.([0-9]{2})", figures)
    if cents and not big and int(cents[2]) == 0:
        figures = cents[1]
    elif cents and not big and _MONEY[sign] in {"ドル", "ユーロ"}:
        dollars = f"{number(cents[1])}{_MONEY[sign]}" if int(cents[1]) else ""
        return f"{dollars}{_integer(int(cents[2]))}セント"
    return f"{number(figures)}{big}{_MONEY[sign]}"


def _shifted(figures: str, zeros: int) -> str:
    integer, _, fraction = figures.partition(".")
    return (integer + fraction[:zeros].ljust(zeros, "0")).lstrip("0") or "0"


def _power(match: re.Match[str]) -> str:
    power = match[1].translate(_SUPERSCRIPTS)
    return f"の{'マイナス' if power[0] == '-' else ''}{number(power.strip('-+'))}乗"


def _spelled(match: re.Match[str]) -> str:
    word = match[1]
    return (
        word if len(word) > 1 and word in _WORDS_IN_CAPITALS else "".join(_LETTERS[letter] for letter in word.upper())
    )


def _chemical(letters: str) -> str:
    return "".join(_LETTERS[letter] for letter in letters)


_BESIDE_JAPANESE = (
    r"(?:(?<=[\u3040-\u30ff\u3400-\u9fff])|(?=[A-Z]{1,4}[\u3040-\u30ff\u3400-\u9fff])|^|(?<=[。、「（\s]))"
)

_RULES: tuple[Rule, ...] = (
    (re.compile(r"(?<![0-9.,])([0-9]{1,3}(?:,[0-9]{3})+)(?![0-9])"), lambda m: m[1].replace(",", "")),
    (
        re.compile(r"([A-Za-z0-9._%+-]+)@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)"),
        _address,
    ),
    (
        re.compile(rf"(?<![A-Za-z0-9.])[A-Za-z][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)*\.{HOST_ENDS}(?![A-Za-z0-9])"),
        lambda m: m[0].replace(".", "ドット"),
    ),
    # signs that stand for numbers, names with numbers
    (re.compile(r"(?<![0-9.,])10分(?!の)"), "ジュップン"),  # 十分 may be "enough"
    (re.compile(r"(?<![A-Za-z0-9])(?:II|III|IV|VI|VII|VIII|IX|XI|XII)(?=[世期型章部巻編級類])"), _roman),
    (re.compile(r"(?<![A-Za-z0-9.])([23458])([GDK])(?![A-Za-z0-9])"), lambda m: _NAMED_FIGURES[m[1]] + _LETTERS[m[2]]),
    (
        re.compile(r"(?<![A-Za-z0-9])(CO|H|O|N|SO)[2₂](O?)(?![A-Za-z0-9])"),
        lambda m: f"{_chemical(m[1])}ツー{_chemical(m[2])}",
    ),
    (re.compile(r"(?<![0-9/])24/7(?![0-9/])"), "トゥエンティーフォーセブン"),
    (
        re.compile(rf"(?<![0-9/])({_YEAR})/([0-9]{{2}})(?=シーズン|年度|年)"),
        lambda m: f"{number(m[1])}、{number(m[2])}",
    ),
    (re.compile(r"(?<=[0-9])(S?L?DK)(?![A-Za-z])"), lambda m: "".join(_LETTERS[letter] for letter in m[1])),
    (re.compile(r"(?<![A-Za-z0-9])M(?=[0-9]\.[0-9](?:の地震|[、。の]|$))"), "マグニチュード"),
    (
        re.compile(r"(?<![A-Za-z0-9])([A-Z])&([A-Z])(?![A-Za-z0-9])"),
        lambda m: f"{_LETTERS[m[1]]}アンド{_LETTERS[m[2]]}",
    ),
    (re.compile(r"(?<![A-Za-z0-9-])([A-Z]{1,4})-([0-9]{1,8})(?![A-Za-z0-9-]|\.[0-9])"), _code),
    (re.compile(rf"(?<!時速)(?<![0-9.,]){_N}[ ]*(?=km/h)"), r"時速\g<0>"),
    (re.compile(r"(?<![A-Za-z])([A-Z])-(?=[ァ-ヺ])"), lambda m: _LETTERS[m[1]]),
    (re.compile(r"(?<![A-Za-z])[vV](?:er)?\.?[ ]?(?=[0-9]+\.[0-9])"), "バージョン"),
    (re.compile(r"(?<=[0-9])[ ]?yen(?![A-Za-z])"), "円"),
    (re.compile(r"(?<=%)[ ]?OFF"), "オフ"),
    (re.compile("∞"), "無限大"),
    (re.compile("π"), "パイ"),
    (re.compile(r"(?<![0-9.:,])0(?=時)"), "零"),
    (re.compile(r"(?<![A-Za-z0-9.,:/-])0(?=[歳点度個件人円%回]|$|[、。])"), "ゼロ"),
    # dates, times, versions
    (
        re.compile(r"(?<![0-9/])([0-9]{1,2})/([0-9]{1,2})[ ]*[-~〜～–][ ]*([0-9]{1,2})/([0-9]{1,2})(?![0-9/])"),
        lambda m: f"{number(m[1])}月{number(m[2])}日から{number(m[3])}月{number(m[4])}日",
    ),
    (re.compile(rf"(?<![0-9])({_YEAR})[-/.]([0-9]{{1,2}})[-/.]([0-9]{{1,2}})(?![0-9.])"), _date),
    (re.compile(r"(?<![0-9])0([1-9])(?=[月日時分])"), r"\1"),
    (
        re.compile(
            r"(?<![0-9])(?<![0-9][:：])(?<![A-Za-z])([AaPp][Mm])?[ ]?([0-9]{1,2})[:：]([0-5][0-9])(?![0-9:：])"
            r"[ ]?([AaPp][Mm])?(?![A-Za-z])"
        ),
        _time,
    ),
    (re.compile(r"(?<=[時分日月年半])[ ]*[-–][ ]*(?=[0-9一二三四五六七八九十])"), "から"),
    (
        re.compile(r"(?<![\u3400-\u9fff])([月火水木金土日])[-–]([月火水木金土日])(?![\u3400-\u9fff\u3040-\u30ff])"),
        r"\1から\2",
    ),
    (re.compile(r"(?<![0-9-])([0-9]{1,3})-([0-9]{1,3})(?=で(?:勝|負|敗|引き分け|リード))"), r"\1対\2"),
    (
        re.compile(
            r"(?<=[\u3400-\u9fff])(?<![月日年時分])[0-9]{1,3}-[0-9]{1,3}-[0-9]{1,4}(?![0-9-])|(?<=[区市町村])[0-9]{1,3}-[0-9]{1,4}(?![0-9-])"
        ),
        lambda m: m[0].replace("-", "の"),
    ),
    (re.compile(r"(?<![0-9-])[0-9]{1,3}(?:-[0-9]{1,3}){1,2}(?=番地|号(?!室))"), lambda m: m[0].replace("-", "の")),
    (
        re.compile(r"(?<![0-9.])([0-9]+(?:\.[0-9]+){3})([:/])([0-9]{1,5})(?![0-9:/])"),
        lambda m: f"{_version(m)}{'コロン' + digits(m[3]) if m[2] == ':' else 'スラッシュ' + number(m[3])}",
    ),
    (re.compile(r"(?<![0-9.])[0-9]+(?:\.[0-9]+){2,}(?![0-9])"), _version),
    (
        re.compile(rf"(?<![{_LATIN}.])({_N})(?:e|E(?=[-+]))([-+]?)([0-9]{{1,3}})(?![{_LATIN}]|\.[0-9])"),
        lambda m: f"{number(m[1])}かける十の{'マイナス' if m[2] == '-' else ''}{number(m[3])}乗",
    ),
    (
        re.compile(r"(?<![A-Za-z0-9])(B?)([0-9]{1,2})F(?![A-Za-z0-9])"),
        lambda m: f"{'地下' * bool(m[1])}{number(m[2])}階",
    ),
    # telephones and codes
    (
        re.compile(
            r"\(0[0-9]{1,4}\)[ -]?[0-9]{1,4}[- ][0-9]{3,4}(?![0-9-])"
            r"|(?<![0-9-])0[0-9]{1,4}[- (][0-9]{1,4}[- )][0-9]{3,4}(?![0-9-])|(?<![0-9-])0[5789]0[0-9]{8}(?![0-9])"
        ),
        lambda m: digits(m[0]),
    ),
    (re.compile(r"\+[0-9]{1,3}[- ][0-9]{1,4}(?:[- ][0-9]{2,4}){1,3}(?![0-9-])"), lambda m: f"プラス{digits(m[0])}"),
    (re.compile(r"(?<![0-9])110番"), "ヒャクトーバン"),
    (re.compile(r"(?<![0-9])119番"), "ヒャクジューキューバン"),
    (
        re.compile(rf"({_CODES}{_LINK})([A-Za-z]{{0,4}})([0-9][0-9-]*[0-9])(?![0-9]|\.[0-9]|[個人円本枚])"),
        lambda m: f"{m[1]}{m[2]}{digits(m[3])}",
    ),
    (re.compile(r"〒?(?<![0-9-])([0-9]{3}-[0-9]{4})(?![0-9-])"), lambda m: digits(m[1])),
    (re.compile(r"([0-9]{3,4})(?=号室)"), lambda m: digits(m[1])),
    # money
    (
        re.compile(rf"(?<![A-Za-z])({_SIGNS})[ ]*({_N}){_TO}(?:\1)?[ ]*({_N})(?![0-9,.])"),
        lambda m: f"{_amount(m[1], m[2], '')}から{_amount(m[1], m[3], '')}",
    ),
    (
        re.compile(rf"(?<![A-Za-z])({_SIGNS})[ ]*({_N})[ ]*([万億]|[kKMB](?![A-Za-z]))?(?:円)?"),
        lambda m: _amount(m[1], m[2], m[3] or ""),
    ),
    (re.compile(rf"(?<![0-9.])({_N})[ ]*([万億]?)[ ]*({_SIGNS})(?![A-Za-z0-9])"), lambda m: _amount(m[3], m[1], m[2])),
    (
        re.compile(
            rf"((?:[0-9]+(?:\.[0-9]+)?[万億]?|[一二三四五六七八九十百千万億点]+)(?:円|人|個|本|枚|回|件))[ ]?/[ ]?"
            rf"(人|個|月|日|時間|泊|本|枚|回|年|分|席|台|冊|袋|杯|組|名|件|社|{_UNIT})"
        ),
        lambda m: f"一{_UNITS.get(m[2], 'か月' if m[2] == '月' else m[2])}あたり{m[1]}",
    ),
    (re.compile(r"(?<![0-9/.])([0-9]+)/([0-9]+)(?=[ ]*[=＝])"), lambda m: f"{number(m[1])}割る{number(m[2])}"),
    (re.compile(r"(?<=[0-9A-Za-z)）])\^(-?[0-9]+)"), _power),
    # signs
    (re.compile(rf"(?<=[0-9])[xX](?=[0-9])|(?<=[0-9A-Za-z\u30a1-\u30ff円枚個人本])[ ]*×[ ]*(?={_N})"), "かける"),
    (re.compile(r"(?:≒|≈)[ ]*"), "ニアリーイコール"),
    (
        re.compile(r"(?<=[0-9A-Za-z)）])[ ]*([<>])[ ]*(?=-?[0-9A-Za-z])"),
        lambda m: "小なり" if m[1] == "<" else "大なり",
    ),
    (re.compile(r"(?<=[時分日月円人個])[ ]*[〜～~](?=[、。）)]|$)"), "から"),
    (re.compile(r"(?<![0-9/.])([0-9]{1,3})/([0-9]{1,3})(?![0-9/])([(（][月火水木金土日][)）])?"), _slashed),
    (re.compile(rf"(?<![{_LATIN}.])({_N}){_TO}({_N})(?=[ ]*[=＝])"), lambda m: f"{number(m[1])}引く{number(m[2])}"),
    (
        re.compile(r"((?:スコア|得点|試合|結果)(?:は|が|：|:)?[ ]*)([0-9]+)[-–]([0-9]+)"),
        lambda m: f"{m[1]}{number(m[2])}対{number(m[3])}",
    ),
    (re.compile(rf"(?<![{_LATIN}.-])({_N}){_TO}({_N})(?=[ ]*{_UNIT})"), lambda m: f"{number(m[1])}から{m[2]}"),
    (re.compile(rf"(?<![{_LATIN}.-])({_N}){_TO}({_N}){_COUNTER}"), lambda m: f"{number(m[1])}から{number(m[2])}"),
    (re.compile(rf"(?<=[{_RANGE_CHARACTERS}])[ ]*[〜～~][ ]*(?=[{_RANGE_CHARACTERS}])"), "から"),
    (re.compile(rf"(?<![{_LATIN})）%])[-−](?={_N})"), "マイナス"),
    (re.compile(rf"(?<![{_LATIN})）%円個枚人本 ])[+＋](?={_N})"), "プラス"),
    (re.compile(r"±(?=[ ]*[0-9])"), "プラスマイナス"),
    (re.compile(r"√(?=[ ]*[A-Za-z0-9])"), "ルート"),
    (re.compile(rf"(?<![A-Za-z0-9 ])[ ]*(?:≥|>=|≧)[ ]*({_N})"), lambda m: f"{number(m[1])}以上"),
    (re.compile(rf"(?<![A-Za-z0-9 ])[ ]*(?:≤|<=|≦)[ ]*({_N})"), lambda m: f"{number(m[1])}以下"),
    (re.compile(r"([A-Za-z0-9]+)[ ]*(≥|>=|≧)[ ]*([A-Za-z0-9.]+)"), r"\1は\3以上"),
    (re.compile(r"([A-Za-z0-9]+)[ ]*(≤|<=|≦)[ ]*([A-Za-z0-9.]+)"), r"\1は\3以下"),
    (re.compile(r"[ ]*≠[ ]*"), "ノットイコール"),
    (re.compile(rf"({_N})[ ]*({_UNIT})"), lambda m: f"{number(m[1])}{_UNITS[m[2]]}"),
    (re.compile(r"(?<=[A-Za-z0-9)）])([⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)"), _power),
    (
        re.compile(
            r"(?<=[A-Za-z0-9)）乗一二三四五六七八九十百千万円\u30a1-\u30ff])[ ]*([+＋×÷*=＝])[ ]*(?=-?[A-Za-z0-9(（√マ])"
        ),
        lambda m: _MATHS[m[1]],
    ),
    (re.compile(r"(?<![A-Za-z])[ ]*&[ ]*(?![A-Za-z])"), "アンド"),
    (re.compile(r"(?<![A-Za-z])(?:No|NO|№)\.?[ ]*(?=[0-9])"), "ナンバー"),
    (
        re.compile(r"(?<![A-Za-z0-9])([A-Z]{1,3})[ -]?([0-9]{1,4})(?=[便号系線番])"),
        lambda m: f"{_spelled(m)}{number(m[2])}",
    ),
    (re.compile(r"(?<![A-Za-z0-9.])[0-9]+\.[0-9]+(?![A-Za-z0-9.])"), lambda m: number(m[0])),
    # letters
    (
        re.compile(r"(?<![A-Za-z0-9.'&+-])([A-Z]{1,3})(?=[0-9]{1,3}(?:\.[0-9])?(?![A-Za-z0-9.-]))"),
        lambda m: _chemical(m[1]),
    ),
    (re.compile(rf"(?<![A-Za-z0-9.]){_BESIDE_JAPANESE}([A-Z]{{1,4}})(?![A-Za-z0-9.'&+#-])"), _spelled),
    (re.compile(r"(?<![A-Za-z0-9.'&+-])([A-Za-z])(?=[\u3040-\u30ff\u3400-\u9fff])"), _spelled),
)


def japanese_words(text: str) -> str:
    """``text`` with its numbers in kanji or kana, its signs in words, and letters that stand alone by their names."""
    narrow = "".join(
        unicodedata.normalize("NFKC", char) if "！" <= char <= "ｚ" and char.isalnum() else char
        for char in unframed(text, "", "、")
    )
    fractions = re.sub(r"[¼½¾⅓⅔]", lambda m: unicodedata.normalize("NFKC", m[0]).replace("\u2044", "/"), narrow)
    return wfst_normalized(apply(_RULES, fractions), "ja")
