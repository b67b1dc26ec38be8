"""Questions about how recordings sound, made of a folder of speech and sounds: who speaks, how, what else there is.

Written for this. Mixtures and music are made here, so that what is in them is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vivavoce.audio.tempo import at_tempo
from vivavoce.bench.sound_answers import EMOTION_WORDS, LANGUAGE_WORDS, SOUND_PATTERNS
from vivavoce.bench.voice_copies import RATE_HZ, with_noise
from vivavoce.bench.voice_examples import read, rows
from vivavoce.perception.syllables import syllables
from vivavoce.types import Language, Samples

SOUNDS = {"dog": "Dog", "car_horn": "Car horn", "thunderstorm": "Thunder"}
"""The manifest's words for sounds, and the groups they are of."""

LABELS = ("Dog", "Cat", "Car horn", "Thunder", "Siren", "Music", "Bird", "Baby cry")
"""What an answer may claim to hear, so far as it can be told by its words."""

EMOTIONS = ("angry", "happy", "neutral", "sad")
MOOD_QUESTIONS: Sequence[tuple[int, str, Language]] = (
    (4, "How do I sound?", "en"),
    (24, "What mood am I in?", "en"),
    (40, "我听起来怎么样？", "zh"),
)
"""Of which clip of each emotion it is asked."""

NOTHING = r"(?!)"
"""The pattern of no claim at all."""

WHO: Sequence[tuple[str, Language, str]] = (
    ("Is a man or a woman speaking?", "en", r"\bwoman|\bfemale"),
    ("说话的是男的还是女的？", "zh", NOTHING),
    ("Who is speaking?", "en", r"\b(?:this|it) is (?-i:[A-Z])\w+|\bnamed?\b"),
    ("How old am I?", "en", r"\b\d{1,2}\b|\b(?:twenty|thirty|forty|young|old man)\b"),
    ("我听起来多大年纪？", "zh", r"[一二三四五六七八九十\d]+岁|年轻|老人"),
    ("Do I have an accent?", "en", r"\byou have an?\b[^.]*accent|\b(?:american|british|german)\b"),
    ("How loud am I?", "en", r"\byou are (?:very |quite )?(?:loud|quiet)\b|decibels"),
    ("How many people are speaking?", "en", r"\b(?:one|two|three|\d+) (?:people|person)"),
)
"""What one recording does not tell (the English speaker is a man), and claims that would be guesses."""


@dataclass(frozen=True, slots=True)
class SoundQuestion:
    """One question: the recordings of the user's turns before it and of its own, and what answers are right and wrong.

    ``right`` and ``wrong`` are patterns of claims. Without ``right`` it cannot be known, and owning up is the right answer.
    ``denies``: the right answer does.
    """

    topic: str
    text: str
    language: Language
    recordings: tuple[Samples, ...]
    right: str | None
    wrong: str
    denies: bool = False


def sound_questions(data: Path) -> list[SoundQuestion]:
    """All of them, in the order of their topics; the same for the same folder."""
    return [*_what(data), *_background(data), *_music(data), *_mood(data), *_rate(data), *_language(data), *_who(data)]


def melody(seconds: float) -> Samples:
    """Plucked strings in a major scale (Karplus and Strong 1983): music whose notes are nobody's."""
    random, notes = np.random.default_rng(7), (0, 4, 7, 12, 9, 5, 2, 7)
    length = int(0.25 * RATE_HZ)
    strings = [_pluck(220.0 * 2 ** (note / 12), length, random) for note in notes]
    count = int(np.ceil(seconds * RATE_HZ / length))
    played = np.concatenate([strings[number % len(strings)] for number in range(count)])[: int(seconds * RATE_HZ)]
    return np.asarray(0.3 * played / np.abs(played).max(), np.float32)


def _pluck(hz: float, length: int, random: np.random.Generator) -> Samples:
    period = round(RATE_HZ / hz)
    string = random.uniform(-1, 1, period)
    turns = []
    for _ in range(-(-length // period)):
        turns.append(string)
        string = 0.996 * (string + np.roll(string, 1)) / 2
    return np.asarray(np.concatenate(turns)[:length], np.float32)


def _claims(*labels: str) -> str:
    return "|".join(SOUND_PATTERNS[label] for label in labels)


def _others(*labels: str) -> str:
    return _claims(*(label for label in LABELS if label not in labels))


def _sounds(data: Path) -> list[tuple[str, Samples]]:
    return [(SOUNDS[row["sound"]], read(data / row["file"])) for row in rows(data) if row.get("sound") in SOUNDS]


def _speech(data: Path, folder: str) -> list[tuple[dict[str, Any], Samples]]:
    return [(row, read(data / row["file"])) for row in rows(data) if row["file"].startswith(f"{folder}/")]


def _what(data: Path) -> Iterator[SoundQuestion]:
    """Sounds alone, asked for and named."""
    questions: Sequence[tuple[str, Language]] = (("What do you hear?", "en"), ("这是什么声音？", "zh"))
    for number, (label, clip) in enumerate(_sounds(data)):
        for text, language in questions:
            yield SoundQuestion("sounds", text, language, (clip,), _claims(label), _others(label))
        if number < 3:
            name, other = label.lower(), "dog" if label != "Dog" else "siren"
            article = "" if label == "Thunder" else "a "
            yield SoundQuestion("named", f"Do you hear {article}{name}?", "en", (clip,), _claims(label), _others(label))
            denied = rf"(?:not|no)\b[^.]*\b{other}"
            wrong = _claims("Dog" if other == "dog" else "Siren")
            yield SoundQuestion("named", f"Is that a {other}?", "en", (clip,), denied, wrong, denies=True)


def _background(data: Path) -> Iterator[SoundQuestion]:
    """Sounds beside and behind speech, and speech alone."""
    english, mandarin = _speech(data, "english"), _speech(data, "mandarin")
    for number, (label, clip) in enumerate(_sounds(data)):
        spoken = english[number][1]
        after = np.concatenate([spoken, clip / 2]).astype(np.float32)
        yield SoundQuestion("beside", "What else do you hear?", "en", (after,), _claims(label), _others(label))
        if number < 3:
            behind = _mixed(spoken, clip)
            yield SoundQuestion("behind", "What is in the background?", "en", (behind,), _claims(label), _others(label))
    after = np.concatenate([mandarin[0][1], _sounds(data)[0][1] / 2]).astype(np.float32)
    yield SoundQuestion("beside", "背景里有什么声音？", "zh", (after,), _claims("Dog"), _others("Dog"))
    for (_, clip), text, language in (
        (english[5], "Is there any other sound in the background?", "en"),
        (english[6], "Do you hear a dog?", "en"),
        (mandarin[2], "有狗叫声吗？", "zh"),
    ):
        denied = r"(?:no|not|nothing)\b|没有"
        yield SoundQuestion("beside", text, language, (clip,), denied, _others(), denies=True)


def _mixed(speech: Samples, sound: Samples) -> Samples:
    """Speech with a sound from its beginning on, as loud as it."""
    loud = sound[np.flatnonzero(np.abs(sound) > 0.1 * np.abs(sound).max())[0] :]
    length = max(len(speech), 3 * RATE_HZ)
    padded = np.pad(speech, (0, length - len(speech)))
    return with_noise(padded, np.resize(loud, length), 0.0, np.random.default_rng(3))


def _music(data: Path) -> Iterator[SoundQuestion]:
    speech, mandarin = _speech(data, "english"), _speech(data, "mandarin")
    denied, claimed = r"(?:no|not)\b[^.]*\bmusic|没有[^。]*音乐", _claims("Music")
    with_music = _mixed(speech[9][1], melody(4))
    yield SoundQuestion("music", "Is that music?", "en", (melody(4),), claimed, _others("Music"))
    yield SoundQuestion("music", "What do you hear?", "en", (melody(5),), claimed, _others("Music"))
    yield SoundQuestion("music", "这是音乐吗？", "zh", (melody(4),), claimed, _others("Music"))
    yield SoundQuestion(
        "music", "Is there any music in the background?", "en", (with_music,), claimed, _others("Music")
    )
    for clip in (speech[2][1], speech[10][1]):
        yield SoundQuestion(
            "music", "Is there any music in the background?", "en", (clip,), denied, claimed, denies=True
        )
    yield SoundQuestion("music", "背景里有没有音乐？", "zh", (mandarin[0][1],), denied, claimed, denies=True)
    dog = _sounds(data)[0][1]
    yield SoundQuestion("music", "Is that music?", "en", (dog,), denied, claimed, denies=True)


def _mood(data: Path) -> Iterator[SoundQuestion]:
    acted = _speech(data, "emotion")
    for emotion in EMOTIONS:
        clips = [clip for row, clip in acted if row["emotion"] == emotion]
        wrong = "|".join(EMOTION_WORDS[other] for other in EMOTIONS if other != emotion)
        for number, text, language in MOOD_QUESTIONS:
            clip = clips[number % len(clips)]
            yield SoundQuestion("mood", text, language, (clip,), EMOTION_WORDS[emotion], wrong)
    moved = "|".join(EMOTION_WORDS[other] for other in EMOTIONS if other != "neutral")
    calm = rf"\bnot?\b|{EMOTION_WORDS['neutral']}"
    for _, clip in _speech(data, "english")[8:11]:
        yield SoundQuestion("mood", "Do I sound angry?", "en", (clip,), calm, moved, denies=True)


def _rate(data: Path) -> Iterator[SoundQuestion]:
    """Read speech as it is and at other tempos: what is right follows from the words that are known."""
    fast, slow, ordinary = (
        r"\bfast\b|\bquickly\b|较快|很快",
        r"\bslow|较慢|很慢",
        r"\bordinary\b|(?<!than )\bnormal\b|正常",
    )
    for number, (row, clip) in enumerate([pair for pair in _speech(data, "english") if pair[0]["text"]][4:10]):
        tempo = (1.0, 1.7, 0.55)[number % 3]
        spoken = clip if tempo == 1.0 else at_tempo(clip, RATE_HZ, tempo)
        rate = syllables(row["text"]) / (len(spoken) / RATE_HZ)
        right = fast if rate > 6.5 else slow if rate < 2.6 else ordinary
        wrong = "|".join(other for other in (fast, slow, ordinary) if other != right)
        text, language = ("我说话快吗？", "zh") if number == 3 else ("Am I speaking fast?", "en")
        yield SoundQuestion("rate", text, language, (spoken,), right, wrong)


def _language(data: Path) -> Iterator[SoundQuestion]:
    clips = [*_speech(data, "english")[9:12], *_speech(data, "mandarin"), *_speech(data, "emotion")[5:7]]
    for number, (row, clip) in enumerate(clips):
        spoken = row["language"]
        text, language = ("我说的是什么语言？", "zh") if number % 4 == 3 else ("What language am I speaking?", "en")
        wrong = "|".join(words for other, words in LANGUAGE_WORDS.items() if other != spoken)
        yield SoundQuestion("language", text, language, (clip,), LANGUAGE_WORDS[spoken], wrong)


def _who(data: Path) -> Iterator[SoundQuestion]:
    """What cannot be known of one recording, and what can of several by one person."""
    male, female = r"\b(?:a|the) man\b|man's|\bmale\b|男声|是男", r"\bwoman|\bfemale\b|女声|是女"
    acted = _speech(data, "emotion")
    spoken: Mapping[Language, Samples] = {"en": _speech(data, "english")[9][1], "zh": _speech(data, "mandarin")[0][1]}
    for text, language, wrong in WHO:
        yield SoundQuestion("who", text, language, (spoken[language],), None, wrong)
    for gender, right, wrong in (("male", male, female), ("female", female, male)):
        rows_of = [(row, said) for row, said in acted if row["gender"] == gender]
        speaker = rows_of[0][0]["speaker"]
        several = tuple(said for row, said in rows_of if row["speaker"] == speaker)[:5]
        yield SoundQuestion("who", "Am I a man or a woman?", "en", several, right, wrong)
