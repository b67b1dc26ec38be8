"""The endpointing bench: how often a turn is cut off at a pause, against how long its true end is waited for.

Every recording counts as one turn. Its pauses are where the voice activity detector hears no speech for at least
``SCORED_MS``; the last one, lengthened with digital silence, is the true end. A rule cuts off at an inner pause that
lasts longer than the rule waits there; what it waits at the true end is added latency. Both figures belong together:
either alone can be made as good as one likes. (The measure of LiveKit's ``eot-bench``.)
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from vivavoce.bench.recognition import Recording, read_recordings
from vivavoce.client.recording import read_audio
from vivavoce.closing import CloseStack
from vivavoce.engines.base import SpeechDetector, TurnScorer
from vivavoce.turns.detector import Started, TurnDetector
from vivavoce.turns.patience import SCORED_MS, wait_ms
from vivavoce.types import Samples

THRESHOLD = 0.5
PREFIX_MS = 500
"""Audio before the first speech that belongs to the turn."""

CLOSING_MS = 500
"""Digital silence after a recording, so that its end is a pause in any case."""

Rule = Callable[[float], int]
"""Score → milliseconds of silence after which the turn ends."""

RULES: dict[str, Rule] = {
    "320 ms": lambda _: 320,
    "500 ms": lambda _: 500,
    "700 ms": lambda _: 700,
    "1000 ms": lambda _: 1000,
    "eagerness high": lambda score: wait_ms(score, "high"),
    "eagerness auto": lambda score: wait_ms(score, "auto"),
    "eagerness low": lambda score: wait_ms(score, "low"),
}
"""Fixed silences, and the ladder at every eagerness."""


@dataclass(frozen=True, slots=True)
class Silence:
    """No speech from sample ``voiced_until`` on; noticed at ``noticed``, over at ``resumed`` (``None``: the true end)."""

    voiced_until: int
    noticed: int
    resumed: int | None


@dataclass(frozen=True, slots=True)
class Pause:
    """A scored silence of a turn. ``length_ms`` is ``None`` at the true end."""

    group: str
    length_ms: int | None
    score: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule makes of a group's pauses."""

    cut_off: int
    waits_ms: tuple[int, ...]


def silences(samples: Samples, detector: SpeechDetector) -> tuple[int, list[Silence]]:
    """Where speech begins in ``samples`` (``float32[n]`` at the detector's rate), and the silences after that."""
    frames = samples[: len(samples) // detector.frame_samples * detector.frame_samples]
    stream = detector.open()
    probabilities = [stream.probability(frame) for frame in frames.reshape(-1, detector.frame_samples)]
    follower = TurnDetector(rate_hz=detector.rate_hz, frame_samples=detector.frame_samples)
    found: list[Silence] = []
    begin = 0
    open_since: tuple[int, int] | None = None
    for boundary in follower.hear(0, probabilities, threshold=THRESHOLD, silence_ms=lambda: SCORED_MS):
        if not isinstance(boundary, Started):
            open_since = boundary.voiced_until, boundary.position
        elif open_since is None:
            begin = boundary.position
        else:
            found.append(Silence(*open_since, boundary.position))
    if open_since is not None:
        found.append(Silence(*open_since, None))
    return begin, found


async def pauses_of(recording: Recording, detector: SpeechDetector, scorer: TurnScorer) -> list[Pause]:
    """The pauses of a recording, each scored with what had been heard when it was noticed.

    Raises ``RecordingError`` and ``EngineError``.
    """
    rate_hz = detector.rate_hz
    if scorer.rate_hz != rate_hz:
        raise ValueError(f"the scorer hears at {scorer.rate_hz} Hz, the detector at {rate_hz} Hz")
    spoken = await asyncio.to_thread(read_audio, recording.path, rate_hz=rate_hz)
    samples = np.concatenate([spoken, np.zeros(CLOSING_MS * rate_hz // 1000, np.float32)])
    begin, found = silences(samples, detector)
    start = max(0, begin - PREFIX_MS * rate_hz // 1000)
    window = int(scorer.window_s * rate_hz)
    pauses: list[Pause] = []
    for silence in found:
        score = await scorer.score(samples[max(start, silence.noticed - window) : silence.noticed])
        length = None if silence.resumed is None else (silence.resumed - silence.voiced_until) * 1000 // rate_hz
        pauses.append(Pause(recording.group, length, score))
    return pauses


async def listen(recordings: Sequence[Recording], detector: SpeechDetector, scorer: TurnScorer) -> list[Pause]:
    """The pauses of all recordings, one after the other."""
    return [pause for recording in recordings for pause in await pauses_of(recording, detector, scorer)]


def outcome(rule: Rule, pauses: Sequence[Pause]) -> Outcome:
    """What ``rule`` makes of ``pauses``."""
    return Outcome(
        cut_off=sum(rule(pause.score) < pause.length_ms for pause in pauses if pause.length_ms is not None),
        waits_ms=tuple(rule(pause.score) for pause in pauses if pause.length_ms is None),
    )


def by_group(pauses: Sequence[Pause]) -> Iterator[tuple[str, list[Pause]]]:
    """The groups in order of appearance, each with its pauses."""
    for group in dict.fromkeys(pause.group for pause in pauses):
        yield group, [pause for pause in pauses if pause.group == group]


def score_table(pauses: Sequence[Pause]) -> Table:
    """How the scores lie: shares of the true ends and of the inner pauses that reach a score."""
    table = Table(title="scores")
    for column in ("group", "where", "number", "median", "≥ 0.1", "≥ 0.5", "≥ 0.88", "≥ 0.97"):
        table.add_column(column, justify="left" if column in {"group", "where"} else "right")
    for group, members in by_group(pauses):
        ends = [pause.score for pause in members if pause.length_ms is None]
        inner = [pause.score for pause in members if pause.length_ms is not None]
        for where, scores in (("true end", ends), ("inner pause", inner)):
            if scores:
                shares = [
                    f"{sum(one >= least for one in scores) / len(scores):.0%}" for least in (0.1, 0.5, 0.88, 0.97)
                ]
                table.add_row(group, where, str(len(scores)), f"{statistics.median(scores):.2f}", *shares)
    return table


def rule_table(pauses: Sequence[Pause]) -> Table:
    """False cut-offs and added wait of every rule."""
    table = Table(title="endpointing")
    for column in ("group", "rule", "cut off", "mean wait", "median wait", "p90 wait"):
        table.add_column(column, justify="left" if column in {"group", "rule"} else "right")
    for group, members in by_group(pauses):
        for name, rule in RULES.items():
            made = outcome(rule, members)
            inner = sum(pause.length_ms is not None for pause in members)
            waits = (np.mean(made.waits_ms), np.median(made.waits_ms), np.percentile(made.waits_ms, 90))
            table.add_row(group, name, f"{made.cut_off} of {inner}", *(f"{wait:.0f} ms" for wait in waits))
    return table


def main(arguments: Sequence[str] | None = None) -> None:
    """``python -m vivavoce.bench.endpointing --manifest …``: measure the configured detector and turn scorer."""
    # Engines are heavy to import; whoever only counts does without them.
    from vivavoce.config import load_config
    from vivavoce.runtime.engines import EngineLoader

    parser = argparse.ArgumentParser(description="False cut-offs at pauses against the wait at the true end.")
    parser.add_argument("--manifest", type=Path, required=True, help="JSON lines: file, language; a turn a file")
    parser.add_argument("--group", action="append", help="only groups that start so, such as english (may repeat)")
    given = parser.parse_args(arguments)
    wanted = tuple(given.group or [""])
    recordings = [
        one for one in read_recordings(given.manifest) if one.language is not None and one.group.startswith(wanted)
    ]

    async def measured() -> list[Pause]:
        loader = EngineLoader(load_config())
        async with CloseStack() as stack:
            detector, scorer = stack.add(loader.speech_detector()), stack.add(loader.turn_scorer())
            return await listen(recordings, detector, scorer)

    pauses = asyncio.run(measured())
    console = Console()
    console.print(score_table(pauses))
    console.print(rule_table(pauses))


if __name__ == "__main__":
    main()
