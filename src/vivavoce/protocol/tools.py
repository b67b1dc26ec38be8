"""Tools and the choice between them. Flat and nested forms are read alike; each dialect writes its own."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from vivavoce.errors import ClientError
from vivavoce.protocol.json_fields import Json, a_list, an_object, checked, json_schema, without_nulls
from vivavoce.protocol.session_config import FunctionChoice, ServerChoice, ToolChoice
from vivavoce.protocol.tool_config import (
    DeclaredTool,
    FunctionTool,
    McpServerDeclaration,
    RetrievalDeclaration,
    ToolName,
    WebSearchDeclaration,
    wire_type,
)

WORDS = ("auto", "none", "required")

_TYPES: dict[str, type[DeclaredTool]] = {
    "function": FunctionTool,
    "web_search": WebSearchDeclaration,
    "retrieval": RetrievalDeclaration,
    "mcp": McpServerDeclaration,
}


def read_tools(value: Any, param: str) -> list[DeclaredTool]:
    """Tools of every type; those of tool servers work unseen, and nobody can be asked about them. Raises ``ClientError``."""
    return _read(value, param, announced=False)


def read_ga_tools(value: Any, param: str) -> list[DeclaredTool]:
    """The same for GA, which tells of what tool servers do, and asks first unless it is told not to."""
    return _read(value, param, announced=True)


def _read(value: Any, param: str, *, announced: bool) -> list[DeclaredTool]:
    tools = [
        read_tool(tool, f"{param}[{index}]", announced=announced) for index, tool in enumerate(a_list(value, param))
    ]
    labels = [tool.server_label for tool in tools if isinstance(tool, McpServerDeclaration)]
    if len(set(labels)) < len(labels):
        raise ClientError("Two tool servers have the same 'server_label'.", param=param)
    return tools


def read_tool(value: Any, param: str, *, announced: bool) -> DeclaredTool:
    """One tool, which is at ``param``; ``announced``: as GA has tools of tool servers. Raises ``ClientError``."""
    tool = an_object(value, param)
    kind = tool.get("type", "function")
    if not isinstance(kind, str) or kind not in _TYPES:
        raise ClientError(
            f"tools of type '{str(kind)[:100]}' are not available on this server; there are {', '.join(_TYPES)}",
            param=f"{param}.type",
        )
    if kind == "mcp":
        return _mcp(tool, param, announced)
    nested = "function" in tool
    within = f"{param}.function" if nested else param
    fields = without_nulls(an_object(tool["function"], within) if nested else tool)
    if "parameters" in fields:
        _check_parameters(an_object(fields["parameters"], f"{within}.parameters"), f"{within}.parameters")
    if kind != "function" and ("options" in fields or (kind == "retrieval" and "vector_store_id" not in fields)):
        options = without_nulls(an_object(fields.pop("options", {}), f"{within}.options"))
        checked({"description": "", **options, "type": kind}, _TYPES[kind], f"{within}.options")
        fields |= options
    return checked({**fields, "type": kind}, _TYPES[kind], within)


def store_param(tools: Any, index: int, param: str) -> str:
    """Where a client's declaration of a retrieval tool names its store; ``tools`` is the list at ``param``, as it was sent."""
    place = f"{param}[{index}]"
    tool = tools[index]
    for step in ("function", "options"):
        if isinstance(tool.get(step), dict):
            tool, place = tool[step], f"{place}.{step}"
    return f"{place}.vector_store_id"


def _check_parameters(parameters: Json, param: str) -> None:
    """Arguments are held to this schema, so it must be one, of an object. Raises ``ClientError`` in OpenAI's words."""
    if parameters.get("type", "object") != "object":
        raise ClientError(
            "A function's parameters must be a schema of type 'object'.",
            code="invalid_function_parameters",
            param=param,
        )
    json_schema(parameters, param, code="invalid_function_parameters")


def _mcp(tool: Json, param: str, announced: bool) -> McpServerDeclaration:
    for name in ("connector_id", "tunnel_id"):
        if tool.get(name) is not None:
            raise ClientError(f"'{name}' is not available on this server; use 'server_url'.", param=f"{param}.{name}")
    fields = without_nulls(tool) | {"announced": announced}
    if not announced:
        fields.setdefault("require_approval", "never")
    read: McpServerDeclaration = checked(fields, McpServerDeclaration, param)
    if not announced and read.require_approval != "never":
        raise ClientError(
            "This dialect has no events to ask for approval with: leave it out, or say 'never'.",
            param=f"{param}.require_approval",
        )
    return read


def read_tool_choice(value: Any, param: str) -> ToolChoice:
    """``auto``, ``none``, ``required``, a function (``{type, name}``, ``{type, function: {name}}``) or a server's tool.

    A function's bare name, of the beta's types, is understood in every dialect: StepFun's packaged client writes it too.
    """
    if isinstance(value, str) and value not in WORDS:
        return FunctionChoice(name=checked(value, ToolName, param))
    if not isinstance(value, dict):
        return checked(value, Literal["auto", "none", "required"], param)
    if value.get("type") not in ("function", "mcp"):
        raise ClientError("Only functions and tools of tool servers can be chosen.", param=f"{param}.type")
    if "function" in value:
        function = an_object(value["function"], f"{param}.function") | {"type": "function"}
        return checked(function, FunctionChoice, f"{param}.function")
    return checked(without_nulls(value), ServerChoice if value["type"] == "mcp" else FunctionChoice, param)


def tool_choice(choice: ToolChoice) -> str | Json:
    """A choice as GA and StepFun write it."""
    if isinstance(choice, str):
        return choice
    if isinstance(choice, ServerChoice):
        name_field = {} if choice.name is None else {"name": choice.name}
        return {"type": "mcp", "server_label": choice.server_label, **name_field}
    return {"type": "function", "name": choice.name}


def beta_tool_choice(choice: ToolChoice) -> str | Json:
    """A choice as a string, which is what the beta's types ask for; an object only where the string would be mistaken."""
    if isinstance(choice, str | ServerChoice) or choice.name in WORDS:
        return tool_choice(choice)
    return choice.name


def flat_tool(tool: DeclaredTool) -> Json:
    """OpenAI's form."""
    match tool:
        case FunctionTool():
            function = {
                "name": tool.name,
                "description": tool.description,
                "parameters": dict(tool.parameters),
                **tool.hints(),
            }
            return {"type": "function", **function}
        case McpServerDeclaration():
            return _server_object(tool)
        case _:
            return {"type": wire_type(tool), **_described(tool)}


def nested_tool(tool: DeclaredTool) -> Json:
    """StepFun's form."""
    match tool:
        case FunctionTool():
            function = {
                "name": tool.name,
                "description": tool.description,
                "parameters": dict(tool.parameters),
                **tool.hints(),
            }
            return {"type": "function", "function": function}
        case McpServerDeclaration():
            return _server_object(tool)
        case _:
            return {"type": wire_type(tool), "function": _described(tool)}


def _described(tool: WebSearchDeclaration | RetrievalDeclaration) -> Json:
    options = {key: value for key, value in msgspec.to_builtins(tool).items() if value is not None}
    description, name = options.pop("description"), options.pop("name", None)
    del options["type"]
    return {**({"name": name} if name else {}), "description": description, "options": options}


def _server_object(tool: McpServerDeclaration) -> Json:
    """Without its secrets."""
    fields: Json = msgspec.to_builtins(tool)
    hidden = ("authorization", "headers", "announced")
    return {key: value for key, value in fields.items() if key not in hidden and value is not None}
