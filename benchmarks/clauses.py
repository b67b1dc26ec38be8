"""What Kokoro's silence costs: ``python benchmarks/clauses.py``.

Each clause is made with all the silence the network pads it with, and without. Printed are the medians of both, how the
level changes, and how many characters Whisper gets wrong of either.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter

import numpy as np

from vivavoce.audio.resample import resample
from vivavoce.audio.silence import trim
from vivavoce.closing import CloseStack
from vivavoce.config import load_config
from vivavoce.engines.base import Recognizer
from vivavoce.engines.kokoro.chinese import Chinese
from vivavoce.engines.kokoro.model import RATE_HZ, KokoroModel
from vivavoce.engines.kokoro.styles import Styles, read_builtin_voices
from vivavoce.engines.phonemes.english import English
from vivavoce.models.catalogue import load_catalogue
from vivavoce.models.store import WeightStore
from vivavoce.runtime.engines import EngineLoader
from vivavoce.runtime.recognition import final_transcript
from vivavoce.types import Samples, TranscribeOptions
from vivavoce.word_errors import count_errors

SHORT = ("好的，我明白了", "今天天气很好", "世界上最高的山", "你可以先把", "这个问题很简单", "当然可以，请稍等")
"""First clauses of replies."""

LONG = (
    "法国的首都是巴黎，那里有很多博物馆。",
    "你可以先把水烧开，然后放进鸡蛋煮八分钟。",
    "今天下雨，出门的时候别忘了带一把雨伞。",
    "我们的商店早上九点开门，晚上六点关门。",
)
VOICES = ("zf_xiaoxiao", "zm_yunyang", "zf_xiaoyi", "zm_yunxi")


@dataclass(frozen=True, slots=True)
class ClauseClip:
    """One clause of one voice: how long it took, how loud it is (RMS), what was understood wrongly of how much."""

    ms: float
    level: float
    errors: int
    length: int


async def understood(recognizer: Recognizer, samples: Samples) -> str:
    """What the recogniser hears."""
    at_its_rate = resample(samples, RATE_HZ, recognizer.rate_hz)
    return (await final_transcript(recognizer.transcribe(at_its_rate, TranscribeOptions("zh")))).text


async def clip(
    model: KokoroModel, styles: Styles, recognizer: Recognizer, text: str, voice: str, padded: bool
) -> ClauseClip:
    """Make one, time it and listen to it."""
    phonemes = Chinese(English())(text)
    began = perf_counter()
    audio = model.synthesize(phonemes, lambda count: styles.row(voice, "z", count), 1.0, padded=padded)
    ms = (perf_counter() - began) * 1000
    speech = trim(audio, RATE_HZ)
    errors, length = count_errors(text, await understood(recognizer, speech), "zh")
    return ClauseClip(ms, float(np.sqrt(np.mean(np.square(speech)))), errors, length)


def line(name: str, before: Sequence[ClauseClip], after: Sequence[ClauseClip]) -> str:
    """Both in one line."""
    was, now = median(one.ms for one in before), median(one.ms for one in after)
    louder = median(20 * np.log10(new.level / old.level) for old, new in zip(before, after, strict=True))
    wrong = [f"{sum(c.errors for c in clips)}/{sum(c.length for c in clips)}" for clips in (before, after)]
    return f"{name}: {was:.0f} → {now:.0f} ms ({now / was:.2f}), level {louder:+.1f} dB, characters wrong {' → '.join(wrong)}"


async def measure(model: KokoroModel, styles: Styles, recognizer: Recognizer) -> None:
    """Alternate between the two, so that what else the machine does disturbs both alike."""
    for name, texts in (("first clauses", SHORT), ("sentences", LONG)):
        clips: dict[bool, list[ClauseClip]] = defaultdict(list)
        for text in texts:
            for voice in VOICES:
                for padded in (True, False):
                    clips[padded].append(await clip(model, styles, recognizer, text, voice, padded))
        print(line(name, clips[True], clips[False]))


if __name__ == "__main__":
    config = load_config()
    store = WeightStore(load_catalogue(), config.weights_folder, config.models)
    kokoro = KokoroModel(store.folder("kokoro-v1.0"), min(2, config.threads))

    async def measured() -> None:
        """With the configured recogniser."""
        async with CloseStack() as stack:
            whisper = stack.add(EngineLoader(config).recognizer())
            await measure(kokoro, Styles(read_builtin_voices(store.folder("kokoro-voices"))), whisper)

    asyncio.run(measured())
