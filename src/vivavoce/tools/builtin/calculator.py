"""``calculator``: arithmetic that is right, which small models' is not."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from vivavoce.tools.base import Calling, Effects, ServerTool, ToolResult
from vivavoce.types import Tool

LARGEST = 1e100
"""Beyond it nothing is computed: powers of powers would keep a core busy for ever."""

_FUNCTIONS: Mapping[str, Callable[[float], float]] = {"sqrt": math.sqrt, "abs": abs, "round": round}
_OPERATORS: Mapping[type[ast.AST], Callable[..., float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}


class Calculator(ServerTool):
    """Works out an expression of numbers; nothing in it is run as a program."""

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

    async def run(self, arguments: Mapping[str, Any], calling: Calling) -> ToolResult:
        """The value of ``expression``."""
        written = str(arguments.get("expression", ""))[:200]
        plain = written.replace("×", "*").replace("÷", "/").replace("^", "**").replace(",", "")
        try:
            value = _value(ast.parse(plain.replace("%", "/100"), mode="eval").body)
        except (SyntaxError, ValueError, ArithmeticError, RecursionError, TypeError):
            return ToolResult(f"'{written}' cannot be worked out.", failed=True, trusted=True)
        return ToolResult(f"{written} = {value:.10g}", trusted=True)


def _value(node: ast.expr) -> float:
    """Raises ``ValueError`` for what is no arithmetic, or too large."""
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            value = float(number)
        case ast.BinOp(left=left, op=op, right=right):
            value = _OPERATORS[type(op)](_value(left), _value(right)) if type(op) in _OPERATORS else math.nan
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _OPERATORS:
            value = _OPERATORS[type(op)](_value(operand))
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in _FUNCTIONS:
            value = float(_FUNCTIONS[name](_value(argument)))
        case _:
            raise ValueError("no arithmetic")
    if isinstance(value, complex) or not abs(value) < LARGEST:
        raise ValueError("no number, or too large")
    return value
