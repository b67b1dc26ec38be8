"""English amounts of money: ``$5-$10``, ``£2.5bn``, ``EUR 39.90``, ``5€``, ``$0.5/hr``."""

from __future__ import annotations

import re

from vivavoce.text.english.numbers import ALONE, NUMBER, TO, cardinal, number
from vivavoce.text.english.units import plural
from vivavoce.text.rules import Rule, alternatives, table

_MONEY = table(
    """
    $=dollar, US$=dollar, USD=dollar, A$=Australian dollar, AUD=Australian dollar, C$=Canadian dollar,
    CA$=Canadian dollar, CAD=Canadian dollar, HK$=Hong Kong dollar, HKD=Hong Kong dollar, S$=Singapore dollar,
    SGD=Singapore dollar, NZ$=New Zealand dollar, €=euro, EUR=euro, £=pound, GBP=pound, ₹=rupee, INR=rupee,
    CHF=Swiss franc, ₺=lira, ₱=peso, ₴=hryvnia, ¥=yen, JPY=yen, ₩=won, KRW=won, CNY=yuan, RMB=yuan, ₽=ruble, ฿=baht,
    ₫=dong, ₪=shekel, R$=real, BRL=real, zł=zloty, PLN=zloty, Rs=rupee, Rs.=rupee, kr=krona, SEK=krona, NOK=krone, DKK=krone,
    MXN=peso, NT$=Taiwan dollar, MX$=peso, ¢=cent, THB=baht, TRY=lira, RUB=ruble, ILS=shekel, ZAR=rand
    """
)
_SMALL = table(
    """
    dollar=cent, euro=cent, pound=penny, rupee=paisa, franc=centime
    """
)
_SIGNS = alternatives(_MONEY)
BIG = table(
    """
    k=thousand, m=million, mn=million, mm=million, b=billion, bn=billion, t=trillion, tn=trillion
    """
)
BIG_WORDS = r"hundred|thousand|million|billion|trillion"
_SHORT_BIG = r"(?:[kKmMbBtT]|bn|mn|tn|BN|MM)"
_PER = table(
    """
    hr=hour, h=hour, hour=hour, min=minute, mo=month, month=month, yr=year, year=year, day=day, d=day, wk=week,
    week=week, kg=kilogram, lb=pound, km=kilometer, mi=mile, night=night, person=person, user=user, unit=unit,
    sqft=square foot, l=liter, L=liter, gal=gallon
    """
)


def _amount(sign: str, figures: str, big: str = "") -> str:
    unit = _MONEY[sign]
    figures = figures.replace(",", "")
    big = BIG.get(big.lower(), big)
    if big:
        return f"{number(figures)} {big} {plural(unit, '2')}"
    integer, _, fraction = figures.partition(".")
    small = _SMALL.get(unit.split()[-1])
    if not fraction or len(fraction) > 2 or small is None:
        return f"{number(figures)} {plural(unit, figures)}"
    cents = str(int(fraction.ljust(2, "0")))
    words = [f"{cardinal(int(integer))} {plural(unit, integer)}"] if int(integer or 0) else []
    if cents != "0" or not words:
        words.append(f"{cardinal(int(cents))} {plural(small, cents)}")
    return " and ".join(words)


def _price(match: re.Match[str]) -> str:
    minus, sign, minus_behind, figures, big, per = match.groups()
    minus = minus or minus_behind
    words = ("minus " if minus else "") + _amount(sign, figures, big or "")
    return words + (f" per {_PER[per]}" if per else "")


def _behind(match: re.Match[str]) -> str:
    return _amount(match[3], match[1], match[2] or "")


def _from_to(match: re.Match[str]) -> str:
    sign, first, second, big = match.groups()
    return f"{number(first)} to {_amount(sign, second, big or '')}"


MONEY: tuple[Rule, ...] = (
    (re.compile(r"(?<=€)[ ]?[0-9]{1,3}(?:\.[0-9]{3})+(?!\.?[0-9])"), lambda m: m[0].replace(".", "")),
    (re.compile(r"(?<![0-9.,])[0-9]{1,3}(?:\.[0-9]{3})+(?=,[0-9]{2}[ ]?€|[ ]?€)"), lambda m: m[0].replace(".", "")),
    (re.compile(r"(?:(?<=€)|(?<=€ ))([0-9]+),([0-9]{2})(?![0-9])"), r"\1.\2"),
    (re.compile(r"(?<![0-9.,])([0-9]+),([0-9]{2})(?=[ ]?€)"), r"\1.\2"),
    (
        re.compile(
            rf"(?<![A-Za-z])({_SIGNS})[ ]?({NUMBER})(?:[kKmMbB]|bn)?{TO}(?:\1)?[ ]?({NUMBER})"
            rf"(?:[ ]?({BIG_WORDS}|{_SHORT_BIG}\b))?(?![0-9])"
        ),
        _from_to,
    ),
    (
        re.compile(
            rf"(?<![A-Za-z0-9])([-−])?({_SIGNS})[ ]?([-−])?({NUMBER})(?:[ ]?({BIG_WORDS}|{_SHORT_BIG}\b))?"
            rf"(?:[ ]?/[ ]?({alternatives(_PER)})\b)?"
        ),
        _price,
    ),
    (
        re.compile(
            rf"{ALONE}({NUMBER})[ ]?({BIG_WORDS}|(?:[kKmMbB]|bn|mn)(?=[ ]?[€£₹]))?[ ]?({_SIGNS})(?![A-Za-z0-9])"
        ),
        _behind,
    ),
)
