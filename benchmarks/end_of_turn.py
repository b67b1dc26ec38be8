"""Fit the end-of-turn model: ``python benchmarks/end_of_turn.py extract FOLDER``, then ``fit FOLDER``.

``extract`` speaks the turns of ``end_of_turn_texts.toml`` (and of the endpointing bench, which are held out) with the project's
own voices, cuts the recordings of a manifest, asks the engines about every pause and keeps what they say in ``FOLDER``.
``fit`` makes the weights of it (``turns/end_of_turn.json``) and reports on the held-out turns. See ``turns/end_of_turn.md``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import zlib
from collections.abc import Collection, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TextIO

import numpy as np
from end_of_turn_fit import fitted_weights, report
from rich.console import Console

from vivavoce.bench.endpointing import PAUSES_MS, curve_table, rule_table
from vivavoce.bench.endpointing_evidence import ListeningEngines, ScoredPause, scored_pauses
from vivavoce.bench.endpointing_turns import (
    HELD_OUT_VOICES,
    SpokenTurn,
    held_out_texts,
    read_texts,
    recorded_turns,
    speak_turns,
)
from vivavoce.closing import CloseStack
from vivavoce.config import load_config
from vivavoce.runtime.engines import EngineLoader

VOICES = {
    "en": ("heart", "af_bella", "am_michael"),
    "zh": ("zf_xiaoxiao", "zm_yunxi"),
    "ja": ("jf_alpha", "jm_kumo"),
}
"""None of them speaks in the bench."""

HELD_OUT_RECORDINGS = ("spk2", "librivox_09", "librispeech", "mandarin")
"""Names of recordings and folders that are not fitted on."""

ALONE_MS = (45.0, 230.0, 40.0)
"""What sound, words and ``sentence_end`` (its words prefilled) take on two cores with nothing else to do: the report is to tell
of the weights, not of how busy the machine was. ``vivavoce bench endpointing`` counts what it measures."""

TRAINED = "train.jsonl"
HELD_OUT = "held-out.jsonl"
WEIGHTS = Path(__file__).parents[1] / "src" / "vivavoce" / "turns" / "end_of_turn.json"


def degraded(turn: SpokenTurn) -> SpokenTurn:
    """``turn``, two times in five with noise behind it (10 to 25 dB below the voice), two times in five softer."""
    rng = np.random.default_rng(zlib.crc32(turn.name.encode()))
    kind, gain = rng.random(), 10 ** (-rng.uniform(6, 20) / 20)
    if kind < 0.4:
        level = float(np.sqrt(np.mean(turn.samples**2)))
        return replace(turn, noise=level * 10 ** (-rng.uniform(10, 25) / 20))
    return replace(turn, samples=turn.samples * np.float32(gain)) if kind < 0.8 else turn


def _held_out(turn: SpokenTurn) -> bool:
    return any(part in turn.name for part in HELD_OUT_RECORDINGS)


async def extract(
    folder: Path, manifest: Path | None, language_model: str, parts: Collection[str], console: Console
) -> None:
    """Ask the engines about every pause; a turn that is in ``folder`` already is left out."""
    loader = EngineLoader(load_config())
    known = {part: {pause.turn for pause in read_pauses(folder / part)} for part in parts}
    texts = read_texts((Path(__file__).parent / "end_of_turn_texts.toml").read_text("utf-8"))
    async with CloseStack() as stack:
        synthesizer = stack.add(loader.synthesizer())
        engines = ListeningEngines(
            stack.add(loader.turn_scorer()),
            stack.add(loader.recognizer()),
            stack.add(loader.language_model(language_model)),
        )
        people = recorded_turns(manifest, tuple(VOICES)) if manifest else []
        if manifest is None:
            console.print("No manifest: no recordings of people.")
        for part in parts:
            own = part == HELD_OUT
            recorded = [turn for turn in people if _held_out(turn) is own and turn.name not in known[part]]
            spoken = (
                speak_turns(synthesizer, held_out_texts(), HELD_OUT_VOICES, known=known[part])
                if own
                else speak_turns(synthesizer, texts, VOICES, known=known[part])
            )
            with (folder / part).open("a", encoding="utf-8") as file:
                for turn in recorded:
                    await _keep(turn if own else degraded(turn), engines, file)
                async for turn in spoken:
                    await _keep(turn if own else degraded(turn), engines, file)


async def _keep(turn: SpokenTurn, engines: ListeningEngines, file: TextIO) -> None:
    pauses = [asdict(pause) async for pause in scored_pauses([turn], engines)]
    file.writelines(json.dumps(pause, ensure_ascii=False) + "\n" for pause in pauses)
    file.flush()


def read_pauses(path: Path) -> list[ScoredPause]:
    """The pauses in a file, none if it is not there."""
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return [ScoredPause(**{**row, "sounds": tuple(row["sounds"])}) for row in map(json.loads, lines)]


def by_origin(pauses: Sequence[ScoredPause]) -> dict[str, list[ScoredPause]]:
    """Synthesised and recorded, where there are any."""
    recorded = [pause for pause in pauses if "/" in pause.turn]
    spoken = [pause for pause in pauses if "/" not in pause.turn]
    return {title: members for title, members in (("own voices", spoken), ("people", recorded)) if members}


def main(arguments: Sequence[str] | None = None) -> None:
    """Extract or fit."""
    parser = argparse.ArgumentParser(description="Fit the end-of-turn model.")
    parser.add_argument("step", choices=("extract", "fit"))
    parser.add_argument("folder", type=Path, help="where what the engines say is kept")
    parser.add_argument("--manifest", type=Path, help="recordings of people, JSON lines: file, language")
    parser.add_argument("--language-model", default="large", help="as the configuration names it")
    parser.add_argument("--part", choices=(TRAINED, HELD_OUT), action="append", help="extract this part only")
    options = parser.parse_args(arguments)
    console = Console()
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.step == "extract":
        asyncio.run(
            extract(
                options.folder, options.manifest, options.language_model, options.part or (TRAINED, HELD_OUT), console
            )
        )
        return
    train, held_out = read_pauses(options.folder / TRAINED), read_pauses(options.folder / HELD_OUT)
    weights = fitted_weights(train)
    WEIGHTS.write_text(json.dumps(asdict(weights), indent=2, sort_keys=True) + "\n", "utf-8")
    report(weights, train, held_out, console)
    alone = [
        replace(pause, sound_cost_ms=ALONE_MS[0], text_cost_ms=ALONE_MS[1], sentence_end_cost_ms=ALONE_MS[2])
        for pause in held_out
    ]
    for title, pauses in by_origin(alone).items():
        console.print(f"{title}: {sum(pause.final for pause in pauses)} turns held out")
        console.print(curve_table(pauses, PAUSES_MS, weights))
        console.print(rule_table(pauses, PAUSES_MS, weights))


if __name__ == "__main__":
    main()
