"""Inverse text normalisation: spoken numbers and codes in a transcript as they are typed (``E eighteen`` → ``E18``). Pure.

Conservative: what may be an ordinary word stays (``one of them``, 一下, 一番). Applied twice, it changes nothing more.

The rules are the project's own. The transducers of ``wetext`` get fewer codes right, rewrite ordinary words (``a second`` →
``a 2nd``, 十分感谢 → ``10分感谢``), and are native calls of up to 14 ms, which a session must not make.
"""

from __future__ import annotations

import re

from vivavoce.text.inverse import chinese, english, japanese
from vivavoce.text.inverse.counts import is_count
from vivavoce.text.rules import HOST_ENDS
from vivavoce.text.scripts import written_language
from vivavoce.types import Language

LONGEST = 4000
"""Characters. A longer text is no utterance, and takes too long between two events."""

_READ_OUT = re.compile(r"(?<![A-Za-z0-9.,])[0-9](?:(?:, ?| |-|、)[0-9]){2,}(?![A-Za-z0-9]|[.,:][0-9])")
"""Digits the recogniser wrote one by one."""

_OF_A_CODE = re.compile(
    r"\b(?:code|pin|password|number|reference|serial|account|postcode|zip|phone|room|flight|extension|id)\b"
    r"|[密编代号]码|编号|代码|号是|电话|番号|コード|ナンバー|パスワード",
    re.IGNORECASE,
)


_MAIL = re.compile(
    rf"(\b(?:write|send|mail|e-mail|email|address)\b[^.!?]{{0,40}}?\b(?:to|is|at)[ ]+)([\w+-]+(?:\.[\w+-]+)*)[ ]at[ ]"
    rf"((?:[\w-]+\.)+{HOST_ENDS})\b",
    re.IGNORECASE,
)
"""A mail address, in an English sentence that tells of one."""

_GROUPS = re.compile(
    r"((?:密码|验证码|编号|号码|番号|コード|パスワード)[是为はが：:]?[ ]?)([0-9]+(?: [0-9]+)+)(?![A-Za-z0-9.:])"
)
"""A code the recogniser wrote in groups, in Chinese and Japanese."""


def inverse_normalized(text: str, language: Language | None) -> str:
    """``text`` with its spoken numbers and codes as they are typed.

    ``language`` is the one spoken, if that is known; else the text's script tells between Chinese, Japanese and English. Texts
    in languages without rules come back as they are. Does not raise.
    """
    if len(text) > LONGEST:
        return text
    text = _READ_OUT.sub(_joined, text)
    text = _GROUPS.sub(lambda match: match[1] + match[2].replace(" ", ""), text)
    heard = (language or "en").partition("-")[0].lower()
    written = written_language(text)
    if written == "zh" and heard == "ja":
        written = "ja"  # without kana
    code = written or ("en" if heard in ("zh", "ja", "ko") else heard)
    match code:
        case "zh":
            return chinese.typed(text)
        case "ja":
            return japanese.typed(text)
        case "en":
            return _MAIL.sub(r"\1\2@\3", english.typed(text))
    return text


def _joined(match: re.Match[str]) -> str:
    """``4 7 1 1 2`` → ``47112``. A count stays, and so does what may be a list: commas, and no code is told of."""
    figures = re.sub(r"[^0-9]", "", match[0])
    listed = ("," in match[0] or "、" in match[0]) and not (
        _OF_A_CODE.search(match.string[: match.start()]) or match.string.strip(" .。") == match[0]
    )
    return match[0] if listed or is_count(figures) else figures
