"""Words of hesitation. Pure."""

from __future__ import annotations

import re

_FILLERS = re.compile(
    r"\b(?:u+h+|u+m+|e+r+m*|h+m+)\b|嗯+|呃+|额(?=[，。…、,. ])|那个(?=[，…、, ])|えっと|あの(?=[、…])", re.IGNORECASE
)


def fillers(text: str) -> int:
    """How often the speaker hesitates in words."""
    return len(_FILLERS.findall(text))
