"""Scoring: what counts as the same text, what the figures are, what a manifest may hold."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from vivavoce.bench.questions import ManifestError
from vivavoce.bench.recognition import (
    GroupScore,
    ManifestRow,
    RecognitionRun,
    group_scores,
    read_recordings,
    recognise,
    score_table,
)
from vivavoce.client.recording import write_wav
from vivavoce.types import Language, Samples, TranscribeOptions, Transcript
from vivavoce.word_errors import count_errors, units

words = st.lists(st.sampled_from(["one", "two", "no", "tea", "garden"]), max_size=8)


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Go forward 10 meters.", "en", "go forward ten meters"),
        ("ill-disposed, he said!", "en", "ill disposed he said"),
        ("And Mr. Dashwood didn’t.", "en", "and mister dashwood didnt"),
        ("911", "en", "nine one one"),
        ("5-5", "en", "five five"),
        ("42 of 20 in 07", "en", "forty two of twenty in zero seven"),
        ("Im Café, 10 Uhr.", "de", "im café 10 uhr"),
        ("你好，世界 3。", "zh", "你 好 世 界 三"),
        ("ＡＢＣです。", "ja", "a b c で す"),
    ],
)
def test_one_form_for_both_texts(text: str, language: Language, expected: str) -> None:
    assert units(text, language) == expected.split()


@pytest.mark.parametrize(
    ("spoken", "understood", "language", "counts"),
    [
        ("drop the two", "Drop the 2!", "en", (0, 3)),
        ("drop the two", "drop two more", "en", (2, 3)),
        ("no no no", "no", "en", (2, 3)),
        ("hello", "", "en", (1, 1)),
        ("", "thank you", "en", (2, 0)),
        ("语音识别", "云石别", "zh", (3, 4)),
    ],
)
def test_errors_are_counted(spoken: str, understood: str, language: Language, counts: tuple[int, int]) -> None:
    assert count_errors(spoken, understood, language) == counts


@given(words, words)
def test_distance_is_symmetric_and_bounded(left: list[str], right: list[str]) -> None:
    errors, length = count_errors(" ".join(left), " ".join(right), "en")
    assert length == len(left)
    assert abs(len(left) - len(right)) <= errors <= max(len(left), len(right))
    assert errors == count_errors(" ".join(right), " ".join(left), "en")[0]
    assert (errors == 0) == (left == right)


def recognition(group: str, text: str | None, understood: str, elapsed_s: float, duration_s: float) -> RecognitionRun:
    language = None if group == "noise" else "en"
    return RecognitionRun(ManifestRow(Path("x.wav"), group, language, text), understood, elapsed_s, duration_s)


def test_groups_in_figures() -> None:
    english, noise = group_scores(
        [
            recognition("english en", "one two", "one", 0.2, 2.0),
            recognition("noise", None, "thank you", 0.1, 4.0),
            recognition("english en", None, "whatever", 0.4, 4.0),
            recognition("english en", "three four", "three four", 0.6, 6.0),
            recognition("noise", None, "", 0.3, 4.0),
        ]
    )
    assert english == GroupScore("english en", 3, 1, 4, 0, 400.0, 300.0, english.real_time_factor)
    assert english.real_time_factor == pytest.approx(0.1)
    assert english.error_rate == 0.25
    assert (noise.invented, noise.recordings, noise.error_rate) == (1, 2, None)
    console = Console(width=120)
    with console.capture() as shown:
        console.print(score_table([english, noise]))
    assert "25.0%" in shown.get()


def test_a_manifest_with_corrections(tmp_path: Path) -> None:
    rows = [
        {"file": "a/1.wav", "language": "en", "text": "wore"},
        {"file": "a/2.wav", "language": "en"},
        {"file": "b/3.wav"},
    ]
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    assert read_recordings(manifest, {"a/1.wav": "war"}) == [
        ManifestRow(tmp_path / "a/1.wav", "a en", "en", "war"),
        ManifestRow(tmp_path / "a/2.wav", "a en", "en", None),
        ManifestRow(tmp_path / "b/3.wav", "b", None, None),
    ]


@pytest.mark.parametrize("content", ["{", '{"text": "no file"}', "[1]"])
def test_a_broken_manifest(tmp_path: Path, content: str) -> None:
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_text(content, "utf-8")
    with pytest.raises(ManifestError, match=r"manifest\.jsonl"):
        read_recordings(manifest)


class Parrot:
    """Says which language it was told and how long the sound was."""

    rate_hz = 16_000

    async def transcribe(self, samples: Samples, options: TranscribeOptions) -> AsyncGenerator[Transcript, None]:
        yield Transcript(f"{options.language} {len(samples)}", options.language or "en")

    def close(self) -> None: ...


@pytest.mark.parametrize(("hint", "understood"), [(False, "None 8000"), (True, "de 8000")])
async def test_recordings_are_heard_at_the_recognisers_rate(tmp_path: Path, hint: bool, understood: str) -> None:
    write_wav(tmp_path / "a.wav", np.zeros(12_000, np.float32), rate_hz=24_000)
    [heard] = await recognise(Parrot(), [ManifestRow(tmp_path / "a.wav", "x de", "de", "hallo")], hint=hint)
    assert heard.understood == understood
    assert heard.duration_s == 0.5
    assert heard.elapsed_s > 0
