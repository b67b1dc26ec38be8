"""Which script a text is in, and which language that makes it."""

from __future__ import annotations

import re
from itertools import pairwise

from vivavoce.types import Language

# Written as numbers: what looks like U+F900 may be another character by the time it is saved.
_KANA = re.compile(r"[ぁ-ゖァ-ヺㇰ-ㇿｦ-ﾝ]")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_HANGUL = re.compile(r"[가-힣]")
_CJK = re.compile(r"[\u3000-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7a3\uff00-\uffef]")
_WITHOUT_BLANKS = re.compile(r"[\u3000-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")
_CJK_LANGUAGES = frozenset({"zh", "ja", "ko"})
_LETTER = re.compile(r"\w")

_LATIN = r"[A-Za-zÀ-ɏ]"
_LATIN_RUN = re.compile(
    rf"{_LATIN}[A-Za-zÀ-ɏ0-9'’-]*(?:[,;:]?[ ]+(?:{_LATIN}|\d)[A-Za-zÀ-ɏ0-9'’-]*){{4,}}[.,!?;:]*[ ]*"
)
"""Five Latin words or more: too much for a Chinese or Japanese voice to say in passing."""


def is_cjk(char: str) -> bool:
    """Whether ``char`` is Han, kana, Hangul or East Asian punctuation (false for the empty string)."""
    return bool(_CJK.match(char))


def blank_between(before: str, after: str) -> str:
    """What stands between two pieces of a text: a blank, but none where a script has none between words.

    Chinese and Japanese have none, Korean has them.
    """
    seam = (before.rstrip()[-1:], after.lstrip()[:1])
    return " " if all(seam) and not any(map(_WITHOUT_BLANKS.match, seam)) else ""


def joined(before: str, after: str) -> str:
    """Two pieces of a transcript as one; what is around them stays."""
    if not before or not after:
        return before or after
    return f"{before.rstrip()}{blank_between(before, after)}{after.lstrip()}"


def clause_language(text: str, hint: Language | None, previous: Language | None) -> Language:
    """The language of a clause.

    Kana makes it Japanese. Han alone is Chinese, unless the conversation (``hint``) or, without a hint, the clause
    before (``previous``) is Japanese. Anything else is the conversation's language if that is not written in these
    scripts, or else English.
    """
    if _KANA.search(text):
        return "ja"
    if _HAN.search(text):
        return "ja" if (hint or previous) == "ja" else "zh"
    if _HANGUL.search(text):
        return "ko"
    return "en" if hint is None or hint.partition("-")[0] in _CJK_LANGUAGES else hint


def written_language(text: str) -> Language | None:
    """The language a text's script gives away: Japanese, Chinese or Korean; ``None`` for all others."""
    language = clause_language(text, None, None)
    return language if language in _CJK_LANGUAGES else None


def script_runs(text: str) -> list[str]:
    """``text`` cut where a run of five Latin words or more meets Han or kana; joined, the runs are ``text`` again."""
    if not (_HAN.search(text) or _KANA.search(text)):
        return [text]
    cuts = sorted({0, len(text), *(at for match in _LATIN_RUN.finditer(text) for at in match.span())})
    runs: list[str] = []
    for start, end in pairwise(cuts):
        run = text[start:end]
        if runs and not (_LETTER.search(run) and _LETTER.search(runs[-1])):
            runs[-1] += run
        else:
            runs.append(run)
    return runs
