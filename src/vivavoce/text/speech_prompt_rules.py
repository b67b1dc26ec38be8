"""The rules of speech, in one place: what the language model is told to write, and what the front end reads.

Models write figures by themselves; the front end (``verbalize``) says them. A rule names the categories of the
bench ``speaking`` in which the front end is held to it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpeechRule:
    """``prompt_text`` is for the language model, as short as it can be: every prompt has it. ``bench_categories``: those of the
    bench ``speaking`` in which the front end is held to the rule.

    A rule the front end keeps by itself need not be told: "write numbers in figures and words in full" made the 1.5B repeat
    the question in whole sentences, and its first clause came 150 ms later (``vivavoce bench turn``, ten English questions).
    """

    prompt_text: str = ""
    bench_categories: frozenset[str] = frozenset()


RULES = (
    SpeechRule("Speak in one to three short spoken sentences."),
    SpeechRule("Use no lists, markdown or emoji.", frozenset({"url", "address", "markup"})),
    SpeechRule(
        bench_categories=frozenset(
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

SPEECH_PROMPT_RULES = " ".join(rule.prompt_text for rule in RULES if rule.prompt_text)
"""What every spoken reply is told to keep, whatever the instructions are. More words on lists bring on more lists."""
