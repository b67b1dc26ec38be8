"""What the two brains are told (``reasoning.py``), in the user's language: English, or Chinese. Pure.

Both write one message that has been begun for them: notes, then words in quotation marks. So all that is new to the language
model when it turns from notes to words is what announces them, five to ten tokens; told by another message behind the
notes, it had to read four times as much before the first word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vivavoce.text.instruction_rules import names_language
from vivavoce.text.scripts import written_language
from vivavoce.types import Language, Message


@dataclass(frozen=True, slots=True)
class ReasoningPrompt:
    """In one language. ``rule`` stands behind the conversation; ``notes`` begins the message that is thought and spoken,
    ``first`` the words that are said before all is thought, ``answer`` those that are said by all notes. Any of ``closes`` ends
    words; the first is written behind them.
    ``opening`` begins the first words to a question: left to themselves, small models say it again as if it were their own.

    ``after_thought`` is the instruction by finished notes, for answers that may be calls or have a form.
    """

    rule: str
    notes: str
    first: str
    answer: str
    closes: tuple[str, ...]
    after_thought: str
    opening: str

    def to_think(self, thought: str) -> tuple[Message, Message]:
        """What stands behind the conversation while it is thought: the rule, and the notes so far, to be gone on with."""
        return Message("system", self.rule), Message("assistant", self.notes + thought)

    def to_speak(self, thought: str, said: str, *, answers: bool) -> tuple[Message, ...]:
        """What stands behind the conversation while it is spoken; the last message is to be gone on with.

        ``answers``: ``thought`` is all there is, and what was ``said`` is complete. A sentence that was begun before all was
        thought is brought to its end as such: taken for the answer, it would often be all that is said.
        """
        notes = self.notes + thought.strip() if thought else ""
        words = self.first + said
        if answers:
            words = (self.first + said.strip() + self.closes[0] if said else "") + self.answer
        begun = Message("assistant", (notes + words) if notes else words.lstrip())
        return (Message("system", self.rule), begun) if thought else (begun,)


_PROMPTS: Mapping[str, ReasoningPrompt] = {
    "en": ReasoningPrompt(
        rule="Write short notes first: each step with its numbers, then the result.",
        notes="Notes:\n",
        first="\n\nFirst sentence to the person, without the result: “",
        answer="\n\nNow the answer to the person in one short sentence: “",
        closes=("”", '"'),
        after_thought="Your notes:\n{thought}\n\nNow answer the person aloud by these notes, in one or two short sentences.",
        opening="So you",
    ),
    "zh": ReasoningPrompt(
        rule="先写简短的笔记：每一步写出数字，最后写结果。",
        notes="笔记：\n",
        first="\n\n先对对方说一句，不说结果：「",
        answer="\n\n现在按照笔记，用一句短话说出答案（称“你”）：「",
        closes=("」", "”"),
        after_thought="你的笔记：\n{thought}\n\n现在按照笔记用一两句短话口头回答对方。",
        opening="你想知道",
    ),
}


LEAST_QUESTION: Mapping[str, int] = {"en": 6, "zh": 10}
"""Words (English) or characters of a question that is taken up before it is answered; in other languages none is."""

_QUESTION = re.compile(r"[?？]|[吗呢]\W*$|(?:多少|几|谁|什么|哪)[^。.!！]*$")

_ENGLISH = re.compile(r"\b(?:what|how|who|when|where|which|why|the|is|are|does|do|many|much|of)\b", re.IGNORECASE)
LEAST_ENGLISH = 2
"""Of these words in a question that is English."""


def takes_up(messages: Sequence[Message]) -> bool:
    """Whether the first words are to take up what the user said last: a question that is not a short one, to be answered in a
    language there are words for."""
    said = next((message for message in reversed(messages) if message.role == "user"), Message("user", ""))
    head = messages[0].content if messages and messages[0].role == "system" else ""
    language = said.reply_language or (None if names_language(head) else _plain_language(said.content))
    least = LEAST_QUESTION.get(language or "")
    length = len(said.content) if language == "zh" else len(said.content.split())
    return least is not None and length >= least and _QUESTION.search(said.content) is not None


def _plain_language(typed: str) -> Language | None:
    """The language of what nobody was heard to say: that of its script, or English where its commonest words are there."""
    return written_language(typed) or ("en" if len(_ENGLISH.findall(typed)) >= LEAST_ENGLISH else None)


def reasoning_prompt(messages: Sequence[Message]) -> ReasoningPrompt:
    """That of the language of what was said last by the user."""
    for message in reversed(messages):
        if message.role == "user":
            return _PROMPTS["zh" if (message.reply_language or written_language(message.content)) == "zh" else "en"]
    return _PROMPTS["en"]
