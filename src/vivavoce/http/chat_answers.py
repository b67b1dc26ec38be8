"""The events of a reply → a whole answer, or the chunks of one (chat reference, section 5)."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from vivavoce.audio.encoding import Encoder, FileFormat, encode
from vivavoce.protocol.chat.completion import (
    Call,
    Choice,
    Chunk,
    ChunkChoice,
    Completion,
    FinishReason,
    Function,
    Logprobs,
    Said,
    Speech,
    TokenLogprob,
    TopLogprob,
    Usage,
    usage,
)
from vivavoce.protocol.chat.request import ChatRequest
from vivavoce.session.outbox import random_id
from vivavoce.types import (
    GenerationEnd,
    ReplyEnd,
    ReplyEvent,
    Samples,
    TextDelta,
    ThinkingDelta,
    TokenScore,
    TokenScores,
    ToolCall,
    ToolCallDelta,
)
from vivavoce.types import Speech as Spoken

KEPT_S = 3600
"""How long a spoken answer can be referred to."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What an answer looks like, whole or in chunks. Without ``format`` it is not spoken."""

    model: str
    reasoning: Literal["reasoning", "reasoning_content"]
    format: FileFormat | None
    rate_hz: int
    logprobs: bool
    id: str = field(default_factory=lambda: random_id("chatcmpl").replace("_", "-", 1))
    created: int = field(default_factory=lambda: int(time.time()))


def shape_of(wanted: ChatRequest, rate_hz: int) -> Shape:
    """As the client wants it: a whole file by default, headerless PCM in a stream."""
    format: FileFormat | None = None
    if wanted.speaks:
        given = wanted.audio.format if wanted.audio is not None else None
        given = given or ("pcm" if wanted.stream else "wav")
        format = "pcm" if given == "pcm16" else given
    reasoning: Literal["reasoning", "reasoning_content"] = (
        "reasoning" if wanted.reasoning_format == "general" else "reasoning_content"
    )
    return Shape(wanted.model, reasoning, format, rate_hz, wanted.logprobs)


class Meter:
    """What a request has cost so far: the prompt once, and all answers."""

    def __init__(self, prompt_tokens: int) -> None:
        self._spent = GenerationEnd("stop", input_tokens=prompt_tokens)
        self._under_way = 0

    def take(self, event: ReplyEvent) -> None:
        """One more event: a piece of text is a token, or more; at the end of an answer it is known what it was."""
        match event:
            case TextDelta() | ThinkingDelta():
                self._under_way += 1
            case GenerationEnd():
                self._under_way = 0
                self._spent = replace(
                    event,
                    input_tokens=max(self._spent.input_tokens, event.input_tokens),
                    cached_tokens=max(self._spent.cached_tokens, event.cached_tokens),
                    output_tokens=self._spent.output_tokens + event.output_tokens,
                )

    @property
    def usage(self) -> Usage:
        """So far; never less than before."""
        return usage(replace(self._spent, output_tokens=self._spent.output_tokens + self._under_way))


@dataclass
class Answer:
    """One answer as it grows."""

    text: str = ""
    thinking: str = ""
    speech: list[Samples] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    scores: list[TokenLogprob] = field(default_factory=list)
    reason: FinishReason = "stop"
    audio_id: str = field(default_factory=lambda: random_id("audio"))

    def take(self, event: ReplyEvent) -> None:
        """One more event."""
        match event:
            case TextDelta(text=text):
                self.text += text
            case ThinkingDelta(text=text):
                self.thinking += text
            case Spoken(samples=samples):
                self.speech.append(samples)
            case ToolCall():
                self.calls.append(event)
            case TokenScores(tokens=tokens):
                self.scores += map(_logprob, tokens)
            case GenerationEnd(reason=reason):
                self.reason = reason


class WholeAnswers:
    """Collects the answers to a request."""

    def __init__(self, shape: Shape, meter: Meter) -> None:
        self._shape = shape
        self._meter = meter
        self.answers: list[Answer] = []

    async def take(self, number: int, event: ReplyEvent) -> None:
        """An event of answer ``number``."""
        if number == len(self.answers):
            self.answers.append(Answer())
        self.answers[number].take(event)
        self._meter.take(event)

    async def completion(self) -> Completion:
        """All of them, when they are complete."""
        choices = [
            Choice(
                index=number,
                message=await self._message(answer),
                finish_reason=answer.reason,
                logprobs=Logprobs(content=answer.scores) if self._shape.logprobs else None,
            )
            for number, answer in enumerate(self.answers)
        ]
        return Completion(
            id=self._shape.id,
            object="chat.completion",
            created=self._shape.created,
            model=self._shape.model,
            choices=choices,
            usage=self._meter.usage,
        )

    async def _message(self, answer: Answer) -> Said:
        spoken = self._shape.format is not None
        message = Said(role="assistant", content=None if spoken or not answer.text else answer.text, refusal=None)
        if answer.thinking:
            setattr(message, self._shape.reasoning, answer.thinking)
        if spoken and answer.text:
            message.audio = await self._speech(answer)
        if answer.calls:
            message.tool_calls = [_call(index, call) for index, call in enumerate(answer.calls)]
        return message

    async def _speech(self, answer: Answer) -> Speech:
        format = self._shape.format
        assert format is not None
        samples = np.concatenate([np.zeros(0, np.float32), *answer.speech])
        data = await asyncio.to_thread(encode, samples, format, self._shape.rate_hz)
        return Speech(
            id=answer.audio_id,
            data=base64.b64encode(data).decode("ascii"),
            transcript=answer.text,
            expires_at=self._shape.created + KEPT_S,
        )


class ChunkedAnswers:
    """Sends the answers to a request while they are made.

    ``usage_in_chunks``: StepFun's way, each chunk has the usage so far; else, OpenAI's way, the last one has it if
    ``usage_at_end``.
    """

    def __init__(
        self,
        shape: Shape,
        meter: Meter,
        send: Callable[[Chunk], Awaitable[None]],
        *,
        usage_in_chunks: bool,
        usage_at_end: bool,
    ) -> None:
        self._shape = shape
        self._meter = meter
        self._send = send
        self._usage_in_chunks = usage_in_chunks
        self._usage_at_end = usage_at_end
        self._encoder: Encoder | None = None
        self._scores: list[TokenLogprob] = []
        self._places: dict[str, int] = {}
        self.answers: list[Answer] = []

    async def take(self, number: int, event: ReplyEvent) -> None:
        """An event of answer ``number``."""
        if number == len(self.answers):
            await self._begin(number)
        answer = self.answers[number]
        answer.take(event)
        self._meter.take(event)
        match event:
            case TextDelta(text=text):
                await self._say(
                    number,
                    Said(audio=Speech(id=answer.audio_id, transcript=text)) if self._speaks else Said(content=text),
                )
            case ThinkingDelta(text=text):
                await self._say(number, Said.model_validate({self._shape.reasoning: text}))
            case Spoken(samples=samples):
                await self._sound(number, await self._encoded(samples))
            case TokenScores(tokens=tokens):
                self._scores += map(_logprob, tokens)
            case ToolCallDelta():
                await self._say(number, Said(tool_calls=[self._call_delta(event)]))
            case ToolCall() if event.id not in self._places:
                await self._say(number, Said(tool_calls=[self._call_delta(event)]))
            case ReplyEnd():
                await self._end(number, answer)

    async def close(self) -> None:
        """After the last answer."""
        if self._usage_at_end:
            await self._send(self._chunk([], usage=self._meter.usage))

    @property
    def _speaks(self) -> bool:
        return self._shape.format is not None

    async def _begin(self, number: int) -> None:
        self.answers.append(Answer())
        self._places = {}
        self._encoder = Encoder(self._shape.format, self._shape.rate_hz) if self._shape.format is not None else None
        await self._say(number, Said(role="assistant", content=""))

    async def _end(self, number: int, answer: Answer) -> None:
        if self._encoder is not None and answer.speech:
            await self._sound(number, await asyncio.to_thread(self._encoder.finish))
        if self._speaks and answer.text:
            kept = Speech(id=answer.audio_id, expires_at=self._shape.created + KEPT_S)
            await self._say(number, Said(audio=kept))
        await self._say(number, Said(), answer.reason)

    async def _encoded(self, samples: Samples) -> bytes:
        assert self._encoder is not None
        return await asyncio.to_thread(self._encoder.write, samples)

    async def _sound(self, number: int, data: bytes) -> None:
        if data:
            audio = Speech(id=self.answers[number].audio_id, data=base64.b64encode(data).decode("ascii"))
            await self._say(number, Said(audio=audio))

    def _call_delta(self, event: ToolCallDelta | ToolCall) -> Call:
        first = event.id not in self._places
        index = self._places.setdefault(event.id, len(self._places))
        if first:
            return _call(index, event)
        return Call(index=index, function=Function(arguments=event.arguments))

    async def _say(self, number: int, delta: Said, reason: FinishReason | None = None) -> None:
        choice = ChunkChoice(index=number, delta=delta, finish_reason=reason)
        if self._scores and (delta.content or delta.audio):
            choice.logprobs, self._scores = Logprobs(content=self._scores), []
        await self._send(self._chunk([choice], usage=self._meter.usage if self._usage_in_chunks else None))

    def _chunk(self, choices: list[ChunkChoice], *, usage: Usage | None) -> Chunk:
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


def _call(index: int, call: ToolCall | ToolCallDelta) -> Call:
    function = Function(name=call.name, arguments=call.arguments)
    return Call(index=index, id=call.id, type="function", function=function)


def _logprob(score: TokenScore) -> TokenLogprob:
    top = [TopLogprob(token=one.token, logprob=one.logprob, bytes=list(one.raw)) for one in score.others]
    return TokenLogprob(token=score.token, logprob=score.logprob, bytes=list(score.raw), top_logprobs=top)
