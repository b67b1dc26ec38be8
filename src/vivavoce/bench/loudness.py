"""Measure how loud every listed voice is in each of its languages: ``python -m vivavoce.bench.loudness table.json``.

The table it writes is the one ``engines/levels.py`` reads: decibels to add, by engine, voice and language. Run it when weights
or voices change. ``--check`` measures what is spoken with the table in place, and prints the spread and the highest peak.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from vivavoce.audio.loudness import TARGET_LUFS, loudness, true_peak
from vivavoce.config import load_config
from vivavoce.engines.base import Speaker
from vivavoce.runtime.engines import EngineLoader
from vivavoce.types import Language, Samples, SpeakOptions
from vivavoce.voices.presets import PRESETS

SENTENCES: Mapping[Language, str] = {
    "en": "The weather will be fine tomorrow, so we could take a walk along the river and have lunch in the garden.",
    "zh": "明天的天气会很好，我们可以沿着河边散步，然后在花园里吃午饭，你觉得怎么样？",
    "ja": "明日はいい天気になりそうですから、川沿いを散歩して、庭でお昼ごはんを食べましょう。",
}


async def _said(speaker: Speaker, voice: str, language: Language) -> Samples:
    options = SpeakOptions(voice, language)
    return np.concatenate([piece async for piece in speaker.speak(SENTENCES[language], options)])


async def measured(speakers: Mapping[str, Speaker]) -> dict[str, dict[str, float]]:
    """``engine → voice@language → dB`` for every voice the presets use and every one of the engines' own."""
    wanted = {(engine, own, code) for voice in PRESETS.values() for code, (engine, own) in voice.speakers.items()}
    for engine, speaker in speakers.items():
        wanted |= {(engine, own, code) for own, codes in speaker.voices.items() for code in codes}
    table: dict[str, dict[str, float]] = {}
    for engine, own, code in sorted(wanted):
        found = loudness(await _said(speakers[engine], own, code), speakers[engine].rate_hz)
        table.setdefault(engine, {})[f"{own}@{code}"] = round(TARGET_LUFS - found, 1)
        print(f"{engine} {own} {code}: {found:.1f} LUFS", flush=True)
    return table


async def checked(speaker: Speaker) -> None:
    """Print how loud the listed voices are as they are spoken, their spread and the highest peak."""
    found: dict[str, float] = {}
    peak = 0.0
    for name, voice in PRESETS.items():
        for code in voice.speakers:
            samples = await _said(speaker, name, code)
            found[f"{name} {code}"] = loudness(samples, speaker.rate_hz)
            peak = max(peak, true_peak(samples))
    least, most = min(found, key=found.__getitem__), max(found, key=found.__getitem__)
    print(
        f"{len(found)}: {found[least]:.1f} ({least}) to {found[most]:.1f} LUFS ({most}), peak {20 * np.log10(peak):.1f} dBFS"
    )


def main() -> None:
    """The entry point."""
    router = EngineLoader(load_config()).speaker()
    if sys.argv[1:] == ["--check"]:
        asyncio.run(checked(router))
    else:
        table = asyncio.run(measured(router.speakers))
        Path(sys.argv[1]).write_text(json.dumps(table, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
