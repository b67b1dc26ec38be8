"""``vivavoce bench retrieval``: are the right passages found, and are questions answered from them, or honestly not?"""

from __future__ import annotations

import asyncio
import json
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from vivavoce.bench.retrieval.corpus import pages, questions
from vivavoce.cli.options import ConfigOption, Engines, read_config
from vivavoce.cli.weights import ensure_weights, language_model_weights, weights_of
from vivavoce.closing import CloseStack
from vivavoce.config import Config

if TYPE_CHECKING:
    from vivavoce.bench.retrieval.latency import Heard
    from vivavoce.bench.retrieval.measure import Answered, Found
    from vivavoce.bench.retrieval.scale import Speed
    from vivavoce.engines.base import Embedder, LanguageModel, Speaker

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
    passages: Annotated[int, typer.Option(help="Among how many passages the speed is measured; 0 for none.")] = 100_000,
    database: Annotated[
        str | None, typer.Option(help="Measure the speed in this PostgreSQL, an empty database, instead of a file.")
    ] = None,
    small_files: Annotated[int, typer.Option(help="Read so many small files in, and say how long it took.")] = 0,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write all figures to this file.")] = None,
    config: ConfigOption = None,
) -> None:
    """Ask what a corpus of 66 documents in two languages says, and what it does not say."""
    settings = read_config(engines=Engines.LOCAL, file=config)
    if language_model not in settings.engines.language_models:
        raise typer.BadParameter("There is no such language model.", param_hint="--language-model")
    console = Console()
    needed = weights_of(settings, "embedders") + (weights_of(settings, "speakers") if first_audio else [])
    needed += language_model_weights(settings, language_model) if answers or first_audio else []
    ensure_weights(settings, needed, console)
    wanted = Wanted(language_model, answers, first_audio, passages, small_files, database)
    told = asyncio.run(_bench(settings, wanted, console))
    if json_file is not None:
        json_file.write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to measure: the options of the command."""

    model: str
    answers: bool
    first_audio: bool
    passages: int
    small_files: int
    database: str | None


async def _bench(config: Config, wanted: Wanted, console: Console) -> dict[str, object]:
    # Engines are heavy to import, and every other command does without them.
    from vivavoce.bench.retrieval.report import as_json, tables
    from vivavoce.bench.retrieval.small_files import read_many
    from vivavoce.runtime.engines import EngineLoader

    loader = EngineLoader(config)
    name = wanted.model if wanted.answers or wanted.first_audio else None
    async with CloseStack() as stack:
        model = stack.add(await asyncio.to_thread(loader.language_model, name)) if name else None
        embedder = stack.add(await asyncio.to_thread(loader.embedder))
        speaker = stack.add(await asyncio.to_thread(loader.speaker)) if wanted.first_audio else None
        with tempfile.TemporaryDirectory(prefix="vivavoce-bench-") as temporary:
            folder = Path(temporary)
            answering = model if wanted.answers else None
            talking = (model, speaker) if model is not None and speaker is not None else None
            found, answered, heard = await _corpus(config, folder, embedder, answering, talking, console)
            scale = await _scale(folder, embedder, wanted, console) if wanted.passages else None
            many = await read_many(config, folder, embedder, wanted.small_files) if wanted.small_files else None
    for table in tables(found, answered, heard, scale):
        console.print(table)
    if many is not None:
        told = f"at most {many['rss_mb']} MB more memory, {many['reader_mb']} MB in the processes that read"
        console.print(f"{wanted.small_files} small files: {many['seconds']} s, {told};")
        searched = f"{many['search_meanwhile_p50_ms']} ms at the median, {many['search_meanwhile_p95_ms']} ms at p95"
        console.print(f"somebody else's search took {searched} meanwhile")
    for one in answered:
        if not one.right and one.question.half == "tuned":
            console.print(f"  {one.question.ask} → {one.text}", markup=False)
    return {**as_json(found, answered, heard, scale, name), "small_files": many}


async def _corpus(
    config: Config,
    folder: Path,
    embedder: Embedder,
    model: LanguageModel | None,
    talking: tuple[LanguageModel, Speaker] | None,
    console: Console,
) -> tuple[list[Found], list[Answered], list[Heard]]:
    """The corpus read in, and everything asked about it: what is found, what ``model`` answers, when it is heard."""
    from vivavoce.bench.retrieval.latency import asked_aloud, listen
    from vivavoce.bench.retrieval.measure import every
    from vivavoce.bench.retrieval.shelf import OWNER, open_library, put_in
    from vivavoce.tools.retrieval import retrieval_tool

    (folder / "corpus").mkdir()
    async with open_library(config, folder / "corpus", embedder) as (library, files):
        with console.status("reading the corpus"):
            store = await put_in(library, files, pages())
        tool = retrieval_tool(library, OWNER, store, description=DESCRIPTION)
        asked = questions()
        aloud = asked_aloud(asked) if talking is not None else []
        with Progress(console=console, transient=True) as progress:
            bar = progress.add_task("asking", total=len(asked) + len(aloud))
            found, answered = await every(asked, tool, model, lambda: progress.advance(bar))
            heard = await listen(aloud, tool, *talking, lambda: progress.advance(bar)) if talking else []
    return found, answered, heard


async def _scale(folder: Path, embedder: Embedder, wanted: Wanted, console: Console) -> Speed:
    from vivavoce.bench.retrieval.scale import measure

    texts = [page.text for page in pages()]
    with Progress(console=console, transient=True) as progress:
        count = wanted.passages
        bar = progress.add_task(f"{count} passages", total=count)
        asked = [question.ask for question in questions()]
        advance = partial(progress.advance, bar)
        return await measure(folder, embedder, texts, asked, count, advance, wanted.database)
