"""A server is asked how recordings sound, and its answers are judged by code."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from vivavoce.audio.encoding import encode
from vivavoce.bench.http import HttpTarget
from vivavoce.bench.sound_answers import VERDICTS, Verdict, verdict
from vivavoce.bench.sound_questions import SoundQuestion
from vivavoce.bench.voice_copies import RATE_HZ
from vivavoce.types import Samples

ANSWER_TOKENS = 100
ACKNOWLEDGED = {"en": "I see.", "zh": "好的。"}


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question, the answer to it, what that is, and what the server says it has heard."""

    question: SoundQuestion
    answer: str
    verdict: Verdict
    perception: dict[str, Any]


async def ask_all(target: HttpTarget, questions: Sequence[SoundQuestion]) -> AsyncIterator[AskedQuestion]:
    """Each question in a chat of its own, one after the other. Raises ``ConnectError``."""
    for question in questions:
        message = await target.written_answer(chat_messages(question), max_tokens=ANSWER_TOKENS)
        answer = message.get("content") or ""
        judged = verdict(answer, question.right, question.wrong, denies=question.denies)
        yield AskedQuestion(question, answer, judged, message.get("perception") or {})


def chat_messages(question: SoundQuestion) -> list[dict[str, Any]]:
    """The question as the messages of a chat: its recordings are turns, the last with the text."""
    *before, last = question.recordings
    messages: list[dict[str, Any]] = []
    for samples in before:
        messages.append({"role": "user", "content": [_part(samples)]})
        messages.append({"role": "assistant", "content": ACKNOWLEDGED[question.language]})
    content = [_part(last), {"type": "text", "text": question.text}]
    return [*messages, {"role": "user", "content": content}]


def _part(samples: Samples) -> dict[str, Any]:
    wav = base64.b64encode(encode(samples, "wav", RATE_HZ)).decode()
    return {"type": "input_audio", "input_audio": {"data": wav, "format": "wav"}}


def verdict_table(asked: Sequence[AskedQuestion]) -> Table:
    """How many answers of each topic are what."""
    table = Table("asked about", "n", *VERDICTS, title="Questions about the sound")
    topics = list(dict.fromkeys(one.question.topic for one in asked))
    for topic in (*topics, None):
        own = [one for one in asked if topic in (one.question.topic, None)]
        counts = Counter(one.verdict for one in own)
        table.add_row(topic or "all", str(len(own)), *(f"{counts[name]}" for name in VERDICTS))
    return table
