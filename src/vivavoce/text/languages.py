"""What a text is written in, and whether voices of some languages can read it. Pure, by scripts and function words."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Set
from functools import lru_cache
from types import MappingProxyType

from vivavoce.text.rules import table
from vivavoce.types import Language

_READ_BY_ANY = frozenset({"LATIN", "CYRILLIC", "GREEK"})
"""Scripts the English front end has sounds for, well or badly."""

_SCRIPTS: Mapping[str, frozenset[Language]] = MappingProxyType(
    {
        "CJK": frozenset({"zh", "ja"}),
        "HIRAGANA": frozenset({"ja"}),
        "KATAKANA": frozenset({"ja"}),
        "HANGUL": frozenset({"ko"}),
        "ARABIC": frozenset({"ar", "fa", "ur"}),
        "HEBREW": frozenset({"he"}),
        "THAI": frozenset({"th"}),
        "DEVANAGARI": frozenset({"hi", "mr", "ne"}),
        "BENGALI": frozenset({"bn"}),
        "TAMIL": frozenset({"ta"}),
        "CYRILLIC": frozenset({"ru", "uk", "bg"}),
        "GREEK": frozenset({"el"}),
    }
)
"""The languages a script is read by."""

LANGUAGE_NAMES: Mapping[Language, str] = MappingProxyType(
    table(
        """
        en=English, zh=Chinese, ja=Japanese, ko=Korean, ar=Arabic, he=Hebrew, th=Thai, hi=Hindi, ru=Russian, el=Greek,
        fr=French, de=German, es=Spanish, it=Italian, pt=Portuguese, nl=Dutch
        """
    )
)

_FUNCTION_WORDS: Mapping[Language, frozenset[str]] = MappingProxyType(
    {
        language: frozenset(words.split())
        for language, words in {
            "en": """
                the a an of to in is are was were and or but that this it you he she we they i not have has had do
                does with for on at as be by from my your can will what how there
            """,
            "fr": """
                le la les un une des du de et est sont c'est je tu il elle nous vous ils pas ne que qui dans pour
                avec sur ce cette mon ma mes au aux être très bonjour merci comment où ça
            """,
            "de": """
                der die das ein eine einen dem den des und ist sind war ich du er sie es wir ihr nicht auf mit für
                von zu im am wie was haben hat wird auch guten tag danke heute sehr
            """,
            "es": """
                el la los las un una de del y es son está yo tú él ella nosotros no que en por para con se su mi me
                lo al muy pero como hola gracias hoy qué cómo dónde
            """,
            "it": """
                il lo la i gli le un una di del della e è sono io tu lui lei noi non che in per con si su mi al
                molto ma come ciao grazie oggi dove questo perché
            """,
            "pt": """
                o a os as um uma de do da e é são eu você ele ela nós não que em por para com se seu meu ao muito
                mas como olá obrigado hoje onde está isso
            """,
            "nl": """
                de het een en is zijn ik jij hij zij wij niet op met voor van te in dat dit heeft ook maar hoe wat
                waar goed dank vandaag naar
            """,
        }.items()
    }
)
_MARKS: Mapping[str, Language] = MappingProxyType(
    {
        mark: language
        for language, marks in (("de", "ßäöü"), ("es", "ñ¿¡"), ("fr", "çœèêà"), ("pt", "ãõ"), ("it", "ìò"))
        for mark in marks
    }
)
_MIN_WORDS, _MIN_SHARE = 2, 0.25
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


@lru_cache(4096)
def _script(char: str) -> str:
    return unicodedata.name(char, "").partition(" ")[0].partition("-")[0] if char.isalpha() else ""


def scripts_of(text: str) -> Counter[str]:
    """The scripts of the letters of ``text``, by Unicode's names for them, and how many letters of each."""
    if text.isascii():  # what is spoken waits for this
        letters = sum(map(str.isalpha, text))
        return Counter({"LATIN": letters} if letters else {})
    return Counter(script for char in unicodedata.normalize("NFKC", text) if (script := _script(char)))


_MOSTLY = 2
"""So many times as many letters without a sound as with one make a text unreadable: ``Kakao는 한국의 회사입니다``."""


def unreadable(text: str, languages: Set[Language]) -> Language | None:
    """The language most of ``text`` is in when no voice of ``languages`` has sounds for it, else None.

    ``und`` for a script whose language is not known here. A word in between is left out: that is ``partly_unreadable``.
    """
    scripts = scripts_of(text)
    silent = _silent(scripts, languages)
    if not silent or silent.total() <= _MOSTLY * (scripts.total() - silent.total()):
        return None
    return min(_SCRIPTS.get(silent.most_common(1)[0][0], {"und"}))


def partly_unreadable(text: str, languages: Set[Language]) -> bool:
    """Whether there are letters in ``text`` that no voice of ``languages`` has sounds for."""
    return bool(_silent(scripts_of(text), languages))


def _silent(scripts: Counter[str], languages: Set[Language]) -> Counter[str]:
    """Those without sounds."""
    return Counter(
        {
            script: count
            for script, count in scripts.items()
            if script not in _READ_BY_ANY and not _SCRIPTS.get(script, frozenset()) & languages
        }
    )


def european_language(text: str) -> Language | None:
    """The European language ``text`` is written in, where its function words and letters show it; ``None`` when in doubt."""
    scripts = scripts_of(text)
    if scripts and scripts.most_common(1)[0][0] in {"CYRILLIC", "GREEK"}:
        return "ru" if "CYRILLIC" in scripts else "el"
    tokens = [token.lower().replace("’", "'") for token in _WORD.findall(text)]
    hits = Counter({language: sum(token in words for token in tokens) for language, words in _FUNCTION_WORDS.items()})
    for char in text.lower():
        if char in _MARKS:
            hits[_MARKS[char]] += 1
    language, count = hits.most_common(1)[0]
    clear = count >= _MIN_WORDS and count >= _MIN_SHARE * len(tokens) and count > hits["en"]
    return language if clear or (language == "en" and count) else None


def foreign_language(text: str, languages: Set[Language]) -> Language | None:
    """The European language of ``text`` when it is none of ``languages``: a voice reads it by the rules of another."""
    language = european_language(text)
    return None if language in languages else language


def language_list(languages: Set[Language]) -> str:
    """The languages in words: "Chinese, English and Japanese"."""
    names = sorted(LANGUAGE_NAMES.get(language, language) for language in languages)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
