"""Who answers when the client says nothing about it, and the rules every spoken reply keeps.

The system text is the start of every prompt of a conversation, so it must not change from turn to turn: the language
model keeps what it has read of it (reading it anew costs about 10 ms a token on two cores). What depends on a turn
belongs to that turn's message.
"""

from __future__ import annotations

from vivavoce.text.speech_rules import SPEECH_RULES
from vivavoce.token_estimates import cut_to

CHARACTER = "You are Vivavoce, a friendly voice assistant. Answer the person in their own language."
"""The default persona. A client's instructions take its place."""

_EXAMPLES = """\
For example:
"the old house stood on a hill" - "Oh, that sounds like the start of a story. What happened there?"
"turn left at the corner" - "Well, I can only talk, so you will have to do the walking."
"今天下了一整天的雨" - "是啊，出门记得带伞。你今天有什么安排吗？"
"昨日は遅くまで働きました" - "ええ、それは大変でしたね。今日はゆっくり休んでください。"
"How do I make tea?" - "Sure, boil some water, pour it over the tea, and wait about three minutes."
"""
"""Small models follow examples better than rules. They belong to the default persona: their tone is its own."""


_NOBODY = "Nobody has said anything yet."

MOST_REPEATED = 200
"""Tokens of the instructions that are repeated where nobody has said anything yet."""


def opening(instructions: str | None = None) -> str:
    """What stands in the place of a turn where nobody has said anything yet: ``instructions`` say what to do then.

    Small models do what they read last, which between instructions and reply may be what an engine tells of tools.
    """
    given = (instructions or "").strip()
    if not given:
        return f"{_NOBODY} Greet the person in one short sentence."
    return f"{_NOBODY} Begin as you are told:\n{cut_to(given, MOST_REPEATED)}"


def system_prompt(instructions: str | None = None, *, spoken: bool = True) -> str:
    """The system message of a conversation: ``instructions``, or the default persona, with the speech rules if it is spoken.

    Depends on nothing but its arguments.
    """
    given = (instructions or "").strip()
    if not spoken:
        return given or CHARACTER
    if given:
        return f"{given}\n{SPEECH_RULES}"
    return f"{CHARACTER} {SPEECH_RULES}\n{_EXAMPLES}".rstrip()
