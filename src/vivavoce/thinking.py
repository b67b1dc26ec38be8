"""How much is thought for a reply: the efforts a client may ask for, and what they stand for here. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias, get_args

from vivavoce.errors import ClientError
from vivavoce.types import ThinkingMode, ThinkingOptions

Effort: TypeAlias = Literal["none", "minimal", "low", "medium", "high"]
EFFORTS: tuple[Effort, ...] = get_args(Effort)

THINKING_BUDGETS: Mapping[Effort, int] = {"none": 0, "minimal": 40, "low": 80, "medium": 160, "high": 320}
"""Tokens of thought by effort."""


@dataclass(frozen=True, slots=True)
class Thinking:
    """How this server thinks: with the budget of ``effort`` where a client asks for none."""

    mode: ThinkingMode = "think-first"
    effort: Effort = "medium"
    segment_tokens: int = 12
    speech_tokens: int = 20
    budgets: Mapping[Effort, int] = field(default_factory=lambda: THINKING_BUDGETS)

    def options(self, effort: Any, param: str) -> ThinkingOptions | None:
        """For one reply; ``None`` where nothing is to be thought. Raises ``ClientError`` for an effort there is not."""
        chosen = self.effort if effort is None else effort
        if chosen not in EFFORTS:
            raise ClientError(f"'{chosen}' is no effort; there are {', '.join(EFFORTS)}.", param=param)
        budget = self.budgets[chosen]
        if self.mode == "off" or not budget:
            return None
        options = ThinkingOptions(self.mode, budget, self.segment_tokens, self.speech_tokens)
        return replace(options, segment_tokens=min(self.segment_tokens, budget))
