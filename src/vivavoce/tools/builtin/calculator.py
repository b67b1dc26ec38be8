"""``calculator``: arithmetic that is right, which small models' is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vivavoce.tools.base import CallContext, Effects, ServerTool, ToolResult
from vivavoce.tools.builtin.arithmetic import value_of
from vivavoce.types import Tool


class Calculator(ServerTool):
    """Works out an expression of numbers."""

    kind = "builtin"
    timeout_s = 2.0
    effects: Effects = "none"
    tool = Tool(
        "calculate",
        "Work out a sum, a percentage or another calculation with numbers.",
        {
            "type": "object",
            "properties": {"expression": {"type": "string", "description": "such as 12.5 * (3 + 4)"}},
            "required": ["expression"],
        },
    )

    async def run(self, arguments: Mapping[str, Any], context: CallContext) -> ToolResult:
        """The value of ``expression``."""
        expression = str(arguments.get("expression", ""))[:200]
        try:
            return ToolResult(f"{expression} = {value_of(expression):.10g}", trusted=True)
        except ValueError:
            return ToolResult(f"'{expression}' cannot be worked out.", failed=True, trusted=True)
