"""``vivavoce talk``: a conversation by microphone, with a recording, or with a written question."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.console import Console

from vivavoce import personas
from vivavoce.bench.measure import stages_ms
from vivavoce.bench.report import turn_waterfall
from vivavoce.cli.local_server import server_at
from vivavoce.cli.options import (
    ApiKeyOption,
    ConfigOption,
    EngineSet,
    EnginesOption,
    UrlOption,
    VoiceOption,
)
from vivavoce.cli.transcripts import TranscriptPrinter
from vivavoce.client.address import ServerAddress
from vivavoce.client.connection import RealtimeClient, connect
from vivavoce.client.errors import ConnectError
from vivavoce.client.live import load_sounddevice, play, talk_live
from vivavoce.client.record import HeardReply, TurnRecord
from vivavoce.client.recording import read_audio, speech_end_ms, write_wav
from vivavoce.client.turn import speak_turn, text_turn

DEFAULT_MODEL = "step-audio-2"
_LEAD_IN_MS = 300.0


@dataclass(frozen=True, slots=True)
class TalkOptions:
    """What the user asked for on the command line."""

    recording: Path | None
    text: str | None
    out: Path | None
    model: str
    session: dict[str, Any]
    timeout_s: float
    greeting: Mapping[str, Any] | None = None
    """The response to ask for before the user has said anything."""


def talk(
    recording: Annotated[
        Path | None, typer.Argument(help="A recording to say instead of speaking (wav, flac, mp3 …).", exists=True)
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the reply to this wav file instead of playing it.")] = None,
    text: Annotated[str | None, typer.Option(help="A written question instead of a spoken one.")] = None,
    url: UrlOption = None,
    model: Annotated[str | None, typer.Option(help="The model's name; else the persona's, or step-audio-2.")] = None,
    voice: VoiceOption = None,
    persona: Annotated[
        str | None, typer.Option(help="Who answers: a name of `vivavoce personas`, or a JSON file of your own.")
    ] = None,
    language: Annotated[str, typer.Option(help="The persona's language: en or zh.")] = "en",
    instructions: Annotated[
        str | None, typer.Option(help="The system prompt: who the assistant is and how it should answer.")
    ] = None,
    api_key: ApiKeyOption = None,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the whole reply.")] = 60.0,
    engines: EnginesOption = EngineSet.LOCAL,
    config: ConfigOption = None,
) -> None:
    """Talk with a server: by microphone and loudspeaker, with a recording, or with a written question."""
    if recording is not None and text is not None:
        raise typer.BadParameter("Give a recording or --text, not both.")
    session: dict[str, Any] = {"turn_detection": {"type": "server_vad"}}
    greeting: Mapping[str, Any] | None = None
    if persona is not None:
        who, spoken = personas.persona(persona), _persona_language(language)
        model, session = model or who.model, session | who.session(spoken)
        if first_words := who.text(spoken).first_words:
            greeting = personas.first_words_request(first_words, spoken)
    session |= {key: value for key, value in (("voice", voice), ("instructions", instructions)) if value is not None}
    options = TalkOptions(recording, text, out, model or DEFAULT_MODEL, session, timeout, greeting)
    if recording is None and text is None:
        load_sounddevice()  # a missing microphone is said before a server is started
    console = Console()
    try:
        asyncio.run(
            _converse(options, server_at(url, console, engines=engines, config_file=config, api_key=api_key), console)
        )
    except KeyboardInterrupt:
        console.print("\nGoodbye.")


def _persona_language(name: str) -> personas.PersonaLanguage:
    if name not in ("en", "zh"):
        raise typer.BadParameter("personas speak en and zh", param_hint="--language")
    return cast(personas.PersonaLanguage, name)


async def _converse(
    options: TalkOptions, starting: AbstractAsyncContextManager[ServerAddress], console: Console
) -> None:
    async with (
        starting as server,
        connect(server.url, model=options.model, api_key=server.api_key, tls=server.tls, marks=True) as client,
    ):
        await client.update_session(options.session)
        if options.recording is not None:
            await _talk_recording(client, options, options.recording, console)
        elif options.text is not None:
            await _talk_text(client, options, options.text, console)
        else:
            console.print("Speak whenever you like; headphones keep it from hearing itself. Ctrl-C ends.")
            if options.greeting is not None:
                await client.send("response.create", response=options.greeting)
            await talk_live(client, TranscriptPrinter(console))


async def _talk_recording(client: RealtimeClient, options: TalkOptions, recording: Path, console: Console) -> None:
    samples = read_audio(recording)
    end_ms = speech_end_ms(samples)
    turn = await speak_turn(
        client, samples, lead_in_ms=_LEAD_IN_MS, timeout_s=options.timeout_s, on_event=TranscriptPrinter(console)
    )
    reply = _finished_reply(turn.record, options)
    console.print(turn_waterfall(stages_ms(turn, turn.spoken_at_s(end_ms))))
    if reply.playout.underruns:
        console.print(f"{reply.playout.underruns} underruns, {reply.playout.gap_ms:.0f} ms of gaps in the reply")
    await _hand_over(reply, options, console)


async def _talk_text(client: RealtimeClient, options: TalkOptions, text: str, console: Console) -> None:
    console.print(f"[bold cyan]{'you':>9}[/]  ", end="")
    console.print(text, markup=False, highlight=False)
    record = await text_turn(client, text, timeout_s=options.timeout_s, on_event=TranscriptPrinter(console))
    await _hand_over(_finished_reply(record, options), options, console)


def _finished_reply(record: TurnRecord, options: TalkOptions) -> HeardReply:
    reply = record.reply
    if reply is None or not record.finished:
        recognized = f" It understood {record.transcript!r}." if record.transcript else ""
        raise ConnectError(f"The server did not finish a reply within {options.timeout_s:g} s.{recognized}")
    if reply.status == "failed":
        raise ConnectError(f"The server could not answer: {reply.failure}.")
    return reply


async def _hand_over(reply: HeardReply, options: TalkOptions, console: Console) -> None:
    if options.out is not None:
        write_wav(options.out, reply.playout.samples)
        console.print(
            f"Wrote {reply.playout.duration_ms / 1000:.1f} s to {options.out}.", highlight=False, soft_wrap=True
        )
    else:
        await play(reply.playout.samples)
