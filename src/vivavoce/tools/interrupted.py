"""A request whose answer was interrupted before anything of it was said. Pure.

"Where is order 47112?" – "One moment." – "No, four seven one *three* two." The user has spoken twice and been answered nothing
(words that only fill silence are in no prompt): what they want is what both turns say.
"""

from __future__ import annotations

from collections.abc import Sequence

from vivavoce.tools.confirmations import answer_of
from vivavoce.tools.corrections import puts_right
from vivavoce.types import Message


def interrupted_request(messages: Sequence[Message]) -> Sequence[Message]:
    """``messages`` up to the user's words before the last, if nothing was said or called since and the last do not take them
    back; else none."""
    told = [
        number
        for number, one in enumerate(messages)
        if one.role != "system" and (one.content.strip() or one.tool_calls)
    ]
    if len(told) < 2 or any(messages[number].role != "user" for number in told[-2:]):
        return ()
    before, last = told[-2:]
    text = messages[last].content
    withdrawn = answer_of(text, None) == "no" and not puts_right(text)
    return () if withdrawn else messages[: before + 1]
