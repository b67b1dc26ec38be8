"""The events of a reply → a whole answer, or the chunks of one (chat reference, section 5)."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import msgspec
import numpy as np

from vivavoce.audio.encoding import FileFormat, encode
from vivavoce.ids import random_id
from vivavoce.protocol.chat.completion import (
    Annotation,
    AnswerMessage,
    Choice,
    CitedPage,
    Completion,
    CompletionUsage,
    FinishReason,
    Function,
    FunctionCall,
    Logprobs,
    SearchFunction,
    SpokenContent,
    TokenLogprob,
    TopLogprob,
    UrlCitation,
    usage_of,
)
from vivavoce.protocol.chat.request import ChatRequest
from vivavoce.protocol.model_names import audio_rates
from vivavoce.protocol.usage import OPENAI_RATES, AudioRates
from vivavoce.protocol.usage import Usage as Spent
from vivavoce.runtime.chat.memory import KEPT_S
from vivavoce.runtime.chat.reply_request import PreparedRequest
from vivavoce.types import (
    Citation,
    GenerationEnd,
    ReplyEnd,
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
from vivavoce.voice_facts import VoiceFacts


@dataclass(frozen=True, slots=True)
class AnswerShape:
    """What an answer looks like, whole or in chunks. Without ``format`` it is not spoken. ``perception``: how
    the message it answers sounds, if the client is told.
    """

    model: str
    reasoning: Literal["reasoning", "reasoning_content"]
    format: FileFormat | None
    rate_hz: int
    logprobs: bool
    shows_searches: bool
    perception: VoiceFacts | None = None
    id: str = field(default_factory=lambda: random_id("chatcmpl").replace("_", "-", 1))
    created: int = field(default_factory=lambda: int(time.time()))


def perception_object(facts: VoiceFacts) -> dict[str, Any]:
    """As ``voice.perception`` has it in Realtime."""
    shaped: dict[str, Any] = msgspec.to_builtins(facts)
    return shaped


def shape_of(body: ChatRequest, rate_hz: int) -> AnswerShape:
    """As the client wants it: a whole file by default, headerless PCM in a stream."""
    format: FileFormat | None = None
    if body.speaks:
        requested_format = body.audio.format if body.audio is not None else None
        requested_format = requested_format or ("pcm" if body.stream else "wav")
        format = "pcm" if requested_format == "pcm16" else requested_format
    reasoning: Literal["reasoning", "reasoning_content"] = (
        "reasoning" if body.reasoning_format == "general" else "reasoning_content"
    )
    return AnswerShape(body.model, reasoning, format, rate_hz, body.logprobs, body.shows_searches)


class UsageCounter:
    """What a request has cost so far: the prompt once, and all answers. Audio counts by ``rates``.

    ``audio_input_ms`` is how much of it the prompt was made of, ``speech_hz`` the rate of what is said.
    """

    def __init__(
        self, prompt_tokens: int, *, audio_input_ms: int = 0, speech_hz: int = 24_000, rates: AudioRates = OPENAI_RATES
    ) -> None:
        self._spent = GenerationEnd("stop", input_tokens=prompt_tokens)
        self._under_way = 0
        self._audio_input_ms = audio_input_ms
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
    def usage(self) -> CompletionUsage:
        """So far; never less than before."""
        spent = Spent(
            input_text=self._spent.input_tokens,
            cached_text=self._spent.cached_tokens,
            output_text=self._spent.output_tokens + self._under_way,
            input_audio_ms=self._audio_input_ms,
            output_audio_ms=self._spoken * 1000 // self._speech_hz,
        )
        return usage_of(spent, self._rates)

    @property
    def text_tokens(self) -> int:
        """What the language model has read and written so far."""
        return self._spent.input_tokens + self._spent.output_tokens + self._under_way


def usage_counter_of(asked: PreparedRequest, shape: AnswerShape) -> UsageCounter:
    """The counter of a request; a second of audio counts what it counts where its model comes from."""
    return UsageCounter(
        asked.prompt_tokens, audio_input_ms=asked.audio_ms, speech_hz=shape.rate_hz, rates=audio_rates(shape.model)
    )


@dataclass
class ChatAnswer:
    """One answer as it grows."""

    text: str = ""
    thinking: str = ""
    speech: list[Samples] = field(default_factory=list)
    calls: list[ToolCall | ServerToolEnded] = field(default_factory=list)
    sources: dict[str, Citation] = field(default_factory=dict)
    scores: list[TokenLogprob] = field(default_factory=list)
    reason: FinishReason = "stop"
    not_applied: Sequence[str] = ()
    """What the voice could not do."""

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
            case ReplyEnd(not_applied=names):
                self.not_applied = names
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

    def __init__(self, shape: AnswerShape, usage_counter: UsageCounter) -> None:
        self._shape = shape
        self._usage_counter = usage_counter
        self.answers: list[ChatAnswer] = []

    async def take(self, number: int, event: ReplyEvent) -> None:
        """An event of answer ``number``."""
        if number == len(self.answers):
            self.answers.append(ChatAnswer())
        self.answers[number].take(event)
        self._usage_counter.take(event)

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
            usage=self._usage_counter.usage,
        )

    async def _message(self, answer: ChatAnswer) -> AnswerMessage:
        spoken = self._shape.format is not None
        message = AnswerMessage(
            role="assistant", content=None if spoken or not answer.text else answer.text, refusal=None
        )
        if self._shape.perception is not None:
            message.perception = perception_object(self._shape.perception)
        if answer.thinking:
            setattr(message, self._shape.reasoning, answer.thinking)
        if spoken and answer.text:
            message.audio = await self._speech(answer)
        calls = [call for call in answer.calls if isinstance(call, ToolCall) or self._shape.shows_searches]
        if calls:
            message.tool_calls = [wire_call(index, call) for index, call in enumerate(calls)]
        if answer.sources:
            message.annotations = answer.annotations
        return message

    async def _speech(self, answer: ChatAnswer) -> SpokenContent:
        format = self._shape.format
        assert format is not None
        samples = np.concatenate([np.zeros(0, np.float32), *answer.speech])
        data = await asyncio.to_thread(encode, samples, format, self._shape.rate_hz)
        spoken = SpokenContent(
            id=answer.audio_id,
            data=base64.b64encode(data).decode("ascii"),
            transcript=answer.text,
            expires_at=self._shape.created + KEPT_S,
        )
        if answer.not_applied:
            spoken.not_applied = list(answer.not_applied)
        return spoken


def wire_call(index: int, call: ToolCall | ToolCallDelta | ServerToolEnded) -> FunctionCall:
    """A call of the client's, or the beginning of one; or a search the server has made."""
    if isinstance(call, ServerToolEnded):
        return FunctionCall(index=index, id=call.call.id, type="web_search", function=_search(call))
    function = Function(name=call.name, arguments=call.arguments)
    return FunctionCall(index=index, id=call.id, type="function", function=function)


def _search(ended: ServerToolEnded) -> SearchFunction:
    payload = ended.result.payload
    return SearchFunction(
        name="step_websearch",
        arguments=json.dumps(payload.get("arguments", {}), ensure_ascii=False),
        results=[CitedPage(**result) for result in payload.get("results", ())],
    )


def logprob(score: TokenScore) -> TokenLogprob:
    """How likely a token was, as OpenAI writes it."""
    top = [
        TopLogprob(token=candidate.token, logprob=candidate.logprob, bytes=list(candidate.raw))
        for candidate in score.others
    ]
    return TokenLogprob(token=score.token, logprob=score.logprob, bytes=list(score.raw), top_logprobs=top)
