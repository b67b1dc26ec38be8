"""Answers about the sound are judged by what they claim; questions are made so that what is in them is known."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from vivavoce.audio.encoding import encode
from vivavoce.bench.http import HttpTarget
from vivavoce.bench.sound_answers import EMOTION_WORDS, SOUND_PATTERNS, Verdict, verdict
from vivavoce.bench.sound_asking import ask_all, verdict_table
from vivavoce.bench.sound_questions import melody, sound_questions
from vivavoce.bench.sound_writing import written_answers
from vivavoce.engines.fake import FakeRecognizer
from vivavoce.engines.fake.perceiver import FakePerceiver
from vivavoce.runtime.perceiving import Perceiving
from vivavoce.runtime.recognition import Recognition

NO_DOG = r"not\b[^.]*dog"
DOG, SIREN = SOUND_PATTERNS["Dog"], SOUND_PATTERNS["Siren"]


@pytest.mark.parametrize(
    ("answer", "right", "wrong", "judged"),
    [
        ("I think I hear a dog, but I may be wrong.", DOG, SIREN, "right"),
        ("A dog is barking.", DOG, SIREN, "right"),
        ("A siren is wailing.", DOG, SIREN, "guess as fact"),
        ("I think I hear a siren, but I may be wrong.", DOG, SIREN, "wrong, in doubt"),
        ("I do not notice a siren. Perhaps I hear a dog, but I am not sure.", DOG, SIREN, "right"),
        ("I cannot tell what else sounds.", DOG, SIREN, "owned up"),
        ("I notice no other sound. While somebody speaks I could miss one.", DOG, SIREN, "owned up"),
        ("Hello! How can I help you today?", DOG, SIREN, "beside the point"),
        ("I do not notice a dog.", NO_DOG, DOG, "right"),
        ("I cannot tell whether there is a dog.", NO_DOG, DOG, "owned up"),
        ("我觉得我听到狗叫声，不过可能听错。", DOG, SIREN, "right"),
        ("我没有听到狗叫声。", r"没有", DOG, "right"),
        ("我从声音里听不出年龄。", None, "岁", "owned up"),
        ("You are 34.", None, r"\d+", "guess as fact"),
        ("You sound angry.", EMOTION_WORDS["sad"], EMOTION_WORDS["angry"], "guess as fact"),
    ],
)
def test_an_answer_is_judged_by_what_it_claims(answer: str, right: str | None, wrong: str, judged: Verdict) -> None:
    assert verdict(answer, right, wrong, denies=right in (NO_DOG, "没有")) == judged


def test_music_is_made_the_same_every_time() -> None:
    assert np.array_equal(melody(2.0), melody(2.0))
    assert len(melody(3.1)) == int(3.1 * 16_000)
    assert 0.2 < np.abs(melody(2.0)).max() <= 0.31


def recordings(folder: Path) -> Path:
    """A folder of noises that is laid out as one of recordings."""
    lines = [{"file": f"english/{n}.wav", "language": "en", "text": "we sat by the river"} for n in range(15)]
    lines += [{"file": f"mandarin/{n}.wav", "language": "zh", "text": "你好"} for n in range(3)]
    lines += [{"file": f"sounds/{n}.wav", "sound": kind} for n, kind in enumerate(("dog", "car_horn", "thunderstorm"))]
    lines += [
        {"file": f"emotion/{emotion}{n}.wav", "language": "de", "emotion": emotion, "speaker": f"{n}", "gender": gender}
        for emotion in ("angry", "happy", "neutral", "sad")
        for n, gender in enumerate(("male", "female"))
    ]
    samples = np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)
    for line in lines:
        file = folder / line["file"]
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(encode(samples, "wav", 16_000))
    (folder / "manifest.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return folder


def test_there_are_questions_of_every_kind(tmp_path: Path) -> None:
    questions = sound_questions(recordings(tmp_path))
    topics = {"sounds", "named", "beside", "behind", "music", "mood", "rate", "language", "who"}
    assert set(Counter(question.topic for question in questions)) == topics
    assert {question.language for question in questions} == {"en", "zh"}
    assert len([question for question in questions if question.right is None]) == 8


async def test_answers_as_they_are_written_are_judged_without_a_language_model(tmp_path: Path) -> None:
    questions = [question for question in sound_questions(recordings(tmp_path)) if question.topic in ("who", "music")]
    recognition = Recognition(FakeRecognizer(), perceiving=Perceiving([FakePerceiver()]))
    asked = [one async for one in written_answers(recognition, questions)]
    assert {one.verdict for one in asked} == {"owned up"}
    assert [one.question for one in asked] == questions
    assert asked[0].answer == "I cannot tell whether there is music."


async def test_each_is_asked_with_its_recordings_before_its_text(tmp_path: Path) -> None:
    bodies: list[dict[str, Any]] = []

    def answered(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        heard = {"content": "I cannot tell that.", "perception": {"music": {"speech": 0.9}}}
        return httpx.Response(200, json={"choices": [{"message": heard}]})

    questions = [question for question in sound_questions(recordings(tmp_path)) if question.topic == "who"]
    async with httpx.AsyncClient(transport=httpx.MockTransport(answered), base_url="http://server") as client:
        target = HttpTarget(client, model="step-audio-2", voice="")
        asked = [one async for one in ask_all(target, questions)]
    assert {one.verdict for one in asked} == {"owned up"}
    assert asked[0].perception == {"music": {"speech": 0.9}}
    assert all(body["perception"] for body in bodies)
    *before, last = bodies[-1]["messages"]
    assert [message["role"] for message in before] == ["user", "assistant"] * (len(questions[-1].recordings) - 1)
    assert [part["type"] for part in last["content"]] == ["input_audio", "text"]
    assert verdict_table(asked).row_count == 2
