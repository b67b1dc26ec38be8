"""Whether an answer begins in the language of the turn, as far as scripts tell. Pure but for the stream."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing

from vivavoce.types import GenerationEvent, Language, TextDelta

LETTERS, CHARACTERS = 12, 4
"""Letters, or Chinese and Japanese characters, that are no name in an answer of the other script any more."""

_LETTER = re.compile(r"[A-Za-zÀ-ɏ]")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")


class ScriptWatch:
    """Holds an answer back that begins in another script than ``language`` is written in, until that is certain or over;
    ``other`` says that it was, and nothing was let through. With no language, or one scripts do not tell, all is let through.
    """

    def __init__(self, language: Language) -> None:
        self.other = False
        self._wide = language in ("zh", "ja")
        self._settled = language not in ("en", "zh", "ja")

    async def through(self, events: AsyncGenerator[GenerationEvent, None]) -> AsyncGenerator[GenerationEvent, None]:
        """``events``, as far as they are in the language."""
        held = ""
        async with aclosing(events):
            async for event in events:
                if not isinstance(event, TextDelta) or self._settled:
                    if held and not isinstance(event, TextDelta):
                        yield TextDelta(held)
                        held = ""
                    yield event
                    continue
                held += event.text
                match self._is_other(held):
                    case True:
                        self.other = True
                        return
                    case False:
                        self._settled = True
                        yield TextDelta(held)
                        held = ""
        if held:
            yield TextDelta(held)

    def _is_other(self, begun: str) -> bool | None:
        """Whether it is; ``None`` where that does not show yet."""
        letters, wide = len(_LETTER.findall(begun)), len(_CJK.findall(begun))
        right, wrong, most = (wide, letters, LETTERS) if self._wide else (letters, wide, CHARACTERS)
        return False if right else True if wrong >= most else None
