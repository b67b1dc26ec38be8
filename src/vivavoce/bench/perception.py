"""How far what is heard in a voice can be trusted, and what it costs: the figures of ``vivavoce bench perception``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from vivavoce.bench.voice_examples import ClipEncoder, Example, emotional, load, read, read_aloud, rows, save
from vivavoce.bench.voice_training import Outcomes, train, without_speaker
from vivavoce.engines.base import Perceiver, Recognizer
from vivavoce.engines.voice import HEADS
from vivavoce.perception.head import Head, load_head
from vivavoce.perception.notes import sure_emotion
from vivavoce.runtime.perceiving import Perceiving
from vivavoce.runtime.recognition import final_transcript
from vivavoce.types import Samples, TranscribeOptions, Transcript
from vivavoce.voice_facts import Emotion, EmotionLabel, PerceiveOptions, Prosody, SpeechEncoding, VoiceFacts

THRESHOLDS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95)
CONDITIONS = ("clean", "room", "g711", "opus", "quiet")
AROUSED = ("angry", "happy")
LATENCY_CLIPS = 30

Way: TypeAlias = Literal["plain", "whole", "live"]


@dataclass(frozen=True, slots=True)
class Material:
    """EMO-DB with its copies, and read speech in English and Mandarin with a few."""

    emotional: Sequence[Example]
    read_aloud: Sequence[Example]


def material(data: Path, cache: Path | None) -> Material:
    """Computed from ``data``, about ten minutes, or as it was kept in the folder ``cache``."""
    return Material(
        cached(cache, "emotional", lambda: emotional(data, ClipEncoder())),
        cached(cache, "read_aloud", lambda: read_aloud(data, ClipEncoder())),
    )


def cached(cache: Path | None, name: str, make: Callable[[], Iterator[Example]]) -> list[Example]:
    """Examples from the file of this name, or made and kept there."""
    file = cache / f"{name}.npz" if cache is not None else None
    if file is not None and file.is_file():
        return load(file)
    examples = list(make())
    if file is not None:
        save(file, examples)
    return examples


def is_for_training(example: Example) -> bool:
    """Copies at a fixed level of noise are for tests."""
    return "@" not in example.copy


def _is(copy: str) -> Callable[[Example], bool]:
    return lambda example: example.copy == copy


def _is_other_than(copy: str) -> Callable[[Example], bool]:
    return lambda example: is_for_training(example) and example.copy != copy


def all_conditions(found: Material) -> Outcomes:
    """Leave one speaker out, over the clean clips and the copies without noise."""
    return without_speaker(found.emotional, is_for_training, lambda example: example.copy in CONDITIONS)


def recall_table(found: Material) -> Table:
    """Unweighted recall, leave one speaker out: in each condition, and in noise the classifier was not trained with."""
    table = Table("condition", "unweighted recall", title="Emotion: four labels, leave one speaker out")
    for condition in CONDITIONS:
        outcomes = without_speaker(found.emotional, is_for_training, _is(condition))
        table.add_row(condition, f"{outcomes.recall():.3f}")
    for tested in sorted({example.copy for example in found.emotional if example.copy.endswith("@10")}):
        own = tested.removesuffix("@10")
        outcomes = without_speaker(found.emotional, _is_other_than(own), _is(tested))
        table.add_row(f"{own} at 10 dB, unseen", f"{outcomes.recall():.3f}")
    return table


def coverage_table(found: Material) -> Table:
    """From each score on: how much is answered, how much of that is right, and how often read speech gets an emotion."""
    outcomes = all_conditions(found)
    temperature = outcomes.temperature()
    trained = train([example for example in found.emotional if is_for_training(example)])
    others = Outcomes(
        trained.labels,
        np.array(["neutral"] * len(found.read_aloud)),
        trained.logits(np.stack([example.features for example in found.read_aloud])),
    )
    scores = others.scores(temperature)
    emotional_label = scores.argmax(axis=1) != trained.labels.index("neutral")
    table = Table("score from", "answered", "right", "read speech called emotional", title="Abstention")
    for least in THRESHOLDS:
        answered, right = outcomes.coverage(temperature, least)
        wrong = float((emotional_label & (scores.max(axis=1) >= least)).mean())
        table.add_row(f"{least:.2f}", f"{answered:.0%}", f"{right:.1%}", f"{wrong:.0%}")
    return table


def answered_table(found: Material) -> Table:
    """Which share is answered to (``sure_emotion``), by score alone, and where it is known how the speaker usually speaks."""
    outcomes = all_conditions(found)
    temperature = outcomes.temperature()
    groups = sorted({example.group for example in found.emotional})
    tested = [one for group in groups for one in found.emotional if one.group == group and one.copy in CONDITIONS]
    scores = outcomes.scores(temperature)
    trained = train([example for example in found.emotional if is_for_training(example)])
    logits = trained.logits(np.stack([example.features for example in found.read_aloud]))
    others = Outcomes(trained.labels, np.array(["neutral"] * len(logits)), logits).scores(temperature)
    table = Table("voice", "right, by score", "wrong", "right, with the pitch", "wrong", title="Answered to")
    changes = [pitch_change(found, example) for example in tested]
    for label in outcomes.names:
        own = [at for at, example in enumerate(tested) if example.label == label]
        alone = [answered(outcomes.names, scores[at], None) for at in own]
        relative = [answered(outcomes.names, scores[at], changes[at]) for at in own]
        table.add_row(label, *_shares(alone, label), *_shares(relative, label))
    read = [answered(outcomes.names, row, None) for row in others]
    table.add_row("read speech", *_shares(read, "neutral"), "", "")
    return table


def pitch_change(found: Material, example: Example) -> float | None:
    """Semitones above the pitch of the speaker's neutral clips under the same condition."""
    neutral = [
        one.f0_hz
        for one in found.emotional
        if (one.group, one.copy, one.label) == (example.group, example.copy, "neutral") and one.f0_hz > 0
    ]
    return float(12 * np.log2(example.f0_hz / np.median(neutral))) if neutral and example.f0_hz > 0 else None


def answered(names: Sequence[str], scores: NDArray[np.float32], change_st: float | None) -> str | None:
    """The emotion that is answered to where these are the ``scores`` (``float32[labels]``) and this the change of pitch."""
    label = cast(EmotionLabel, names[int(scores.argmax())])
    emotion = Emotion(label=label, score=float(scores.max()), scores={}, source="bench")
    return sure_emotion(VoiceFacts(emotion=emotion, prosody=Prosody(f0_delta_st=change_st)))


def _shares(told: Sequence[str | None], label: str) -> tuple[str, str]:
    right, wrong = (sum(one is not None and (one == label) is fits for one in told) for fits in (True, False))
    return f"{right / len(told):.1%}", f"{wrong / len(told):.1%}"


def arousal_auc(found: Material) -> float:
    """How well pitch alone, relative to the speaker's neutral clips, tells angry and happy from neutral and sad."""
    clean = [example for example in found.emotional if example.copy == "clean" and example.f0_hz > 0]
    deltas: dict[bool, list[float]] = {True: [], False: []}
    for group in {example.group for example in clean}:
        own = [example for example in clean if example.group == group]
        usual = np.median([example.f0_hz for example in own if example.label == "neutral"])
        for example in own:
            deltas[example.label in AROUSED].append(float(12 * np.log2(example.f0_hz / usual)))
    raised, calm = np.array(deltas[True]), np.array(deltas[False])
    return float((raised[:, None] > calm).mean() + (raised[:, None] == calm).mean() / 2)


def gender_recalls(data: Path, found: Material) -> tuple[float, float]:
    """Of the shipped head on the people of EMO-DB: recall per clip, and the share of speakers right over all their clips."""
    head: Head = load_head(HEADS / "gender.npz")
    sex_of = {row["speaker"]: row["gender"] for row in rows(data) if "emotion" in row}
    clips: dict[str, list[bool]] = {"female": [], "male": []}
    speakers: dict[str, list[float]] = {}
    for example in (example for example in found.emotional if example.copy == "clean"):
        female, sex = head.scores(example.features)["female"], sex_of[example.group]
        clips[sex].append((female > 0.5) == (sex == "female"))
        speakers.setdefault(example.group, []).append(float(np.log((female + 1e-4) / (1 - female + 1e-4))))
    right = [(np.mean(odds) > 0) == (sex_of[group] == "female") for group, odds in speakers.items()]
    return float(np.mean([np.mean(values) for values in clips.values()])), float(np.mean(right))


@dataclass(frozen=True, slots=True)
class PerceiverResult:
    """Of the recogniser with the perceivers beside it: language right of how many, and what a turn takes, median ms: without
    them, with all of it listened to at its end, and as in a conversation, where all but its last second has been heard before.
    ``added_ms`` is the median of what the last adds to the same turn. ``processor_ms`` is the processor time the perceivers
    take for all of a turn, which other programs do not change.
    """

    languages_right: int
    clips: int
    plain_ms: float
    whole_ms: float
    live_ms: float
    added_ms: float
    processor_ms: float
    perceived: int


async def heard(data: Path, recognizer: Recognizer, perceivers: Sequence[Perceiver]) -> PerceiverResult:
    """Every so many recordings are read without and with the perceivers, in turns that change their order."""
    chosen = [row for row in rows(data) if row.get("language") and row["file"].split("/")[0] != "voices"]
    chosen = chosen[:: max(len(chosen) // LATENCY_CLIPS, 1)]
    perceiving = Perceiving(perceivers)
    took: dict[Way, list[float]] = {"plain": [], "whole": [], "live": []}
    processor_ms: list[float] = []
    right = perceived = 0
    await _read(perceiving, recognizer, read(data / chosen[0]["file"]), beside=True)  # the first of all allocates
    for number, row in enumerate(chosen):
        samples = read(data / row["file"])
        ways: list[Way] = ["plain", "whole", "live"]
        for way in ways[number % 3 :] + ways[: number % 3]:
            turn = np.concatenate([np.zeros(_nudge(number, way), np.float32), samples])
            if way == "live":
                await _listen(perceivers, turn[: -recognizer.rate_hz], recognizer.rate_hz)
            started = time.perf_counter()
            transcript = await _read(perceiving, recognizer, turn, beside=way != "plain")
            took[way].append((time.perf_counter() - started) * 1000)
            if way == "whole" and transcript.perceived is not None:
                perceived += 1
                language = transcript.perceived.language
                right += language is not None and language.label == row["language"]
        processor_ms.append(await _processor_ms(perceivers, samples, recognizer))
    plain, whole, live = (float(np.median(took[way])) for way in ("plain", "whole", "live"))
    added = float(np.median(np.subtract(took["live"], took["plain"])))
    processor = float(np.median(processor_ms))
    return PerceiverResult(right, len(chosen), plain, whole, live, added, processor, perceived)


def _nudge(number: int, way: Way) -> int:
    """Samples of silence before a clip, so that no way profits from what another has had listened to."""
    return 1 + 3 * number + ("plain", "whole", "live").index(way)


async def _read(perceiving: Perceiving, recognizer: Recognizer, samples: Samples, *, beside: bool) -> Transcript:
    events = recognizer.transcribe(samples, TranscribeOptions(encoding=beside))
    return await final_transcript(perceiving.beside(samples, recognizer.rate_hz, events) if beside else events)


async def _processor_ms(perceivers: Sequence[Perceiver], samples: Samples, recognizer: Recognizer) -> float:
    events = recognizer.transcribe(samples, TranscribeOptions(encoding=True))
    async with aclosing(events):
        encoding = await anext(events)
    encoded = encoding if isinstance(encoding, SpeechEncoding) else None
    await asyncio.sleep(0.3)  # the recogniser ends its step
    started = time.process_time()
    for perceiver in perceivers:
        await perceiver.perceive(samples, recognizer.rate_hz, encoded, PerceiveOptions())
    return (time.process_time() - started) * 1000


async def _listen(perceivers: Sequence[Perceiver], samples: Samples, rate_hz: int) -> None:
    """What partial transcripts had listened to before the turn ended."""
    for perceiver in perceivers:
        if perceiver.network is None:
            await perceiver.perceive(samples, rate_hz, None, PerceiveOptions())
