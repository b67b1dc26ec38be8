"""The rules of speech, in one place: what the language model is told to write, and what the front end reads.

The model writes figures and whole words; the front end (``spoken_words``) says the figures. A rule names the categories of the
bench ``speaking`` in which the front end is held to it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpeechRule:
    """``told`` to the language model, as short as it can be: every prompt has it. ``held``: categories of the bench."""

    told: str
    held: frozenset[str] = frozenset()


RULES = (
    SpeechRule("Speak in one to three short spoken sentences."),
    SpeechRule("Use no lists, markdown or emoji.", frozenset({"url", "address"})),
    SpeechRule(
        "Write numbers in figures and words in full, no abbreviations.",
        frozenset(
            {
                "number",
                "fraction",
                "phone",
                "money",
                "code",
                "range",
                "unit",
                "math",
                "date",
                "time",
                "version",
                "abbreviation",
            }
            | {"minus", "score", "digits", "liang", "latin", "language", "han"}
        ),
    ),
    SpeechRule("Say so when you do not know."),
)

SPEECH_RULES = " ".join(rule.told for rule in RULES)
"""What every spoken reply is told to keep, whatever the instructions are. More words on lists bring on more lists."""
