"""``vivavoce bench``: how quick and how right."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from vivavoce.bench.barge_in import by_clock, by_recognition, run_barge_in
from vivavoce.bench.barge_in_report import BargeInReport, print_barge_in
from vivavoce.bench.contention import Contention, run_contention
from vivavoce.bench.contention_report import print_contention
from vivavoce.bench.measure import TurnMeasure
from vivavoce.bench.questions import OWN_QUESTIONS, Question, read_manifest, synthesise_questions
from vivavoce.bench.recognition import (
    Recognition,
    Recording,
    group_scores,
    read_recordings,
    recognise,
    score_table,
)
from vivavoce.bench.report import Report, print_report, read_baseline, write_report
from vivavoce.bench.summary import mixed_up, summarise
from vivavoce.bench.turn import OnMeasure, Target, ask_at_once, ask_in_turn
from vivavoce.cli.bench_http import http
from vivavoce.cli.bench_overhead import overhead
from vivavoce.cli.bench_retrieval import retrieval
from vivavoce.cli.bench_speaking import speaking
from vivavoce.cli.bench_tools import tools
from vivavoce.cli.local_server import server_at
from vivavoce.cli.options import (
    ApiKeyOption,
    ConfigOption,
    Engines,
    EnginesOption,
    ModelOption,
    UrlOption,
    VoiceOption,
    read_config,
)
from vivavoce.cli.weights import ensure_weights, weights_of
from vivavoce.closing import CloseStack
from vivavoce.config import Config
from vivavoce.engines.fake import CHARACTER_MS
from vivavoce.tiers import TIERS
from vivavoce.types import Language
from vivavoce.word_errors import count_errors

app = typer.Typer(no_args_is_help=True, help="Measure: voice-to-voice latency, sessions in parallel, recognition.")
app.command()(overhead)
app.command()(http)
app.command()(tools)
app.command()(retrieval)
app.command()(speaking)


@dataclass(frozen=True, slots=True)
class Wish:
    """Which questions to ask, and how often."""

    manifest: Path | None
    language: Language | None
    files: str
    limit: int | None
    runs: int
    parallel: int


@app.callback()
def bench() -> None:
    """Measure: voice-to-voice latency, sessions in parallel, recognition."""


@app.command()
def turn(
    manifest: Annotated[
        Path | None,
        typer.Option(exists=True, help="JSON lines of recordings: file, language, and if known text, speech_end_ms."),
    ] = None,
    language: Annotated[str | None, typer.Option(help="Only questions in this language: en, zh …")] = None,
    files: Annotated[str, typer.Option(help="Only the manifest's files of this pattern, such as 'english/*'.")] = "*",
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many questions per language.")] = None,
    runs: Annotated[int, typer.Option(min=1, help="How often each question is asked.")] = 1,
    parallel: Annotated[int, typer.Option(min=1, help="Conversations at once.")] = 1,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the whole report to this file.")] = None,
    baseline: Annotated[Path | None, typer.Option(exists=True, help="An earlier report to compare with.")] = None,
    url: UrlOption = None,
    model: ModelOption = "step-audio-2",
    voice: VoiceOption = None,
    api_key: ApiKeyOption = None,
    engines: EnginesOption = Engines.LOCAL,
    config: ConfigOption = None,
) -> None:
    """Speak recordings into a server in real time and report voice-to-voice latency and its waterfall.

    Without a manifest the project's own speakers ask English and Chinese questions. Exit code 1 when a conversation got
    no reply of its own.
    """
    console = Console()
    before = read_baseline(baseline) if baseline else None
    wish = Wish(manifest, language, files, limit, runs, parallel)
    report = asyncio.run(_run(wish, console, url, Target("", model, voice, api_key), engines, config))
    print_report(console, report, before)
    if json_file is not None:
        write_report(json_file, report)
    if not report.passed:
        raise typer.Exit(1)


@contextmanager
def _advancing(console: Console, what: str, total: int) -> Iterator[Callable[[object], None]]:
    """A progress bar; what it yields is called with each measure."""
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task(what, total=total)
        yield lambda _measure: progress.advance(bar)


async def _run(
    wish: Wish, console: Console, url: str | None, target: Target, engines: Engines, config_file: Path | None
) -> Report:
    questions, source = await _questions(wish, console, engines, config_file)
    async with server_at(url, console, engines=engines, config_file=config_file, api_key=target.api_key) as server:
        there = target.at(server)
        count = wish.runs * (wish.parallel if wish.parallel > 1 else len(questions))
        with _advancing(console, "asking", count) as advance:
            rounds = await _ask(there, questions, wish, advance)
    measures = [one for together in rounds for one in together]
    confused = [one.question for together in rounds for one in mixed_up(together, count_errors)]
    return Report(source, target.model, wish.parallel, summarise(measures, count_errors), measures, confused)


async def _ask(
    target: Target, questions: Sequence[Question], wish: Wish, on_measure: OnMeasure
) -> list[list[TurnMeasure]]:
    if wish.parallel > 1:
        return await ask_at_once(target, questions, parallel=wish.parallel, runs=wish.runs, on_measure=on_measure)
    return [[one] for one in await ask_in_turn(target, questions, runs=wish.runs, on_measure=on_measure)]


async def _questions(
    wish: Wish, console: Console, engines: Engines, config_file: Path | None
) -> tuple[list[Question], str]:
    if wish.manifest is not None:
        questions = read_manifest(wish.manifest, language=wish.language, files=wish.files, limit=wish.limit)
        return questions, f"{len(questions)} recordings of {wish.manifest.name}."
    languages = [language for language in OWN_QUESTIONS if wish.language in (None, language)]
    if not languages:
        raise typer.BadParameter(f"There are own questions in {', '.join(OWN_QUESTIONS)} only; give a --manifest.")
    config = read_config(engines=engines, file=config_file)
    ensure_weights(config, weights_of(config, "speakers"), console)
    with console.status("Making questions with the project's own voices …"):
        questions = await _speak_questions(config, languages, wish.limit)
    return questions, f"{len(questions)} questions synthesised by Vivavoce's own speakers, no human recordings."


async def _speak_questions(config: Config, languages: Sequence[Language], limit: int | None) -> list[Question]:
    # Engines are heavy to import, and only this way of making questions needs them.
    from vivavoce.runtime.engines import EngineLoader

    async with CloseStack() as stack:
        speaker = stack.add(await asyncio.to_thread(EngineLoader(config).speaker))
        return await synthesise_questions(
            speaker, voice=TIERS["step-audio-2"].default_voice, languages=languages, limit=limit
        )


@app.command("barge-in")
def barge_in(
    manifest: Annotated[
        Path | None, typer.Option(exists=True, help="JSON lines of recordings to interrupt with: file, language.")
    ] = None,
    language: Annotated[str, typer.Option(help="The language of the reply and of who interrupts it: en, zh.")] = "en",
    files: Annotated[str, typer.Option(help="Only the manifest's files of this pattern, such as 'english/*'.")] = "*",
    runs: Annotated[int, typer.Option(min=1, help="How many replies are interrupted.")] = 12,
    url: UrlOption = None,
    model: ModelOption = "step-audio-2",
    voice: VoiceOption = None,
    api_key: ApiKeyOption = None,
    engines: EnginesOption = Engines.LOCAL,
    config: ConfigOption = None,
) -> None:
    """Speak into long replies: how soon they stop, and whether the server knows which words were heard.

    Exit code 1 when a reply was not interrupted, or its transcript is more than a word off what was played of it.
    """
    console = Console()
    wish = Wish(manifest, language, files, None, runs, 1)
    report = asyncio.run(_interrupt(wish, console, url, Target("", model, voice, api_key), engines, config))
    print_barge_in(console, report)
    if not report.passed:
        raise typer.Exit(1)


async def _interrupt(
    wish: Wish, console: Console, url: str | None, target: Target, engines: Engines, config_file: Path | None
) -> BargeInReport:
    questions, _ = await _questions(wish, console, engines, config_file)
    async with server_at(url, console, engines=engines, config_file=config_file, api_key=target.api_key) as server:
        there = target.at(server)
        heard_words = by_clock(CHARACTER_MS) if engines is Engines.FAKE else by_recognition(there)
        with _advancing(console, "interrupting", wish.runs) as advance:
            measures = await run_barge_in(there, questions, runs=wish.runs, heard_words=heard_words, on_measure=advance)
    return BargeInReport(measures)


@app.command()
def contention(
    manifest: Annotated[
        Path | None, typer.Option(exists=True, help="JSON lines of recordings to speak: file, language.")
    ] = None,
    language: Annotated[str, typer.Option(help="Only questions in this language: en, zh …")] = "en",
    files: Annotated[str, typer.Option(help="Only the manifest's files of this pattern, such as 'english/*'.")] = "*",
    seconds: Annotated[float, typer.Option(min=1.0, help="How long the long turn is.")] = 208.0,
    url: UrlOption = None,
    model: ModelOption = "step-audio-2",
    api_key: ApiKeyOption = None,
    engines: EnginesOption = Engines.LOCAL,
    config: ConfigOption = None,
) -> None:
    """Speak short turns while another conversation waits for the transcript of a long one, and without it."""
    console = Console()
    wish = Wish(manifest, language, files, None, 1, 1)
    print_contention(
        console, asyncio.run(_contend(wish, console, url, Target("", model, None, api_key), seconds, engines, config))
    )


async def _contend(
    wish: Wish,
    console: Console,
    url: str | None,
    target: Target,
    seconds: float,
    engines: Engines,
    config_file: Path | None,
) -> Contention:
    questions, _ = await _questions(wish, console, engines, config_file)
    async with server_at(url, console, engines=engines, config_file=config_file, api_key=target.api_key) as server:
        with console.status("Measuring …"):
            return await run_contention(target.at(server), questions, seconds=seconds)


@app.command()
def recognition(
    manifest: Annotated[
        Path, typer.Argument(exists=True, help="JSON lines of recordings: file, and if known language, text.")
    ],
    group: Annotated[
        list[str] | None, typer.Option(help="Only groups that start so, such as english; may repeat.")
    ] = None,
    hint: Annotated[bool, typer.Option("--hint", help="Tell the recogniser the language.")] = False,
    engines: EnginesOption = Engines.LOCAL,
    config: ConfigOption = None,
) -> None:
    """Run recordings through the recogniser alone: word (zh, ja: character) error rate, latency, invented text."""
    settings = read_config(engines=engines, file=config)
    recordings = [one for one in read_recordings(manifest) if one.group.startswith(tuple(group or [""]))]
    if not recordings:
        raise typer.BadParameter("No recording of the manifest is in these groups.")
    console = Console()
    ensure_weights(settings, weights_of(settings, "recognizers"), console)
    console.print(score_table(group_scores(asyncio.run(_recognise(settings, recordings, hint)))))


async def _recognise(config: Config, recordings: Sequence[Recording], hint: bool) -> list[Recognition]:
    # Engines are heavy to import, and every other command does without them.
    from vivavoce.runtime.engines import EngineLoader

    async with CloseStack() as stack:
        recognizer = stack.add(await asyncio.to_thread(EngineLoader(config).recognizer))
        return await recognise(recognizer, recordings, hint=hint)
