"""The chunks of a chat completion as events. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vivavoce.engines.openai.thoughts import ThoughtSplitter
from vivavoce.engines.openai.written_calls import WrittenCalls
from vivavoce.ids import random_id
from vivavoce.types import (
    FinishReason,
    GenerationEnd,
    GenerationEvent,
    Message,
    TextDelta,
    ThinkingDelta,
    TokenScore,
    TokenScores,
    ToolCall,
    ToolCallDelta,
)


class NoChunkError(ValueError):
    """What came is no chunk of a chat completion."""


class OtherSideError(ValueError):
    """The other side says in its stream that it failed; ``detail`` is what it says."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


@dataclass(slots=True)
class _StreamedCall:
    """A call in the making. ``sent``: how much of its arguments has been given on; ``known``: it is of a tool on offer."""

    id: str
    name: str = ""
    arguments: str = ""
    sent: int = 0
    known: bool = False


@dataclass(slots=True)
class ChatReader:
    """Reads one reply, in which tools of these ``names`` are told.

    ``forbidden`` are calls, with their arguments, that are not to be made; ``None``: none is. ``dropped``: there was one.
    ``complete``: the other side has said why it ended. ``refused``: for its contents. ``characters`` have been written so far.
    ``thoughts`` in the text are told from words where there may be some. Without ``parallel`` only the first call counts.
    """

    names: Collection[str]
    forbidden: Collection[tuple[str, str]] | None
    thoughts: ThoughtSplitter | None
    parallel: bool = True
    logprobs: int | None = None
    json_answer: bool = False
    complete: bool = False
    refused: bool = False
    characters: int = 0
    dropped: bool = False
    _calls: dict[int, _StreamedCall] = field(default_factory=dict)
    _written: WrittenCalls = field(init=False)
    _usage: Mapping[str, Any] = field(default_factory=dict)
    _reason: FinishReason = "stop"
    _called: bool = False

    def __post_init__(self) -> None:
        self._written = WrittenCalls(() if self.json_answer else self.names)

    @property
    def progress(self) -> int:
        """Grows with all that is of worth in an answer: a chunk with nothing in it is only a sign of life."""
        return self.characters

    def feed(self, chunk: Mapping[str, Any]) -> Iterator[GenerationEvent]:
        """What a chunk adds. Raises ``NoChunkError`` and ``OtherSideError``."""
        if error := chunk.get("error"):
            raise OtherSideError(json.dumps(error, ensure_ascii=False))
        try:
            yield from self._chunk(chunk)
        except (TypeError, AttributeError, KeyError, IndexError) as error:
            raise NoChunkError(f"{type(error).__name__}: {error}") from error

    def finish(self) -> Iterator[GenerationEvent]:
        """What is left when all chunks have come: words that were held back, whole calls.

        Raises ``NoChunkError`` for arguments that are no JSON object.
        """
        for event in self.thoughts.finish() if self.thoughts is not None else ():
            yield from self._split(event)
        text, written = self._written.finish()
        if text:
            yield TextDelta(text)
        for name, arguments in written if self.parallel else written[:1]:
            call = ToolCall(random_id("call"), name, arguments)
            if self._may_be_made(call):
                yield ToolCallDelta(call.id, call.name, call.arguments)
                yield call
        for made in self._calls.values():
            if made.known:
                yield from self._whole(made)

    def end(self, estimated_input: int) -> GenerationEnd:
        """The last event. Where the other side does not say what it cost, an estimate stands for it."""
        usage = self._usage
        details = usage.get("prompt_tokens_details") or {}
        cached = details.get("cached_tokens") or usage.get("cached_tokens") or usage.get("prompt_cache_hit_tokens") or 0
        return GenerationEnd(
            "tool_calls" if self._called else self._reason,
            input_tokens=int(usage.get("prompt_tokens") or estimated_input),
            cached_tokens=int(cached),
            output_tokens=int(usage.get("completion_tokens") or -(-self.characters // 4)),
        )

    # ---- inside

    def _chunk(self, chunk: Mapping[str, Any]) -> Iterator[GenerationEvent]:
        self._usage = chunk.get("usage") or self._usage
        if timings := chunk.get("timings"):  # llama.cpp tells what was cached here only
            self._usage = {"cached_tokens": timings.get("cache_n"), **self._usage}
        for choice in chunk.get("choices") or ():
            if choice.get("index", 0) == 0:
                yield from self._choice(choice)

    def _choice(self, choice: Mapping[str, Any]) -> Iterator[GenerationEvent]:
        delta = choice.get("delta") or choice.get("message") or {}
        thought, text = _texts(delta)
        if thought:
            self.characters += len(thought)
            yield ThinkingDelta(thought)
        if self.logprobs is not None and text and (scores := _scores(choice.get("logprobs"), self.logprobs)):
            yield TokenScores(scores)
        if text:
            self.characters += len(text)
            for event in self.thoughts.feed(text) if self.thoughts is not None else (TextDelta(text),):
                yield from self._split(event)
        for number, part in enumerate(delta.get("tool_calls") or ()):
            yield from self._call_part(part, number)
        if reason := choice.get("finish_reason"):
            self.complete = True
            self.refused = reason == "content_filter"
            self._reason = "length" if reason == "length" else "stop"

    def _split(self, event: TextDelta | ThinkingDelta) -> Iterator[TextDelta | ThinkingDelta]:
        if isinstance(event, ThinkingDelta):
            yield event
        elif text := self._written.feed(event.text):
            yield TextDelta(text)

    def _call_part(self, part: Mapping[str, Any], number: int) -> Iterator[ToolCallDelta]:
        """More of a call. It belongs to the call of its index; servers without indices give each a new id."""
        function = part.get("function") or {}
        index = part.get("index")
        key = number if index is None else int(index)
        name, call_id = function.get("name") or "", part.get("id") or ""
        call = self._calls.get(key)
        if call is None or (call_id and name and call_id != call.id and call.arguments):
            key = key if call is None else max(self._calls) + 1
            used = {other.id for other in self._calls.values()}
            call = self._calls[key] = _StreamedCall(call_id if call_id and call_id not in used else random_id("call"))
        if name and not call.known:
            call.name = name if name.startswith(call.name) else call.name + name
            call.known = call.name in self.names and (self.parallel or call is next(iter(self._calls.values())))
        arguments = function.get("arguments")
        call.arguments += arguments if isinstance(arguments, str) else _json(arguments)
        self.characters += len(arguments or "")
        streams = self.forbidden is not None and not self.forbidden  # else it shows when the call is whole
        if call.known and streams and len(call.arguments) > call.sent:
            yield self._delta(call)

    def _delta(self, call: _StreamedCall) -> ToolCallDelta:
        more, call.sent = call.arguments[call.sent :], len(call.arguments)
        return ToolCallDelta(call.id, call.name, more)

    def _whole(self, call: _StreamedCall) -> Iterator[ToolCallDelta | ToolCall]:
        if not call.arguments.strip():
            call.arguments = "{}"
            call.sent = 0
        if _normal(call.arguments) is None:
            raise NoChunkError(f"the arguments of '{call.name}' are no JSON object")
        whole = ToolCall(call.id, call.name, call.arguments)
        if not self._may_be_made(whole):
            return
        if call.sent < len(call.arguments):
            yield self._delta(call)
        yield whole

    def _may_be_made(self, call: ToolCall) -> bool:
        """Whether a call is given on; that one was is remembered."""
        if self.forbidden is None or (call.name, _normal(call.arguments) or "") in self.forbidden:
            self.dropped = True
            return False
        self._called = True
        return True

    @property
    def not_offered(self) -> list[str]:
        """Names of what was called and is not on offer."""
        return [call.name for call in self._calls.values() if call.name and call.name not in self.names]


def answered_calls(messages: Sequence[Message]) -> frozenset[tuple[str, str]]:
    """The calls with results since the user last spoke, for ``ChatReader.forbidden``."""
    calls: set[tuple[str, str]] = set()
    for message in reversed(messages):
        if message.role == "user":
            break
        calls |= {(call.name, _normal(call.arguments) or "") for call in message.tool_calls}
    return frozenset(calls)


def _normal(arguments: str) -> str | None:
    """A JSON object in one spelling; ``None``: it is none."""
    try:
        value = json.loads(arguments)
    except ValueError:
        return None
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, dict) else None


def _json(arguments: object) -> str:
    """Arguments that came as an object at once, as Ollama's own API has them."""
    return "" if arguments is None else json.dumps(arguments, ensure_ascii=False)


def _texts(delta: Mapping[str, Any]) -> tuple[str, str]:
    """Thoughts and words. Mistral's models give both as parts of the content."""
    thought = delta.get("reasoning_content") or delta.get("reasoning") or ""
    content = delta.get("content") or ""
    if isinstance(content, str):
        return thought if isinstance(thought, str) else "", content or delta.get("refusal") or ""
    words = ""
    for part in content:
        match part.get("type"):
            case "text":
                words += part["text"]
            case "thinking":
                thought += "".join(inner.get("text", "") for inner in part["thinking"])
    return thought, words


def _scores(logprobs: Any, others: int) -> tuple[TokenScore, ...]:
    return tuple(
        TokenScore(
            token["token"],
            _raw(token),
            float(token["logprob"]),
            tuple(
                TokenScore(other["token"], _raw(other), float(other["logprob"]))
                for other in (token.get("top_logprobs") or ())[:others]
            ),
        )
        for token in (logprobs or {}).get("content") or ()
    )


def _raw(token: Mapping[str, Any]) -> bytes:
    data = token.get("bytes")
    return bytes(data) if data is not None else token["token"].encode()
