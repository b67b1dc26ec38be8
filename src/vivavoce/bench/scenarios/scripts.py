"""What the scenario bench plays: a persona, and what a caller says to it in which voice. Package data.

Patterns are regular expressions without regard to case.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import Literal

import msgspec

from vivavoce.bench.scenarios.moods import MOODS
from vivavoce.bench.scenarios.rubric import Feeling
from vivavoce.personas import PersonaLanguage

CallerLanguage = Literal["en", "zh", "de"]


class ScenarioTurn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is said, in which ``mood``; a recording is played where its script is one of ``recordings``.

    ``hears``: an emotion or a cue of which the server has to tell one; ``fits``: how the answer has to fit; ``most``: words
    (Chinese: characters) of it; ``asks``: it has to ask or offer something; ``right`` and ``wrong``: patterns of the persona.
    """

    say: str
    mood: str = "plain"
    hears: tuple[str, ...] = ()
    fits: Feeling | None = None
    most: int = 60
    asks: bool = False
    right: str = ""
    wrong: str = ""

    def __post_init__(self) -> None:
        if self.mood not in MOODS:
            raise ValueError(f"there is no mood {self.mood!r}")


class ScenarioScript(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A dialogue with a persona. ``caller``: a voice of the server; ``before``: what it says in its ordinary way beforehand.

    ``perceives``: whether the server hears how something is said.
    """

    persona: str
    language: CallerLanguage
    turns: tuple[ScenarioTurn, ...]
    caller: str = ""
    before: tuple[str, ...] = ()
    recordings: bool = False
    perceives: bool = True

    @property
    def name(self) -> str:
        """The persona, the language, and whether the voice counts."""
        return f"{self.persona} ({self.language}), {'on' if self.perceives else 'off'}"

    @property
    def spoken(self) -> PersonaLanguage:
        """The persona's language: English for those who speak another one."""
        return "zh" if self.language == "zh" else "en"


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    scenarios: tuple[ScenarioScript, ...]


@lru_cache(maxsize=1)
def scripts() -> tuple[ScenarioScript, ...]:
    """All of them, with the voice."""
    text = (files(__package__) / "data" / "scenarios.toml").read_text("utf-8")
    return msgspec.toml.decode(text, type=_File).scenarios
