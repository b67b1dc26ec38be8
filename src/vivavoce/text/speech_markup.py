"""A tolerant subset of SSML, and ``[pause:2s]``: pauses, substitutions, how digits are said, phonemes of English. Pure.

Only elements that are closed count; what is not understood is stripped like any other tag. Phonemes may also be written as
``[word](/fəˈniːm/)``: between slashes, with a character of the phonetic alphabet in them.
"""

from __future__ import annotations

import re

from vivavoce.text import chinese_numbers, japanese
from vivavoce.text.english import numbers as english
from vivavoce.text.rules import table
from vivavoce.types import Language

LONGEST_PAUSE_MS = 10_000

LONGEST_MARK = 60
"""Characters of a pause."""

LONGEST_TAG = 240
"""Characters of a tag, from its bracket to the other."""

LONGEST_TEXT = 240
"""Characters between two tags of an element, and the second."""

OPENINGS = ("[pause", "<break")
_TAG = re.compile(r"</?([A-Za-z][\w:-]{0,30})(?:\s[^<>\n]{0,200})?/?>")
_UNCLOSED = re.compile(r"</?(?:[A-Za-z][\w:-]{0,30}(?:\s[^<>\n]{0,200})?/?)?")
_WITH_TEXT = frozenset({"sub", "say-as", "phoneme"})
_STRENGTHS_MS = {"none": 0, "x-weak": 100, "weak": 250, "medium": 500, "strong": 800, "x-strong": 1200}
_PAUSE = re.compile(
    r"\[pause(?::[ ]*(?P<length>[0-9]{1,5}(?:\.[0-9]{1,3})?)[ ]*(?P<unit>ms|s)?)?\]"
    r"|<break(?:\s+(?:time=[\"'](?P<time>[0-9]{1,5}(?:\.[0-9]{1,3})?)(?P<time_unit>ms|s)[\"']"
    r"|strength=[\"'](?P<strength>[a-z-]{1,10})[\"'])){0,2}"
    r"\s*/?>(?:</break>)?",
    re.IGNORECASE,
)
_ATTRIBUTE = r"[\"']([^\"'<>]{1,200})[\"']"
_SUBSTITUTION = re.compile(rf"<sub\s+alias={_ATTRIBUTE}\s*>[^<>]{{0,200}}</sub>", re.IGNORECASE)
_SAY_AS = re.compile(rf"<say-as\s+interpret-as={_ATTRIBUTE}[^<>]{{0,100}}>([^<>]{{0,200}})</say-as>", re.IGNORECASE)
_PHONEME = re.compile(
    r"<phoneme(?=[^<>]{0,200}\sph=[\"']([^\"'<>]{1,100})[\"'])(?:\s+(?:alphabet|ph)=[\"'][^\"'<>]{1,100}[\"']){1,2}\s*>"
    r"([^<>]{0,100})</phoneme>",
    re.IGNORECASE,
)
_PHONEME_MARKUP = re.compile(r"\[([^\[\]\n]{1,60})\]\(/([^()/\n]{1,60})/\)")
_PHONETIC = re.compile(r"[ˈˌːəɪʊɛæɑɔʌɒɜɹɾʃʒθðŋɡʧʤɐᵊᵻ]")
_IPA = table("eɪ=A, aɪ=I, oʊ=O, əʊ=O, aʊ=W, ɔɪ=Y, tʃ=ʧ, dʒ=ʤ, ɝ=ɜɹ, ɚ=əɹ, iː=i, uː=u, ɑː=ɑ, ɔː=ɔ, ɜː=ɜ, r=ɹ, g=ɡ, e=ɛ")
"""IPA as people write it → the alphabet of the English front end."""

_NOT_APPLIED = re.compile(
    r"<(?:prosody|voice|emphasis|audio|lang|mark|amazon:|mstts:|google:)[^<>]{0,200}>", re.IGNORECASE
)


def pause_at(text: str, at: int) -> tuple[int, int]:
    """(where the pause written at ``at`` ends, its length in ms); (``at``, 0) when there is none."""
    match = _PAUSE.match(text, at)
    return (match.end(), _length_ms(match)) if match else (at, 0)


def element_end(text: str, at: int) -> int | None:
    """Where the tag at ``at`` ends, or the whole element where its text is said otherwise; ``at`` when it is no tag.

    ``None`` while that cannot be told of so much text.
    """
    known = text[at : at + LONGEST_TAG]
    tag = _TAG.match(known)
    if tag is None:
        return None if len(known) < LONGEST_TAG and _UNCLOSED.fullmatch(known) else at
    if tag[1].lower() not in _WITH_TEXT:
        return at + tag.end()
    known = text[at : at + tag.end() + LONGEST_TEXT]
    closing = known.lower().find(f"</{tag[1].lower()}>", tag.end())
    if closing >= 0:
        return at + known.index(">", closing) + 1
    return None if len(known) < tag.end() + LONGEST_TEXT and "\n" not in known else at + tag.end()


def has_elements(text: str) -> bool:
    """Whether there are elements in it whose text is said otherwise."""
    return any(tag[1].lower() in _WITH_TEXT for tag in _TAG.finditer(text))


def pauses_of(text: str) -> tuple[int, int]:
    """The pauses of a clause in ms: (those before its first word, the others)."""
    before = after = 0
    for match in _PAUSE.finditer(text):
        before_match = _PAUSE.sub("", text[: match.start()])
        if any(char.isalnum() for char in before_match):
            after += _length_ms(match)
        else:
            before += _length_ms(match)
    return min(before, LONGEST_PAUSE_MS), min(after, LONGEST_PAUSE_MS)


def _length_ms(match: re.Match[str]) -> int:
    amount = match["length"] or match["time"]
    if amount is None:
        return _STRENGTHS_MS.get((match["strength"] or "medium").lower(), _STRENGTHS_MS["medium"])
    unit = (match["unit"] or match["time_unit"] or "s").lower()
    return min(LONGEST_PAUSE_MS, round(float(amount) * (1 if unit == "ms" else 1000)))


def has_unsupported(text: str) -> bool:
    """Whether there are elements of SSML in it that the voices cannot follow."""
    return _NOT_APPLIED.search(text) is not None


def without_markup(text: str, language: Language) -> str:
    """``text`` with pauses taken out, and what the mark-up says in place of what it stands around."""
    text = _PAUSE.sub(" ", text)
    text = _SUBSTITUTION.sub(r"\1", text)
    text = _SAY_AS.sub(lambda match: _interpret(match[1].lower(), match[2], language), text)
    text = _PHONEME.sub(lambda match: _phonemes(match[2], match[1], language), text)
    return _PHONEME_MARKUP.sub(lambda match: _phonemes(match[1], match[2], language), text)


def _interpret(kind: str, content: str, language: Language) -> str:
    by_digits = {"zh": chinese_numbers.digits, "ja": japanese.digits}.get(language, english.digits)
    match kind:
        case "characters" | "spell-out" | "verbatim":
            signs = (
                by_digits(char) if char in "0123456789" else char.upper() for char in content if not char.isspace()
            )
            return " ".join(signs)
        case "telephone" if language == "zh":
            return re.sub(r"[0-9][0-9 -]*", lambda run: f"{chinese_numbers.digits(run[0], '幺')} ", content).strip()
        case "digits" | "telephone":
            return re.sub(r"[0-9][0-9 -]*", lambda run: f"{by_digits(run[0])} ", content).strip()
        case "ordinal" if re.fullmatch("[0-9]{1,9}", content.strip()):
            return english.ordinal(int(content)) if language == "en" else f"第{content.strip()}"
        case "cardinal" | "number" if re.fullmatch("[0-9]{1,12}", content.strip()):
            by_number = {"zh": chinese_numbers.number, "ja": japanese.number}.get(language, english.number)
            return by_number(content.strip())
    return content


def _phonemes(word: str, phonemes: str, language: Language) -> str:
    if language != "en" or not word.strip() or not _PHONETIC.search(phonemes):
        return word
    phonemes = phonemes.replace(".", "")
    for symbol, replacement in _IPA.items():
        phonemes = phonemes.replace(symbol, replacement)
    phonemes = phonemes.strip("/")
    if not _PHONETIC.search(phonemes):  # without a mark it would be taken for a link
        phonemes = re.sub(r"(?=[AIOWYaeiou]|$)", "ˈ", phonemes, count=1)
    return f"[{word}](/{phonemes}/)"
