"""The tables of docs/voices.md are those of the code."""

from __future__ import annotations

import re

import pytest

from docs.markdown import DOCS
from vivavoce.voices import clips
from vivavoce.voices.matching import CLOSE, SIMILAR
from vivavoce.voices.official import OFFICIAL
from vivavoce.voices.presets import PRESETS

PAGE = (DOCS / "voices.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| `")]
SHOWN = {row[0].strip("`"): row[1:] for row in ROWS if len(row) == 6}


def test_every_official_voice_is_in_the_table_in_order() -> None:
    assert [name for name in SHOWN if name in OFFICIAL] == list(OFFICIAL)


def test_every_other_name_but_the_synthesizers_own_is_there() -> None:
    own = {name for name, voice in PRESETS.items() if voice.description.endswith("(Kokoro)")}
    assert set(SHOWN) == set(PRESETS) - own


@pytest.mark.parametrize("name", SHOWN)
def test_a_row_is_the_voice(name: str) -> None:
    voice = PRESETS[name]
    spoken = [voice.synthesizers[language][1].replace("|", " as ") for language in ("en", "zh", "ja")]
    assert SHOWN[name] == [voice.sex, voice.description, *spoken]


def test_the_bounds_are_those_of_the_code() -> None:
    told = [
        f"{clips.SHORTEST_S:g} to {clips.LONGEST_S:g} s",
        f"at least {clips.MIN_SPEECH_S:g} s of speech",
        f"{clips.MIN_LEVEL_DB:g} dB of full scale",
        f"at most {clips.MAX_CLIPPED_SHARE:.1%}".replace("%", " %"),
        f"at least {clips.MIN_SNR_DB:g} dB above",
        f"From {CLOSE} it is\n`close`",
        f"from {SIMILAR} `similar`",
        f"less alike than {clips.SAME_SPEAKER}",
    ]
    assert [words for words in told if words not in PAGE] == []


def test_every_fault_of_a_clip_is_told() -> None:
    rooms = DOCS.parent / "src" / "vivavoce"
    files = (rooms / "voices" / "clips.py", rooms / "runtime" / "voices" / "enrolment.py")
    source = "".join(file.read_text(encoding="utf-8") for file in files)
    assert set(re.findall(r'"(clip_\w+)"', source)) == set(re.findall(r"`(clip_\w+)`", PAGE))
