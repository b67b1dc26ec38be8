"""The styles bench: what speaking styles do to the sound of the voices, and whether the words are still understood.

The same sentences are spoken in every style; pitch, loudness, pace and voicing are measured against the usual style, and the
configured recogniser writes down what it hears.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from rich.table import Table

from vivavoce.audio.loudness import loudness
from vivavoce.audio.resample import resample
from vivavoce.audio.silence import silence
from vivavoce.engines.base import Recognizer, Synthesizer
from vivavoce.perception.prosody import measure
from vivavoce.perception.style import BY_CUE, BY_EMOTION
from vivavoce.perception.syllables import syllables
from vivavoce.runtime.recognition import final_transcript
from vivavoce.speaking.instructions import HIGH, LOUD, LOW, QUIET
from vivavoce.speaking.labels import EMOTIONS, STYLES
from vivavoce.speaking_style import PLAIN, WHISPER, SpeakingStyle
from vivavoce.types import Language, Samples, SpeakOptions, TranscribeOptions
from vivavoce.word_errors import count_errors

SENTENCES: Mapping[Language, Sequence[str]] = {
    "en": (
        "I have read the whole letter twice and put it back into the drawer.",
        "Could you tell me where the library keeps its old newspapers?",
        "The bakery on the corner sells warm bread every morning.",
        "My brother left his green umbrella on the bus again.",
    ),
    "zh": (
        "我把那封信读了两遍，又放回抽屉里。",
        "请问图书馆的旧报纸放在哪里？",
        "街角的面包店每天早上都卖热面包。",
        "我弟弟又把他的绿雨伞忘在公共汽车上了。",
    ),
    "ja": (
        "手紙を読んで、引き出しに戻しました。",
        "図書館の古い新聞はどこにありますか。",
        "角のパン屋は毎朝温かいパンを売っています。",
        "弟はまた緑の傘をバスに忘れました。",
    ),
}
"""Written for this: no numbers, which a recogniser may write in several ways."""

VOICES: Mapping[Language, str] = {"en": "heart", "zh": "zf_xiaobei", "ja": "jf_alpha"}

MOST_RANGE_ST = 12.0
"""Nobody's pitch moves so far between its 20th and 80th percentile: what does is noise that has a pitch here and there."""

PADDING_MS = 300
"""Silence around what the recogniser hears."""


def named_styles() -> Mapping[str, SpeakingStyle]:
    """Every style that has a name, the usual one first."""
    labels = {name: style for name, style in {**STYLES, **EMOTIONS}.items() if style is not None}
    asked = {"whisper": WHISPER, "louder": LOUD, "quieter": QUIET, "higher": HIGH, "lower": LOW}
    by_emotion = {f"to {name}": style for name, style in BY_EMOTION.items()}
    by_cue = {f"to {name}": style for name, style in BY_CUE.items()}
    return {"usual": PLAIN, **asked, **labels, **by_emotion, **by_cue}


@dataclass(frozen=True, slots=True)
class StyleFigures:
    """Means over the sentences of a language: ``f0_hz`` is ``None`` where nothing is voiced; loudness in LUFS, ``rms_db`` of
    full scale over the speech, ``error_rate`` of the recogniser, ``cost`` in seconds of work a second of audio.
    """

    language: Language
    name: str
    f0_hz: float | None
    range_st: float | None
    loudness_lufs: float
    rms_db: float
    syllables_per_s: float
    error_rate: float
    cost: float


async def styles_measured(
    synthesizer: Synthesizer,
    recognizer: Recognizer,
    languages: Sequence[Language],
    styles: Mapping[str, SpeakingStyle],
    voices: Mapping[Language, str] = VOICES,
) -> AsyncIterator[StyleFigures]:
    """The figures of each style in each language. Raises ``EngineError``, ``ClientError``."""
    for language in languages:
        for name, style in styles.items():
            clips = [
                await _spoken(synthesizer, text, voices[language], language, style) for text in SENTENCES[language]
            ]
            yield await _figures(synthesizer, recognizer, language, name, clips)


async def _spoken(
    synthesizer: Synthesizer, text: str, voice: str, language: Language, style: SpeakingStyle
) -> tuple[Samples, float]:
    """A sentence, and how many seconds it took."""
    start = time.perf_counter()
    pieces = [piece async for piece in synthesizer.speak(text, SpeakOptions(voice, language, style=style))]
    return np.concatenate(pieces), time.perf_counter() - start


async def _figures(
    synthesizer: Synthesizer,
    recognizer: Recognizer,
    language: Language,
    name: str,
    clips: Sequence[tuple[Samples, float]],
) -> StyleFigures:
    rate_hz, texts = synthesizer.rate_hz, SENTENCES[language]
    measures = [found for samples, _ in clips if (found := measure(samples, rate_hz)) is not None]
    voiced = [each for each in measures if each.f0_range_st is not None and each.f0_range_st < MOST_RANGE_ST]
    wrong = length = 0
    padding = silence(PADDING_MS, recognizer.rate_hz)
    for text, (samples, _) in zip(texts, clips, strict=True):
        heard = np.concatenate([padding, resample(samples, rate_hz, recognizer.rate_hz), padding])
        transcript = await final_transcript(recognizer.transcribe(heard, TranscribeOptions(language)))
        errors, words = count_errors(text, transcript.text, language)
        wrong, length = wrong + errors, length + words
    seconds = sum(len(samples) for samples, _ in clips) / rate_hz
    return StyleFigures(
        language,
        name,
        f0_hz=_median([each.f0_hz for each in voiced], len(clips)),
        range_st=_median([each.f0_range_st for each in voiced], len(clips)),
        loudness_lufs=loudness(np.concatenate([samples for samples, _ in clips]), rate_hz),
        rms_db=statistics.mean(each.level_db for each in measures),
        syllables_per_s=sum(map(syllables, texts)) / seconds,
        error_rate=wrong / length,
        cost=sum(took for _, took in clips) / seconds,
    )


def _median(values: Sequence[float | None], clips: int) -> float | None:
    """Of what most clips have."""
    known = [value for value in values if value is not None]
    return statistics.median(known) if len(known) > clips / 2 else None


def styles_table(figures: Sequence[StyleFigures]) -> Table:
    """A row a style; pitch and loudness also against the usual style of the language."""
    table = Table(title="Speaking styles")
    for name in ("", "style"):
        table.add_column(name)
    for name in ("F0 Hz", "st", "range st", "LUFS", "RMS dB", "syllables/s", "errors", "s per s"):
        table.add_column(name, justify="right")
    usual = {each.language: each for each in figures if each.name == "usual"}
    for each in figures:
        base = usual.get(each.language)
        moved = (
            f"{12 * float(np.log2(each.f0_hz / base.f0_hz)):+.1f}"
            if base is not None and base.f0_hz is not None and each.f0_hz is not None
            else "–"
        )
        table.add_row(
            each.language,
            each.name,
            "–" if each.f0_hz is None else f"{each.f0_hz:.0f}",
            moved,
            "–" if each.range_st is None else f"{each.range_st:.1f}",
            f"{each.loudness_lufs:.1f}",
            f"{each.rms_db:.1f}",
            f"{each.syllables_per_s:.1f}",
            f"{each.error_rate:.0%}",
            f"{each.cost:.2f}",
        )
    return table
