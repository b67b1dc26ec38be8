from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

import pytest

from scripted_server import tone
from vivavoce.bench.questions import OWN_QUESTIONS, ManifestError, read_manifest, synthesise_questions
from vivavoce.client.errors import RecordingError
from vivavoce.client.recording import write_wav
from vivavoce.types import Samples, SpeakOptions


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "english").mkdir()
    for name in ("english/a.wav", "english/b.wav", "c.wav"):
        write_wav(tmp_path / name, tone(100))
    return tmp_path


def manifest(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "m.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n\n", "utf-8")
    return path


ROWS: tuple[dict[str, Any], ...] = (
    {"file": "english/a.wav", "language": "en", "text": "one"},
    {"file": "english/b.wav", "language": "en", "speech_end_ms": 40},
    {"file": "c.wav", "language": "zh", "text": None},
    {"file": "noise.wav", "noise": "rain"},
)


def test_recordings_carry_text_and_label(folder: Path) -> None:
    first, second, third = read_manifest(manifest(folder, *ROWS))
    assert (first.name, first.text, first.language) == ("english/a.wav", "one", "en")
    assert first.speech_end_ms == pytest.approx(100, abs=1)
    assert second.speech_end_ms == 40.0
    assert third.text is None


def test_language_files_and_limit_choose(folder: Path) -> None:
    path = manifest(folder, *ROWS)
    assert [q.name for q in read_manifest(path, language="zh")] == ["c.wav"]
    assert [q.name for q in read_manifest(path, files="english/*")] == ["english/a.wav", "english/b.wav"]
    assert [q.name for q in read_manifest(path, limit=1)] == ["english/a.wav", "c.wav"]


def test_what_does_not_fit_is_said(folder: Path) -> None:
    path = manifest(folder, *ROWS)
    with pytest.raises(ManifestError, match="No recording"):
        read_manifest(path, language="ja")
    path.write_text("{broken", "utf-8")
    with pytest.raises(ManifestError, match=r"m\.jsonl"):
        read_manifest(path)
    with pytest.raises(RecordingError, match=r"absent\.wav"):
        read_manifest(manifest(folder, {"file": "absent.wav", "language": "en"}))


class Humming:
    rate_hz = 12_000
    voices: Mapping[str, frozenset[str]] = {"v": frozenset({"en", "zh"})}

    async def speak(self, text: str, options: SpeakOptions) -> AsyncGenerator[Samples, None]:
        yield tone(20)[::2]
        yield tone(20)[::2]

    def close(self) -> None:
        return


async def test_own_questions_are_spoken_in_each_language_at_the_wires_rate() -> None:
    questions = await synthesise_questions(Humming(), voice="v", languages=["en", "zh"], limit=2)
    assert [q.name for q in questions] == ["en-1", "en-2", "zh-1", "zh-2"]
    assert questions[0].text == OWN_QUESTIONS["en"][0]
    assert len(questions[0].samples) == pytest.approx(24_000 * 0.04, abs=20)
    assert 35 < questions[0].speech_end_ms <= 41
