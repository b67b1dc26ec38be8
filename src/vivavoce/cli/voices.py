"""``vivavoce voices``: the voices there are, and how the built-in ones sound to the verifier."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from vivavoce.cli.options import ConfigOption, EngineSet, EnginesOption, read_config
from vivavoce.cli.weights import ensure_weights, weights_of
from vivavoce.closing import CloseStack
from vivavoce.config import Config
from vivavoce.errors import EngineError
from vivavoce.voices.presets import PRESETS

if TYPE_CHECKING:
    from vivavoce.voices.measured_voices import MeasuredVoice, MeasuredVoices

app = typer.Typer(no_args_is_help=True, help="The voices there are.")


@app.command("list")
def list_voices() -> None:
    """The preset and native voices, and which engine speaks with each. Hear one: vivavoce say --voice NAME "Hello."."""
    table = Table("voice", "sex", "character", "English", "Chinese", "Japanese")
    for voice in PRESETS.values():
        names = [voice.synthesizers[language][1] for language in ("en", "zh", "ja")]
        table.add_row(voice.id, voice.sex, voice.description, *names)
    Console().print(table)


@app.command()
def measure(
    out: Annotated[Path, typer.Option(help="Where to write the table.")] = Path("stock_voices.json"),
    engines: EnginesOption = EngineSet.LOCAL,
    config: ConfigOption = None,
) -> None:
    """Let every stock voice speak and measure it: the table that clips are matched with. Takes minutes."""
    settings = read_config(engines=engines, file=config)
    console = Console()
    ensure_weights(settings, weights_of(settings, "speaker_verifiers", "speakers"), console)
    from vivavoce.voices.measured_voices import write_table

    def report(voice: MeasuredVoice) -> None:
        console.print(f"{voice.name}: {voice.pitch_hz:.0f} Hz", highlight=False)

    table = asyncio.run(_measure(settings, report))
    out.write_text(write_table(table), encoding="utf-8")
    console.print(f"Wrote {len(table.voices)} voices to {out}.", highlight=False, soft_wrap=True)


async def _measure(config: Config, report: Callable[[MeasuredVoice], None]) -> MeasuredVoices:
    from vivavoce.engines.base import VectorSynthesizer
    from vivavoce.runtime.engines import EngineLoader
    from vivavoce.runtime.voices.voice_traits import measure_builtin_voices

    loader = EngineLoader(config)
    async with CloseStack() as stack:
        router = stack.add(await asyncio.to_thread(loader.synthesizer))
        verifier = stack.add(await asyncio.to_thread(loader.speaker_verifier))
        for synthesizer in router.synthesizers.values():
            if isinstance(synthesizer, VectorSynthesizer):
                return await measure_builtin_voices(synthesizer, verifier, report)
        raise EngineError("voices", "no speaker is loaded whose voices can be mixed")
