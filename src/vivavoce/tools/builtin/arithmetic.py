"""What an expression of numbers comes to. Nothing in it is run as a program."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping

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


def value_of(expression: str) -> float:
    """The value of ``expression``, with the signs people use. Raises ``ValueError`` for what is no arithmetic, or too large."""
    plain = expression.replace("×", "*").replace("÷", "/").replace("^", "**").replace(",", "").replace("%", "/100")
    try:
        return _value(ast.parse(plain, mode="eval").body)
    except (SyntaxError, ArithmeticError, RecursionError, TypeError) as error:
        raise ValueError(f"no arithmetic: {error}") from error


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
