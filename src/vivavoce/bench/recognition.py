"""The recognition bench: error rates, latency and invented text over a manifest of recordings.

Errors are counted as ``word_errors`` says. A row without ``language`` holds no speech: any text for it is counted as invented.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from vivavoce.bench.questions import ManifestError
from vivavoce.client.recording import read_audio
from vivavoce.closing import CloseStack
from vivavoce.engines.base import Recognizer
from vivavoce.runtime.recognition import final_transcript
from vivavoce.types import Language, TranscribeOptions
from vivavoce.word_errors import count_errors

SHORT_S = 5.0
"""Utterances of conversation; their latency is reported apart."""


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """One row of a manifest. Without a ``language`` it holds no speech; without a ``text`` it is not scored."""

    path: Path
    group: str
    language: Language | None
    text: str | None


@dataclass(frozen=True, slots=True)
class RecognitionRun:
    """What a recogniser made of a recording, in ``elapsed_s`` for ``duration_s`` of audio."""

    recording: ManifestRow
    understood: str
    elapsed_s: float
    duration_s: float


@dataclass(frozen=True, slots=True)
class GroupScore:
    """One group in figures. ``errors`` of ``length`` words or characters; ``invented`` counts texts without speech."""

    group: str
    recordings: int
    errors: int
    length: int
    invented: int
    median_ms: float
    short_median_ms: float | None
    real_time_factor: float

    @property
    def error_rate(self) -> float | None:
        """Errors by length, ``None`` when no text is known."""
        return self.errors / self.length if self.length else None


def read_recordings(manifest: Path, corrections: Mapping[str, str] | None = None) -> list[ManifestRow]:
    """The rows of a JSON-lines manifest, grouped by folder and language.

    ``corrections`` (file → text) replace labels known to be wrong. Raises ``ManifestError``.
    """
    mended = corrections or {}
    try:
        rows = [json.loads(line) for line in manifest.read_text("utf-8").splitlines() if line.strip()]
        return [
            ManifestRow(
                path=manifest.parent / row["file"],
                group=" ".join(filter(None, (Path(row["file"]).parent.name, row.get("language")))),
                language=row.get("language"),
                text=mended.get(row["file"], row.get("text")),
            )
            for row in rows
        ]
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise ManifestError(f"Cannot read the manifest {manifest}: {error!r}.") from error


async def recognise(
    recognizer: Recognizer, recordings: Iterable[ManifestRow], *, hint: bool = False
) -> list[RecognitionRun]:
    """Transcribe one recording after the other; ``hint`` tells the recogniser the language instead of letting it find it.

    Raises ``RecordingError`` and ``EngineError``.
    """
    done: list[RecognitionRun] = []
    for recording in recordings:
        samples = await asyncio.to_thread(read_audio, recording.path, rate_hz=recognizer.rate_hz)
        options = TranscribeOptions(recording.language if hint else None)
        start = time.perf_counter()
        understood = await final_transcript(recognizer.transcribe(samples, options))
        elapsed_s = time.perf_counter() - start
        done.append(RecognitionRun(recording, understood.text, elapsed_s, len(samples) / recognizer.rate_hz))
    return done


def group_scores(recognitions: Sequence[RecognitionRun]) -> list[GroupScore]:
    """One score a group, in order of appearance."""
    groups = dict.fromkeys(one.recording.group for one in recognitions)
    return [_score(group, [one for one in recognitions if one.recording.group == group]) for group in groups]


def _score(group: str, members: Sequence[RecognitionRun]) -> GroupScore:
    counts = [
        count_errors(one.recording.text, one.understood, one.recording.language)
        for one in members
        if one.recording.language and one.recording.text
    ]
    short = [one.elapsed_s * 1000.0 for one in members if one.duration_s < SHORT_S]
    return GroupScore(
        group=group,
        recordings=len(members),
        errors=sum(errors for errors, _ in counts),
        length=sum(length for _, length in counts),
        invented=sum(bool(one.understood) for one in members if one.recording.language is None),
        median_ms=statistics.median(one.elapsed_s * 1000.0 for one in members),
        short_median_ms=statistics.median(short) if short else None,
        real_time_factor=sum(one.elapsed_s for one in members) / sum(one.duration_s for one in members),
    )


def score_table(scores: Sequence[GroupScore]) -> Table:
    """The scores for a terminal. The error rate counts words, for zh and ja characters."""
    table = Table(title="recognition")
    for column in (
        "group",
        "recordings",
        "errors",
        "error rate",
        "invented",
        "median",
        "median < 5 s",
        "real-time factor",
    ):
        table.add_column(column, justify="left" if column == "group" else "right")
    for score in scores:
        rate, short = score.error_rate, score.short_median_ms
        table.add_row(
            score.group,
            str(score.recordings),
            f"{score.errors}/{score.length}" if score.length else "–",
            f"{rate:.1%}" if rate is not None else "–",
            str(score.invented),
            f"{score.median_ms:.0f} ms",
            f"{short:.0f} ms" if short is not None else "–",
            f"{score.real_time_factor:.3f}",
        )
    return table


def main(arguments: Sequence[str] | None = None) -> None:
    """``python -m vivavoce.bench.recognition MANIFEST``: score the configured recogniser."""
    # Engines are heavy to import; whoever only counts errors does without them.
    from vivavoce.config import load_config
    from vivavoce.runtime.engines import EngineLoader

    parser = argparse.ArgumentParser(description="Error rates, latency and invented text of the configured recogniser.")
    parser.add_argument("manifest", type=Path, help="JSON lines: file, language, and if known text")
    parser.add_argument("--corrections", type=Path, help="JSON object: file → right text, for wrong labels")
    parser.add_argument("--group", action="append", help="only groups that start so, such as english (may repeat)")
    parser.add_argument("--hint", action="store_true", help="tell the recogniser the language")
    parser.add_argument("--texts", action="store_true", help="print what was understood wrongly")
    options = parser.parse_args(arguments)
    corrections = json.loads(options.corrections.read_text("utf-8")) if options.corrections else None
    groups = tuple(options.group or [""])
    recordings = [one for one in read_recordings(options.manifest, corrections) if one.group.startswith(groups)]

    async def measured() -> list[RecognitionRun]:
        async with CloseStack() as stack:
            recognizer = stack.add(EngineLoader(load_config()).recognizer())
            return await recognise(recognizer, recordings, hint=options.hint)

    recognitions = asyncio.run(measured())
    console = Console()
    if options.texts:
        _print_texts(console, recognitions)
    console.print(score_table(group_scores(recognitions)))


def _print_texts(console: Console, recognitions: Iterable[RecognitionRun]) -> None:
    for one in recognitions:
        spoken, language = one.recording.text or "", one.recording.language or "en"
        if count_errors(spoken, one.understood, language)[0]:
            console.print(one.recording.path.name, spoken, "→", one.understood, sep="  ", markup=False, highlight=False)


if __name__ == "__main__":
    main()
