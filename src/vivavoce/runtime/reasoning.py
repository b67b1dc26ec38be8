"""Thinking while speaking: one language model as two brains (Mind-Paced Speaking, models reference 3.2 and 7.11).

A formulation stream writes a chain of thought in segments. An articulation stream speaks; it is given all segments that are
finished and what was said so far, and goes on from there when more thought arrives. Both are streams of one engine: the first
segment is thought in the conversation's own slot, whose prompt has been read already; the others aside, in a slot that no
conversation owns, so that the engine writes both at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from typing_extensions import override

from vivavoce.conduct.sentences import sentence_boundary
from vivavoce.engines.base import LanguageModel
from vivavoce.engines.delegating_model import DelegatingModel
from vivavoce.errors import EngineError
from vivavoce.runtime.reasoning_prompts import reasoning_prompt, takes_up
from vivavoce.runtime.think_tags import without_tags
from vivavoce.types import (
    FinishReason,
    GenerationEnd,
    GenerationEvent,
    GenerationOptions,
    Message,
    SpeechFlush,
    TextDelta,
    ThinkingDelta,
    ThinkingEnd,
    ThinkingOptions,
)


class ReasoningModel(DelegatingModel):
    """A language model that thinks when it is asked to (``GenerationOptions.thinking``), whether or not it has learnt to."""

    @override
    async def generate(
        self, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        """Thoughts and words as they come, then one ``GenerationEnd`` that counts both.

        A model that thinks by itself is left to, and so is one that speaks by itself: sound cannot go on with other thoughts.
        Where an answer may be a call, has a form, or goes on with one that was begun, all is thought before it.
        """
        thinking = options.thinking
        plain = replace(options, thinking=None)
        left_alone = "thinking" in self.features or (self._model.speaks != "none" and options.voice is not None)
        if thinking is None or thinking.mode == "off" or not options.max_tokens or left_alone:
            stream = without_tags(self._model.generate(messages, plain))
        else:
            stream = _Brains(self._model, messages, plain, thinking).events()
        async with aclosing(stream) as events:
            async for event in events:
                yield event


@dataclass(slots=True)
class _Cost:
    """Tokens of all streams; of prompts that of the first, which is the one that was asked for."""

    input: int = 0
    cached: int = 0
    output: int = 0

    def add(self, end: GenerationEnd) -> None:
        if not self.input:
            self.input, self.cached = end.input_tokens, end.cached_tokens
        self.output += end.output_tokens


@dataclass(slots=True)
class _Thought:
    """What has been thought: ``text``, of which ``finished`` is in whole segments. ``over``: nothing more comes."""

    text: str = ""
    finished: str = ""
    over: bool = False
    tokens: int = 0
    news: asyncio.Queue[str | None] = field(default_factory=asyncio.Queue)


class _Brains:
    """One answer."""

    def __init__(
        self, model: LanguageModel, messages: Sequence[Message], options: GenerationOptions, thinking: ThinkingOptions
    ) -> None:
        self._model = model
        self._messages = tuple(messages)
        self._options = options
        self._thinking = thinking
        self._prompt = reasoning_prompt(messages)
        self._plain = bool(options.tools or options.schema or options.continue_last_message)
        self._thought = _Thought()
        self._thought_aside = False
        self._said = ""
        self._cost = _Cost()
        self._failure: EngineError | None = None

    async def events(self) -> AsyncGenerator[GenerationEvent, None]:
        """Thoughts and words, interleaved as they come."""
        mode = "think-before-speak" if self._plain else self._thinking.mode
        first = {"speak-first": 0, "think-first": self._thinking.segment_tokens}.get(mode, self._thinking.budget_tokens)
        async with aclosing(self._think(first)) as thinking:
            async for delta in thinking:
                yield ThinkingDelta(delta)
        remaining = self._thinking.budget_tokens - self._thought.tokens
        self._thought.over = self._thought.over or remaining <= 0
        if self._thought.over:
            yield ThinkingEnd()
        self._thought_aside = not self._thought.over
        formulating = asyncio.create_task(self._formulate(remaining)) if self._thought_aside else None
        try:
            async with aclosing(self._articulate()) as speaking:
                async for event in speaking:
                    yield event
        finally:
            if formulating is not None:
                formulating.cancel()
                await asyncio.wait((formulating,))

    # ---- formulation

    async def _think(self, tokens: int) -> AsyncGenerator[str, None]:
        """The first segment, in the conversation's slot."""
        if self._options.continue_last_message:
            self._thought.over = True
            return
        own = replace(
            self._options,
            max_tokens=tokens,
            tools=(),
            schema=None,
            tool_choice="auto",
            logprobs=None,
            voice=None,
            continue_last_message=True,
            continued_aside=tokens < self._thinking.budget_tokens,
        )
        async with aclosing(self._model.generate((*self._messages, *self._prompt.to_think("")), own)) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    self._add(event.text)
                    yield event.text
                elif isinstance(event, GenerationEnd):
                    self._cost.add(event)
                    self._thought.over = bool(tokens) and event.reason != "length"
        self._thought.finished = self._thought.text

    async def _formulate(self, tokens: int) -> None:
        """What is left to think, aside, while it is spoken. Its deltas are in ``news``, ``None`` at the end."""
        prompt = (*self._messages, *self._prompt.to_think(self._thought.text))
        aside = replace(
            self._options,
            max_tokens=tokens,
            slot=None,
            aside=True,
            logprobs=None,
            voice=None,
            continue_last_message=True,
        )
        in_segment = 0
        try:
            async with aclosing(self._model.generate(prompt, aside)) as events:
                async for event in events:
                    if isinstance(event, TextDelta):
                        self._add(event.text)
                        self._thought.news.put_nowait(event.text)
                        in_segment += 1
                        if in_segment >= self._thinking.segment_tokens:
                            in_segment, self._thought.finished = 0, self._thought.text
                    elif isinstance(event, GenerationEnd):
                        self._cost.add(event)
        except EngineError as error:
            self._failure = error
        finally:
            self._thought.finished, self._thought.over = self._thought.text, True
            self._thought.news.put_nowait(None)

    def _add(self, text: str) -> None:
        self._thought.text += text
        self._thought.tokens += 1

    # ---- articulation

    async def _articulate(self) -> AsyncGenerator[GenerationEvent, None]:
        """Speak with what is thought by now; when a segment more is thought, go on with that, too."""
        remaining, reason, finished = self._options.max_tokens, "stop", False
        if not self._thought.over and not self._plain and takes_up(self._messages):
            self._said = self._prompt.opening
            yield TextDelta(self._said)
        while remaining > 0:
            known, whole, spoken, ended = self._thought.finished, self._thought.over, 0, False
            answers, finished = whole and (finished or not self._said), False
            async with aclosing(self._model.generate(*self._utterance(known, remaining, answers=answers))) as events:
                async for event in events:
                    async for delta in self._news():
                        yield delta
                    if isinstance(event, GenerationEnd):
                        self._cost.add(event)
                        finished = ended = True
                        reason = event.reason
                    elif isinstance(event, TextDelta):
                        spoken += 1
                        text, finished = (event.text, False) if answers else self._first_sentence(event.text)
                        self._said += text
                        yield TextDelta(text)
                    else:
                        yield event
                    if finished or (spoken >= self._thinking.speech_tokens and self._thought.finished != known):
                        break
            remaining -= spoken
            if not ended:
                self._cost.output += spoken
            if finished and answers:
                break
            if finished:
                async for event in self._pause():
                    yield event
        async for delta in self._news():
            yield delta
        if self._failure is not None:
            raise self._failure
        yield GenerationEnd(_reason(reason), self._cost.input, self._cost.cached, self._cost.output)

    async def _pause(self) -> AsyncGenerator[GenerationEvent, None]:
        """All is said that can be said by now: what there is is spoken, and the rest is waited for."""
        if self._said[-1:].isascii() and not self._said[-1:].isspace():
            self._said += " "
            yield TextDelta(" ")
        yield SpeechFlush()
        async for delta in self._news(wait=True):
            yield delta

    def _first_sentence(self, text: str) -> tuple[str, bool]:
        """As much of ``text`` as belongs to the first sentence, and whether that is complete: one is said before the answer."""
        end = sentence_boundary(self._said + text, 0, whole=False)
        return (text, False) if end is None else (text[: max(0, end - len(self._said))], True)

    async def _news(self, *, wait: bool = False) -> AsyncGenerator[GenerationEvent, None]:
        """What has been thought since; ``wait``: all of it, to the end."""
        while not self._thought.news.empty() or (wait and not self._thought.over):
            delta = await self._thought.news.get()
            yield ThinkingEnd() if delta is None else ThinkingDelta(delta)

    def _utterance(self, known: str, remaining: int, *, answers: bool) -> tuple[Sequence[Message], GenerationOptions]:
        """The prompt of the next words: the conversation, what is thought, what is said.

        They are an answer, or of the sentence before it: small models add nothing to a turn that is complete.
        """
        options = replace(self._options, max_tokens=remaining)
        if self._thought.over and self._thought_aside:  # where all of it has been read
            options = replace(options, slot=None, aside=True)
        if self._options.continue_last_message or not (known or self._said or not self._thought.over):
            return self._messages, options
        if self._plain:
            instruction = self._prompt.after_thought.format(thought=known.strip())
            return (*self._messages, Message("system", instruction)), options
        prompt = self._prompt.to_speak(known, self._said, answers=answers)
        stops = (*options.stop, *self._prompt.closes, "\n")
        return (*self._messages, *prompt), replace(options, continue_last_message=True, stop=stops)


def _reason(reason: str) -> FinishReason:
    return "length" if reason == "length" else "tool_calls" if reason == "tool_calls" else "stop"
