"""Neutral sentences said in different feelings, and plain ones with a wrong one: does what is told of the voice help or harm?

Only the language model is asked, as sessions ask it: what a perceiver would have found is given to it as they give it, and its
answer is held to what they hold it to.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal, cast
from unicodedata import normalize

import msgspec
from rich.table import Table

from vivavoce.bench.answer_checks import in_language, leaks
from vivavoce.bench.scenarios.rubric import Feeling, fit
from vivavoce.bench.session_answers import session_answer
from vivavoce.engines.base import LanguageModel
from vivavoce.intents.feelings import WordsReader
from vivavoce.perception.notes import note_for
from vivavoce.session.default_prompt import system_prompt
from vivavoce.session.voice_perception import with_note
from vivavoce.types import GenerationOptions, Language, Message, TextDelta
from vivavoce.voice_facts import Emotion, EmotionLabel, VoiceFacts

ANSWER_TOKENS = 70
SCORE = 0.95
"""How sure the perceiver is said to have been."""

Told = Literal["right", "nothing", "wrong"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """What is said, and in which ``feelings`` it may be. A ``misheard`` one has a wrong feeling, patterns of its answer, and
    the ``part`` of the file it stands in: the last was written before anything was tuned that is measured with it.
    """

    say: str
    language: Language
    feelings: tuple[Feeling, ...]
    right: str = ""
    wrong: str = ""
    part: int = 0

    @property
    def misheard(self) -> bool:
        """Whether its feeling is the wrong one."""
        return self.part > 0


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What was answered to a sentence of which this ``feeling`` was told, or none."""

    say: str
    feeling: Feeling | None
    answer: str
    note: str = ""


def sentences() -> list[Sentence]:
    """All of them: twenty neutral ones in each language, then thirty that are misheard."""
    data = tomllib.loads((files(__package__) / "data" / "sentences.toml").read_text("utf-8"))
    neutral = [
        Sentence(say, table["language"], tuple(table["feelings"])) for table in data["neutral"] for say in table["say"]
    ]
    misheard = [
        Sentence(case["say"], table["language"], (case["feeling"],), case["right"], case["wrong"], table["part"])
        for table in data["misheard"]
        for case in table["cases"]
    ]
    return neutral + misheard


def to_ask(answers: Sequence[Answer], languages: Sequence[str]) -> Iterator[tuple[Sentence, Feeling | None]]:
    """What is still to be asked: each sentence without a feeling, then in each of its own."""
    done = {(one.say, one.feeling) for one in answers}
    for sentence in sentences():
        for feeling in (None, *sentence.feelings):
            if sentence.language in languages and (sentence.say, feeling) not in done:
                yield sentence, feeling


async def note_of(words: WordsReader, sentence: Sentence, feeling: Feeling | None) -> str:
    """What the language model is told of this feeling, as a session tells it; nothing where the words leave no place for it."""
    if feeling is None:
        return ""
    return note_for(_facts(feeling), sentence.language, await words.told(sentence.say)) or ""


async def ask(model: LanguageModel, sentence: Sentence, feeling: Feeling | None, note: str) -> Answer:
    """Ask as a session does in its first turn, with this ``note`` on how it sounds, if it is one."""
    said = Message("user", sentence.say, reply_language=sentence.language)
    messages: tuple[Message, ...] = (Message("system", system_prompt("")), said)
    if note:
        messages = with_note(messages, note)
    text = ""
    options = GenerationOptions(ANSWER_TOKENS, temperature=0.0, slot=0)
    async with aclosing(session_answer(model, messages, options, sentence.language)) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                text += event.text
    return Answer(say=sentence.say, feeling=feeling, answer=text, note=note)


def _facts(feeling: Feeling) -> VoiceFacts:
    label = cast(EmotionLabel, feeling)
    return VoiceFacts(emotion=Emotion(label=label, score=SCORE, scores={label: SCORE}, source="bench"))


def judged(answers: Sequence[Answer]) -> Iterator[tuple[Sentence, Feeling, Told, Answer, str]]:
    """Each answer against each feeling it is to fit, with what was told of the voice and what is wrong (empty: nothing)."""
    known = {sentence.say: sentence for sentence in sentences()}
    for answer in answers:
        sentence = known[answer.say]
        if sentence.misheard:
            told: Told = "nothing" if answer.feeling is None else "wrong"
            yield sentence, sentence.feelings[0], told, answer, _misheard_fault(sentence, answer.answer)
            continue
        for feeling in sentence.feelings if answer.feeling is None else (answer.feeling,):
            told = "nothing" if answer.feeling is None else "right"
            yield sentence, feeling, told, answer, fit(answer.answer, feeling, sentence.language).reason


def _misheard_fault(sentence: Sentence, answer: str) -> str:
    plain = normalize("NFKC", answer).replace("’", "'")
    if not in_language(plain, sentence.language) or leaks(plain):
        return "another language, or no speech"
    if not re.search(sentence.right, plain, re.IGNORECASE):
        return "lacks what is right"
    found = re.search(sentence.wrong, plain, re.IGNORECASE)
    return f"says {found[0]!r}" if found else ""


def result_table(answers: Sequence[Answer]) -> Table:
    """Neutral sentences by feeling, told of it and not; misheard ones, told wrongly and not, and how many are no worse."""
    rows = list(judged(answers))
    table = Table("sentences", "language", "told", "nothing told")
    neutral = [row for row in rows if not row[0].misheard]
    groups = [(f"neutral, {name}", [row for row in neutral if row[1] == name]) for name in ("sad", "angry", "happy")]
    groups.append(("neutral, all", neutral))
    groups += [
        (f"plain, told a wrong feeling, part {part}", [row for row in rows if row[0].part == part])
        for part in sorted({row[0].part for row in rows} - {0})
    ]
    for name, members in groups:
        for language in ("en", "zh"):
            own = [row for row in members if row[0].language == language]
            if own:
                table.add_row(name, language, *(_share(own, nothing=nothing) for nothing in (False, True)))
    for language in ("en", "zh"):
        told = [row for row in rows if row[0].misheard and row[0].language == language]
        if told:
            table.add_row("plain, all: no worse than told nothing", language, _no_worse(told), "")
    return table


def _no_worse(rows: Sequence[tuple[Sentence, Feeling, Told, Answer, str]]) -> str:
    """How many sentences a wrong feeling does no harm to: the answer is right, or it is as wrong without."""
    right = {(sentence.say, told): not fault for sentence, _, told, _, fault in rows}
    both = [say for say, told in right if told == "wrong" and (say, "nothing") in right]
    unharmed = sum(right[say, "wrong"] or not right[say, "nothing"] for say in both)
    return f"{unharmed}/{len(both)} ({unharmed / len(both):.0%})" if both else "–"


def _share(rows: Sequence[tuple[Sentence, Feeling, Told, Answer, str]], *, nothing: bool) -> str:
    rights = [not fault for _, _, told, _, fault in rows if (told == "nothing") is nothing]
    return f"{sum(rights)}/{len(rights)} ({sum(rights) / len(rights):.0%})" if rights else "–"


def transcript(answers: Sequence[Answer]) -> str:
    """Every answer with its verdict."""
    return "\n".join(
        f"{'FITS' if not fault else 'FAILS: ' + fault}  [{feeling}, told {told}] {answer.say}\n      {answer.answer}"
        for _, feeling, told, answer, fault in judged(answers)
    )
