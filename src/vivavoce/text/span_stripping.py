"""Spans of a reply that are for the eye: code, thoughts, formulas, stage directions. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from vivavoce.text.json_spans import without_json

FENCE = "```"

SPANS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        FENCE: (FENCE,),
        "<think>": ("</think>",),
        "<thinking>": ("</thinking>",),
        "\\[": ("\\]", "\n\n"),
        "\\(": ("\\)", "\n\n"),
        "$$": ("$$", "\n\n"),
    }
)
"""What opens a span that is never cut into clauses, and what closes it: a formula ends with its paragraph at the latest."""

_FENCED = re.compile(r"```.*?(?:```|$)", re.DOTALL)
_THOUGHT = re.compile(r"<think>.*?(?:</think>|$)|<thinking>.*?(?:</thinking>|$)", re.DOTALL)
_LOOSE_THOUGHT = re.compile(r"</think(?:ing)?>")
_DISPLAYED = re.compile(
    r"\\\[(.*?)(?:\\\]|(?=\n\n)|$)|\\\((.*?)(?:\\\)|(?=\n\n)|$)|\$\$(.*?)(?:\$\$|(?=\n\n)|$)", re.DOTALL
)
_INLINE = re.compile(r"(?<![\\$\w])\$(?=[^\s$])([^$\n]{0,200}?[\\^_=+{}][^$\n]{0,200}?|[A-Za-z])(?<!\s)\$(?![\w$])")
_FORMULA_WORDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\\(?:d|t)?frac\{([^{}]*)\}\{([^{}]*)\}"), r"\1/\2"),
    (re.compile(r"\\sqrt\{([^{}]*)\}"), r"√\1"),
    (re.compile(r"\\(?:text|mathrm|mathbf|mathit|operatorname)\{([^{}]*)\}"), r"\1"),
    (re.compile(r"\^\{?2\}?(?![0-9])"), "²"),
    (re.compile(r"\^\{?3\}?(?![0-9])"), "³"),
    (re.compile(r"\\(?:times|cdot)(?![A-Za-z])"), "×"),
    (re.compile(r"\\div(?![A-Za-z])"), "÷"),
    (re.compile(r"\\pm(?![A-Za-z])"), "±"),
    (re.compile(r"\\(?:leq?)(?![A-Za-z])"), "≤"),
    (re.compile(r"\\(?:geq?)(?![A-Za-z])"), "≥"),
    (re.compile(r"\\neq?(?![A-Za-z])"), "≠"),
    (re.compile(r"\\approx(?![A-Za-z])"), "≈"),
    (re.compile(r"\\(alpha|beta|gamma|delta|theta|lambda|mu|pi|sigma|omega)(?![A-Za-z])"), r" \1 "),
    (re.compile(r"\\(?:left|right|[,;!: ])"), ""),
    (re.compile(r"\\%"), "%"),
)
_SOURCE = re.compile(r"[\\{}^_&]")
"""What is left of a formula nobody can say."""

_STAGE_DIRECTION_VERB = (
    r"(?:\w+ly )?(?:smil|laugh|chuckl|giggl|sigh|nod|grin|wink|blush|paus|gasp|shrug|frown|whisper|wav|bow|clap|cough|cry|cries"
    r"|hug|lean|look|think|clear|shak|rais|tilt|beam|smirk|sob|yawn|hum|gestur|snicker|snort|roll|point|sniff|groan|gulp)\w*"
)
_STAGE_DIRECTION_HAN = (
    r"[^*_\n：:]{0,10}(?:笑|叹|点头|眨眼|沉默|停顿|摇头|挥手|ため息|微笑|うなずく|頷|拍手)[^*_\n：:]{0,10}"
)
_STAGE_DIRECTION = re.compile(
    r"(?:^|(?<=[.!?。！？…\n）”」』])|(?<=[.!?…] ))[ \t]*(?P<mark>\*{1,2}|_)"
    rf"(?:{_STAGE_DIRECTION_VERB}(?:[ ,][\w' ,-]{{1,50}})?|{_STAGE_DIRECTION_HAN})[.!。！…]?(?P=mark)(?![A-Za-z0-9*_])[ \t]*",
    re.IGNORECASE,
)
"""What an actor does, alone between sentences; emphasis stands within one."""

_ALONE = (
    "(?:smil|laugh|chuckl|giggl|sigh|nodd?|grinn?|wink|blush|gasp|shrugg?|frown|smirk|sobb?|yawn|snicker|snort|groan)"
    "(?:s|ing|(?<!nod)es)|clear(?:s|ing)(?= throat| (?:his|her|my|their) throat)"
)
_IN_BRACKETS = re.compile(
    r"(?<![ \t])[ \t]*(?:[(（\[](?:\*{1,2}|_)"
    rf"(?:{_STAGE_DIRECTION_VERB}(?:[ ,][\w' ,-]{{1,50}})?|{_STAGE_DIRECTION_HAN})(?:\*{{1,2}}|_)[)）\]]"
    rf"|[(\[](?:\w+ly )?(?:{_ALONE})(?: \w+ly| (?:(?:his|her|my|their) )?(?:throat|head|eyes))?[)\]](?!\()"
    r"|[（(\[【][轻大苦微]?(?:笑|微笑|笑着|叹气|点头|眨眼|沉默|停顿|摇头|挥手|ため息|拍手)[了声]?[)）\]】](?!\())",
    re.IGNORECASE,
)
"""The same in brackets, where it stands within a sentence, too."""


def without_unspoken_spans(text: str) -> str:
    """``text`` without code, JSON, thoughts and stage directions; formulas as far as they can be said, else without them."""
    text = without_json(_FENCED.sub(" ", text))
    text = _LOOSE_THOUGHT.sub(" ", _THOUGHT.sub(" ", text))
    text = _DISPLAYED.sub(_formula, text)
    text = _INLINE.sub(_formula, text)
    return _STAGE_DIRECTION.sub("", _IN_BRACKETS.sub("", text))


def _formula(match: re.Match[str]) -> str:
    formula = next(group for group in match.groups() if group is not None)
    for pattern, words in _FORMULA_WORDS:
        formula = pattern.sub(words, formula)
    return " " if _SOURCE.search(formula) else formula.strip()
