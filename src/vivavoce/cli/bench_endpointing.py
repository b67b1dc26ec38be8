"""``vivavoce bench endpointing``: false cut-offs at pauses against the wait at the true end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from vivavoce.bench.endpointing import PAUSES_MS, curve_table, rule_table
from vivavoce.bench.endpointing_evidence import ListeningEngines, ScoredPause, scored_pauses
from vivavoce.bench.endpointing_turns import (
    HELD_OUT_VOICES,
    SpokenTurn,
    held_out_texts,
    recorded_turns,
    speak_turns,
)
from vivavoce.cli.options import ConfigOption, EngineSet, EnginesOption, ModelOption, read_config
from vivavoce.cli.weights import ensure_weights, weights_of
from vivavoce.closing import CloseStack
from vivavoce.config import Config
from vivavoce.engines.base import Synthesizer
from vivavoce.tiers import TIERS
from vivavoce.types import Language


def endpointing(
    manifest: Annotated[
        Path | None,
        typer.Option(exists=True, help="JSON lines of recordings: file, language; a turn a file, cut at quiet places."),
    ] = None,
    language: Annotated[list[str] | None, typer.Option(help="Only turns of this language; may repeat.")] = None,
    pauses: Annotated[str, typer.Option(help="Lengths of the pauses in milliseconds.")] = ",".join(map(str, PAUSES_MS)),
    model: ModelOption = "step-audio-2",
    engines: EnginesOption = EngineSet.LOCAL,
    config: ConfigOption = None,
) -> None:
    """When do turns end? False cut-offs at pauses against the wait at the true end, for each evidence alone and together.

    Without a manifest the project's own voices say turns that the end-of-turn model was not fitted on.
    """
    console = Console()
    lengths_ms = _lengths(pauses)
    settings = read_config(engines=engines, file=config)
    kinds = ("turn_scorers", "recognizers", "language_models", *(() if manifest else ("speakers",)))
    for kind in kinds:
        ensure_weights(settings, weights_of(settings, kind), console)
    scored = asyncio.run(_listened(settings, TIERS[model].language_model, manifest, language, console))
    if not scored:
        raise typer.BadParameter("There is no turn to listen to.")
    ends = sum(pause.final for pause in scored)
    speakers = len({pause.speaker for pause in scored})
    origin = "recordings" if manifest else "turns synthesised by Vivavoce's own speakers, no human recordings"
    console.print(f"{ends} {origin}, {speakers} speakers, {len(scored) - ends} pauses of {pauses} ms in them.")
    console.print(curve_table(scored, lengths_ms))
    console.print(rule_table(scored, lengths_ms))


def _lengths(pauses: str) -> list[int]:
    try:
        lengths_ms = [int(one) for one in pauses.split(",")]
    except ValueError:
        lengths_ms = []
    if not lengths_ms or min(lengths_ms) <= 0:
        raise typer.BadParameter("Lengths of pauses are whole milliseconds with commas between.")
    return lengths_ms


async def _listened(
    config: Config, language_model: str, manifest: Path | None, languages: Sequence[Language] | None, console: Console
) -> list[ScoredPause]:
    # Engines are heavy to import, and most other commands do without them.
    from vivavoce.runtime.engines import EngineLoader

    loader = EngineLoader(config)
    async with CloseStack() as stack:
        if manifest is None:
            synthesizer = stack.add(await asyncio.to_thread(loader.synthesizer))
            turns = await _own_turns(synthesizer, languages, console)
        else:
            turns = recorded_turns(manifest, languages)
        engines = ListeningEngines(
            stack.add(await asyncio.to_thread(loader.turn_scorer)),
            stack.add(await asyncio.to_thread(loader.recognizer)),
            stack.add(await asyncio.to_thread(loader.language_model, language_model)),
        )
        return [
            pause
            for turn in track(turns, "Listening …", console=console, transient=True)
            async for pause in scored_pauses([turn], engines)
        ]


async def _own_turns(
    synthesizer: Synthesizer, languages: Sequence[Language] | None, console: Console
) -> list[SpokenTurn]:
    with console.status("Speaking turns with the project's own voices …"):
        return [turn async for turn in speak_turns(synthesizer, held_out_texts(languages), HELD_OUT_VOICES)]
