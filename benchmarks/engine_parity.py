"""What it costs that an engine runs elsewhere: ``python benchmarks/engine_parity.py``.

Three servers with the same weights run beside each other: one with everything in its process; one whose language model is
llama.cpp's own server on this machine; one whose recogniser and speaker are the first of the three besides. Each question is
spoken to all of them, one after the other, in an order that changes, and the differences to the first are paired.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Annotated

import typer
from llama_server import llama_server
from rich.console import Console
from rich.table import Table

from vivavoce.bench.measure import TurnMeasure
from vivavoce.bench.questions import Question
from vivavoce.bench.turn import Target, ask
from vivavoce.cli.bench_questions import QuestionChoice, questions_of
from vivavoce.cli.local_server import child_server
from vivavoce.cli.options import EngineSet
from vivavoce.client.address import ServerAddress
from vivavoce.client.connection import http_url
from vivavoce.config import load_config
from vivavoce.engines.llama.native import find_gguf
from vivavoce.models.catalogue import load_catalogue
from vivavoce.models.store import WeightStore

WEIGHTS = "qwen2.5-coder-1.5b"
IN_PROCESS, MODEL, ALL = "in one process", "language model elsewhere", "recogniser and speaker, too"

_COMMON = """
[limits]
sessions = 1
"""
_BUILT_IN = f"""
[engines.language_models]
large = {{ weights = "{WEIGHTS}", settings = {{ decision_slots = 1 }} }}
small = {{ weights = "{WEIGHTS}", settings = {{ decision_slots = 1 }} }}
"""
_ELSEWHERE = """
[engines.language_models.large]
engine = "openai"
settings = {{ url = "{url}", model = "served", prefill = true, aids = ["guard", "reminders", "repeats"] }}

[engines.language_models.small]
engine = "openai"
settings = {{ url = "{url}", model = "served", prefill = true, aids = ["guard", "reminders", "repeats"] }}
"""
_SPEECH_ELSEWHERE = """
[engines]
recognizer = "far_recognizer"
speakers = ["far_speaker"]

[engines.instances.far_recognizer]
engine = "openai"
settings = {{ url = "{url}", model = "step-asr", api_key = "{key}" }}

[engines.instances.far_speaker]
engine = "openai"
settings = {{ url = "{url}", model = "step-tts-2", api_key = "{key}", voices = ["{voice}"], levelled = true }}
"""


@dataclass
class Parity:
    """What was measured: by server, a measure for each time a question was asked, in one order for all."""

    measures: dict[str, list[TurnMeasure]] = field(default_factory=dict)

    def differences_ms(self, name: str) -> list[float]:
        """Voice to voice of ``name`` less that of the server with everything in its process, question by question."""
        pairs = zip(self.measures[name], self.measures[IN_PROCESS], strict=True)
        both = [(one.voice_to_voice_ms, other.voice_to_voice_ms) for one, other in pairs]
        return [one - other for one, other in both if one is not None and other is not None]


def interval(values: Sequence[float], *, draws: int = 2000) -> tuple[float, float]:
    """The 95 % interval of the median of ``values``, by resampling them."""
    chance = random.Random(5)
    medians = sorted(statistics.median(chance.choices(values, k=len(values))) for _ in range(draws))
    return medians[draws // 40], medians[-draws // 40]


async def measure(servers: Mapping[str, Target], questions: Sequence[Question], runs: int, most_s: float) -> Parity:
    """Ask each server each question ``runs`` times, after one turn each that does not count.

    No question is begun with after ``most_s``; what was begun with is put to all of them.
    """
    until = monotonic() + most_s
    for target in servers.values():
        await ask(target, questions[0])
    parity = Parity({name: [] for name in servers})
    names = list(servers)
    for number, question in enumerate([question for _ in range(runs) for question in questions]):
        if monotonic() >= until:
            break
        turned = number % len(names)
        for name in (*names[turned:], *names[:turned]):
            parity.measures[name].append(await ask(servers[name], question))
    return parity


def print_parity(console: Console, parity: Parity) -> None:
    """A row a server: voice to voice, and the paired difference to the first, medians in ms."""
    table = Table(
        "server", "turns", "failed", "voice to voice", "difference (95 %)", "transcript", "first token", box=None
    )
    for name, measures in parity.measures.items():
        latencies = [one.voice_to_voice_ms for one in measures if one.voice_to_voice_ms is not None]
        difference = ""
        if name != IN_PROCESS and (differences := parity.differences_ms(name)):
            low, high = interval(differences)
            difference = f"{statistics.median(differences):+.0f} ({low:+.0f} to {high:+.0f})"
        stages = [
            statistics.median(values)
            if (values := [one.stages[stage] for one in measures if stage in one.stages])
            else 0
            for stage in ("transcript", "first_token")
        ]
        failed = str(sum(bool(one.failure) for one in measures))
        median = f"{statistics.median(latencies):.0f}" if latencies else ""
        table.add_row(name, str(len(measures)), failed, median, difference, *(f"{stage:.0f}" for stage in stages))
    console.print(table)


@asynccontextmanager
async def started(console: Console, folder: Path, name: str, toml: str) -> AsyncIterator[ServerAddress]:
    """A server of this configuration, with a data folder of its own."""
    file = folder / f"{name}.toml"
    file.write_text(f'home = "{folder / name}"\nmodels = "{load_config().weights_folder}"\n{toml}')
    async with child_server(console, engines=EngineSet.LOCAL, config_file=file) as server:
        yield server


def _gguf() -> Path:
    config = load_config()
    return find_gguf(WeightStore(load_catalogue(), config.weights_folder, config.models).folder(WEIGHTS))


async def _compare(
    console: Console, choice: QuestionChoice, voice: str, most_s: float, *, speech_elsewhere: bool
) -> Parity:
    questions, _ = await questions_of(choice, console, EngineSet.LOCAL, None)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vivavoce-parity-")))
        brain = stack.enter_context(llama_server(_gguf(), slots=2, idle=sys.platform == "linux"))
        first = await stack.enter_async_context(started(console, folder, "first", _COMMON + _BUILT_IN))
        remote = _COMMON + _ELSEWHERE.format(url=brain)
        second = await stack.enter_async_context(started(console, folder, "second", remote))
        servers = {IN_PROCESS: first, MODEL: second}
        if speech_elsewhere:
            far = _SPEECH_ELSEWHERE.format(url=f"{http_url(first.url)}/v1", key=first.api_key, voice=voice)
            servers[ALL] = await stack.enter_async_context(started(console, folder, "third", far + remote))
        targets = {name: Target("", voice=voice).at(server) for name, server in servers.items()}
        return await measure(targets, questions, choice.runs, most_s)


def engine_parity(
    language: Annotated[str, typer.Option(help="The questions' language: en, zh.")] = "en",
    limit: Annotated[int, typer.Option(min=1, help="Number of questions.")] = 6,
    runs: Annotated[int, typer.Option(min=1, help="How often each is asked.")] = 2,
    voice: Annotated[str, typer.Option(help="The voice of the replies.")] = "alloy",
    most_s: Annotated[
        float, typer.Option("--most-s", help="No question is begun with after so many seconds.")
    ] = 3600.0,
    speech_elsewhere: Annotated[bool, typer.Option(help="With the third server.")] = True,
) -> None:
    """Compare the voice-to-voice latency of engines here and elsewhere, with the same weights, in one run."""
    console = Console()
    choice = QuestionChoice(None, language, "*", limit, runs, 1)
    print_parity(console, asyncio.run(_compare(console, choice, voice, most_s, speech_elsewhere=speech_elsewhere)))


if __name__ == "__main__":
    typer.run(engine_parity)
