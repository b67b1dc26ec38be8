"""``vivavoce bench``: how quick and how right."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from vivavoce.bench.barge_in import by_clock, by_recognition, run_barge_in
from vivavoce.bench.barge_in_report import BargeInReport, print_barge_in
from vivavoce.bench.measure import TurnMeasure
from vivavoce.bench.questions import Question
from vivavoce.bench.recognition import (
    ManifestRow,
    RecognitionRun,
    group_scores,
    read_recordings,
    recognise,
    score_table,
)
from vivavoce.bench.report import Report, print_report, read_baseline, write_report
from vivavoce.bench.summary import mixed_up, summarise
from vivavoce.bench.turn import OnMeasure, Target, ask_at_once, ask_in_turn
from vivavoce.cli.bench_answers import answers
from vivavoce.cli.bench_endpointing import endpointing
from vivavoce.cli.bench_http import http
from vivavoce.cli.bench_perception import perception
from vivavoce.cli.bench_persona import persona
from vivavoce.cli.bench_questions import QuestionChoice, questions_of
from vivavoce.cli.bench_reasoning import reasoning
from vivavoce.cli.bench_scenarios import scenarios
from vivavoce.cli.bench_service import service
from vivavoce.cli.bench_speaking import speaking
from vivavoce.cli.local_server import server_at
from vivavoce.cli.options import (
    ApiKeyOption,
    ConfigOption,
    EngineSet,
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
from vivavoce.word_errors import count_errors

MAX_PAUSE_MS = 5000
"""Who is silent for longer has finished."""

app = typer.Typer(no_args_is_help=True, help="Measure: voice-to-voice latency, sessions in parallel, recognition.")
app.command()(http)
app.command()(endpointing)
app.command()(speaking)
app.command()(perception)
app.command()(answers)
app.command()(reasoning)
app.command()(service)
app.command()(persona)
app.command()(scenarios)


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
    limit: Annotated[int | None, typer.Option(min=1, help="Maximum number of questions per language.")] = None,
    runs: Annotated[int, typer.Option(min=1, help="How often each question is asked.")] = 1,
    parallel: Annotated[int, typer.Option(min=1, help="Conversations at once.")] = 1,
    pauses: Annotated[
        str | None,
        typer.Option(help="Ask each question also with a pause of each of these lengths in ms: 200,400,600,800."),
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the whole report to this file.")] = None,
    baseline: Annotated[Path | None, typer.Option(exists=True, help="An earlier report to compare with.")] = None,
    url: UrlOption = None,
    model: ModelOption = "step-audio-2",
    voice: VoiceOption = None,
    api_key: ApiKeyOption = None,
    engines: EnginesOption = EngineSet.LOCAL,
    config: ConfigOption = None,
) -> None:
    """Speak recordings into a server in real time and report voice-to-voice latency and its waterfall, how often it spoke into
    a turn or split it, and what it did in advance.

    Without a manifest the project's own speakers ask English and Chinese questions. Exit code 1 when a conversation got
    no reply of its own.
    """
    console = Console()
    before = read_baseline(baseline) if baseline else None
    choice = QuestionChoice(manifest, language, files, limit, runs, parallel, _lengths_ms(pauses))
    if choice.pauses_ms and parallel > 1:
        raise typer.BadParameter("Questions with pauses are asked one after the other: leave out --parallel.")
    report = asyncio.run(_run(choice, console, url, Target("", model, voice, api_key), engines, config))
    print_report(console, report, before)
    if json_file is not None:
        write_report(json_file, report)
    if not report.passed:
        raise typer.Exit(1)


def _lengths_ms(listed: str | None) -> tuple[int, ...]:
    """Lengths of pauses, each once. Raises ``BadParameter``."""
    try:
        lengths = tuple(dict.fromkeys(map(int, listed.split(",")))) if listed else ()
    except ValueError:
        lengths = (0,)
    if not all(0 < length <= MAX_PAUSE_MS for length in lengths):
        raise typer.BadParameter(
            f"--pauses are lengths of 1 to {MAX_PAUSE_MS} ms with commas between them, not '{listed}'."
        )
    return lengths


@contextmanager
def _advancing(console: Console, description: str, total: int) -> Iterator[Callable[[object], None]]:
    """A progress bar; what it yields is called with each measure."""
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task(description, total=total)
        yield lambda _measure: progress.advance(bar)


async def _run(
    choice: QuestionChoice,
    console: Console,
    url: str | None,
    target: Target,
    engines: EngineSet,
    config_file: Path | None,
) -> Report:
    questions, source = await questions_of(choice, console, engines, config_file)
    async with server_at(url, console, engines=engines, config_file=config_file, api_key=target.api_key) as server:
        there = target.at(server)
        count = choice.runs * (choice.parallel if choice.parallel > 1 else len(questions))
        with _advancing(console, "asking", count) as advance:
            rounds = await _ask(there, questions, choice, advance)
    measures = [measured for together in rounds for measured in together]
    confused = [measured.question for together in rounds for measured in mixed_up(together, count_errors)]
    return Report(source, target.model, choice.parallel, summarise(measures, count_errors), measures, confused)


async def _ask(
    target: Target, questions: Sequence[Question], choice: QuestionChoice, on_measure: OnMeasure
) -> list[list[TurnMeasure]]:
    if choice.parallel > 1:
        return await ask_at_once(target, questions, parallel=choice.parallel, runs=choice.runs, on_measure=on_measure)
    return [[measured] for measured in await ask_in_turn(target, questions, runs=choice.runs, on_measure=on_measure)]


@app.command("barge-in")
def barge_in(
    manifest: Annotated[
        Path | None, typer.Option(exists=True, help="JSON lines of recordings to interrupt with: file, language.")
    ] = None,
    language: Annotated[str, typer.Option(help="The language of the reply and of who interrupts it: en, zh.")] = "en",
    files: Annotated[str, typer.Option(help="Only the manifest's files of this pattern, such as 'english/*'.")] = "*",
    runs: Annotated[int, typer.Option(min=1, help="Number of replies to interrupt.")] = 12,
    url: UrlOption = None,
    model: ModelOption = "step-audio-2",
    voice: VoiceOption = None,
    api_key: ApiKeyOption = None,
    engines: EnginesOption = EngineSet.LOCAL,
    config: ConfigOption = None,
) -> None:
    """Speak into long replies: how soon they stop, and whether the server knows which words were heard.

    Exit code 1 when a reply was not interrupted, or its transcript is more than a word off what was played of it.
    """
    console = Console()
    choice = QuestionChoice(manifest, language, files, None, runs, 1)
    report = asyncio.run(_interrupt(choice, console, url, Target("", model, voice, api_key), engines, config))
    print_barge_in(console, report)
    if not report.passed:
        raise typer.Exit(1)


async def _interrupt(
    choice: QuestionChoice,
    console: Console,
    url: str | None,
    target: Target,
    engines: EngineSet,
    config_file: Path | None,
) -> BargeInReport:
    questions, _ = await questions_of(choice, console, engines, config_file)
    async with server_at(url, console, engines=engines, config_file=config_file, api_key=target.api_key) as server:
        there = target.at(server)
        heard_words = by_clock(CHARACTER_MS) if engines is EngineSet.FAKE else by_recognition(there)
        with _advancing(console, "interrupting", choice.runs) as advance:
            measures = await run_barge_in(
                there, questions, runs=choice.runs, heard_words=heard_words, on_measure=advance
            )
    return BargeInReport(measures)


@app.command()
def recognition(
    manifest: Annotated[
        Path, typer.Argument(exists=True, help="JSON lines of recordings: file, and if known language, text.")
    ],
    group: Annotated[
        list[str] | None, typer.Option(help="Only groups whose names start with this, such as english; may repeat.")
    ] = None,
    hint: Annotated[bool, typer.Option("--hint", help="Tell the recogniser the language.")] = False,
    engines: EnginesOption = EngineSet.LOCAL,
    config: ConfigOption = None,
) -> None:
    """Run recordings through the recogniser alone: word (zh, ja: character) error rate, latency, invented text."""
    settings = read_config(engines=engines, file=config)
    recordings = [
        recording for recording in read_recordings(manifest) if recording.group.startswith(tuple(group or [""]))
    ]
    if not recordings:
        raise typer.BadParameter("No recording of the manifest is in these groups.")
    console = Console()
    ensure_weights(settings, weights_of(settings, "recognizers"), console)
    console.print(score_table(group_scores(asyncio.run(_recognise(settings, recordings, hint)))))


async def _recognise(config: Config, recordings: Sequence[ManifestRow], hint: bool) -> list[RecognitionRun]:
    # Engines are heavy to import, and every other command does without them.
    from vivavoce.runtime.engines import EngineLoader

    async with CloseStack() as stack:
        recognizer = stack.add(await asyncio.to_thread(EngineLoader(config).recognizer))
        return await recognise(recognizer, recordings, hint=hint)
