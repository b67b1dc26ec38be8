"""Counts long instructions exactly, before a session, which can only estimate them, is told of them."""

from __future__ import annotations

import logging

from vivavoce.engines.base import LanguageModel
from vivavoce.errors import EngineError
from vivavoce.session.prompt_budget import TextLengths
from vivavoce.types import GenerationOptions, Message

log = logging.getLogger(__name__)

MEASURED_SHARE = 0.25
"""Of the model's context: instructions that are longer by estimate are counted."""

HOPELESS = 4
"""Times the context: instructions that are this long by estimate do not fit in any case."""


async def measure_instructions(instructions: object, model: LanguageModel, lengths: TextLengths) -> None:
    """Let ``lengths`` know how long ``instructions`` (nothing, unless they are text) are to ``model``."""
    text = instructions.strip() if isinstance(instructions, str) else ""
    context = model.context_tokens
    if not context * MEASURED_SHARE < lengths.tokens(text) < context * HOPELESS:
        return
    try:
        lengths.measured(text, await model.count_tokens((Message("system", text),), GenerationOptions()))
    except EngineError as error:
        log.warning("length of instructions: %s", error)
