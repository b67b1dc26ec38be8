"""The events of a reply → the chunks of a streamed answer (chat reference, 5.2)."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable

from vivavoce.audio.encoding import Encoder
from vivavoce.http.chat_answers import AnswerShape, ChatAnswer, UsageCounter, logprob, perception_object, wire_call
from vivavoce.protocol.chat.completion import (
    AnswerMessage,
    Chunk,
    ChunkChoice,
    CompletionUsage,
    FinishReason,
    Function,
    FunctionCall,
    Logprobs,
    SpokenContent,
    TokenLogprob,
)
from vivavoce.runtime.chat.memory import KEPT_S
from vivavoce.types import (
    ReplyEnd,
    ReplyEvent,
    Samples,
    ServerToolEnded,
    TextDelta,
    ThinkingDelta,
    TokenScores,
    ToolCall,
    ToolCallDelta,
)
from vivavoce.types import Speech as Spoken


class ChunkedAnswers:
    """Sends the answers to a request while they are made.

    ``usage_in_chunks``: StepFun's way, each chunk has the usage so far; else, OpenAI's way, the last one has it if
    ``usage_at_end``.
    """

    def __init__(
        self,
        shape: AnswerShape,
        usage_counter: UsageCounter,
        send: Callable[[Chunk], Awaitable[None]],
        *,
        usage_in_chunks: bool,
        usage_at_end: bool,
    ) -> None:
        self._shape = shape
        self._usage_counter = usage_counter
        self._send = send
        self._usage_in_chunks = usage_in_chunks
        self._usage_at_end = usage_at_end
        self._encoder: Encoder | None = None
        self._scores: list[TokenLogprob] = []
        self._call_indexes: dict[str, int] = {}
        self.answers: list[ChatAnswer] = []

    async def take(self, number: int, event: ReplyEvent) -> None:
        """An event of answer ``number``."""
        if number == len(self.answers):
            await self._begin(number)
        answer = self.answers[number]
        answer.take(event)
        self._usage_counter.take(event)
        match event:
            case TextDelta(text=text):
                await self._say(
                    number,
                    AnswerMessage(audio=SpokenContent(id=answer.audio_id, transcript=text))
                    if self._speaks
                    else AnswerMessage(content=text),
                )
            case ThinkingDelta(text=text):
                await self._say(number, AnswerMessage.model_validate({self._shape.reasoning: text}))
            case Spoken(samples=samples):
                await self._sound(number, await self._encoded(samples))
            case TokenScores(tokens=tokens):
                self._scores += map(logprob, tokens)
            case ToolCallDelta():
                await self._say(number, AnswerMessage(tool_calls=[self._call_delta(event)]))
            case ToolCall() if event.id not in self._call_indexes:
                await self._say(number, AnswerMessage(tool_calls=[self._call_delta(event)]))
            case ServerToolEnded(kind="web_search") if self._shape.shows_searches:
                await self._say(number, AnswerMessage(tool_calls=[wire_call(self._call_index(event.call.id), event)]))
            case ReplyEnd():
                await self._end(number, answer)

    async def close(self) -> None:
        """After the last answer."""
        if self._usage_at_end:
            await self._send(self._chunk([], usage=self._usage_counter.usage))

    @property
    def _speaks(self) -> bool:
        return self._shape.format is not None

    async def _begin(self, number: int) -> None:
        self.answers.append(ChatAnswer())
        self._call_indexes = {}
        self._encoder = Encoder(self._shape.format, self._shape.rate_hz) if self._shape.format is not None else None
        first = AnswerMessage(role="assistant", content="")
        if self._shape.perception is not None:
            first.perception = perception_object(self._shape.perception)
        await self._say(number, first)

    async def _end(self, number: int, answer: ChatAnswer) -> None:
        if self._encoder is not None and answer.speech:
            await self._sound(number, await asyncio.to_thread(self._encoder.finish))
        if self._speaks and answer.text:
            spoken = SpokenContent(id=answer.audio_id, expires_at=self._shape.created + KEPT_S)
            if answer.not_applied:
                spoken.not_applied = list(answer.not_applied)
            await self._say(number, AnswerMessage(audio=spoken))
        if answer.sources:
            await self._say(number, AnswerMessage(annotations=answer.annotations))
        await self._say(number, AnswerMessage(), answer.reason)

    async def _encoded(self, samples: Samples) -> bytes:
        assert self._encoder is not None
        return await asyncio.to_thread(self._encoder.write, samples)

    async def _sound(self, number: int, data: bytes) -> None:
        if data:
            audio = SpokenContent(id=self.answers[number].audio_id, data=base64.b64encode(data).decode("ascii"))
            await self._say(number, AnswerMessage(audio=audio))

    def _call_delta(self, event: ToolCallDelta | ToolCall) -> FunctionCall:
        if event.id not in self._call_indexes:
            return wire_call(self._call_index(event.id), event)
        return FunctionCall(index=self._call_index(event.id), function=Function(arguments=event.arguments))

    def _call_index(self, call_id: str) -> int:
        return self._call_indexes.setdefault(call_id, len(self._call_indexes))

    async def _say(self, number: int, delta: AnswerMessage, reason: FinishReason | None = None) -> None:
        choice = ChunkChoice(index=number, delta=delta, finish_reason=reason)
        if self._scores and (delta.content or delta.audio):
            choice.logprobs, self._scores = Logprobs(content=self._scores), []
        await self._send(self._chunk([choice], usage=self._usage_counter.usage if self._usage_in_chunks else None))

    def _chunk(self, choices: list[ChunkChoice], *, usage: CompletionUsage | None) -> Chunk:
        chunk = Chunk(
            id=self._shape.id,
            object="chat.completion.chunk",
            created=self._shape.created,
            model=self._shape.model,
            choices=choices,
        )
        if usage is not None or self._usage_at_end:
            chunk.usage = usage
        return chunk
