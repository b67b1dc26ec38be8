"""Written text → what can be said: markdown, links, code, emoji and other marks for the eye taken out or put in words."""

from __future__ import annotations

import re
import unicodedata
from html import unescape

from vivavoce.text.span_stripping import without_unspoken_spans
from vivavoce.text.speech_markup import without_markup
from vivavoce.types import Language

EMPHASIS = "*_~"
"""Markdown's marks around words; they may stand between a word and the punctuation that ends it."""

_DOTS = {"zh": "点", "ja": "ドット"}
_STOPS = {"zh": "。", "ja": "。"}
_ENDED = re.compile(r"[.!?…。！？．,;:，；：、—–-][\"'”’」』）)\]】》〉»]*$")
_SAID = frozenset("∞%‰")
"""Signs that are said alone."""

_TO = {"zh": "到", "ja": "から"}
_ARROW = re.compile(r"(?<=\w)[ \t]*(?:→|⇒|->)[ \t]*(?=\w)")
_SPOKEN_SYMBOLS = frozenset("°℃℉©®™№㎡㎥㎞㎏㎝㎜㎎㎖")
_SCHEME = r"(?:(?<![A-Za-z0-9])(?:https?|ftp|wss?)://|(?<![A-Za-z0-9])www\.)"
_WAY_CHARACTER = r"[^\s<>()（）。，！？；：、」』】\u3040-\u30ff\u3400-\u9fff]"
"""An address ends where Han or kana begin: texts in them have no blank there."""

_WAY = rf"[:/?#]{_WAY_CHARACTER}*"
_HOST = re.compile(rf"{_SCHEME}(?:www\.)?([A-Za-z0-9.-]*[A-Za-z0-9])(?:{_WAY})?")
_BARE_HOST = re.compile(
    r"(?<![A-Za-z0-9])((?:[A-Za-z0-9-]{1,63}\.){1,8}(?:ai|app|cn|com|de|dev|edu|eu|fr|gov|info|io|jp|net|org|uk))(?<!\.)"
    rf"/{_WAY_CHARACTER}*"
)
"""A site without a scheme, but with a way behind it: nobody says that."""

_ADDRESS = rf"{_SCHEME}[^\s()（）]*"
# What begins may not end: every pattern gives up after a bounded way, or at the next place where it could begin.
_REPLACEMENTS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"!?\[([^\]\[\n]*)\]\((?!/[^()/\n]*[ˈˌːəɪʊɛæɑɔʌɜɹɾʃʒθðŋɡʧʤɐᵊᵻ][^()/\n]*/\))[^)\n]{0,2000}\)"), r"\1"),
    # where something was found is for the eye: [1], 【3†page】, (https://…), Source: https://…
    (re.compile(r"【[^【】\n]*†[^【】\n]*】|[ \t]?\[\^?\d{1,3}(?:[ ,–-]+\d{1,3})*\](?!\()"), ""),
    (re.compile(rf"[ \t]?[(（](?:[^()（）\n]{{0,30}}[:：][ \t]*)?{_ADDRESS}[)）]"), ""),
    (re.compile(rf"(?:\b(?:sources?|see)|来源|出处|出典|参考)[ \t]*[:：][ \t]*{_ADDRESS}", re.IGNORECASE), ""),
    (re.compile(r"</?[A-Za-z][^<>\n]*>"), " "),
    (
        re.compile(
            r"^[ \t]*(?:#{1,6}[ \t]+|>(?:[ \t]+|(?![=$€£¥0-9]))|[-*+•·▪‣][ \t]+|[-*_=]{3,}[ \t]*$|\|[-:| \t]+$)",
            re.MULTILINE,
        ),
        "",
    ),
    (re.compile(r"^[ \t]*\|[ \t]*|(?:(?<![ \t])[ \t]+)?\|[ \t]*$", re.MULTILINE), ""),
    (re.compile(r"(?:(?<![ \t])[ \t]+)?\|[ \t]*"), ", "),
    (re.compile(r"\*\*|__|~~|`"), ""),
    (re.compile(r"(?<![A-Za-z0-9²³])\*(?![\s0-9])|(?<!\s)\*(?![A-Za-z0-9])|(?<=[A-Za-z])\*(?=[A-Za-z])"), ""),
    (re.compile(r"(?<!\w)_(?=\w)|(?<=\w)_(?!\w)"), ""),
)


def is_speakable(text: str) -> bool:
    """Whether there is anything to say: a letter or a digit of any script."""
    return any(char.isalnum() or char in _SAID for char in text)


def speakable_form(text: str, language: Language, *, complete: bool = False) -> str:
    """``text`` as it is sent to the synthesizer; empty when nothing in it can be said.

    ``complete`` says that the writer stopped here (a line or the reply ends): a missing full stop is added, so that the
    voice falls and pauses.
    """
    text = unescape(without_markup(without_unspoken_spans(text), language))
    for pattern, replacement in _REPLACEMENTS:
        text = pattern.sub(replacement, text)
    dot = _DOTS.get(language, " dot ")
    for host in (_HOST, _BARE_HOST):
        text = host.sub(lambda match: match[1].replace(".", dot), text)
    text = _ARROW.sub(_TO.get(language, " to "), text)
    text = "".join(char for char in text if char.isspace() or _is_text(char))
    text = re.sub(r"\s+", " ", text).strip()
    if not is_speakable(text):
        return ""
    return text if not complete or _ENDED.search(text) else text + _STOPS.get(language, ".")


def _is_text(char: str) -> bool:
    """False for emoji and pictures, arrows, box drawing, joiners, variation selectors and other invisible marks."""
    if char in _SPOKEN_SYMBOLS:
        return True
    if "\ufe00" <= char <= "\ufe0f" or char in "←↑→↓↔⇒⇐⇔\u20e3" or "\U0001f3fb" <= char <= "\U0001f3ff":
        return False
    return unicodedata.category(char) not in {"So", "Cf", "Cc", "Co", "Cs", "Cn"}
