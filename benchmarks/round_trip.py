"""Say sentences, hear them, and look for their numbers, names and signs: ``python benchmarks/round_trip.py``.

The sentences of ``round_trip_sentences.tsv`` are spoken by a voice, transcribed by the recogniser, and made into what is typed
(``text/inverse``). A line has the language, the sentence, and what must be found in the transcript, parted by `` | ``;
spellings that mean the same are parted by ``~``. Spaces, capitals, and commas and hyphens do not count; a name, which has no
figures, may be written with other characters that are read the same (in Mandarin with the same tones), for nothing in the sound
tells between them. Prints what is lost; it ends with 1 when a language loses more than ``--most``.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr

from vivavoce.config import load_config
from vivavoce.engines.base import Recognizer
from vivavoce.engines.router import SynthesizerRouter
from vivavoce.runtime.engines import EngineLoader
from vivavoce.runtime.recognition import final_transcript
from vivavoce.text.clauses import ClauseSplitter
from vivavoce.text.inverse import inverse_normalized
from vivavoce.text.inverse.han import NUMERAL
from vivavoce.types import Language, Samples, SpeakOptions, TranscribeOptions

SENTENCES = Path(__file__).with_name("round_trip_sentences.tsv")


@dataclass(frozen=True, slots=True)
class Sentence:
    """``kept``: what must be heard, each in one of some spellings."""

    language: Language
    text: str
    kept: Sequence[Sequence[str]]


def read_sentences() -> list[Sentence]:
    """Those of the project."""
    rows = (line.split("\t") for line in SENTENCES.read_text(encoding="utf-8").splitlines())
    return [
        Sentence(language, text, [spellings.split("~") for spellings in kept.split(" | ")])
        for language, text, kept in rows
    ]


_KATAKANA = {code: code + 0x60 for code in range(0x3041, 0x3097)}


def canonical(text: str) -> str:
    """What is compared: in katakana, without spaces, capitals, commas, full stops at the end, and hyphens that are no minus."""
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_KATAKANA)
    plain = re.sub(r"(?<=[0-9a-z])-(?=[0-9a-z])|(?<=[0-9]),(?=[0-9])|[ ,、，。]", "", plain)
    return plain.rstrip(".!?")


def sounds(text: str, language: Language) -> str:
    """How a Chinese text is read, in Pinyin with tones, and a Japanese one, in kana; nothing of an English one."""
    match language:
        case "zh":
            from pypinyin import Style, lazy_pinyin

            return "".join(f"{syllable} " for syllable in lazy_pinyin(text, style=Style.TONE3, errors="ignore"))
        case "ja":
            import pyopenjtalk

            return str(pyopenjtalk.g2p(text, kana=True))
    return ""


def lost(sentence: Sentence, heard: str) -> list[str]:
    """What is not in ``heard``."""
    return [
        spellings[0]
        for spellings in sentence.kept
        if not any(_is_in(one, heard, sentence.language) for one in spellings)
    ]


def _is_in(kept: str, heard: str, language: Language) -> bool:
    if canonical(kept) in canonical(heard):
        return True
    if re.search(f"[0-9A-Za-z{NUMERAL}]", kept):
        return False
    sound = sounds(kept, language)
    return bool(sound) and sound in sounds(heard, language)


async def said(router: SynthesizerRouter, sentence: Sentence, voice: str, rate_hz: int) -> Samples:
    """The sentence as a reply would be spoken, with a little silence around it."""
    splitter = ClauseSplitter(sentence.language)
    clauses = [*splitter.push(sentence.text), *splitter.flush()]
    pieces = [
        piece
        for clause in clauses
        if clause.spoken
        async for piece in router.speak(clause.spoken, SpeakOptions(voice, clause.language))
    ]
    pause = np.zeros(router.rate_hz // 3, np.float32)
    return np.asarray(soxr.resample(np.concatenate([pause, *pieces, pause]), router.rate_hz, rate_hz), np.float32)


async def measured(
    router: SynthesizerRouter, recognizer: Recognizer, sentences: Sequence[Sentence], voice: str
) -> dict[Language, list[int]]:
    """By language: (things kept, things there are). Prints every sentence that lost something."""
    counts: dict[Language, list[int]] = {}
    for sentence in sentences:
        samples = await said(router, sentence, voice, recognizer.rate_hz)
        transcript = await final_transcript(recognizer.transcribe(samples, TranscribeOptions(sentence.language)))
        typed = inverse_normalized(transcript.text, sentence.language)
        missing = lost(sentence, typed)
        count = counts.setdefault(sentence.language, [0, 0])
        count[0] += len(sentence.kept) - len(missing)
        count[1] += len(sentence.kept)
        if missing:
            print(f"{sentence.language} {sentence.text}  →  {transcript.text}  →  {typed}  lost: {missing}", flush=True)
    return counts


def main() -> None:
    """The entry point."""
    parser = argparse.ArgumentParser(description="Numbers, names and signs that are spoken, heard and typed.")
    parser.add_argument("--language", choices=["en", "zh", "ja"])
    parser.add_argument("--voice", default="alloy")
    parser.add_argument("--most", type=int, default=0, help="what a language may lose")
    options = parser.parse_args()
    sentences = [one for one in read_sentences() if options.language in (None, one.language)]
    loader = EngineLoader(load_config())
    counts = asyncio.run(measured(loader.synthesizer(), loader.recognizer(), sentences, options.voice))
    for language, (kept, there) in counts.items():
        print(f"{language}: {kept} of {there} kept")
    sys.exit(any(there - kept > options.most for kept, there in counts.values()))


if __name__ == "__main__":
    main()
