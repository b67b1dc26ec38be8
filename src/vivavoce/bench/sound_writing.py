"""Answers about the sound as they are written for a language model, judged without one: what is lost is perception's."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence

import msgspec

from vivavoce.bench.sound_answers import verdict
from vivavoce.bench.sound_asking import AskedQuestion, chat_messages
from vivavoce.bench.sound_questions import SoundQuestion
from vivavoce.protocol.chat.messages import AssistantMessage, ChatMessage, UserMessage
from vivavoce.runtime.chat.perceived import perceived_in
from vivavoce.runtime.recognition import Recognition, final_transcript
from vivavoce.scheduling import Ticket, Urgency
from vivavoce.types import TranscribeOptions

_QUOTED = re.compile('["“「](.*)["”」]$', re.DOTALL)


async def written_answers(recognition: Recognition, questions: Sequence[SoundQuestion]) -> AsyncIterator[AskedQuestion]:
    """Each question as a chat would be asked it, answered by what is in its note. Raises ``EngineError``."""
    for question in questions:
        raw = chat_messages(question)
        messages: list[ChatMessage] = [
            UserMessage.model_validate(message)
            if message["role"] == "user"
            else AssistantMessage.model_validate(message)
            for message in raw
        ]
        spoken = [number for number, message in enumerate(raw) if message["role"] == "user"]
        transcripts = {
            (number, 0): await final_transcript(
                recognition.transcript(
                    samples, TranscribeOptions(encoding=True), Ticket(Urgency.ENDED_TURN, recognition)
                )
            )
            for number, samples in zip(spoken, question.recordings, strict=True)
        }
        heard = perceived_in(messages, transcripts, instruct=True, style=False)
        quoted = _QUOTED.search(heard.note or "")
        answer = quoted[1] if quoted is not None else ""
        judged = verdict(answer, question.right, question.wrong, denies=question.denies)
        told = msgspec.to_builtins(heard.facts) if heard.facts is not None else {}
        yield AskedQuestion(question, answer, judged, told)
