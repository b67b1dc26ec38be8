"""Hotwords and prompt as one hint."""

from __future__ import annotations

import pytest

from vivavoce.protocol.transcription import ROOM_BESIDE_HOTWORDS, recognition_prompt


@pytest.mark.parametrize(
    ("prompt", "hotwords", "hint"),
    [
        (None, [], None),
        ("", [], None),
        ("A meeting.", [], "A meeting."),
        (None, ["Zoë", "阶跃"], "Zoë, 阶跃."),
        ("A meeting.", ["Zoë", "阶跃"], "Zoë, 阶跃. A meeting."),
    ],
)
def test_hotwords_stand_first(prompt: str | None, hotwords: list[str], hint: str | None) -> None:
    assert recognition_prompt(prompt, hotwords) == hint


@pytest.mark.parametrize(("letter", "counts"), [("x", 1), ("字", 3)])
def test_a_long_prompt_does_not_push_hotwords_out(letter: str, counts: int) -> None:
    hint = recognition_prompt(letter * 3000 + "end", ["Zoë"])
    assert hint is not None
    assert hint.startswith("Zoë. ")
    assert hint.endswith(f"{letter}end")
    assert len(hint) == pytest.approx(ROOM_BESIDE_HOTWORDS / counts, abs=12)
    assert recognition_prompt("end", ["字" * 100] * 4) == ", ".join(["字" * 100] * 4) + "."
