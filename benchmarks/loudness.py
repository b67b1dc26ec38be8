"""Measure how loud every listed voice is in each of its languages: ``python benchmarks/loudness.py table.json``.

The table it writes is the one ``engines/levels.py`` reads: decibels to add, by engine, voice and language. Run it when weights
or voices change. ``--check`` speaks other sentences with the table in place, by all listed voices or those named behind it, and
prints how loud each is in every language, the spread, and the highest peak; the exit code is 1 when one is off by more than
``MOST_LU``, or a peak too high.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from vivavoce.audio.loudness import TARGET_LUFS, loudness, true_peak
from vivavoce.config import load_config
from vivavoce.engines.base import Synthesizer
from vivavoce.engines.router import SynthesizerRouter
from vivavoce.runtime.engines import EngineLoader
from vivavoce.types import Language, Samples, SpeakOptions
from vivavoce.voices.presets import PRESETS

SENTENCES: Mapping[Language, Sequence[str]] = {
    "en": (
        "The weather will be fine tomorrow, so we could take a walk along the river and have lunch in the garden.",
        "I have put the meeting on Thursday afternoon, because nobody had time before.",
        "Is there anything else I can do for you?",
        "The museum is closed on Mondays, but you can visit the old town hall.",
    ),
    "zh": (
        "明天的天气会很好，我们可以沿着河边散步，然后在花园里吃午饭，你觉得怎么样？",
        "会议改到星期四下午了，因为之前大家都没有空。",
        "还有什么可以帮您的吗？",
        "博物馆星期一不开门，不过您可以去参观老市政厅。",
    ),
    "ja": (
        "明日はいい天気になりそうですから、川沿いを散歩して、庭でお昼ごはんを食べましょう。",
        "会議は木曜日の午後に変更しました。その前は皆さんお忙しいそうです。",
        "ほかに何かお手伝いできることはありますか？",
        "博物館は月曜日がお休みですが、古い市庁舎は見学できます。",
    ),
}
"""What the table is made from. How loud a voice is differs from sentence to sentence by up to 2 LU, so there are some."""

CHECKED: Mapping[Language, Sequence[str]] = {
    "en": (
        "Please wait a moment, I am looking for your booking.",
        "Do you know when the next train leaves?",
        "Thank you for calling. Your order was sent this morning.",
    ),
    "zh": (
        "请稍等一下，我正在查找您的预订。",
        "请问下一班火车什么时候开？",
        "感谢您的来电。您的订单今天早上已经发出。",
    ),
    "ja": (
        "少々お待ちください。ただいまご予約を確認しております。",
        "次の電車は何時に出ますか？",
        "お電話ありがとうございます。ご注文の品は今朝発送しました。",
    ),
}
"""What it is checked with."""

MOST_LU = 1.5
MAX_PEAK_DBFS = -1.0


async def _said(synthesizer: Synthesizer, voice: str, language: Language, sentences: Iterable[str]) -> Samples:
    options = SpeakOptions(voice, language)
    return np.concatenate([piece for text in sentences async for piece in synthesizer.speak(text, options)])


async def measured(synthesizers: Mapping[str, Synthesizer]) -> dict[str, dict[str, float]]:
    """``engine → voice@language → dB`` for every voice the presets use and every one of the engines' own."""
    voices = {(engine, own, code) for voice in PRESETS.values() for code, (engine, own) in voice.synthesizers.items()}
    for engine, synthesizer in synthesizers.items():
        voices |= {(engine, own, code) for own, codes in synthesizer.voices.items() for code in codes}
    table: dict[str, dict[str, float]] = {}
    for engine, own, code in sorted(voices):
        level = loudness(await _said(synthesizers[engine], own, code, SENTENCES[code]), synthesizers[engine].rate_hz)
        table.setdefault(engine, {})[f"{own}@{code}"] = round(TARGET_LUFS - level, 1)
        print(f"{engine} {own} {code}: {level:.1f} LUFS", flush=True)
    return table


async def checked(router: SynthesizerRouter, only: Sequence[str]) -> bool:
    """Print how loud the listed voices, or ``only`` some, are, their spread and the highest peak; whether all is well."""
    names = {
        spoken: (name, spoken[2])
        for name, voice in PRESETS.items()
        if not only or name in only
        for spoken in _spoken(name, router, voice.synthesizers)
    }
    levels: dict[str, float] = {}
    peaks: dict[str, float] = {}
    for (_, own, _), (name, code) in sorted(names.items()):
        samples = await _said(router, name, code, CHECKED[code])
        levels[f"{name} {code}"] = loudness(samples, router.rate_hz)
        peaks[f"{name} {code}"] = 20 * float(np.log10(true_peak(samples)))
        print(
            f"{name} {code} ({own}): {levels[f'{name} {code}']:.1f} LUFS, {peaks[f'{name} {code}']:.1f} dBFS",
            flush=True,
        )
    quietest, loudest = min(levels, key=levels.__getitem__), max(levels, key=levels.__getitem__)
    print(
        f"{len(levels)}: {levels[quietest]:.1f} ({quietest}) to {levels[loudest]:.1f} LUFS ({loudest}), "
        f"peak {max(peaks.values()):.1f} dBFS"
    )
    off = max(abs(level - TARGET_LUFS) for level in levels.values())
    return off <= MOST_LU and max(peaks.values()) < MAX_PEAK_DBFS


def _spoken(name: str, router: SynthesizerRouter, languages: Iterable[Language]) -> list[tuple[str, str, Language]]:
    """Who speaks a voice; names that mean the same speaker are measured once."""
    return [router.route("", name, language) for language in languages]


def main() -> None:
    """The entry point."""
    router = EngineLoader(load_config()).synthesizer()
    if sys.argv[1] == "--check":
        sys.exit(not asyncio.run(checked(router, sys.argv[2:])))
    table = asyncio.run(measured(router.synthesizers))
    Path(sys.argv[1]).write_text(json.dumps(table, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
