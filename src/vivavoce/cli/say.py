"""``vivavoce say``: text to speech, by the server that runs or by the engines alone."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from rich.console import Console

from vivavoce.audio.resample import resample
from vivavoce.cli.local_server import running_server
from vivavoce.cli.options import ApiKeyOption, ConfigOption, EngineSet, EnginesOption, UrlOption, read_config
from vivavoce.cli.weights import ensure_weights, weights_of
from vivavoce.client.events import WIRE_RATE_HZ
from vivavoce.client.live import load_sounddevice, play
from vivavoce.client.recording import write_wav
from vivavoce.client.speech import speech
from vivavoce.closing import CloseStack
from vivavoce.config import Config
from vivavoce.errors import ClientError
from vivavoce.tiers import TIERS
from vivavoce.types import SpeakOptions

if TYPE_CHECKING:
    from vivavoce.engines.base import Synthesizer
    from vivavoce.types import Samples


def say(
    text: Annotated[str, typer.Argument(help="What to say, in English, Chinese or Japanese.")],
    voice: Annotated[str | None, typer.Option(help="The voice to say it with.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write this wav file instead of playing.")] = None,
    speed: Annotated[float, typer.Option(min=0.25, max=4.0, help="1 is the voice's own speed.")] = 1.0,
    url: UrlOption = None,
    api_key: ApiKeyOption = None,
    engines: EnginesOption = EngineSet.LOCAL,
    config: ConfigOption = None,
) -> None:
    """Synthesise speech: by the configured server if it runs, else by the speech engines alone."""
    settings = read_config(engines=engines, file=config)
    if out is None:
        load_sounddevice()  # a missing loudspeaker is said before any model is loaded
    console = Console()
    voice_name = voice or TIERS["step-audio-2"].default_voice

    async def synthesize() -> Samples:
        server = await running_server(url, settings, console, engines=engines, api_key=api_key)
        if server is not None:
            return await speech(server, text, voice=voice_name, speed=speed)
        ensure_weights(settings, weights_of(settings, "speakers"), console)
        return await _speak(settings, text, voice_name, speed)

    samples = asyncio.run(synthesize())
    if out is None:
        asyncio.run(play(samples))
    else:
        write_wav(out, samples)
        console.print(f"Wrote {len(samples) / WIRE_RATE_HZ:.1f} s to {out}.", highlight=False, soft_wrap=True)


async def _speak(config: Config, text: str, voice: str, speed: float) -> Samples:
    # Engines are heavy to import; every other command starts quickly without them.
    from vivavoce.runtime.engines import EngineLoader
    from vivavoce.text.clauses import ClauseSplitter

    splitter = ClauseSplitter()
    clauses = [clause for clause in (*splitter.push(text), *splitter.flush()) if clause.spoken]
    if not clauses:
        raise ClientError("There is nothing in this text that can be spoken.", param="text")
    async with CloseStack() as stack:
        synthesizer: Synthesizer = stack.add(await asyncio.to_thread(EngineLoader(config).synthesizer))
        pieces = [
            piece
            for clause in clauses
            async for piece in synthesizer.speak(clause.spoken, SpeakOptions(voice, clause.language, speed))
        ]
    return resample(np.concatenate(pieces), synthesizer.rate_hz, WIRE_RATE_HZ)
