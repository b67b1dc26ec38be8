"""A chat request and its prompt → what the reply road is asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from vivavoce.engines.base import LanguageModel, Synthesizer
from vivavoce.errors import ClientError
from vivavoce.protocol.chat.request import ChatRequest
from vivavoce.protocol.tool_config import DeclaredTool, functions, server_side
from vivavoce.runtime.chat.prompt import ChatPrompt
from vivavoce.runtime.reply import ReplyRequest, reply
from vivavoce.session.prompt_budget import MIN_TOOLS_SHARE, RESULTS_SHARE, TOOLS_SHARE
from vivavoce.session.prompt_builder import chosen
from vivavoce.signatures import RULES_TOKENS
from vivavoce.text.token_estimates import estimate_tokens
from vivavoce.tools.session_tools import SessionTools
from vivavoce.tools.tool_run import with_tools
from vivavoce.types import GenerationOptions, NamedTool, ReplyEnd, ReplyEvent, ThinkingOptions

VARIED = 0.5
"""The temperature of several answers to one request, if the client gives none: at 0 they would all be the same."""

SHORT_ANSWER = 256
"""Tokens that tools do not take from the answer."""

Take = Callable[[int, ReplyEvent], Awaitable[None]]
"""Takes an event of the answer of this number."""


@dataclass(frozen=True, slots=True)
class PreparedRequest:
    """A request that can be answered. ``prompt_tokens`` is the length of its prompt, ``answers`` how many are wanted.

    ``audio_ms`` is how much audio the prompt was made of; ``not_applied`` names what of the request no voice can do.
    """

    request: ReplyRequest
    prompt_tokens: int
    answers: int
    audio_ms: int = 0
    not_applied: tuple[str, ...] = ()

    async def answer(self, model: LanguageModel, synthesizer: Synthesizer, receive: Take) -> None:
        """All answers, one after the other: they share a slot, in which the prompt has been read. Raises ``EngineError``."""
        for number in range(self.answers):

            async def emit(event: ReplyEvent, number: int = number) -> None:
                if isinstance(event, ReplyEnd):
                    event = replace(event, not_applied=(*self.not_applied, *event.not_applied))
                await receive(number, event)

            await reply(self._numbered(number), model, synthesizer, emit)

    def _numbered(self, number: int) -> ReplyRequest:
        """The request for one of the answers: a seed is good for one only."""
        seed = self.request.options.seed
        options = replace(self.request.options, seed=None if seed is None else (seed + number) % 2**32)
        return replace(self.request, options=options)


async def prepare(
    chat_request: ChatRequest,
    declared: tuple[DeclaredTool, ...],
    prompt: ChatPrompt,
    model: LanguageModel,
    tools: SessionTools,
    *,
    slot: int,
    voice: str | None,
    thinking: ThinkingOptions | None = None,
) -> PreparedRequest:
    """What ``chat_request`` asks of ``model`` and ``tools``; ``declared`` are the tools it declares;
    ``thinking`` is what is thought for the answer.

    Raises ``ClientError`` for what cannot be asked, and ``EngineError``.
    """
    options = replace(_options(chat_request, declared, model), slot=slot, thinking=thinking)
    options, server_tools = await tools.for_reply(
        prompt.messages,
        options,
        server_side(declared),
        (),
        prompt.language,
        _tool_tokens(prompt, model),
        aids=model.aids,
    )
    # The next request may come from anywhere, or never: there is no conversation for a tool to speak up in.
    server_tools = replace(server_tools, context=replace(server_tools.context, live=None))
    offered = with_tools(options, server_tools.tools)
    _check_choice(offered)
    prompt_tokens = await model.count_tokens(prompt.messages, offered)
    room = model.context_tokens - prompt_tokens
    if room < 1:
        raise ClientError(
            f"The messages have {prompt_tokens} tokens; the model's context holds {model.context_tokens}, with the answer.",
            code="context_length_exceeded",
            param="messages",
        )
    if server_tools.tools:
        room -= min(int(model.context_tokens * RESULTS_SHARE), room // 2)
    options = replace(options, max_tokens=min(chat_request.token_limit or room, room))
    request = ReplyRequest(prompt.messages, options, voice, prompt.language, server_tools=server_tools)
    return PreparedRequest(request, prompt_tokens, chat_request.n)


def _tool_tokens(prompt: ChatPrompt, model: LanguageModel) -> int:
    """How much of the prompt may tell of tools: what the messages and a short answer leave of it, within a share."""
    remaining = model.context_tokens - sum(map(estimate_tokens, prompt.messages)) - RULES_TOKENS - SHORT_ANSWER
    return int(max(min(remaining, model.context_tokens * TOOLS_SHARE), model.context_tokens * MIN_TOOLS_SHARE))


def _options(chat_request: ChatRequest, declared: tuple[DeclaredTool, ...], model: LanguageModel) -> GenerationOptions:
    choice = chat_request.chosen_tool()
    schema = chat_request.answer_schema()
    if schema is not None and "schema" not in model.features:
        raise _unsupported("answers in JSON", "response_format")
    if chat_request.logprobs and "logprobs" not in model.features:
        raise _unsupported("log probabilities", "logprobs")
    if chat_request.top_logprobs is not None and not chat_request.logprobs:
        raise ClientError("'top_logprobs' needs 'logprobs'.", param="top_logprobs")
    return GenerationOptions(
        temperature=(VARIED if chat_request.n > 1 else 0.0)
        if chat_request.temperature is None
        else chat_request.temperature,
        top_p=chat_request.top_p,
        seed=None if chat_request.seed is None else chat_request.seed % 2**32,
        stop=chat_request.stops,
        tools=tuple(tool.as_tool() for tool in functions(declared)),
        tool_choice=chosen(choice),
        parallel_tool_calls=chat_request.parallel_tool_calls,
        frequency_penalty=chat_request.frequency_penalty,
        presence_penalty=chat_request.presence_penalty,
        schema=schema,
        logprobs=(chat_request.top_logprobs or 0) if chat_request.logprobs else None,
    )


def _check_choice(offered: GenerationOptions) -> None:
    """Whether what must be called is there. Raises ``ClientError``."""
    choice = offered.tool_choice
    if isinstance(choice, NamedTool) and choice.name not in {tool.name for tool in offered.tools}:
        raise ClientError(f"There is no tool '{choice.name}' to choose.", param="tool_choice")
    if choice == "required" and not offered.tools:
        raise ClientError("A tool is required, but there are none.", param="tool_choice")


def _unsupported(feature: str, param: str) -> ClientError:
    return ClientError(
        f"The language model of this tier does not give {feature}.", code="unsupported_value", param=param
    )
