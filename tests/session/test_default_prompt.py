"""The persona: stable text, instructions in the character's place, rules always there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.session.default_prompt import CHARACTER, system_prompt
from vivavoce.text.speech_prompt_rules import SPEECH_PROMPT_RULES


@pytest.mark.parametrize("instructions", [None, "", "  \n"])
def test_no_instructions_means_the_default_persona(instructions: str | None) -> None:
    prompt = system_prompt(instructions)
    assert prompt.startswith(CHARACTER.format(name="Vivavoce"))
    assert SPEECH_PROMPT_RULES in prompt


def test_instructions_replace_the_character_and_keep_the_rules() -> None:
    prompt = system_prompt("You are Jack, a pirate.\n")
    assert prompt == f"You are Jack, a voice assistant.\nYou are Jack, a pirate.\n{SPEECH_PROMPT_RULES}"


def test_the_assistant_has_the_name_it_is_given() -> None:
    assert system_prompt(name="Ada").startswith("You are Ada, a friendly voice assistant.")
    assert system_prompt("Be brief.", "Ada", spoken=False) == "You are Ada.\nBe brief."
    assert system_prompt("请用一句话回答。", "小爱").startswith(
        "你是小爱，一个由开源项目 Vivavoce 开发的语音助手。\n请用"
    )
    assert system_prompt("回答要简短。", "小爱", spoken=False).endswith("语音助手。\n回答要简短。")


def test_the_default_persona_does_what_it_asks_for() -> None:
    assert not any(mark in system_prompt() for mark in ("*", "#", "```", "\n-"))


def test_the_default_persona_stays_short() -> None:
    assert len(system_prompt()) < 1000


@given(st.text())
def test_the_prompt_depends_on_the_instructions_alone(instructions: str) -> None:
    prompt = system_prompt(instructions)
    assert prompt == system_prompt(instructions)
    assert instructions.strip() in prompt


def test_what_is_not_spoken_keeps_no_speech_prompt_rules() -> None:
    assert SPEECH_PROMPT_RULES not in system_prompt("Use lists.", spoken=False)
    assert system_prompt(spoken=False) == CHARACTER.format(name="Vivavoce")
