"""The English words of numbers, and those that tell what a number is of."""

from __future__ import annotations

from vivavoce.text.english import numbers
from vivavoce.text.rules import words

DIGITS = {word: value for value, word in enumerate(numbers.DIGITS)}
TEENS = {
    word: value
    for value, word in enumerate(
        words("ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"), 10
    )
}
TENS = {
    word: 10 * value for value, word in enumerate(words("twenty thirty forty fifty sixty seventy eighty ninety"), 2)
}
BIG = {"thousand": 1000, "million": 10**6, "billion": 10**9}
SCALES = frozenset({"hundred", *BIG})
NUMBERS = frozenset({*DIGITS, *TEENS, *TENS, *SCALES})

ORDINALS = {
    word: value
    for value, word in enumerate(
        words("""
        first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth
        sixteenth seventeenth eighteenth nineteenth twentieth
        """),
        1,
    )
} | {"thirtieth": 30}
ENDINGS = {1: "st", 2: "nd", 3: "rd"}

MONTHS = frozenset(map(str.lower, numbers.MONTHS))
HALVES_OF_DAY = frozenset({"am", "pm"})
BEFORE_TIMES = frozenset(words("at by until till before after around about from"))
BEFORE_YEARS = frozenset(words("in since year before after until by of from during circa"))
NOT_HOURS = frozenset({"hundred", "thousand", "percent", "minutes", "hours", "people"})

MONEY = frozenset(words("euro euros dollar dollars pound pounds yen yuan cents pence franc francs rupees won renminbi"))
UNITS = frozenset(
    words("""
    minutes hours seconds days weeks months years degrees kilometers kilometres km miles meters metres feet inches
    centimeters centimetres millimeters kilograms kilos grams liters litres watts volts gigabytes megabytes
    """)
)
VAGUE = frozenset({"something", "odd", "ish"})

CODES = frozenset(
    words("""
    code codes pin password passcode number reference serial account postcode zip extension flight ticket booking order
    model version error room id phone invoice tracking confirmation gate seat
    """)
)
"""What has a number of its own, of however many digits; "is" may stand between."""

PLACES = frozenset(words("room gate platform terminal page chapter version channel extension seat apartment track"))
"""What one digit behind it numbers."""

LINKS = frozenset({"is", "was", "number", "code", ":", "are", "it's", "it’s"})

AFTER_NAMED = frozenset(
    words("on at in is please and or to for from with by of the was will has if when now today tomorrow then")
)
"""What may follow the number of a place; another noun makes it a count."""
