"""The personas that come with Vivavoce: whole, within what a small model keeps in mind, and used as a session."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from vivavoce.bench.answer_checks import in_language
from vivavoce.errors import ConfigError
from vivavoce.personas import HEARS, PersonaLanguage, first_words_request, persona, personas
from vivavoce.tiers import TIERS
from vivavoce.voices.presets import voice_named

LANGUAGES: tuple[PersonaLanguage, ...] = ("en", "zh")


def test_there_are_the_five_of_the_product() -> None:
    assert set(personas()) == {"support", "driving", "dialect", "companion", "family"}


@pytest.mark.parametrize("name", personas())
@pytest.mark.parametrize("language", LANGUAGES)
def test_each_is_whole_and_in_its_language(name: str, language: PersonaLanguage) -> None:
    who = persona(name)
    text = who.text(language)
    assert TIERS[who.model].perceives
    voice_named(who.voice)
    for words in (text.name, text.about, text.instructions, text.first_words):
        assert in_language(words, language), words
    assert len(text.instructions) < 1000
    assert who.session(language) == {"instructions": text.instructions, "voice": who.voice, "include": [HEARS]}
    assert text.first_words in first_words_request(text.first_words, language)["instructions"]


def test_one_of_your_own_is_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    mine = msgspec.structs.replace(persona("support"), perception=False)
    file.write_bytes(msgspec.json.encode(mine))
    assert persona(str(file)) == mine
    assert "include" not in mine.session("en")


@pytest.mark.parametrize("content", ["", "{}", '{"model": "a", "voices": "b"}'])
def test_a_file_that_is_none_says_so(tmp_path: Path, content: str) -> None:
    file = tmp_path / "mine.json"
    file.write_text(content)
    with pytest.raises(ConfigError, match=r"mine\.json cannot be read"):
        persona(str(file))


def test_an_unknown_name_says_which_there_are() -> None:
    with pytest.raises(ConfigError, match="no persona 'therapist'; there are companion"):
        persona("therapist")
