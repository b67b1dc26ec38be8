"""The styles bench with fakes: a tone whose pitch moves, and a recogniser that hears what it hears."""

from __future__ import annotations

import pytest
from rich.console import Console

from vivavoce.bench.speaking_styles import SENTENCES, VOICES, named_styles, styles_measured, styles_table
from vivavoce.engines.fake import FakeRecognizer, FakeSynthesizer
from vivavoce.engines.router import SynthesizerRouter
from vivavoce.speaking_style import PLAIN, WHISPER, SpeakingStyle


def test_every_style_that_has_a_name_is_measured() -> None:
    styles = named_styles()
    assert styles["usual"] == PLAIN
    assert styles["whisper"] == WHISPER
    assert {"高兴", "极慢", "to sad", "to hurried"} <= styles.keys()
    assert len(SENTENCES) == len(VOICES)


async def test_what_is_measured_is_what_was_done() -> None:
    synthesizer, recognizer = SynthesizerRouter({"fake": FakeSynthesizer()}, {}), FakeRecognizer()
    styles = {
        "usual": PLAIN,
        "higher": SpeakingStyle(pitch_st=3),
        "faster": SpeakingStyle(rate=1.25),
        "whisper": WHISPER,
    }
    measured = styles_measured(synthesizer, recognizer, ["en"], styles, {"en": "fake"})
    figures = {each.name: each async for each in measured}
    usual = figures["usual"]
    assert usual.f0_hz == pytest.approx(220, rel=0.01)
    assert figures["higher"].f0_hz == pytest.approx(220 * 2**0.25, rel=0.01)
    assert figures["faster"].syllables_per_s == pytest.approx(1.25 * usual.syllables_per_s, rel=0.01)
    assert figures["whisper"].loudness_lufs < usual.loudness_lufs - 6
    console = Console(width=160)
    with console.capture() as written:
        console.print(styles_table([*figures.values()]))
    row = next(line for line in written.get().splitlines() if "higher" in line)
    assert f"{figures['higher'].f0_hz:.0f}" in row
