"""English: spoken numbers, times and codes as they are typed. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from vivavoce.text.inverse import english_words as words
from vivavoce.text.inverse.counts import is_count
from vivavoce.text.inverse.english_numbers import Cardinal, cardinal, digit, pair

_TOKEN = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)*|[0-9]+(?:[.,:][0-9]+)*%?|[^\w\s]|\s+|\w+")
_BEGINNINGS = words.NUMBERS | words.MONTHS | {"half", "quarter", "double", "triple", "oh"}
_NUMBERED = re.compile(rf"[0-9]|\b(?:{'|'.join(sorted({*words.NUMBERS, *words.ORDINALS}))})", re.IGNORECASE)
"""What a text must have for any rule to find something."""

_POINT = re.compile(r"([0-9]{1,2})\.([0-5][0-9])")
_MIN_PLAIN = 13
"""Numbers below are mostly written as words where nothing is counted or measured."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands for the words up to ``end``."""

    text: str
    end: int


@dataclass(frozen=True, slots=True)
class Words:
    """The words and punctuation of a text; ``gaps[i]`` is what stands before ``words[i]``."""

    words: Sequence[str]
    gaps: Sequence[str]

    def lower(self, at: int) -> str:
        """The word at ``at`` in lower case, or nothing."""
        return self.words[at].lower() if 0 <= at < len(self.words) else ""

    def hyphen(self, at: int) -> bool:
        """Whether a hyphen that joins two words is at ``at``."""
        return self.lower(at) == "-" and not (self.gaps[at] or (at + 1 < len(self.gaps) and self.gaps[at + 1]))


def typed(text: str) -> str:
    """``text`` as it is typed."""
    if not _NUMBERED.search(text):
        return text
    read = _split(text)
    out, at, changed = list[str](), 0, False
    while at < len(read.words):
        found = None
        if _may_begin(read.lower(at)):
            found = next((one for rule in _RULES if (one := rule(read, at)) is not None), None)
        out.append(read.gaps[at])
        out.append(read.words[at] if found is None else found.text)
        changed = changed or found is not None
        at = at + 1 if found is None else found.end
    return "".join(out) + text[len(text.rstrip()) :] if changed else text


def _may_begin(word: str) -> bool:
    """Whether a rule may begin with ``word``, in lower case."""
    return word in _BEGINNINGS or word[:1].isdigit() or (len(word) == 1 and word.isalpha())


def _split(text: str) -> Words:
    said, gaps, gap = list[str](), list[str](), ""
    for token in _TOKEN.findall(text):
        if token.isspace():
            gap = token
        else:
            said.append(token)
            gaps.append(gap)
            gap = ""
    return Words(said, gaps)


# ---- times


def _clock(read: Words, at: int) -> Typed | None:
    """``half past ten``, ``a quarter to five``, ``twenty past three``."""
    start = at + 1 if read.lower(at) == "a" and read.lower(at + 1) == "quarter" else at
    first = read.lower(start)
    if first in ("half", "quarter"):
        minutes, after = (30 if first == "half" else 15), start + 1
    else:
        number = cardinal(read, start)
        if number is None or number.value not in (5, 10, 20, 25):
            return None
        minutes, after = number.value, number.end
        if read.lower(after) == "minutes":
            after += 1
        elif read.lower(after) != "past":
            return None
    link, hour = read.lower(after), cardinal(read, after + 1)
    if link not in ("past", "to") or (link == "to" and first == "half"):
        return None
    if hour is None or not 1 <= hour.value <= 12 or read.lower(hour.end) in words.NOT_HOURS:
        return None
    o_clock = hour.value if link == "past" else (hour.value - 2) % 12 + 1
    return Typed(f"{o_clock}:{minutes if link == 'past' else 60 - minutes:02}", hour.end)


def _hour(read: Words, at: int) -> Typed | None:
    """``at nine thirty``, ``five thirty pm``, ``three o'clock``, and ``at 9.30`` as a recogniser may write it."""
    point = _POINT.fullmatch(read.lower(at))
    if point and read.lower(at - 1) in words.BEFORE_TIMES:
        measured = read.lower(at + 1) in words.UNITS | words.MONEY | {"percent", "million"}
        return None if measured or int(point[1]) > 24 else Typed(f"{point[1]}:{point[2]}", at + 1)
    hour = cardinal(read, at, tens=False)
    if hour is None or not 1 <= hour.value <= 24:
        return None
    end, minutes = hour.end, _minutes(read, hour.end)
    text = str(hour.value)
    if minutes is not None:
        end, text = minutes.end, f"{text}:{minutes.value:02}"
    if read.lower(end) in words.HALVES_OF_DAY or (minutes is None and read.lower(end) in ("o'clock", "o’clock")):
        return Typed(text, end)
    told = read.lower(at - 1) in words.BEFORE_TIMES and minutes is not None and read.lower(end) not in words.UNITS
    return Typed(text, end) if told and not read.hyphen(end) else None


def _minutes(read: Words, at: int) -> Cardinal | None:
    if read.lower(at) in ("oh", "o") and (last := digit(read.lower(at + 1))):
        return Cardinal(int(last), at + 2)
    number = cardinal(read, at)
    return number if number is not None and 10 <= number.value <= 59 else None


def _date(read: Words, at: int) -> Typed | None:
    """``May sixth``: a month and its day."""
    month = read.words[at]
    if month.lower() not in words.MONTHS or (month.lower() in ("may", "march") and month.islower()):
        return None
    day = words.ORDINALS.get(read.lower(at + 1))
    end = at + 2
    if day is None and (tens := words.TENS.get(read.lower(at + 1))):
        end = at + 3 + read.hyphen(at + 2)
        last = words.ORDINALS.get(read.lower(end - 1), 0)
        day = tens + last if 1 <= last <= 9 else None
    return None if day is None or day > 31 else Typed(f"{month} {day}", end)


# ---- codes


def _code(read: Words, at: int) -> Typed | None:
    """Letters and digits said one by one, and numbers behind what they are the numbers of."""
    if read.hyphen(at - 1):
        return None
    told = _named(read, at)
    run, end, digits, letters = list[str](), at, 0, 0
    while end < len(read.words):
        start = _after_gap(read, end, inside=bool(run), told=told or at == 0)
        piece = _piece(read, start, bool(run), told or bool(letters))
        if piece is None or (read.lower(end) == "," and not (run[-1] + piece.text).isdigit()):
            break
        digits += piece.text.isdigit() * max(1, len(piece.text) if len(piece.text) > 2 else 1)
        letters += piece.text.isalpha()
        run.append(piece.text)
        end = piece.end
    code = "".join(run)
    if not digits or not _ends_well(read, end):
        return None
    if letters:
        begun = run[0].isalpha() or told
        single = sum(map(str.isdigit, code)) == 1 and code[-1].isdigit()
        return Typed(code, end) if begun and (told or not single or _closes(read, end)) else None
    if told:
        alone = len(run) == 1 and len(code) == 1
        return Typed(code, end) if not alone or _names_one(read, at, end) else None
    singles = all(len(piece) == 1 or len(set(piece)) == 1 for piece in run)
    return Typed(code, end) if len(code) >= 3 and len(run) >= 2 and singles and not is_count(code) else None


def _after_gap(read: Words, at: int, *, inside: bool, told: bool) -> int:
    """Where a code goes on: a hyphen may stand between its parts, and a comma where it is no list."""
    return at + 1 if inside and (read.lower(at) == "-" or (told and read.lower(at) == ",")) else at


def _piece(read: Words, at: int, inside: bool, told: bool) -> Typed | None:
    """One part of a code: a letter, a digit, a repeated one, or a number."""
    word = read.lower(at)
    times = {"double": 2, "triple": 3}.get(word)
    if times:
        figure = digit(read.lower(at + 1), oh=True)
        return Typed(figure * times, at + 2) if figure else None
    if len(word) == 1 and word.isascii() and word.isalpha():
        return _letter(read, at, inside, told)
    if (figure := digit(word, oh=inside or _digit_follows(read, at))) is not None and not _scaled(read, at):
        return Typed(figure, at + 1)
    if word.isdigit() and word.isascii():
        return Typed(word, at + 1)
    if told and (two := pair(read, at)) is not None and not _scaled_at(read, two.end):
        return Typed(f"{two.value}", two.end)
    number = cardinal(read, at) if told else None
    return None if number is None or number.fraction else Typed(str(number.value), number.end)


def _letter(read: Words, at: int, inside: bool, told: bool) -> Typed | None:
    word = read.words[at]
    follows = _is_number(read, at + 1) or _is_letter(read, at + 1)
    if word.lower() == "o" and inside and (word.islower() or not _is_letter(read, at - 1)):
        return Typed("0", at + 1)
    if word in ("a", "i", "o") or (word in ("A", "I", "O") and not inside and not follows):
        return None
    if word == "I" and not (inside and follows):
        return None
    if word == "A" and not inside and not told and (at == 0 or read.lower(at - 1) in (".", "?", "!")):
        return None
    if inside and not follows and not _closes(read, at + 1) and word in ("A", "I"):
        return None
    if inside and read.lower(at - 1) == ",":
        return None
    return Typed(word.upper(), at + 1)


def _is_letter(read: Words, at: int) -> bool:
    word = read.lower(at)
    return len(word) == 1 and word.isascii() and word.isalpha() and read.words[at] not in ("a", "i")


def _is_number(read: Words, at: int) -> bool:
    word = read.lower(at)
    return word.isdigit() or digit(word, oh=True) is not None or word in words.NUMBERS or word in ("double", "triple")


def _digit_follows(read: Words, at: int) -> bool:
    return digit(read.lower(at + 1)) is not None or read.lower(at + 1) in ("oh", "double", "triple")


def _scaled(read: Words, at: int) -> bool:
    return _scaled_at(read, at + 1) or read.lower(at + 1) == "point"


def _scaled_at(read: Words, at: int) -> bool:
    return read.lower(at) in words.SCALES


def _ends_well(read: Words, end: int) -> bool:
    """A code is not the beginning of a compound (``a two-hour walk``), nor does a fraction follow it."""
    return not read.hyphen(end) and not (read.lower(end) == "point" and digit(read.lower(end + 1)) is not None)


def _closes(read: Words, at: int) -> bool:
    return at >= len(read.words) or read.words[at] in ".,?!;:" or read.lower(at) in words.AFTER_NAMED


def _named(read: Words, at: int) -> bool:
    """Whether a code, a room or the like is told of before ``at``."""
    if read.lower(at - 1) in words.PLACES:
        return True
    for back in range(at - 1, max(at - 5, -1), -1):
        if read.lower(back) in words.CODES:
            return True
        if read.lower(back) not in words.LINKS:
            return False
    return False


def _names_one(read: Words, at: int, end: int) -> bool:
    """Whether one digit behind a name is its number (``gate seven``), not a count (``room two people share``)."""
    return read.lower(at - 1) in words.PLACES and _closes(read, end)


# ---- numbers


def _year(read: Words, at: int) -> Typed | None:
    """``twenty twenty four``, ``nineteen ninety nine``; a shorter one where a year is told of."""
    two = pair(read, at)
    if two is None or _scaled_at(read, two.end) or read.hyphen(at - 1) or read.hyphen(two.end):
        return None
    told = read.lower(at - 1) in words.BEFORE_YEARS or read.lower(at - 1) in words.MONTHS
    unmistakable = two.compound and 1100 <= two.value < 2100
    return Typed(str(two.value), two.end) if (told and 1000 <= two.value < 2200) or unmistakable else None


def _ordinal(read: Words, at: int) -> Typed | None:
    """``twenty-first`` → ``21st``."""
    tens = words.TENS.get(read.lower(at))
    end = at + 2 + read.hyphen(at + 1)
    last = words.ORDINALS.get(read.lower(end - 1), 0)
    if not tens or not 1 <= last <= 9 or read.hyphen(at - 1):
        return None
    return Typed(f"{tens + last}{words.ENDINGS.get(last, 'th')}", end)


def _number(read: Words, at: int) -> Typed | None:
    """A number as a quantity, with its percent sign; small ones only where something is measured."""
    number = cardinal(read, at)
    if number is None or _approximate(read, at, number):
        return None
    unit = read.lower(number.end)
    if unit in ("percent", "%") or (unit == "per" and read.lower(number.end + 1) == "cent"):
        return Typed(f"{number.text}%", number.end + (2 if unit == "per" else 1))
    if number.fraction or unit in words.MONEY or (unit in words.UNITS and number.value >= 10):
        return Typed(number.text, number.end)
    if number.said == 2 and unit in words.BIG:
        return Typed(number.text, number.end)
    return Typed(number.text, number.end) if number.value >= _MIN_PLAIN else None


def _approximate(read: Words, at: int, number: Cardinal) -> bool:
    """``one or two hundred``, ``twenty something``, ``fifty-fifty``, and parts of other compounds: no number to type."""
    if read.hyphen(at - 1) or read.hyphen(number.end):
        return True
    if read.lower(at - 1) in ("or", "to") and digit(read.lower(at - 2)) is not None:
        return True
    if read.lower(number.end) in words.VAGUE or (read.lower(number.end) in ("or", "to") and number.value < 10):
        return True
    return any(read.lower(place) in words.NUMBERS for place in (at - 1, number.end) if place >= 0)


def _cents(read: Words, at: int) -> Typed | None:
    """``three dollars fifty``: what follows the money."""
    if read.lower(at - 1) not in words.MONEY:
        return None
    number = cardinal(read, at)
    return Typed(number.text, number.end) if number is not None and 10 <= number.value <= 99 else None


_RULES = (_clock, _date, _code, _hour, _year, _ordinal, _cents, _number)
