"""WeTextProcessing's transducers (``wetext``): numbers, dates, units and money in Chinese and Japanese text as words.

They are read from the wheel; nothing is fetched. What they raise on stays as it is, for the rules around them to read.
"""

from __future__ import annotations

import re
import threading
from functools import cache
from typing import Any, Literal

WfstLanguage = Literal["zh", "ja"]

LONGEST = 64
"""Characters given to a transducer at once: the time it takes grows faster than the text."""

_lock = threading.Lock()  # wetext does not say that its transducers may be used by two threads at once
_PART = re.compile(rf"[^\s，。、；！？,;!?]{{1,{LONGEST}}}|[\s，。、；！？,;!?]+")
_DIGIT = re.compile(r"[0-9]")


def wfst_normalized(text: str, language: WfstLanguage) -> str:
    """``text`` with its numbers in words, where the transducers know how. Does not raise."""
    if not _DIGIT.search(text):
        return text
    return "".join(_part(part, language) if _DIGIT.search(part) else part for part in _PART.findall(text))


def warm_up() -> None:
    """Load the transducers, so that the first clause with a number does not wait for them."""
    for language in ("zh", "ja"):
        _part("1", language)


def _part(part: str, language: WfstLanguage) -> str:
    try:
        with _lock:
            words = str(_normalizer(language).normalize(part))
        return words if "\\" in part else words.replace("\\", "")  # it escapes quotes
    except Exception:  # noqa: BLE001 (an AssertionError for signs it does not know, such as €)
        return part


@cache
def _normalizer(language: WfstLanguage) -> Any:
    from wetext import Normalizer  # half a second, which commands that do not speak need not wait for

    return Normalizer(lang=language, operator="tn")
