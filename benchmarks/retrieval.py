"""``python benchmarks/retrieval.py``: are the right passages found, and are questions answered from them, or honestly not?"""

from __future__ import annotations

import asyncio
import json
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from retrieval_corpus import pages, questions
from retrieval_latency import SpokenQuestion, asked_aloud, listen
from retrieval_measure import Answered, Found, every
from retrieval_report import as_json, tables
from retrieval_scale import Speed, measure
from retrieval_shelf import OWNER, open_knowledge, put_in
from retrieval_small_files import read_many
from rich.console import Console
from rich.progress import Progress

from vivavoce.cli.options import ConfigOption, EngineSet, read_config
from vivavoce.cli.weights import ensure_weights, language_model_weights, weights_of
from vivavoce.closing import CloseStack
from vivavoce.config import Config
from vivavoce.engines.base import Embedder, LanguageModel, Synthesizer
from vivavoce.runtime.engines import EngineLoader
from vivavoce.tools.retrieval import retrieval_tool

DESCRIPTION = (
    "Facts from the handbooks: bicycles, hotels, company rules, ferries, coffee machines, libraries, parks; "
    "查手册里的资料：自行车、酒店、公司制度、咖啡机、图书馆、景区、班车。"
)


def retrieval(
    language_model: Annotated[
        str, typer.Option(help="Which of the configuration's language models answers.")
    ] = "large",
    answers: Annotated[bool, typer.Option(help="Have the language model answer, not only search.")] = True,
    first_audio: Annotated[
        bool, typer.Option(help="Measure how much later the first audio comes with a search.")
    ] = True,
    passages: Annotated[int, typer.Option(help="Number of passages to measure the speed with; 0 skips it.")] = 100_000,
    database: Annotated[
        str | None, typer.Option(help="Measure the speed in this PostgreSQL, an empty database, instead of a file.")
    ] = None,
    small_files: Annotated[int, typer.Option(help="Ingest this many small files and report how long it took.")] = 0,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write all figures to this file.")] = None,
    config: ConfigOption = None,
) -> None:
    """Ask what a corpus of 66 documents in two languages says, and what it does not say."""
    settings = read_config(engines=EngineSet.LOCAL, file=config)
    if language_model not in settings.engines.language_models:
        raise typer.BadParameter("There is no such language model.", param_hint="--language-model")
    console = Console()
    needed = weights_of(settings, "embedders") + (weights_of(settings, "speakers") if first_audio else [])
    needed += language_model_weights(settings, language_model) if answers or first_audio else []
    ensure_weights(settings, needed, console)
    options = RetrievalBenchOptions(language_model, answers, first_audio, passages, small_files, database)
    report = asyncio.run(_bench(settings, options, console))
    if json_file is not None:
        json_file.write_text(json.dumps(report, ensure_ascii=False, indent=1), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class RetrievalBenchOptions:
    """What to measure: the options of the command."""

    model: str
    answers: bool
    first_audio: bool
    passages: int
    small_files: int
    database: str | None


async def _bench(config: Config, options: RetrievalBenchOptions, console: Console) -> dict[str, object]:

    loader = EngineLoader(config)
    name = options.model if options.answers or options.first_audio else None
    async with CloseStack() as stack:
        model = stack.add(await asyncio.to_thread(loader.language_model, name)) if name else None
        embedder = stack.add(await asyncio.to_thread(loader.embedder))
        synthesizer = stack.add(await asyncio.to_thread(loader.synthesizer)) if options.first_audio else None
        with tempfile.TemporaryDirectory(prefix="vivavoce-bench-") as temporary:
            folder = Path(temporary)
            answering = model if options.answers else None
            talking = (model, synthesizer) if model is not None and synthesizer is not None else None
            search_results, answered, latencies = await _corpus(config, folder, embedder, answering, talking, console)
            scale = await _scale(folder, embedder, options, console) if options.passages else None
            many = await read_many(config, folder, embedder, options.small_files) if options.small_files else None
    for table in tables(search_results, answered, latencies, scale):
        console.print(table)
    if many is not None:
        memory = f"at most {many['rss_mb']} MB more memory, {many['reader_mb']} MB in the processes that read"
        console.print(f"{options.small_files} small files: {many['seconds']} s, {memory};")
        searched = f"{many['search_meanwhile_p50_ms']} ms at the median, {many['search_meanwhile_p95_ms']} ms at p95"
        console.print(f"somebody else's search took {searched} meanwhile")
    for answer in answered:
        if not answer.right and answer.question.half == "dev":
            console.print(f"  {answer.question.ask} → {answer.text}", markup=False)
    return {**as_json(search_results, answered, latencies, scale, name), "small_files": many}


async def _corpus(
    config: Config,
    folder: Path,
    embedder: Embedder,
    model: LanguageModel | None,
    talking: tuple[LanguageModel, Synthesizer] | None,
    console: Console,
) -> tuple[list[Found], list[Answered], list[SpokenQuestion]]:
    """The corpus read in, and everything asked about it: what is found, what ``model`` answers, when it is heard."""

    (folder / "corpus").mkdir()
    async with open_knowledge(config, folder / "corpus", embedder) as (knowledge, files):
        with console.status("reading the corpus"):
            store = await put_in(knowledge, files, pages())
        tool = retrieval_tool(knowledge, OWNER, store, description=DESCRIPTION)
        corpus_questions = questions()
        aloud = asked_aloud(corpus_questions) if talking is not None else []
        with Progress(console=console, transient=True) as progress:
            bar = progress.add_task("asking", total=len(corpus_questions) + len(aloud))
            search_results, answered = await every(corpus_questions, tool, model, lambda: progress.advance(bar))
            latencies = await listen(aloud, tool, *talking, lambda: progress.advance(bar)) if talking else []
    return search_results, answered, latencies


async def _scale(folder: Path, embedder: Embedder, options: RetrievalBenchOptions, console: Console) -> Speed:

    texts = [page.text for page in pages()]
    with Progress(console=console, transient=True) as progress:
        count = options.passages
        bar = progress.add_task(f"{count} passages", total=count)
        texts_asked = [question.ask for question in questions()]
        advance = partial(progress.advance, bar)
        return await measure(folder, embedder, texts, texts_asked, count, advance, options.database)


if __name__ == "__main__":
    typer.run(retrieval)
