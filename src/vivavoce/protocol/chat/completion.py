"""What ``POST /v1/chat/completions`` answers: whole, or in chunks (chat reference, section 5).

Both platforms' fields at once. What is not set is left out.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from vivavoce.protocol.usage import AudioRates
from vivavoce.protocol.usage import Usage as Spent

FinishReason = Literal["stop", "length", "tool_calls"]


class PromptTokens(BaseModel):
    """Of the prompt. Recordings count by their length, beside the transcripts the language model reads."""

    cached_tokens: int
    text_tokens: int
    audio_tokens: int


class CompletionTokens(BaseModel):
    """Of the answer; its speech counts by its length."""

    text_tokens: int
    audio_tokens: int


class Usage(BaseModel):
    """What an answer cost, or, in a stream, has cost so far."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    cached_tokens: int
    prompt_tokens_details: PromptTokens
    completion_tokens_details: CompletionTokens


class Function(BaseModel):
    """What is called; ``arguments`` is JSON as text. In chunks the name comes once and the arguments in pieces."""

    name: str | None = None
    arguments: str = ""


class SearchResult(BaseModel):
    """A page the web search found (chat reference, 6.2)."""

    index: int
    url: str
    title: str
    summary: str


class SearchFunction(BaseModel):
    """A search the server made."""

    name: Literal["step_websearch"]
    arguments: str
    results: list[SearchResult]


class Call(BaseModel):
    """A call: a ``function`` of the client's, or a ``web_search`` the server has made already."""

    index: int
    id: str | None = None
    type: Literal["function", "web_search"] | None = None
    function: Function | SearchFunction


class Speech(BaseModel):
    """The spoken answer; ``id`` refers to it in later requests until ``expires_at`` (seconds of the epoch)."""

    id: str
    data: str | None = None
    transcript: str | None = None
    expires_at: int | None = None


class UrlCitation(BaseModel):
    """A page the answer rests on; the indices are the whole of the answer (OpenAI)."""

    url: str
    title: str
    start_index: int
    end_index: int


class Annotation(BaseModel):
    """OpenAI's form of a source."""

    type: Literal["url_citation"]
    url_citation: UrlCitation


class Said(BaseModel):
    """A message, or a chunk's part of one."""

    role: Literal["assistant"] | None = None
    content: str | None = None
    refusal: str | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None
    audio: Speech | None = None
    tool_calls: list[Call] | None = None
    annotations: list[Annotation] | None = None


class TopLogprob(BaseModel):
    """A token that could have been there."""

    token: str
    logprob: float
    bytes: list[int]


class TokenLogprob(TopLogprob):
    """A token of the answer, and what could have been in its place."""

    top_logprobs: list[TopLogprob]


class Logprobs(BaseModel):
    """How likely the tokens of the text were."""

    content: list[TokenLogprob]


class Choice(BaseModel):
    """One answer."""

    index: int
    message: Said
    finish_reason: FinishReason
    logprobs: Logprobs | None


class Completion(BaseModel):
    """A whole answer."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[Choice]
    usage: Usage


class ChunkChoice(BaseModel):
    """More of one answer."""

    index: int
    delta: Said
    finish_reason: FinishReason | None
    logprobs: Logprobs | None = None


class Chunk(BaseModel):
    """An event of a streamed answer."""

    id: str
    object: Literal["chat.completion.chunk"]
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: Usage | None = None


def usage_of(usage: Spent, rates: AudioRates) -> Usage:
    """Token counts as both platforms name them; the totals are the sums of their details."""
    heard, spoken = rates.heard(usage.heard_ms), rates.spoken(usage.spoken_ms)
    prompt, completion = usage.input_text + heard, usage.output_text + spoken
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=prompt + completion,
        cached_tokens=usage.cached_text,
        prompt_tokens_details=PromptTokens(
            cached_tokens=usage.cached_text, text_tokens=usage.input_text, audio_tokens=heard
        ),
        completion_tokens_details=CompletionTokens(text_tokens=usage.output_text, audio_tokens=spoken),
    )
