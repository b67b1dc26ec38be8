"""The barge-in bench: speak into a reply, and see how soon it stops and what the server believes was heard of it.

The reply is played as by a client that plays at once and stops when it is told ``input_audio_buffer.speech_started``. What
it had played until then is compared, in words, with the transcript the server keeps of the item.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np

from vivavoce.bench.questions import Question
from vivavoce.bench.turn import Target
from vivavoce.client.connection import RealtimeClient
from vivavoce.client.errors import ConnectError
from vivavoce.client.events import WIRE_RATE_HZ
from vivavoce.client.playout import Playout
from vivavoce.client.record import HeardReply, TurnRecord
from vivavoce.client.recording import SPEECH_AMPLITUDE
from vivavoce.client.streaming import CHUNK_MS, at_deadlines, chunks_of, running
from vivavoce.types import Language, Samples
from vivavoce.word_errors import units

STORIES: dict[Language, str] = {
    "en": "Please tell me a long story about a lighthouse keeper and a whale, in at least ten sentences, "
    "and leave nothing out of what happened to the two of them in all those years.",
    "zh": "请给我讲一个关于灯塔看守人和鲸鱼的很长的故事，至少十句话，把这些年里他们之间发生的事情都讲出来。",
}
"""What is asked for, in writing, to have a long reply to speak into."""

DELAYS_S = (1.5, 2.3, 3.1, 3.9)
"""How long the reply has been playing when the user begins to speak; taken in turn."""

_POLL_S = 0.02

HeardWords = Callable[[Sequence[str], Samples, Language], Awaitable[int]]
"""(the reply's words, the audio heard of it at 24 kHz, language) → how many of the words are in the audio."""


@dataclass(frozen=True, slots=True)
class BargeInRun:
    """One interruption. Times are milliseconds after the first audible sample of the user's speech.

    ``notified_ms``: the client is told; ``last_audio_ms``: the last audio delta has arrived (0: before). ``words_kept`` is what
    the server's transcript of the reply holds, ``words_heard`` what the audio played until ``notified_ms`` does. ``late_ms`` is
    how far this process was behind real time.
    """

    delay_s: float
    failure: str = ""
    notified_ms: float = 0.0
    last_audio_ms: float = 0.0
    words_kept: int = 0
    words_heard: int = 0
    late_ms: float = 0.0

    @property
    def difference(self) -> int:
        """Words kept beyond those heard; negative: words lost."""
        return self.words_kept - self.words_heard


class Microphone:
    """Real silence in real time, until there is something to ``speak``."""

    def __init__(self, client: RealtimeClient) -> None:
        self._client = client
        self._speech: deque[bytes] = deque()
        self.spoke_at_s: float | None = None
        self.max_late_ms = 0.0

    def speak(self, samples: Samples) -> None:
        """Speak from now on: ``float32[n]`` at 24 kHz that begins with its first audible sample."""
        self._speech.extend(chunks_of(samples))

    async def run(self) -> None:
        """Send until cancelled. Raises ``ConnectError`` when the server closes."""
        silence = bytes(WIRE_RATE_HZ * CHUNK_MS // 1000 * 2)
        origin_s = time.perf_counter()
        async for number, late_s in at_deadlines(count(), origin_s=origin_s, period_s=CHUNK_MS / 1000):
            if self._speech and self.spoke_at_s is None:
                self.spoke_at_s = origin_s + number * CHUNK_MS / 1000
            await self._client.append(self._speech.popleft() if self._speech else silence)
            self.max_late_ms = max(self.max_late_ms, late_s * 1000.0)


async def barge_in(target: Target, question: Question, delay_s: float, heard_words: HeardWords) -> BargeInRun:
    """Ask for a story and speak ``question`` into it. What goes wrong is the measure's ``failure``."""
    try:
        async with target.connect() as client:
            return await _interrupt(client, target, question, delay_s, heard_words)
    except ConnectError as error:
        return BargeInRun(delay_s, failure=str(error))


async def _interrupt(
    client: RealtimeClient, target: Target, question: Question, delay_s: float, heard_words: HeardWords
) -> BargeInRun:
    voice = {"voice": target.voice} if target.voice is not None else {}
    vad = {"type": "server_vad", "create_response": False}
    await client.update_session({"turn_detection": vad, **voice})
    microphone, record = Microphone(client), TurnRecord()
    async with running(microphone.run()):
        item_id, notified_s = await _speak_into_the_story(
            client, microphone, record, question, delay_s, target.timeout_s
        )
    reply = record.replies[0] if record.replies else None
    if reply is None or microphone.spoke_at_s is None or notified_s is None:
        return BargeInRun(delay_s, failure=_failure(record, reply, microphone))
    await client.send("conversation.item.retrieve", item_id=item_id)
    item = (await client.wait_for("conversation.item.retrieved")).nested("item")
    kept = " ".join(str(part.get("transcript") or "") for part in item.get("content", ()))
    language = question.language
    return BargeInRun(
        delay_s,
        notified_ms=(notified_s - microphone.spoke_at_s) * 1000.0,
        last_audio_ms=max((reply.playout.pieces[-1].arrived_s - microphone.spoke_at_s) * 1000.0, 0.0),
        words_kept=len(units(kept, language)),
        words_heard=await heard_words(units(reply.transcript, language), played(reply.playout, notified_s), language),
        late_ms=microphone.max_late_ms,
    )


async def _speak_into_the_story(
    client: RealtimeClient,
    microphone: Microphone,
    record: TurnRecord,
    question: Question,
    delay_s: float,
    timeout_s: float,
) -> tuple[str, float | None]:
    """The reply's item, and when the client was told to stop playing; ``None`` if it was not while the reply played."""
    content = [{"type": "input_text", "text": STORIES.get(question.language, STORIES["en"])}]
    await client.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
    await client.send("response.create")
    item_id, notified_s, speaking = "", None, False
    give_up_s = time.perf_counter() + timeout_s
    while time.perf_counter() < give_up_s:
        event = await client.receive(timeout_s=_POLL_S)
        if event is not None:
            record.receive(event)
            if event.type == "response.audio.delta":
                item_id = event.text("item_id")
            elif event.type == "input_audio_buffer.speech_started" and speaking and notified_s is None:
                notified_s = event.arrived_s
        reply = record.replies[0] if record.replies else None
        if reply is None:
            continue
        starts_s, ends_s, now_s = reply.playout.starts_s, reply.playout.ends_s, time.perf_counter()
        if reply.done and (record.transcript if notified_s is not None else ends_s is None or now_s > ends_s):
            break
        if starts_s is not None and not speaking and now_s >= starts_s + delay_s:
            speaking = True
            microphone.speak(audible(question.samples))
    return item_id, notified_s


def _failure(record: TurnRecord, reply: HeardReply | None, microphone: Microphone) -> str:
    if reply is None:
        return record.errors[-1] if record.errors else "no reply"
    if microphone.spoke_at_s is None:
        return "the reply was over before it could be interrupted"
    return "the server did not notice the interruption"


def audible(samples: Samples) -> Samples:
    """``samples`` from the first that can be heard on."""
    loud = np.flatnonzero(np.abs(samples) > SPEECH_AMPLITUDE)
    return samples[int(loud[0]) :] if len(loud) else samples


def played(playout: Playout, until_s: float) -> Samples:
    """What of a reply was played until this moment (``time.perf_counter`` seconds)."""
    pieces = [piece.samples[: max(round((until_s - piece.starts_s) * playout.rate_hz), 0)] for piece in playout.pieces]
    return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)


# ---- what was heard


def prefix_length(words: Sequence[str], transcript: Sequence[str]) -> int:
    """How long the prefix of ``words`` is that ``transcript`` is nearest to, by edit distance; of equals, by length."""
    row = list(range(len(words) + 1))
    for number, word in enumerate(transcript, 1):
        above, row = row, [number]
        for length, expected in enumerate(words, 1):
            row.append(min(above[length] + 1, row[length - 1] + 1, above[length - 1] + (word != expected)))
    return min(range(len(row)), key=lambda length: (row[length], abs(length - len(transcript))))


def by_recognition(target: Target) -> HeardWords:
    """Have the server's recogniser write down what was heard, as if it were dictated."""

    async def heard_words(words: Sequence[str], audio: Samples, language: Language) -> int:
        if not len(audio):
            return 0
        async with target.connect() as client:
            await client.update_session({"turn_detection": None})
            for chunk in chunks_of(audio, chunk_ms=1000):
                await client.append(chunk)
            await client.send("input_audio_buffer.commit")
            done = await client.wait_for(
                "conversation.item.input_audio_transcription.completed", timeout_s=target.timeout_s
            )
        return prefix_length(words, units(done.text("transcript"), language))

    return heard_words


def by_clock(character_ms: float) -> HeardWords:
    """For a synthesizer that takes the same time for every character, such as the fake one."""

    async def heard_words(words: Sequence[str], audio: Samples, language: Language) -> int:
        reached = len(audio) * 1000 / WIRE_RATE_HZ / character_ms
        position = heard = 0
        for word in words:
            if position + len(word) / 2 > reached:
                break
            heard += 1
            position += len(word) + 1
        return heard

    return heard_words


# ---- all of it


async def run_barge_in(
    target: Target,
    questions: Sequence[Question],
    *,
    runs: int,
    heard_words: HeardWords,
    on_measure: Callable[[BargeInRun], None],
) -> list[BargeInRun]:
    """``runs`` conversations one after the other, each with the next question and the next delay."""
    measures = []
    for number in range(runs):
        question, delay_s = questions[number % len(questions)], DELAYS_S[number % len(DELAYS_S)]
        measures.append(await barge_in(target, question, delay_s, heard_words))
        on_measure(measures[-1])
    return measures
