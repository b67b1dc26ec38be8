"""Answers as sessions give them, held to their manner and to the truth about the model, but without a socket."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from vivavoce.engines.base import LanguageModel
from vivavoce.runtime.reply import ReplyRequest, answer_events
from vivavoce.tools.base import CallContext
from vivavoce.tools.confirmations import Confirmations
from vivavoce.tools.loop import LoopEvent
from vivavoce.tools.reply_plan import ReplyPlanner
from vivavoce.tools.tool_run import ToolRun
from vivavoce.types import GenerationOptions, Language, Message


async def session_answer(
    model: LanguageModel, messages: Sequence[Message], options: GenerationOptions, language: Language
) -> AsyncGenerator[LoopEvent, None]:
    """What a session without tools would tell of the answer to ``messages``, spoken in ``language``. Raises ``EngineError``."""
    context = CallContext("bench", tuple(messages), language)
    plan = await ReplyPlanner(None, Confirmations(), "risky").plan(messages, options, (), context)
    run = ToolRun((), context, note=plan.note, begun=plan.begun, manner=plan.manner)
    async with aclosing(answer_events(ReplyRequest(messages, plan.options, server_tools=run), model)) as events:
        async for event in events:
            yield event
