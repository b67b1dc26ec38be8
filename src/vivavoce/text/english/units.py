"""English units: ``12KG``, ``6'2"``, ``10-15 km``, ``16 GB stick``."""

from __future__ import annotations

import re

from vivavoce.text.english.numbers import ALONE, NUMBER, TO, number
from vivavoce.text.rules import Rule, alternatives, table, words

_UNITS = table(
    """
    km²=square kilometer, m²=square meter, cm²=square centimeter, ft²=square foot, m³=cubic meter,
    cm³=cubic centimeter, sq ft=square foot, sqft=square foot, sq m=square meter, sqm=square meter, kg=kilogram,
    Kg=kilogram, KG=kilogram, g=gram, mg=milligram, µg=microgram, μg=microgram, lb=pound, lbs=pound, oz=ounce,
    km=kilometer, KM=kilometer, m=meter, cm=centimeter, mm=millimeter, mi=mile, ft=foot, yd=yard, µm=micrometer,
    nm=nanometer, l=liter, L=liter, ml=milliliter, mL=milliliter, dl=deciliter, cl=centiliter, gal=gallon,
    tbsp=tablespoon, tsp=teaspoon, ms=millisecond, min=minute, mins=minute, h=hour, hr=hour, hrs=hour, sec=second,
    secs=second, yrs=year, KB=kilobyte, kB=kilobyte, MB=megabyte, GB=gigabyte, TB=terabyte, V=volt, W=watt,
    kW=kilowatt, MW=megawatt, kWh=kilowatt hour, mAh=milliamp hour, Hz=hertz, kHz=kilohertz, MHz=megahertz,
    GHz=gigahertz, dB=decibel, kcal=kilocalorie, cal=calorie, km/h=kilometer per hour, kph=kilometer per hour,
    mph=mile per hour, m/s=meter per second, Mbps=megabit per second, Gbps=gigabit per second, px=pixel, ha=hectare,
    kbps=kilobit per second, mi/h=mile per hour, sq mi=square mile, psi=P S I, rpm=R P M, fps=F P S, pts=point,
    mmHg=millimeter of mercury, hPa=hectopascal, kPa=kilopascal,
    mpg=mile per gallon, kg/m²=kilogram per square meter, kg/m³=kilogram per cubic meter,
    g/cm³=gram per cubic centimeter, m/s²=meter per second squared, mg/dL=milligram per deciliter,
    mg/L=milligram per liter, kΩ=kilohm, Ω=ohm, lm=lumen, kJ=kilojoule, kN=kilonewton, ‰=per mille
    """
)
UNIT = alternatives(_UNITS)
"""A pattern for a unit as it is written."""

_EACH = table(
    """
    s=second, sec=second, min=minute, h=hour, hr=hour, d=day, day=day, wk=week, week=week, mo=month, month=month,
    yr=year, year=year, L=liter, l=liter, ml=milliliter, mL=milliliter, kg=kilogram, g=gram, m²=square meter,
    m³=cubic meter, cm²=square centimeter, cm³=cubic centimeter, km=kilometer, m=meter, ha=hectare, lb=pound
    """
)
_PARTS = r"(half|thirds?|quarters?|fifths?|sixths?|eighths?|tenths?|sixteenths?)"
_LONG_UNIT = alternatives([unit for unit in _UNITS if unit != "m"])
_IRREGULAR = table(
    """
    foot=feet, square foot=square feet, hertz=hertz, kilohertz=kilohertz, megahertz=megahertz, gigahertz=gigahertz,
    penny=pence, paisa=paise, P S I=P S I, R P M=R P M, F P S=F P S, baht=baht, dong=dong, won=won, yen=yen,
    yuan=yuan, per mille=per mille
    """
)
_NOUNS = words("""
    stick chip lens drive disk card file house man woman bag bottle race walk run battery charger screen hotel room
    limit zone break call meeting session video bulb pizza steak delay walk drive ride wait timer window
    warranty    """)
_BEFORE_A_NOUN = rf"(?=[ ]+(?:{alternatives(_NOUNS)})s?\b)"
"""A unit before one of them is in the singular."""

_END = r"(?![A-Za-z0-9²³/'’])"


def _per_amount(match: re.Match[str]) -> str:
    """``15 kWh/100 km``: so much for each of so much."""
    amount, unit, each, each_unit = match.groups()
    return f"{number(amount)} {plural(_UNITS[unit], amount)} per {number(each)} {plural(_UNITS[each_unit], each)}"


def _each(match: re.Match[str]) -> str:
    """``2 GB/s``, ``100 W/m²``."""
    return f"{number(match[1])} {plural(_UNITS[match[2]], match[1])} per {_EACH[match[3]]}"


def _part(match: re.Match[str]) -> str:
    """The unit behind a fraction in words: ``one quarter tsp``, ``one and a half tsp``."""
    whole = " and " in match.string[max(0, match.start() - 12) : match.start() + 1]
    return f"{match[1]} {plural(_UNITS[match[2]], '2' if whole else '1')}"


def plural(unit: str, figures: str) -> str:
    """The unit behind these figures: ``foot`` or ``feet``."""
    if figures.replace(",", "") == "1" or unit in _IRREGULAR:
        return _IRREGULAR.get(unit, unit) if figures.replace(",", "") != "1" else unit
    for joint in (" per ", " of "):
        first, joined, rest = unit.partition(joint)
        if joined:
            return f"{plural(first, figures)}{joint}{rest}"
    return _IRREGULAR.get(unit, f"{unit}s")


def _measured(match: re.Match[str]) -> str:
    return f"{'minus ' if match[1] else ''}{number(match[2])} {plural(_UNITS[match[3]], match[2])}"


def _feet(match: re.Match[str]) -> str:
    return f"{number(match[1])} foot {number(match[2])}"


FEET: tuple[Rule, ...] = (
    (
        re.compile(rf"{ALONE}([0-9]+)[ ]?(?:ft|feet|foot)\.?[ ]([0-9]{{1,2}})[ ]?(?:in|inches)(?![A-Za-z])"),
        lambda m: f"{_feet(m)} inches",
    ),
    (re.compile(r"(?<![0-9A-Za-z])([3-8])['’′][ ]?([0-9]{1,2})(?:[\"”″]|'')"), _feet),
    (re.compile(r"(?<![0-9A-Za-z'’′])([4-7])['’′]([0-9]|1[01])(?![\w'’′\"”″])"), _feet),
    (
        re.compile(rf"{ALONE}({NUMBER})[\"″”](?=[ ]+[a-z]|[ ]*[x×]|[ ]?[.,;]?$)"),
        lambda m: m[0] if m.string.count('"', 0, m.start()) % 2 else f"{number(m[1])} inch",
    ),
)
RANGES_OF_UNITS: tuple[Rule, ...] = (
    (
        re.compile(rf"(?<![A-Za-z0-9.:/-])({NUMBER}){TO}({NUMBER})(?=[ ]?(?:{UNIT}|°[CF]?)(?![A-Za-z0-9²³/'’]))"),
        lambda m: f"{number(m[1])} to {m[2]}",
    ),
)
UNITS: tuple[Rule, ...] = (
    (re.compile(rf"{ALONE}({NUMBER})[ ]?({UNIT})/({NUMBER})[ ]?({UNIT})(?![A-Za-z²³/])"), _per_amount),
    (re.compile(rf"{ALONE}({NUMBER})[ ]?({UNIT})/({alternatives(_EACH)})(?![A-Za-z²³/])"), _each),
    (re.compile(rf"\b{_PARTS}[ ](tsp|tbsp|oz|lbs?|mi|km|ft|hrs?|gal|kg|m|L|h|yd)\b(?!')"), _part),
    (re.compile(rf"{ALONE}({NUMBER})[ ]s(?![\w'’])"), lambda m: f"{number(m[1])} {plural('second', m[1])}"),
    (re.compile(rf"{ALONE}([0-9]+\.[0-9]+)[ ]in(?=[ ]?[.,;)]|$)"), lambda m: f"{number(m[1])} inches"),
    (re.compile(rf"{ALONE}([0-9]+),([0-9]{{1,2}})(?=[ ]?(?:{UNIT})(?![A-Za-z0-9²³/'’]))"), r"\1.\2"),
    (
        re.compile(rf"{ALONE}([-−])?({NUMBER})[ -]?({_LONG_UNIT})(?![A-Za-z0-9²³/'’]){_BEFORE_A_NOUN}"),
        lambda m: f"{number(m[2])} {_UNITS[m[3]]}",
    ),
    (re.compile(rf"{ALONE}([-−])?({NUMBER})[ ]?({UNIT})(?![A-Za-z0-9²³/'’])(?!\.[a-z])"), _measured),
)
