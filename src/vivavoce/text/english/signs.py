"""English fractions, signs of mathematics, ranges, days and words that are written short."""

from __future__ import annotations

import re
import unicodedata

from vivavoce.text.english.money import BIG
from vivavoce.text.english.numbers import ALONE, MONTHS, NUMBER, OVER, TO, YEAR, digits, number, ordinal, year
from vivavoce.text.english.units import UNIT
from vivavoce.text.rules import Rule, alternatives, table

_FRACTIONS = table(
    """
    2=half, 3=third, 4=quarter, 5=fifth, 6=sixth, 7=seventh, 8=eighth, 9=ninth, 10=tenth, 12=twelfth, 16=sixteenth,
    20=twentieth, 100=hundredth, 1000=thousandth
    """
)
_NO_DAY = 32
"""From here on a denominator cannot be a day of a month, and is always one."""

_VULGAR = "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒"
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_PHRASES = {("24", "7"), ("9", "11"), ("50", "50"), ("20", "20")}
"""Said as they are: "twenty-four seven"."""

_DAYS = table(
    """
    Mon=Monday, Tue=Tuesday, Tues=Tuesday, Wed=Wednesday, Thu=Thursday, Thur=Thursday, Thurs=Thursday, Fri=Friday,
    Sat=Saturday, Sun=Sunday
    """
)
_DAY = alternatives(_DAYS)
_STREETS = table(
    """
    St=Street, Ave=Avenue, Rd=Road, Blvd=Boulevard, Ln=Lane, Hwy=Highway, Pkwy=Parkway, Sq=Square
    """
)
_DIRECTIONS = table("N=North, S=South, E=East, W=West")
_SHORT = table(
    """
    a.k.a.=A K A, est.=estimated, Est.=established,
    Attn.=Attention, Attn=Attention, Apt.=Apartment, Ste.=Suite, Fig.=Figure, Figs.=Figures, pp.=pages, incl.=including,
        e.g.=for example, i.e.=that is, etc.=et cetera, vs.=versus, vs=versus, approx.=approximately, ext.=extension,
    w/=with, w/o=without, Dept.=Department, dept.=department, min.=minimum, max.=maximum
    """
)


def _fraction(numerator: str, denominator: str) -> str:
    name = _FRACTIONS.get(denominator) or ordinal(int(denominator))
    if numerator == "1":
        return f"one {name}"
    return f"{number(numerator)} {'halves' if name == 'half' else f'{name}s'}"


def _mixed(match: re.Match[str]) -> str:
    if match[3] not in _FRACTIONS or int(match[2]) >= int(match[3]):
        return match[0]
    fraction = _fraction(match[2], match[3])
    return f"{number(match[1])} and {fraction.replace('one half', 'a half').replace('one quarter', 'a quarter')}"


def _divided(match: re.Match[str]) -> str:
    numerator, denominator = match[1], match[2]
    if numerator == denominator or (numerator, denominator) in _PHRASES:
        return f"{number(numerator)} {number(denominator)}"
    if int(numerator) == 0 or int(numerator) >= 10 * int(denominator):
        return match[0]
    if denominator not in _FRACTIONS and (int(denominator) < _NO_DAY or len(denominator) > 3):
        return match[0]
    return _fraction(numerator, denominator)


def _between(match: re.Match[str]) -> str:
    first, second = match[1], match[2]
    if re.fullmatch(YEAR, first) and re.fullmatch(YEAR, second):
        return f"{year(first)} to {year(second)}"
    if (first, second) == ("9", "5"):
        return "nine to five"
    if float(first.replace(",", "")) > float(second.replace(",", "")):  # a score
        return f"{number(first)} {number(second)}"
    return f"{number(first)} to {number(second)}"


def _duration(match: re.Match[str]) -> str:
    """``1h 5m``, ``2:03:59``: what is zero is not said."""
    parts = zip(match.groups(default="0"), ("hour", "minute", "second"), strict=True)
    said = [f"{number(str(int(value)))} {unit}{'' if int(value) == 1 else 's'}" for value, unit in parts if int(value)]
    return ", ".join(said) or match[0]


def _letters(match: re.Match[str]) -> str:
    """``A–Z``; A by its name, and not as the article."""
    first = "[A](/ˈA/)" if match[1] == "A" else match[1]
    return f"{first} to {match[2]}"


def _power(match: re.Match[str]) -> str:
    power = match[1].translate(_SUPERSCRIPTS)
    if power in {"2", "3"}:
        return " squared" if power == "2" else " cubed"
    return f" to the {'minus ' if power[0] == '-' else ''}{number(power.strip('+-'))}"


WORDS: tuple[Rule, ...] = (
    (re.compile(r"(?<![\w.])(no|nos|fig|ed|eds|ch|(?<=[Tt]he )Sun)\.(?![ ]?[0-9#]|[ ]of\b|\w)"), r"\1 ."),
)
"""Words, and not what they are short for: the front end takes the stop for a part of them."""

VULGAR_FRACTIONS: tuple[Rule, ...] = (
    (re.compile(r"(?<![\w.)\]])\.(?=[0-9]+(?![\w.]*\.[0-9]))"), "0."),
    (re.compile(f"(?<=[0-9])(?=[{_VULGAR}])"), " "),
    (re.compile(f"[{_VULGAR}]"), lambda m: unicodedata.normalize("NFKC", m[0]).replace("\u2044", "/")),
    (re.compile(r"[’′](?=[0-9]{1,2}[”″\"])"), "'"),
)
_SCORED = r"\b(?i:scored?|got|gets?|rated?|rating|grade|marks?)\b[^.!?0-9]{0,20}"
_OF_A_DAY = r"\b(?i:on|by|until|till|before|after|since|as of|from|due|through)[ ]"
FRACTIONS: tuple[Rule, ...] = (
    (
        re.compile(
            rf"({_OF_A_DAY})(?!9/11)(1[0-2]|0?[1-9])/(0?[1-9]|[12][0-9]|3[01])(?![0-9/]|[ ](?:of|the|an?|[a-z]+s)\b)"
        ),
        lambda m: f"{m[1]}{MONTHS[int(m[2]) - 1]} {ordinal(int(m[3]))}",
    ),
    (
        re.compile(rf"({_SCORED})([0-9]{{1,3}})/(10|20|50|100)(?![0-9/])"),
        lambda m: f"{m[1]}{number(m[2])} out of {number(m[3])}",
    ),
    (re.compile(r"(?<![\w./])([0-9]{2,3})/(?=[0-9]{2,3}[ ]?mm[ ]?Hg\b)"), r"\1 over "),
    (re.compile(rf"{ALONE}([0-9]+)[ -]([0-9]{{1,2}})/([0-9]{{1,3}})(?![0-9/])"), _mixed),
    (re.compile(rf"{ALONE}(?<!/)([0-9]{{1,3}})/([0-9]{{1,4}})(?![0-9/])"), _divided),
)
MULTIPLIED: tuple[Rule, ...] = (
    (re.compile(rf"(?<=[0-9)])[ ]*[xX*][ ]*(?={NUMBER}[ ]*=)"), " times "),
    (re.compile(rf"(?<=[0-9)])[ ]*/[ ]*(?={NUMBER}[ ]*=)"), " divided by "),
    (re.compile(rf"(?<=[0-9])[ ]/[ ](?={NUMBER})"), " divided by "),
    (
        re.compile(
            rf"(?<=[0-9])[ ]?[x×][ ]?(?={NUMBER}(?:[ ]?[x×][ ]?{NUMBER})?[ ]*(?:{UNIT}|in|px|inches)(?![A-Za-z]))"
        ),
        " by ",
    ),
    (re.compile(rf"(?<=[0-9])[ ]*(?:{UNIT}|in)[ ]?[x×][ ]?(?={NUMBER}[ ]*(?:{UNIT}|in)(?![A-Za-z]))"), " by "),
    (re.compile(r"(?<=[0-9])x(?=[0-9]+(?![0-9A-Za-z]))"), " by "),
    (re.compile(rf"(?<=inch)[ ]?[x×][ ]?(?={NUMBER})"), " by "),
    (re.compile(rf"(?<=[0-9)])[ ]*\*[ ]*(?={NUMBER}|\()"), " times "),
)
_RATIO = r"(?<![\w.:])([0-9]{1,4}):([0-9]{1,4})(?![0-9:])"
RATIOS: tuple[Rule, ...] = (
    (re.compile(rf"{_RATIO}(?=[ -](?:ratio|odds|scale|mix|mixture|aspect|screen|display|split)\b)"), r"\1 to \2"),
    (
        re.compile(rf"\b((?i:ratio|odds|scale|proportion)(?:[ ](?:of|is|are|was))?[ ]){_RATIO}"),
        r"\1\2 to \3",
    ),
    (re.compile(r"(?<![\w.:])([0-9]{1,3}):([0-9]|[1-9][0-9]{2,3})(?![0-9:])"), r"\1 to \2"),
)
"""Ratios; two digits behind the colon are minutes, unless a word says otherwise."""

SIGNS: tuple[Rule, ...] = (
    (
        re.compile(rf"{ALONE}({NUMBER})(?:e|E(?=[-+]))([-−+]?[0-9]{{1,3}}){OVER}"),
        lambda m: f"{number(m[1])} times ten to the {'minus ' if m[2][0] in '-−' else ''}{number(m[2].strip('-−+'))}",
    ),
    (re.compile(r"(?<![\w–-])([A-Z]|XS)(?:–|(?<=A)-(?=Z))([A-Z]|X{1,3}L)(?![\w–-])"), _letters),
    (re.compile(r"(?<=[A-Za-z0-9])/(?=(?:day|week|month|year|hour|night|person|minute|second)\b)"), " per "),
    (re.compile(rf"{ALONE}({NUMBER})[ ]*%?{TO}({NUMBER})[ ]*%"), lambda m: f"{number(m[1])} to {number(m[2])} percent"),
    (re.compile(rf"({NUMBER}|\b[a-z]|\))[ ]*[-−–][ ]*({NUMBER}|[a-z]\b)(?=[ ]*=)"), r"\1 minus \2"),
    (
        re.compile(rf"(?<![A-Za-z0-9)])([0-9.]+)[ ]+[-−–][ ]+([0-9.]+)(?![0-9]|[ ]*(?:{UNIT})\b)"),
        r"\1 minus \2",
    ),
    (re.compile(r"(?<=[A-Za-z0-9)])([⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)(?![A-Za-z])(?<![cm][²³])"), _power),
    (re.compile(r"(?<=[A-Za-z0-9)])\^(-?[0-9]+)"), _power),
    *MULTIPLIED,
    (re.compile(rf"{ALONE}([0-9]+\.[0-9]+)/(5|10|100)(?![0-9/])"), lambda m: f"{number(m[1])} out of {number(m[2])}"),
    (re.compile(r"∞"), " infinity "),
    (re.compile(r"∛(?=[ ]*[A-Za-z0-9(])"), "the cube root of "),
    (re.compile(r"\bT-(?=[0-9])"), "T minus "),
    (re.compile(r"(?<=[0-9])[\u00a0\u2009\u202f](?=[0-9]{3}(?![0-9]))"), ""),
    (re.compile(r"(?<![0-9.,])([0-9]+),([0-9]{1,2})(?=[ ](?:million|billion|trillion)\b)"), r"\1.\2"),
    *RATIOS,
    (re.compile(rf"(?<![\w)])(?:~|(?<![\w)] )≈)[ ]?(?=[$€£]?{NUMBER})"), "about "),
    (
        re.compile(rf"(?:^[ ]*|(?<=[(])|(?<=[a-z] ))([<>])(?=[$€£]?{NUMBER})"),
        lambda m: "less than " if m[1] == "<" else "more than ",
    ),
    (re.compile(r"√(?=[ ]*[A-Za-z0-9(])"), "the square root of "),
    (re.compile(r"±[ ]*(?=[0-9])"), "plus or minus "),
    (re.compile(r"[ ]*(?:≥|>=|≧)[ ]*"), " is greater than or equal to "),
    (re.compile(r"^[ ]*(?:≤|<=|≦)[ ]*"), "Less than or equal to "),
    (re.compile(r"[ ]*(?:≤|<=|≦)[ ]*"), " is less than or equal to "),
    (re.compile(r"[ ]*≈[ ]*"), " is approximately "),
    (re.compile(r"[ ]*(?:≠|!=)[ ]*"), " is not equal to "),
    (
        re.compile(r"(?:(?<=\bis)|(?<=['’]s)|(?<=\bare)|(?<=\bwas))[ ]+([<>])[ ]*(?=[0-9])"),
        lambda m: " less than " if m[1] == "<" else " more than ",
    ),
    (re.compile(r"(?<=[\w)])[ ]+<[ ]+(?=[\w-])"), " is less than "),
    (re.compile(r"(?<=[\w)])[ ]+>[ ]+(?=[\w-])"), " is greater than "),
    (re.compile(r"(?<=[\w)])[ ]*×[ ]*(?=[\w(])"), " times "),
    (re.compile(r"(?<=[\w)])[ ]*÷[ ]*(?=[\w(])"), " divided by "),
    (re.compile(rf"{ALONE}([0-9]+)[x×](?=[ .,!?;]|$)"), lambda m: f"{number(m[1])} x"),
)
_CLOCK = r"[0-9]{1,2}(?::[0-5][0-9])?"
RANGES: tuple[Rule, ...] = (
    (
        re.compile(
            r"(?<![\w.:])([0-9]{1,3})[ ]?h(?:rs?)?[ ]?([0-9]{1,2})[ ]?m(?:in)?(?:[ ]?([0-9]{1,2})[ ]?s(?:ec)?)?(?![\w/])"
        ),
        _duration,
    ),
    (re.compile(r"(?<![\w.:])([0-9]{1,2}):([0-5][0-9]):([0-5][0-9])(?![0-9:])"), _duration),
    (re.compile(rf"(?<![\w.:])({_CLOCK}){TO}(?={_CLOCK}[ ]?[AaPp]\.?[Mm]\b)"), r"\1 to "),
    (re.compile(rf"^({_DAY})\.?,$"), lambda m: f"{_DAYS[m[1]]},"),
    (
        re.compile(r"([0-9])[ ]?([AaPp])\.?[Mm]\.?" + TO + r"(?=[0-9])"),
        lambda m: f"{m[1]} {m[2].upper()}.M. to ",
    ),
    (
        re.compile(rf"([0-9])[ ]?([AaPp])\.?[Mm]\.?{TO}(?=noon|midnight|late|close)"),
        lambda m: f"{m[1]} {m[2].upper()}.M. to ",
    ),
    (
        re.compile(rf"\b({'|'.join(month[:3] for month in MONTHS)})\.?(?=[ ]{YEAR}(?![0-9]))"),
        lambda m: next(month for month in MONTHS if month.startswith(m[1])),
    ),
    (re.compile(r"(?<=[0-9] )(BCE|BC|CE|AD)\b"), lambda m: ".".join(m[1]) + "."),
    (re.compile(rf"(?<=[0-9]:[0-5][0-9]){TO}(?=[0-9]{{1,2}}:[0-5][0-9])"), " to "),
    (
        re.compile(rf"\b({_DAY})\.?{TO}({_DAY})\b\.?[ ]*(?=[0-9])"),
        lambda m: f"{_DAYS[m[1]]} to {_DAYS[m[2]]}, ",
    ),
    (
        re.compile(rf"\b({_DAY})\.?{TO}({_DAY})\b"),
        lambda m: f"{_DAYS[m[1]]} to {_DAYS[m[2]]}",
    ),
    (
        re.compile(rf"\b({_DAY})\.?,?(?=[ ]+(?:{'|'.join(month[:3] for month in MONTHS)}|[0-9]))"),
        lambda m: f"{_DAYS[m[1]]},",
    ),
    (
        re.compile(
            r"(\b(?:won|lost|beat|win|score|scored|leading|lead|draw|drew|ahead|tied)\b[^.!?0-9]{0,20})([0-9]{1,3})[-–]([0-9]{1,3})(?![0-9-])"
        ),
        lambda m: f"{m[1]}{number(m[2])} {number(m[3])}",
    ),
)
LAST_RANGES: tuple[Rule, ...] = (
    (re.compile(rf"^({_DAY})\.?,$"), lambda m: f"{_DAYS[m[1]]},"),
    (re.compile(rf"(?<![A-Za-z0-9.:/-])({NUMBER})[-–—]({NUMBER})(?![0-9:/-]|\.[0-9])"), _between),
)
NAMES: tuple[Rule, ...] = (
    (re.compile(rf"{ALONE}([0-9]+)B(?=[ ](?:people|[a-z]{{3,}}s)\b)"), lambda m: f"{number(m[1])} billion"),
    (re.compile(rf"{ALONE}(?![248]K)([0-9.]+)[kK](?![A-Za-z0-9])"), lambda m: f"{number(m[1])} thousand"),
    (
        re.compile(rf"{ALONE}([0-9]+(?:\.[0-9]+)?(?=[Mm]|bn)|[0-9]+\.[0-9]+)(M|B|bn|mn)(?![A-Za-z0-9])"),
        lambda m: f"{number(m[1])} {BIG[m[2].lower()]}",
    ),
    (re.compile(rf"(?<![A-Za-z0-9)])[-−](?={NUMBER}[ ]*(?:°|%|[^0-9.,]|$))"), "minus "),
    (re.compile(r"\bNo\.(?=[ ]of\b)"), "Number"),
    (re.compile(r"\bSept\.?(?=[ ]+[0-9])"), "September"),
    # decimals that end in zero, names, shortened words
    (re.compile(rf"{ALONE}([0-9]+)\.([0-9]*0)(?![0-9A-Za-z%])"), lambda m: f"{number(m[1])} point {digits(m[2])}"),
    (re.compile(r"(?<=[0-9])#"), " hash"),
    (re.compile(r"\b([CFJ])#(?!\w)"), r"\1 sharp"),
    (re.compile(r"\bC\+\+"), "C plus plus"),
    (re.compile(r"\b([A-Z])&([A-Z])\b"), r"\1 and \2"),
    (re.compile(r"\b([A-Z])([0-9])([A-Z])(s?)\b"), lambda m: f"{m[1]} {number(m[2])} {m[3]}{m[4]}"),
    (re.compile(r"\bCO[2₂](?![0-9A-Za-z])"), "C O two"),
    (
        re.compile(rf"(?<![A-Za-z0-9.])([NSEW])\.?[ ](?=[0-9]+(?:st|nd|rd|th)[ ](?:{alternatives(_STREETS)})\b)"),
        lambda m: f"{_DIRECTIONS[m[1]]} ",
    ),
    (
        re.compile(r"(?<=[a-z] )St\. (?=(?:It|He|She|The|They|We|You|I|And|But|Turn|Go|Then|That|This|There)\b)"),
        "Street. ",
    ),
    (
        re.compile(rf"(?<=[A-Za-z0-9] )({alternatives(_STREETS)})\.?(?=[ ]*,)"),
        lambda m: _STREETS[m[1]],
    ),
    (
        re.compile(rf"(?<=[A-Za-z0-9] )({alternatives(_STREETS)})\.(?=[ ]*$)"),
        lambda m: f"{_STREETS[m[1]]}.",
    ),
    (
        re.compile(rf"(?<=[a-z] )({alternatives([one for one in _STREETS if one != 'St'])})\.?(?![A-Za-z])"),
        lambda m: _STREETS[m[1]],
    ),
    (
        re.compile(rf"(?<![A-Za-z0-9.])({alternatives(_SHORT)})(?![A-Za-z0-9])"),
        lambda m: _SHORT[m[1]] + ("." if m[1] == "etc." and m.end() == len(m.string) else ""),
    ),
)
