"""What ``POST /v1/chat/completions`` answers: whole, or in chunks (chat reference, section 5).

Both platforms' fields at once. What is not set is left out.
"""

from __future__ import annotations

from typing import Any, Literal

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


class CompletionUsage(BaseModel):
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


class CitedPage(BaseModel):
    """A page the web search found (chat reference, 6.2)."""

    index: int
    url: str
    title: str
    summary: str


class SearchFunction(BaseModel):
    """A search the server made."""

    name: Literal["step_websearch"]
    arguments: str
    results: list[CitedPage]


class FunctionCall(BaseModel):
    """A call: a ``function`` of the client's, or a ``web_search`` the server has made already."""

    index: int
    id: str | None = None
    type: Literal["function", "web_search"] | None = None
    function: Function | SearchFunction


class SpokenContent(BaseModel):
    """The spoken answer; ``id`` refers to it in later requests until ``expires_at`` (seconds of the epoch).

    ``not_applied`` holds ``language`` where the answer is in one the voice does not speak, and was read by another's rules.
    """

    id: str
    data: str | None = None
    transcript: str | None = None
    expires_at: int | None = None
    not_applied: list[str] | None = None


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


class AnswerMessage(BaseModel):
    """A message, or a chunk's part of one."""

    role: Literal["assistant"] | None = None
    content: str | None = None
    refusal: str | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None
    audio: SpokenContent | None = None
    tool_calls: list[FunctionCall] | None = None
    annotations: list[Annotation] | None = None
    perception: dict[str, Any] | None = None


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
    message: AnswerMessage
    finish_reason: FinishReason
    logprobs: Logprobs | None


class Completion(BaseModel):
    """A whole answer."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[Choice]
    usage: CompletionUsage


class ChunkChoice(BaseModel):
    """More of one answer."""

    index: int
    delta: AnswerMessage
    finish_reason: FinishReason | None
    logprobs: Logprobs | None = None


class Chunk(BaseModel):
    """An event of a streamed answer."""

    id: str
    object: Literal["chat.completion.chunk"]
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: CompletionUsage | None = None


def usage_of(usage: Spent, rates: AudioRates) -> CompletionUsage:
    """Token counts as both platforms name them; the totals are the sums of their details."""
    audio_in, audio_out = rates.input_tokens(usage.input_audio_ms), rates.output_tokens(usage.output_audio_ms)
    prompt, completion = usage.input_text + audio_in, usage.output_text + audio_out
    return CompletionUsage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=prompt + completion,
        cached_tokens=usage.cached_text,
        prompt_tokens_details=PromptTokens(
            cached_tokens=usage.cached_text, text_tokens=usage.input_text, audio_tokens=audio_in
        ),
        completion_tokens_details=CompletionTokens(text_tokens=usage.output_text, audio_tokens=audio_out),
    )
