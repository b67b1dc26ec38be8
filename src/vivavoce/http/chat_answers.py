"""The events of a reply → a whole answer, or the chunks of one (chat reference, section 5)."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from vivavoce.audio.encoding import FileFormat, encode
from vivavoce.model_names import audio_rates
from vivavoce.protocol.chat.completion import (
    Annotation,
    Call,
    Choice,
    Completion,
    FinishReason,
    Function,
    Logprobs,
    Said,
    SearchFunction,
    SearchResult,
    Speech,
    TokenLogprob,
    TopLogprob,
    UrlCitation,
    Usage,
    usage_of,
)
from vivavoce.protocol.chat.request import ChatRequest
from vivavoce.protocol.usage import OPENAI_RATES, AudioRates
from vivavoce.protocol.usage import Usage as Spent
from vivavoce.runtime.chat.asking import Asked
from vivavoce.runtime.chat.remembering import KEPT_S
from vivavoce.session.outbox import random_id
from vivavoce.types import (
    Citation,
    GenerationEnd,
    ReplyEvent,
    Samples,
    ServerToolEnded,
    TextDelta,
    ThinkingDelta,
    TokenScore,
    TokenScores,
    ToolCall,
    ToolCallDelta,
)
from vivavoce.types import Speech as Spoken


@dataclass(frozen=True, slots=True)
class Shape:
    """What an answer looks like, whole or in chunks. Without ``format`` it is not spoken."""

    model: str
    reasoning: Literal["reasoning", "reasoning_content"]
    format: FileFormat | None
    rate_hz: int
    logprobs: bool
    shows_searches: bool
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
    return Shape(wanted.model, reasoning, format, rate_hz, wanted.logprobs, wanted.shows_searches)


class Meter:
    """What a request has cost so far: the prompt once, and all answers. Audio counts by ``rates``.

    ``heard_ms`` is how much of it the prompt was made of, ``speech_hz`` the rate of what is said.
    """

    def __init__(
        self, prompt_tokens: int, *, heard_ms: int = 0, speech_hz: int = 24_000, rates: AudioRates = OPENAI_RATES
    ) -> None:
        self._spent = GenerationEnd("stop", input_tokens=prompt_tokens)
        self._under_way = 0
        self._heard_ms = heard_ms
        self._spoken = 0
        self._speech_hz = speech_hz
        self._rates = rates

    def take(self, event: ReplyEvent) -> None:
        """One more event: a piece of text is a token, or more; at the end of an answer it is known what it was."""
        match event:
            case TextDelta() | ThinkingDelta():
                self._under_way += 1
            case Spoken(samples=samples):
                self._spoken += len(samples)
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
        spent = Spent(
            input_text=self._spent.input_tokens,
            cached_text=self._spent.cached_tokens,
            output_text=self._spent.output_tokens + self._under_way,
            heard_ms=self._heard_ms,
            spoken_ms=self._spoken * 1000 // self._speech_hz,
        )
        return usage_of(spent, self._rates)

    @property
    def text_tokens(self) -> int:
        """What the language model has read and written so far."""
        return self._spent.input_tokens + self._spent.output_tokens + self._under_way


def meter_of(asked: Asked, shape: Shape) -> Meter:
    """The meter of a request; a second of audio counts what it counts where its model comes from."""
    return Meter(asked.prompt_tokens, heard_ms=asked.heard_ms, speech_hz=shape.rate_hz, rates=audio_rates(shape.model))


@dataclass
class Answer:
    """One answer as it grows."""

    text: str = ""
    thinking: str = ""
    speech: list[Samples] = field(default_factory=list)
    calls: list[ToolCall | ServerToolEnded] = field(default_factory=list)
    sources: dict[str, Citation] = field(default_factory=dict)
    scores: list[TokenLogprob] = field(default_factory=list)
    reason: FinishReason = "stop"
    audio_id: str = field(default_factory=lambda: random_id("audio"))

    @property
    def annotations(self) -> list[Annotation]:
        """The pages the answer rests on, as OpenAI tells of them: which words come from which page, nobody knows."""
        return [
            Annotation(
                type="url_citation",
                url_citation=UrlCitation(url=url, title=source.title, start_index=0, end_index=len(self.text)),
            )
            for url, source in self.sources.items()
        ]

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
            case ServerToolEnded():
                self.sources |= {source.url: source for source in event.result.citations if source.url}
                if event.kind == "web_search":
                    self.calls.append(event)
            case TokenScores(tokens=tokens):
                self.scores += map(logprob, tokens)
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
        calls = [call for call in answer.calls if isinstance(call, ToolCall) or self._shape.shows_searches]
        if calls:
            message.tool_calls = [shown_call(index, call) for index, call in enumerate(calls)]
        if answer.sources:
            message.annotations = answer.annotations
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


def shown_call(index: int, call: ToolCall | ToolCallDelta | ServerToolEnded) -> Call:
    """A call of the client's, or the beginning of one; or a search the server has made."""
    if isinstance(call, ServerToolEnded):
        return Call(index=index, id=call.call.id, type="web_search", function=_search(call))
    function = Function(name=call.name, arguments=call.arguments)
    return Call(index=index, id=call.id, type="function", function=function)


def _search(ended: ServerToolEnded) -> SearchFunction:
    payload = ended.result.payload
    return SearchFunction(
        name="step_websearch",
        arguments=json.dumps(payload.get("arguments", {}), ensure_ascii=False),
        results=[SearchResult(**result) for result in payload.get("results", ())],
    )


def logprob(score: TokenScore) -> TokenLogprob:
    """How likely a token was, as OpenAI writes it."""
    top = [TopLogprob(token=one.token, logprob=one.logprob, bytes=list(one.raw)) for one in score.others]
    return TokenLogprob(token=score.token, logprob=score.logprob, bytes=list(score.raw), top_logprobs=top)
