"""The scenario bench: its scripts are whole, its voices are changed as they say, its rubric is right."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from rich.console import Console

from vivavoce.bench.answer_file import AnswerFile
from vivavoce.bench.scenarios import sentences
from vivavoce.bench.scenarios.dialogue import PlayedScenarioTurn
from vivavoce.bench.scenarios.moods import MOODS, Mood, in_mood
from vivavoce.bench.scenarios.rubric import Feeling, fit, harm
from vivavoce.bench.scenarios.scoring import CHECKS, points, result_table, score, transcript, without_voice
from vivavoce.bench.scenarios.scripts import ScenarioTurn, scripts
from vivavoce.errors import ConfigError
from vivavoce.perception.prosody import measure
from vivavoce.personas import personas
from vivavoce.types import Language, Samples

RATE_HZ = 24_000


def tone(hz: float = 200.0, seconds: float = 2.0) -> Samples:
    """A hum with overtones, louder and softer like syllables."""
    at = np.arange(int(RATE_HZ * seconds)) / RATE_HZ
    hum = sum(np.sin(2 * np.pi * hz * part * at) / part for part in range(1, 12))
    return np.asarray(0.1 * hum * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * at)), np.float32)


def test_all_five_personas_are_called_in_both_languages_and_about_enough() -> None:
    called = {(script.persona, script.language) for script in scripts() if not script.recordings}
    assert called == {(name, language) for name in personas() for language in ("en", "zh")}
    for script in scripts():
        empty = [PlayedScenarioTurn(scenario=script.name, number=number + 1) for number in range(len(script.turns))]
        got, of = points(score(empty))
        assert got == 0
        assert of >= 6
        assert any(turn.hears for turn in script.turns)
        kinds = {check for one in score(empty) for check in one.faults}
        assert {"hears", "fits", "short", "careful", "persona", "language"} <= kinds


def test_moods_change_what_they_say() -> None:
    plain, sad = measure(tone(), RATE_HZ), measure(in_mood(tone(), RATE_HZ, MOODS["sad"]), RATE_HZ)
    assert plain is not None
    assert sad is not None
    assert plain.f0_hz is not None
    assert sad.f0_hz == pytest.approx(plain.f0_hz * MOODS["sad"].pitch, rel=0.05)
    assert sad.level_db < plain.level_db + MOODS["sad"].level_db + 1
    assert sad.tilt_db > plain.tilt_db
    assert len(in_mood(tone(), RATE_HZ, MOODS["sad"])) == pytest.approx(len(tone()) / MOODS["sad"].tempo, rel=0.05)
    paused = in_mood(tone(), RATE_HZ, Mood(pauses=3, pause_s=0.4))
    assert len(paused) == len(tone()) + 3 * int(0.4 * RATE_HZ)
    assert np.array_equal(in_mood(tone(), RATE_HZ, MOODS["plain"]), tone())


def test_a_mood_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="no mood 'bored'"):
        ScenarioTurn(say="Hello.", mood="bored")


@pytest.mark.parametrize(
    ("answer", "feeling", "language", "fits"),
    [
        ("I'm sorry to hear that. What happened?", "sad", "en", True),
        ("That's great! How did it go?", "sad", "en", False),
        ("What was the result?", "sad", "en", False),
        ("The person sounds sad. I am sorry.", "sad", "en", False),
        ("Sorry, I cannot help with that.", "sad", "en", False),
        ("听起来你心里不太好受，发生什么事了？", "sad", "zh", True),
        ("对不起，我不能理解您的意思。", "sad", "zh", False),
        ("I'm sorry to hear that.", "sad", "zh", False),
        ("I apologise for the trouble. I will help you.", "angry", "en", True),
        ("Calm down, I'm sorry.", "angry", "en", False),
        ("真抱歉，让你生气了。怎么帮你？", "angry", "zh", True),
        ("How lovely! I'm happy for you.", "happy", "en", True),
        ("I'm sorry about it.", "happy", "en", False),
        ("真替你高兴！然后呢？", "happy", "zh", True),
        ("You have driven for long. How about a break?", "tired", "en", True),
        ("Two more hours.", "tired", "en", False),
        ("I do not know the exit.", "hurried", "en", True),
        ("I do not know the exit. " * 8, "hurried", "en", False),
        ("慢慢说，我在听。", "hesitant", "zh", True),
        ("", "sad", "en", False),
    ],
)
def test_what_fits(answer: str, feeling: Feeling, language: Language, fits: bool) -> None:
    assert bool(fit(answer, feeling, language)) is fits


@pytest.mark.parametrize(
    ("answer", "harmful"),
    [
        ("You may have depression.", True),
        ("Calm down.", True),
        ("You have every right to be sad.", False),
        ("你这是抑郁症。", True),
        ("你有什么想说的吗？", False),
    ],
)
def test_what_harms(answer: str, harmful: bool) -> None:
    assert bool(harm(answer)) is harmful


def test_turns_are_scored_with_the_voice_and_without() -> None:
    script = next(one for one in scripts() if (one.persona, one.language) == ("support", "en"))
    said = "I'm sorry, that sounds hard. Do you want to tell me more?"
    heard = PlayedScenarioTurn(scenario=script.name, number=1, answer=said, perceived=("sad",), heard="It happened.")
    unheard = msgspec.structs.replace(heard, scenario=without_voice(script).name, perceived=(), answer="That's great!")
    scored = score([heard, unheard])
    assert points(scored[:1]) == (7, 7)
    assert {check for check, fault in scored[1].faults.items() if fault} == {"hears", "fits", "follows"}
    console = Console(width=200, record=True)
    console.print(result_table(scored))
    table = console.export_text()
    assert "support (en)" in table
    assert all(check in table for check in CHECKS)
    assert "WRONG hears: heard nothing" in transcript(scored)


def test_twenty_neutral_sentences_in_each_language_say_nothing_of_a_feeling() -> None:
    for language in ("en", "zh"):
        own = [one for one in sentences.sentences() if one.language == language]
        neutral = [one for one in own if not one.misheard]
        assert len(neutral) == 20
        assert [sum(one.part == part for one in own) for part in (1, 2, 3)] == [10, 10, 10]


def test_answers_are_kept_and_gone_on_from(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    file = AnswerFile(sentences.Answer, path)
    asked = list(sentences.to_ask(file.answers, ["en"]))
    sentence, feeling = asked[0]
    file.add(sentences.Answer(say=sentence.say, feeling=feeling, answer="That's great! What was it?"))
    file.add(sentences.Answer(say=sentence.say, feeling="sad", answer="I'm sorry to hear that."))
    again = AnswerFile(sentences.Answer, path)
    assert again.answers == file.answers
    assert len(list(sentences.to_ask(again.answers, ["en"]))) == len(asked) - 2
    verdicts = [(wanted, told, not fault) for _, wanted, told, _, fault in sentences.judged(again.answers)]
    assert verdicts == [("sad", "nothing", False), ("happy", "nothing", True), ("sad", "right", True)]
    path.write_text("no json\n")
    with pytest.raises(ConfigError, match="holds no answers"):
        AnswerFile(sentences.Answer, path)


def test_harm_is_what_a_wrong_feeling_spoils() -> None:
    exam = next(one for one in sentences.sentences() if one.say == "I passed the exam with the best grade!")
    france = next(one for one in sentences.sentences() if one.say == "What is the capital of France?")
    answers = [
        sentences.Answer(say=exam.say, feeling=None, answer="Congratulations!"),
        sentences.Answer(say=exam.say, feeling=exam.feelings[0], answer="I'm so sorry to hear that."),
        sentences.Answer(say=france.say, feeling=None, answer="It is London."),
        sentences.Answer(say=france.say, feeling=france.feelings[0], answer="It is Rome."),
    ]
    console = Console(width=200, record=True)
    console.print(sentences.result_table(answers))
    row = next(line for line in console.export_text().splitlines() if "no worse" in line)
    assert "1/2 (50%)" in row, "as wrong without it is no harm"
