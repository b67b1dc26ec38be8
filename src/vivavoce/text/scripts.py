"""Which script a text is in, and which language that makes it."""

from __future__ import annotations

import re
from itertools import pairwise

from vivavoce.types import Language

# Written as numbers: what looks like U+F900 may be another character by the time it is saved.
_KANA = re.compile(r"[ぁ-ゖァ-ヺㇰ-ㇿｦ-ﾝ]")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_JAPANESE_HAN = re.compile(
    "[円価気駅様図売読発対働込枠峠畑匂県広変実楽経済験関択沢単転団伝辺桜塩応歓観帰拠挙黒歩毎渋収臓蔵徳徴闘弾庁鉄竜齢両労戦"
    "銭総騒営栄桟歯処剤斎雑説税]"
)
"""Characters that are written so in Japan only, neither in simplified nor in traditional Chinese."""

_HANGUL = re.compile(r"[가-힣]")
_CJK = re.compile(r"[\u3000-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7a3\uff00-\uffef]")
_WITHOUT_BLANKS = re.compile(r"[\u3000-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")
_CJK_LANGUAGES = frozenset({"zh", "ja", "ko"})
_LETTER = re.compile(r"\w")
_UNIT = re.compile(
    r"(?<=\d)[ ]?(?:k?m/h|m/s|mm[ ]?Hg|[kcmµn]?m[²³]?|[mkµ]?g|[mM]?[lL]|[kKMGT]B|[kMG]?Hz|°?[CF]|h|s|ms|min|[kKMB]"
    r"|k?Wh|mAh|[kmM]?[VW]|m?A|dB|[kMG]bps|k?cal|[hk]?Pa|[AaPp][Mm]|[pPDG]|S?L?DK)(?![A-Za-z])"
    r"|(?<![A-Za-z])[A-Za-z](?=[ ]?[=<>≥≤≠≈+×÷²³^])|(?<![A-Za-z])(?<=[=<>≥≤≠≈+×÷])[A-Za-z](?![A-Za-z])"
    r"|(?<=\d)[eE](?=[-+]?\d)"
    r"|(?<![A-Za-z])(?:PM|N[Oo]\.?[ ]?)(?=\d)|(?<![A-Za-z])[vV](?:er\.?[ ]?)?(?=\d+\.\d)|π|(?<=\d)[ ]?(?:yen|sec)|(?<=%)[ ]?OFF"
    r"|(?<![A-Za-z0-9-])[A-Z]{1,3}-?(?=[0-9]{3,}(?![A-Za-z]))"
    r"|(?<![\w.])[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
    r"|(?<![A-Za-z0-9'’&])[A-Z][A-Z0-9]{1,3}(?![A-Za-z0-9'’&])|(?<![A-Za-z])(?:NZ|CA|AU)(?=[$])"
    r"|(?<![A-Za-z])(?:USD|EUR|GBP|CNY|RMB|JPY|HKD|HK|US|A|R|C|S|NT)(?=[ ]?[$\d])"
)
"""What stands beside a number and does not make it text of a language."""

_LATIN = r"[A-Za-zÀ-ɏ]"
_LATIN_RUN = re.compile(
    rf"(?<![A-Za-zÀ-ɏ0-9'’-])[0-9'’-]*{_LATIN}[A-Za-zÀ-ɏ0-9'’-]*"
    rf"(?:[,;:]?[ ]+(?:{_LATIN}|\d)[A-Za-zÀ-ɏ0-9'’-]*){{4,}}[.,!?;:]*[ ]*"
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

    Kana, or characters only Japan writes so, make it Japanese. Other Han alone is Chinese, unless the conversation
    (``hint``) or, without a hint, the clause before (``previous``) is Japanese. Text without letters (numbers, prices, times,
    and the units behind them) is of the conversation's language or, where that has an alphabet or is not known, of that of
    the clause before. Anything else is the conversation's language if that is not written in these scripts, or else English.
    """
    if _KANA.search(text) or _JAPANESE_HAN.search(text):
        return "ja"
    if _HAN.search(text):
        return "ja" if (hint or previous) == "ja" else "zh"
    if _HANGUL.search(text):
        return "ko"
    alphabetic = hint is None or hint.partition("-")[0] not in _CJK_LANGUAGES
    if any(map(str.isalnum, text)) and not any(map(str.isalpha, _UNIT.sub("", text))):
        if not alphabetic:
            return hint or "en"
        if previous in _CJK_LANGUAGES:
            return previous
    return hint if alphabetic and hint is not None else "en"


_SAMPLE = 2000
"""Characters at either end of a text."""


def written_language(text: str) -> Language | None:
    """The language a text's script gives away: Japanese, Chinese or Korean; ``None`` for all others.

    Of a long text the beginning and the end tell: it may be megabytes.
    """
    if len(text) > 2 * _SAMPLE:
        text = text[:_SAMPLE] + text[-_SAMPLE:]
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
