"""Personas: who the assistant is in a scenario, as data that a client sends in its ``session.update``.

One JSON file a persona, beside this one and of a user's own; ``docs/personas.md`` describes the format. The console's
scenarios are made of the same files.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import msgspec

from vivavoce.errors import ConfigError

PersonaLanguage = Literal["en", "zh"]
HEARS = "voice.perception"
"""What a session includes that is to hear how something is said, whatever its tier."""


class PersonaText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A persona in one language. ``first_words``: what it says before the user has said anything; empty: nothing."""

    name: str
    about: str
    instructions: str
    first_words: str = ""


class Persona(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who answers: the tier that serves it (``model``), its ``voice``, and whether it is to hear how something is said
    (``perception``)."""

    model: str
    voice: str
    en: PersonaText
    zh: PersonaText
    perception: bool = True

    def text(self, language: PersonaLanguage) -> PersonaText:
        """What it is told in ``language``."""
        return self.zh if language == "zh" else self.en

    def session(self, language: PersonaLanguage) -> dict[str, Any]:
        """The fields of a ``session.update`` that make it."""
        session: dict[str, Any] = {"instructions": self.text(language).instructions, "voice": self.voice}
        return session | ({"include": [HEARS]} if self.perception else {})


def first_words_request(words: str, language: PersonaLanguage) -> dict[str, Any]:
    """The ``response`` of a ``response.create`` that has ``words`` said and nothing else."""
    told = f"只说这一句，不要加别的：{words}" if language == "zh" else f"Say exactly this and nothing else: {words}"
    return {"instructions": told}


@lru_cache(maxsize=1)
def personas() -> Mapping[str, Persona]:
    """Those that come with Vivavoce, by name."""
    found = sorted(
        (entry.name, entry.read_bytes()) for entry in files(__package__).iterdir() if entry.name.endswith(".json")
    )
    return {name.removesuffix(".json"): msgspec.json.decode(content, type=Persona) for name, content in found}


def persona(name: str) -> Persona:
    """The persona of this name, or that of a JSON file. Raises ``ConfigError`` where there is none, or it is not right."""
    if name in personas():
        return personas()[name]
    if not name.endswith(".json"):
        raise ConfigError(
            f"There is no persona '{name}'; there are {', '.join(personas())}, and JSON files of your own."
        )
    try:
        return msgspec.json.decode(Path(name).read_bytes(), type=Persona)
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigError(f"The persona {name} cannot be read: {error}") from error
