"""``vivavoce bench retrieval``: are the right passages found, and are questions answered from them, or honestly not?"""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from vivavoce.bench.retrieval.corpus import pages, questions
from vivavoce.cli.options import ConfigOption, Engines, read_config
from vivavoce.cli.weights import ensure_weights, weights_of
from vivavoce.config import Config

if TYPE_CHECKING:
    from vivavoce.bench.retrieval.measure import Answered, Found
    from vivavoce.bench.retrieval.scale import Speed
    from vivavoce.engines.base import Embedder, LanguageModel

DESCRIPTION = (
    "Facts from the handbooks: bicycles, hotels, company rules, ferries, coffee machines, libraries, parks; "
    "查手册里的资料：自行车、酒店、公司制度、咖啡机、图书馆、景区、班车。"
)


def retrieval(
    language_model: Annotated[
        str, typer.Option(help="Which of the configuration's language models answers.")
    ] = "large",
    answers: Annotated[bool, typer.Option(help="Have the language model answer, not only search.")] = True,
    passages: Annotated[int, typer.Option(help="Among how many passages the speed is measured; 0 for none.")] = 100_000,
    small_files: Annotated[int, typer.Option(help="Read so many small files in, and say how long it took.")] = 0,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write all figures to this file.")] = None,
    config: ConfigOption = None,
) -> None:
    """Ask what a corpus of 66 documents in two languages says, and what it does not say."""
    settings = read_config(engines=Engines.LOCAL, file=config)
    if language_model not in settings.engines.language_models:
        raise typer.BadParameter("There is no such language model.", param_hint="--language-model")
    console = Console()
    weights = settings.engines.language_models[language_model].weights
    needed = [*weights_of(settings.engines.embedder), *([weights] if answers and weights else [])]
    ensure_weights(settings, needed, console)
    told = asyncio.run(_bench(settings, language_model if answers else None, passages, small_files, console))
    if json_file is not None:
        json_file.write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")


async def _bench(
    config: Config, model_name: str | None, passages: int, small_files: int, console: Console
) -> dict[str, object]:
    # Engines are heavy to import, and every other command does without them.
    from vivavoce.bench.retrieval.report import as_json, tables
    from vivavoce.bench.retrieval.small_files import read_many
    from vivavoce.runtime.engines import EngineLoader

    loader = EngineLoader(config)
    model = await asyncio.to_thread(loader.language_model, model_name) if model_name else None
    embedder = await asyncio.to_thread(loader.embedder)
    try:
        with tempfile.TemporaryDirectory(prefix="vivavoce-bench-") as folder:
            found, answered = await _quality(config, Path(folder), embedder, model, console)
            scale = await _scale(Path(folder), embedder, passages, console) if passages else None
            many = await read_many(config, Path(folder), embedder, small_files) if small_files else None
    finally:
        embedder.close()
        if model is not None:
            model.close()
    for table in tables(found, answered, scale):
        console.print(table)
    if many is not None:
        console.print(f"{small_files} small files: {many['seconds']} s, at most {many['rss_mb']} MB more memory")
    for one in answered:
        if not one.right and one.question.half == "tuned":
            console.print(f"  {one.question.ask} → {one.text}", markup=False)
    return {**as_json(found, answered, scale, model_name), "small_files": many}


async def _quality(
    config: Config, folder: Path, embedder: Embedder, model: LanguageModel | None, console: Console
) -> tuple[list[Found], list[Answered]]:
    from vivavoce.bench.retrieval.measure import every
    from vivavoce.bench.retrieval.shelf import OWNER, open_library, put_in
    from vivavoce.tools.retrieval import retrieval_tool

    (folder / "corpus").mkdir()
    async with open_library(config, folder / "corpus", embedder) as (library, files):
        with console.status("reading the corpus"):
            store = await put_in(library, files, pages())
        tool = retrieval_tool(library, OWNER, store, description=DESCRIPTION)
        asked = questions()
        with Progress(console=console, transient=True) as progress:
            bar = progress.add_task("asking", total=len(asked))
            return await every(asked, tool, model, lambda: progress.advance(bar))


async def _scale(folder: Path, embedder: Embedder, count: int, console: Console) -> Speed:
    from vivavoce.bench.retrieval.scale import measure

    texts = [page.text for page in pages()]
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task(f"{count} passages", total=count)
        asked = [question.ask for question in questions()]
        return await measure(folder, embedder, texts, asked, count, lambda more: progress.advance(bar, more))
