"""``vivavoce bench perception``: how far what is heard in a voice can be trusted."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from vivavoce.cli.options import ConfigOption, EngineSet, read_config

DataArgument = Annotated[
    Path,
    typer.Argument(
        exists=True, file_okay=False, help="A folder with manifest.jsonl, emotion/ (EMO-DB), noise/ and rooms/."
    ),
]


def perception(
    data: DataArgument,
    cache: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Keep what is computed here.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Emotion with speakers left out, clean and in unseen noise; abstention, arousal, gender, language; added latency.

    About ten minutes the first time.
    """
    # The recogniser's libraries are heavy, and other commands start without them.
    from vivavoce.bench.perception import arousal_auc, coverage_table, gender_recalls, heard, material, recall_table
    from vivavoce.runtime.engines import EngineLoader

    console = Console()
    found = material(data, cache)
    console.print(recall_table(found))
    console.print(coverage_table(found))
    console.print(f"Arousal by pitch, relative to the speaker's neutral clips: AUC {arousal_auc(found):.3f}")
    clip, speaker = gender_recalls(data, found)
    console.print(f"Gender: unweighted recall {clip:.2f} per clip, {speaker:.0%} of speakers over all their clips")
    loader = EngineLoader(read_config(engines=EngineSet.LOCAL, file=config))
    turn = asyncio.run(heard(data, loader.recognizer(), loader.perceiver()))
    console.print(f"Language: {turn.languages_right} of {turn.clips} right")
    added = turn.perceiving_ms - turn.plain_ms
    console.print(
        f"A turn is read in {turn.plain_ms:.0f} ms, with perception in {turn.perceiving_ms:.0f} ms ({added:+.0f} ms); "
        f"perceived in time: {turn.perceived} of {turn.clips}"
    )
