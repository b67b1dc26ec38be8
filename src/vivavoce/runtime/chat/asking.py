"""A chat request and its prompt → what the reply road is asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from vivavoce.engines.base import LanguageModel, Speaker
from vivavoce.errors import ClientError
from vivavoce.protocol.chat.request import ChatRequest
from vivavoce.protocol.tool_config import DeclaredTool, functions, server_side
from vivavoce.runtime.chat.prompt import Prompt
from vivavoce.runtime.reply import ReplyRequest, reply
from vivavoce.session.asking import chosen
from vivavoce.session.prompt_budget import LEAST_TOOLS_SHARE, RESULTS_SHARE, TOOLS_SHARE
from vivavoce.signatures import RULES_TOKENS
from vivavoce.token_estimates import estimate_tokens
from vivavoce.tools.loop import with_tools
from vivavoce.tools.offering import SessionTools
from vivavoce.types import GenerationOptions, NamedTool, ReplyEvent, Tool

VARIED = 0.5
"""The temperature of several answers to one request, if the client gives none: at 0 they would all be the same."""

SHORT_ANSWER = 256
"""Tokens that tools do not take from the answer."""

Take = Callable[[int, ReplyEvent], Awaitable[None]]
"""Takes an event of the answer of this number."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that can be answered. ``prompt_tokens`` is the length of its prompt, ``answers`` how many are wanted.

    ``heard_ms`` is how much audio the prompt was made of.
    """

    request: ReplyRequest
    prompt_tokens: int
    answers: int
    heard_ms: int = 0

    async def answer(self, model: LanguageModel, speaker: Speaker, take: Take) -> None:
        """All answers, one after the other: they share a slot, in which the prompt has been read. Raises ``EngineError``."""
        for number in range(self.answers):

            async def emit(event: ReplyEvent, number: int = number) -> None:
                await take(number, event)

            await reply(self._numbered(number), model, speaker, emit)

    def _numbered(self, number: int) -> ReplyRequest:
        """The request for one of the answers: a seed is good for one only."""
        seed = self.request.options.seed
        options = replace(self.request.options, seed=None if seed is None else (seed + number) % 2**32)
        return replace(self.request, options=options)


async def ask(
    wanted: ChatRequest,
    declared: tuple[DeclaredTool, ...],
    prompt: Prompt,
    model: LanguageModel,
    tools: SessionTools,
    *,
    slot: int,
    voice: str | None,
) -> Asked:
    """What ``wanted`` asks of ``model`` and ``tools``; ``declared`` are the tools it declares.

    Raises ``ClientError`` for what cannot be asked, and ``EngineError``.
    """
    options = replace(_options(wanted, declared, model), slot=slot)
    options, server = await tools.for_reply(
        prompt.messages, options, server_side(declared), (), prompt.language, _tool_tokens(prompt, model)
    )
    # The next request may come from anywhere, or never: there is no conversation for a tool to speak up in.
    server = replace(server, calling=replace(server.calling, live=None))
    offered = with_tools(options, server.tools)
    _check_choice(offered)
    tokens = await model.count_tokens(prompt.messages, offered)
    room = model.context_tokens - tokens
    if room < 1:
        raise ClientError(
            f"The messages have {tokens} tokens; the model's context holds {model.context_tokens}, with the answer.",
            code="context_length_exceeded",
            param="messages",
        )
    if server.tools:
        room -= min(int(model.context_tokens * RESULTS_SHARE), room // 2)
    options = replace(options, max_tokens=min(wanted.most_tokens or room, room))
    request = ReplyRequest(prompt.messages, options, voice, prompt.language, server=server)
    return Asked(request, tokens, wanted.n)


def _tool_tokens(prompt: Prompt, model: LanguageModel) -> int:
    """How much of the prompt may tell of tools: what the messages and a short answer leave of it, within a share."""
    left = model.context_tokens - sum(map(estimate_tokens, prompt.messages)) - RULES_TOKENS - SHORT_ANSWER
    return int(max(min(left, model.context_tokens * TOOLS_SHARE), model.context_tokens * LEAST_TOOLS_SHARE))


def _options(wanted: ChatRequest, declared: tuple[DeclaredTool, ...], model: LanguageModel) -> GenerationOptions:
    choice = wanted.chosen_tool()
    schema = wanted.answer_schema()
    if schema is not None and "schema" not in model.features:
        raise _cannot("answers in JSON", "response_format")
    if wanted.logprobs and "logprobs" not in model.features:
        raise _cannot("log probabilities", "logprobs")
    if wanted.top_logprobs is not None and not wanted.logprobs:
        raise ClientError("'top_logprobs' needs 'logprobs'.", param="top_logprobs")
    return GenerationOptions(
        temperature=(VARIED if wanted.n > 1 else 0.0) if wanted.temperature is None else wanted.temperature,
        top_p=wanted.top_p,
        seed=None if wanted.seed is None else wanted.seed % 2**32,
        stop=wanted.stops,
        tools=tuple(Tool(tool.name, tool.description, tool.parameters) for tool in functions(declared)),
        tool_choice=chosen(choice),
        parallel_tool_calls=wanted.parallel_tool_calls,
        frequency_penalty=wanted.frequency_penalty,
        presence_penalty=wanted.presence_penalty,
        schema=schema,
        logprobs=(wanted.top_logprobs or 0) if wanted.logprobs else None,
    )


def _check_choice(offered: GenerationOptions) -> None:
    """Whether what must be called is there. Raises ``ClientError``."""
    choice = offered.tool_choice
    if isinstance(choice, NamedTool) and choice.name not in {tool.name for tool in offered.tools}:
        raise ClientError(f"There is no tool '{choice.name}' to choose.", param="tool_choice")
    if choice == "required" and not offered.tools:
        raise ClientError("A tool is required, but there are none.", param="tool_choice")


def _cannot(what: str, param: str) -> ClientError:
    return ClientError(f"The language model of this tier does not give {what}.", code="unsupported_value", param=param)
