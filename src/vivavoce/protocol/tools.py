"""Function tools and the choice between them. Flat and nested forms are read alike; each dialect writes its own."""

from __future__ import annotations

from typing import Any, Literal

from vivavoce.errors import ClientError
from vivavoce.protocol.reading import Json, a_list, an_object, checked, free_form, without_nulls
from vivavoce.protocol.session_config import FunctionChoice, FunctionTool, ToolChoice

WORDS = ("auto", "none", "required")


def read_tools(value: Any, param: str) -> list[FunctionTool]:
    """Function tools. Raises ``ClientError`` on tools of other types: they would run on the server, and it has none."""
    return [_tool(tool, f"{param}[{index}]") for index, tool in enumerate(a_list(value, param))]


def _tool(value: Any, param: str) -> FunctionTool:
    tool = an_object(value, param)
    kind = tool.get("type", "function")
    if kind != "function":
        raise ClientError(f"tools of type '{str(kind)[:100]}' are not available on this server", param=f"{param}.type")
    nested = "function" in tool
    within = f"{param}.function" if nested else param
    function = without_nulls(an_object(tool["function"], within) if nested else tool)
    if "parameters" in function:
        free_form(function["parameters"], f"{within}.parameters")
    return checked({**function, "type": "function"}, FunctionTool, within)


def read_tool_choice(value: Any, param: str) -> ToolChoice:
    """``auto``, ``none``, ``required``, or a function: ``{type, name}`` or ``{type, function: {name}}``."""
    if not isinstance(value, dict):
        return checked(value, Literal["auto", "none", "required"], param)
    if value.get("type") != "function":
        raise ClientError("Only functions can be chosen on this server.", param=f"{param}.type")
    if "function" in value:
        return checked(value["function"], FunctionChoice, f"{param}.function")
    return checked(value, FunctionChoice, param)


def read_beta_tool_choice(value: Any, param: str) -> ToolChoice:
    """The same; the beta's types also have a function's bare name."""
    if isinstance(value, str) and value not in WORDS:
        return checked({"name": value}, FunctionChoice, param)
    return read_tool_choice(value, param)


def tool_choice(choice: ToolChoice) -> str | Json:
    """A choice as GA and StepFun write it."""
    return choice if isinstance(choice, str) else {"type": "function", "name": choice.name}


def beta_tool_choice(choice: ToolChoice) -> str | Json:
    """A choice as a string, which is what the beta's types ask for; an object only where the string would be mistaken."""
    if isinstance(choice, str) or choice.name in WORDS:
        return tool_choice(choice)
    return choice.name


def flat_tool(tool: FunctionTool) -> Json:
    """OpenAI's form."""
    return {
        "type": tool.type,
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters),
    }


def nested_tool(tool: FunctionTool) -> Json:
    """StepFun's form."""
    return {
        "type": tool.type,
        "function": {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)},
    }
