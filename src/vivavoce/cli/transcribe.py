"""``vivavoce transcribe``: speech to text, by the recogniser alone."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from vivavoce.cli.options import ConfigOption, EngineSet, EnginesOption, read_config
from vivavoce.cli.weights import ensure_weights, weights_of
from vivavoce.client.recording import read_audio
from vivavoce.closing import CloseStack
from vivavoce.config import Config
from vivavoce.errors import ClientError
from vivavoce.protocol.languages import requested_language
from vivavoce.types import Language, TranscribeOptions

if TYPE_CHECKING:
    from vivavoce.engines.base import Recognizer


def transcribe(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Recordings: wav, flac, mp3 …")],
    language: Annotated[
        str | None, typer.Option(help="The language spoken: en, zh-CN, french …; detected if not given.")
    ] = None,
    engines: EnginesOption = EngineSet.LOCAL,
    config: ConfigOption = None,
) -> None:
    """Transcribe recordings: one line a file, with its language."""
    try:
        spoken = requested_language(language)
    except ClientError as error:
        raise typer.BadParameter(error.message, param_hint="--language") from error
    settings = read_config(engines=engines, file=config)
    ensure_weights(settings, weights_of(settings, "recognizers"), Console(stderr=True))
    asyncio.run(_transcribe(settings, files, spoken))


async def _transcribe(config: Config, files: list[Path], language: Language | None) -> None:
    # Engines are heavy to import; every other command starts quickly without them.
    from vivavoce.runtime.engines import EngineLoader
    from vivavoce.runtime.recognition import final_transcript

    async with CloseStack() as stack:
        recognizer: Recognizer = stack.add(await asyncio.to_thread(EngineLoader(config).recognizer))
        for file in files:
            samples = await asyncio.to_thread(read_audio, file, rate_hz=recognizer.rate_hz)
            event = await final_transcript(recognizer.transcribe(samples, TranscribeOptions(language)))
            typer.echo(f"{file}\t{event.language}\t{event.text}")
