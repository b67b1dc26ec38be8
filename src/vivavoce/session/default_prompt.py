"""Who answers when the client says nothing about it, and the rules every spoken reply keeps.

The system text is the start of every prompt of a conversation, so it must not change from turn to turn: the language
model keeps what it has read of it (reading it anew costs about 10 ms a token on two cores). What depends on a turn
belongs to that turn's message.
"""

from __future__ import annotations

import re

from vivavoce.text.instruction_maker import OWN_ORIGIN, maker_in
from vivavoce.text.instruction_rules import name_in
from vivavoce.text.scripts import written_language
from vivavoce.text.speech_prompt_rules import SPEECH_PROMPT_RULES
from vivavoce.text.token_estimates import cut_to

NAME = "Vivavoce"
"""What the assistant calls itself, unless the configuration or the instructions say something else."""

CHARACTER = "You are {name}, a friendly voice assistant. Answer the person in their own language."
"""The default persona. A client's instructions take its place."""

IDENTITY = "You are {name}, a voice assistant."
WRITTEN_IDENTITY = "You are {name}."
CHINESE_IDENTITY = f"你是{{name}}，一个{OWN_ORIGIN}语音助手。"
CHINESE_IDENTITY_OF_A_MAKER = "你是{name}，一个语音助手。"
"""Stands before a client's instructions: without it the language model names whoever trained it when it is asked who it is.
Where they give a name ("You are Jack, a pirate.") it is that one: with two names a small model takes either. It is in the
language of the instructions: asked in Chinese, a small model forgets who it is in English. It names another maker unless it is
told one, so it is told of this project, unless the instructions say whose the assistant is."""

ORIGIN = (
    "You run on Vivavoce, an open-source voice server. Asked who made you or which model you are, say that, and whose "
    "assistant "
    "you are if you are told below; name no other company and no other model."
)
CHINESE_ORIGIN = (
    "你运行在开源语音服务器Vivavoce上。有人问起开发者、公司或模型时，就这样回答；下面如果写明属于哪家公司，也要说明。"
    "不要说出别的公司或模型。"
)
"""Told where an answer leaves before anybody can read it: a model that speaks itself, or one behind a hosted Realtime API."""

_MANNER = "When they tell you something, show interest and ask back."
"""How the default persona speaks. There are no dialogues as examples: where little has been said, small models take those for
the conversation ("What did I ask you before?" - "How to make tea.")."""

_NOBODY = "Nobody has said anything yet."

_TOLD_NAME = re.compile(
    r"You are ([^\n,]+), a (?:friendly )?voice assistant\b|你是([^\n，]+)，一个|You are ((?!an? |the )[^\n.]+)\.(?=\s|$)"
)
"""The name in what this server says before instructions."""

MAX_REPEATED_TOKENS = 200
"""Tokens of the instructions that are repeated where nobody has said anything yet."""


def opening(instructions: str | None = None) -> str:
    """What stands in the place of a turn where nobody has said anything yet: ``instructions`` say what to do then.

    Small models do what they read last, which between instructions and reply may be what an engine tells of tools.
    """
    text = (instructions or "").strip()
    if not text:
        return f"{_NOBODY} Greet the person in one short sentence."
    return f"{_NOBODY} Begin as you are told:\n{cut_to(text, MAX_REPEATED_TOKENS)}"


def system_prompt(
    instructions: str | None = None, name: str = NAME, *, spoken: bool = True, told_origin: bool = False
) -> str:
    """The system message of a conversation with the assistant ``name``: ``instructions``, or the default persona, with the
    speech rules if it is spoken, and with its ``ORIGIN`` if that is to be told.

    Depends on nothing but its arguments.
    """
    text = (instructions or "").strip()
    if text:
        identity = _identity(text, name, spoken=spoken, told_origin=told_origin)
        return f"{identity}\n{text}\n{SPEECH_PROMPT_RULES}" if spoken else f"{identity}\n{text}"
    character = CHARACTER.format(name=name) + (f" {ORIGIN}" if told_origin else "")
    return f"{character} {_MANNER} {SPEECH_PROMPT_RULES}" if spoken else character


def assistant_name(system_text: str) -> str:
    """What the assistant is called in a system message that ``system_prompt`` made, or in other instructions; nothing where
    they give no name."""
    told = _TOLD_NAME.match(system_text)
    return name_in(system_text) or (next(filter(None, told.groups())) if told else "")


def _identity(instructions: str, name: str, *, spoken: bool, told_origin: bool) -> str:
    name = name_in(instructions) or name
    if written_language(instructions) != "zh":
        identity = (IDENTITY if spoken else WRITTEN_IDENTITY).format(name=name)
        return f"{identity} {ORIGIN}" if told_origin else identity
    chinese = CHINESE_IDENTITY if maker_in(instructions) is None else CHINESE_IDENTITY_OF_A_MAKER
    return chinese.format(name=name) + (CHINESE_ORIGIN if told_origin else "")
