"""``vivavoce transcribe``: speech to text, by the recogniser alone."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from vivavoce.cli.options import ConfigOption, Engines, EnginesOption, read_config
from vivavoce.cli.weights import ensure_weights, weights_of
from vivavoce.client.recording import read_audio
from vivavoce.closing import CloseStack
from vivavoce.config import Config
from vivavoce.types import TranscribeOptions, Transcript

if TYPE_CHECKING:
    from vivavoce.engines.base import Recognizer


def transcribe(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Recordings: wav, flac, mp3 …")],
    language: Annotated[str | None, typer.Option(help="The language spoken: en, zh …; detected if not given.")] = None,
    engines: EnginesOption = Engines.LOCAL,
    config: ConfigOption = None,
) -> None:
    """Transcribe recordings: one line a file, with its language."""
    settings = read_config(engines=engines, file=config)
    ensure_weights(settings, weights_of(settings, "recognizers"), Console(stderr=True))
    asyncio.run(_transcribe(settings, files, language))


async def _transcribe(config: Config, files: list[Path], language: str | None) -> None:
    # Engines are heavy to import; every other command starts quickly without them.
    from vivavoce.runtime.engines import EngineLoader

    async with CloseStack() as stack:
        recognizer: Recognizer = stack.add(await asyncio.to_thread(EngineLoader(config).recognizer))
        for file in files:
            samples = await asyncio.to_thread(read_audio, file, rate_hz=recognizer.rate_hz)
            async for heard in recognizer.transcribe(samples, TranscribeOptions(language)):
                if isinstance(heard, Transcript):
                    typer.echo(f"{file}\t{heard.language}\t{heard.text}")
