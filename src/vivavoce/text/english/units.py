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
    psi=P S I, rpm=R P M, fps=F P S
    """
)
UNIT = alternatives(_UNITS)
"""A pattern for a unit as it is written."""

_LONG_UNIT = alternatives([unit for unit in _UNITS if unit != "m"])
_IRREGULAR = table(
    """
    foot=feet, square foot=square feet, hertz=hertz, kilohertz=kilohertz, megahertz=megahertz, gigahertz=gigahertz,
    penny=pence, paisa=paise, P S I=P S I, R P M=R P M, F P S=F P S, baht=baht, dong=dong, won=won, yen=yen,
    yuan=yuan
    """
)
_NOUNS = words("""
    stick chip lens drive disk card file house man woman bag bottle race walk run battery charger screen hotel room
    limit zone
    """)
_BEFORE_A_NOUN = rf"(?=[ ]+(?:{alternatives(_NOUNS)})s?\b)"
"""A unit before one of them is in the singular."""

_END = r"(?![A-Za-z0-9²³/'’])"


def plural(unit: str, figures: str) -> str:
    """The unit behind these figures: ``foot`` or ``feet``."""
    if figures.replace(",", "") == "1":
        return unit
    if " per " in unit:
        first, _, rest = unit.partition(" per ")
        return f"{plural(first, figures)} per {rest}"
    return _IRREGULAR.get(unit, f"{unit}s")


def _measured(match: re.Match[str]) -> str:
    return f"{'minus ' if match[1] else ''}{number(match[2])} {plural(_UNITS[match[3]], match[2])}"


def _feet(match: re.Match[str]) -> str:
    return f"{number(match[1])} foot {number(match[2])}"


FEET: tuple[Rule, ...] = ((re.compile(r"(?<![0-9A-Za-z])([3-8])['’′][ ]?([0-9]{1,2})(?:[\"”″]|'')"), _feet),)
RANGES_OF_UNITS: tuple[Rule, ...] = (
    (
        re.compile(rf"(?<![A-Za-z0-9.:/-])({NUMBER}){TO}({NUMBER})(?=[ ]?({UNIT})(?![A-Za-z0-9²³/'’]))"),
        lambda m: f"{number(m[1])} to {m[2]}",
    ),
)
UNITS: tuple[Rule, ...] = (
    (
        re.compile(rf"{ALONE}([-−])?({NUMBER})[ -]?({_LONG_UNIT})(?![A-Za-z0-9²³/'’]){_BEFORE_A_NOUN}"),
        lambda m: f"{number(m[2])} {_UNITS[m[3]]}",
    ),
    (re.compile(rf"{ALONE}([-−])?({NUMBER})[ ]?({UNIT})(?![A-Za-z0-9²³/'’])(?!\.[a-z])"), _measured),
)
