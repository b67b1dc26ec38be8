"""A request whose answer was interrupted before anything of it was said. Pure.

"Where is order 47112?" – "One moment." – "No, four seven one *three* two." The user has spoken twice and been answered nothing:
what they want is what both turns say.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from vivavoce.tools.confirmations import answer_of
from vivavoce.tools.corrections import puts_right
from vivavoce.tools.rendering import FILLERS, WAITING
from vivavoce.types import Message

LEAST_HEARD = 2
"""Characters of words that fill silence, by which they are known where they were cut off."""

_BUILT_IN = tuple(words for texts in (FILLERS, WAITING) for variants in texts.values() for words in variants)


def interrupted_request(messages: Sequence[Message], fillers: Collection[str] = ()) -> Sequence[Message]:
    """``messages`` up to the user's words before the last, if nothing but ``fillers``, or those of our own, answered them and
    the last do not take them back; else none."""
    spoken = [number for number, one in enumerate(messages) if one.role == "user" and one.content.strip()]
    if len(spoken) < 2 or spoken[-1] != _last_spoken(messages):
        return ()
    before, last = spoken[-2:]
    between = messages[before + 1 : last]
    if any(one.tool_calls or one.role == "tool" for one in between):
        return ()
    said = [one.content for one in between if one.role == "assistant"]
    if not all(_only_fills(text, (*_BUILT_IN, *fillers)) for text in said):
        return ()
    text = messages[last].content
    withdrawn = answer_of(text, None) == "no" and not puts_right(text)
    return () if withdrawn else messages[: before + 1]


def _last_spoken(messages: Sequence[Message]) -> int:
    return max((number for number, one in enumerate(messages) if one.role != "system"), default=-1)


def _only_fills(text: str, fillers: Collection[str]) -> bool:
    words = text.strip().rstrip(".…。 ").casefold()
    return len(words) < LEAST_HEARD or any(filler.casefold().startswith(words) for filler in fillers)
