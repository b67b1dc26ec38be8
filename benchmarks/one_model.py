"""The entry point of the benches that need a language model and no server."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable

from vivavoce.closing import CloseStack
from vivavoce.config import load_config
from vivavoce.engines.base import LanguageModel
from vivavoce.runtime.engines import EngineLoader


def run_with_model(measure: Callable[[LanguageModel], Awaitable[str]]) -> None:
    """Load the language model the command line names (``large`` unless given) and print what ``measure`` says of it."""
    name = sys.argv[1] if len(sys.argv) > 1 else "large"

    async def measured() -> str:
        async with CloseStack() as stack:
            return await measure(stack.add(EngineLoader(load_config()).language_model(name)))

    print(f"{name}: {asyncio.run(measured())}")
