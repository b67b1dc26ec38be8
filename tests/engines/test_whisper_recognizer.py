"""The shared queue: order, cancellation, errors, closing. A scripted listener stands in for the model."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from tokenizers import AddedToken, Tokenizer
from tokenizers.models import WordLevel

from vivavoce.engines.base import EngineContext
from vivavoce.engines.utterance_text import UtteranceText
from vivavoce.engines.whisper import load
from vivavoce.engines.whisper.listener import Utterance
from vivavoce.engines.whisper.recognizer import WhisperRecognizer
from vivavoce.engines.whisper.vocabulary import LONGEST_PROMPT, Vocabulary
from vivavoce.errors import EngineError
from vivavoce.types import Language, Samples, TranscribeOptions, Transcript

RATE_HZ = 16_000


@dataclass
class ScriptedListener:
    """Answers with how many seconds it heard; can be held, and remembers what it was given."""

    heard: list[Utterance] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)
    entered: threading.Event = field(default_factory=threading.Event)
    hold: threading.Event = field(default_factory=threading.Event)
    failure: Exception | None = None

    def hear(self, utterance: Utterance) -> UtteranceText:
        self.threads.add(threading.current_thread().name)
        self.heard.append(utterance)
        self.entered.set()
        assert self.hold.wait(10)
        if self.failure:
            raise self.failure
        utterance.check()
        return UtteranceText(f"{len(utterance.samples) // RATE_HZ} s", utterance.options.language or "de")

    async def until_entered(self) -> None:
        assert await asyncio.to_thread(self.entered.wait, 10)


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Vocabulary:
    special = ["<|endoftext|>", "<|startoftranscript|>", "<|startofprev|>", "<|transcribe|>", "<|translate|>"]
    special += ["<|notimestamps|>", "<|en|>", "<|zh|>"]
    words = Tokenizer(WordLevel({"hello": 0, "?": 1}, unk_token="?"))
    words.add_special_tokens([AddedToken(token) for token in special])
    path = tmp_path_factory.mktemp("whisper") / "tokenizer.json"
    words.save(str(path))
    return Vocabulary(path)


@pytest.fixture
def listener() -> ScriptedListener:
    scripted = ScriptedListener()
    scripted.hold.set()
    return scripted


@pytest.fixture
async def recognizer(listener: ScriptedListener, vocabulary: Vocabulary) -> AsyncIterator[WhisperRecognizer]:
    engine = WhisperRecognizer(listener, vocabulary, "en")
    yield engine
    listener.hold.set()
    engine.close()


def seconds(duration_s: int) -> Samples:
    return np.full(duration_s * RATE_HZ, 0.1, np.float32)


async def transcript(
    engine: WhisperRecognizer, samples: Samples, language: Language | None = None, prompt: str | None = None
) -> Transcript:
    [only] = [event async for event in engine.transcribe(samples, TranscribeOptions(language, prompt))]
    assert isinstance(only, Transcript)
    return only


async def test_one_transcript_from_the_engines_own_thread(
    recognizer: WhisperRecognizer, listener: ScriptedListener
) -> None:
    assert await transcript(recognizer, seconds(3)) == Transcript("3 s", "de")
    assert listener.threads == {"whisper_0"}


async def test_hint_and_prompt_reach_the_listener(recognizer: WhisperRecognizer, listener: ScriptedListener) -> None:
    assert await transcript(recognizer, seconds(1), "zh-CN", "Vivavoce") == Transcript("1 s", "zh")
    assert (listener.heard[0].options.language, listener.heard[0].options.prompt) == ("zh", "Vivavoce")


@pytest.mark.parametrize(("hint", "language"), [(None, "en"), ("zh", "zh")])
async def test_no_samples_no_words(
    recognizer: WhisperRecognizer, listener: ScriptedListener, hint: str | None, language: str
) -> None:
    assert await transcript(recognizer, seconds(0), hint) == Transcript("", language)
    assert listener.heard == []


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros(100, np.int16),
        np.zeros(100, np.float64),
        np.zeros((2, 100), np.float32),
        np.full(9, np.nan, np.float32),
    ],
)
async def test_wrong_samples_are_refused(recognizer: WhisperRecognizer, wrong: Samples) -> None:
    with pytest.raises(EngineError, match=r"float32\[n\]|finite"):
        await transcript(recognizer, wrong)


async def test_an_unknown_language_is_refused(recognizer: WhisperRecognizer) -> None:
    with pytest.raises(EngineError, match="does not know the language 'tlh'"):
        await transcript(recognizer, seconds(1), "tlh")


async def test_a_long_utterance_lets_others_in_between(
    recognizer: WhisperRecognizer, listener: ScriptedListener
) -> None:
    listener.hold.clear()
    long = asyncio.create_task(transcript(recognizer, seconds(40)))
    await listener.until_entered()
    short = asyncio.create_task(transcript(recognizer, seconds(2)))
    await asyncio.sleep(0)
    listener.hold.set()
    assert (await short).text == "2 s"
    assert (await long).text.count(" s") == 2
    assert [len(one.samples) // RATE_HZ < 5 for one in listener.heard] == [False, True, False]
    assert listener.heard[2].options.language == "de", "later windows keep the language of the first"


async def test_cancelling_in_the_queue_takes_the_utterance_out(
    recognizer: WhisperRecognizer, listener: ScriptedListener
) -> None:
    listener.hold.clear()
    tasks = [asyncio.create_task(transcript(recognizer, seconds(length))) for length in (1, 2, 3)]
    await listener.until_entered()
    tasks[1].cancel()
    with pytest.raises(asyncio.CancelledError):
        await tasks[1]
    listener.hold.set()
    assert (await tasks[2]).text == "3 s"
    assert [len(one.samples) // RATE_HZ for one in listener.heard] == [1, 3]


async def test_cancelling_under_way_abandons_the_utterance(
    recognizer: WhisperRecognizer, listener: ScriptedListener
) -> None:
    listener.hold.clear()
    task = asyncio.create_task(transcript(recognizer, seconds(1)))
    await listener.until_entered()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert listener.heard[0].abandoned.is_set()
    listener.hold.set()
    assert (await transcript(recognizer, seconds(2))).text == "2 s"


async def test_a_native_failure_is_an_engine_error(recognizer: WhisperRecognizer, listener: ScriptedListener) -> None:
    listener.failure = RuntimeError("out of memory")
    with pytest.raises(EngineError, match="out of memory") as failed:
        await transcript(recognizer, seconds(1))
    assert failed.value.retriable
    listener.failure = None
    assert (await transcript(recognizer, seconds(1))).text == "1 s"


async def test_closing_fails_what_waits_and_what_comes(
    recognizer: WhisperRecognizer, listener: ScriptedListener
) -> None:
    listener.hold.clear()
    running, waiting = (asyncio.create_task(transcript(recognizer, seconds(length))) for length in (1, 2))
    await listener.until_entered()
    recognizer.close()
    recognizer.close()
    with pytest.raises(EngineError, match="closed"):
        await waiting
    listener.hold.set()
    assert (await running).text == "1 s"
    with pytest.raises(EngineError) as refused:
        await transcript(recognizer, seconds(1))
    assert not refused.value.retriable


def test_prompts_are_cut_to_their_room(vocabulary: Vocabulary) -> None:
    bare, blank = vocabulary.prompt("en", None), vocabulary.prompt("en", "  ")
    assert bare == blank
    assert len(bare) == 4
    long = vocabulary.prompt("en", "hello")
    assert long[-4:] == bare
    assert len(long) <= 1 + LONGEST_PROMPT + 4


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"beams": 2}, "beams"), ({"languages": ()}, "languages"), ({"context_s": 40}, "context_s")],
)
def test_settings_that_do_not_fit_are_named(settings: dict[str, object], message: str, tmp_path: Path) -> None:
    here: Callable[[str], Path] = lambda _: tmp_path  # noqa: E731
    with pytest.raises(ValidationError, match=message):
        load(EngineContext(weights=here, threads=1, capacity=1, settings=settings))


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"tokenizer\.json"):
        load(EngineContext(weights=lambda _: tmp_path, threads=1, capacity=1))
