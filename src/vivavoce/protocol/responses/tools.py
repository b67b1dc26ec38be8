"""The tools of a Responses request, and the choice between them, in canonical form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from vivavoce.errors import ClientError
from vivavoce.protocol.json_fields import Json, a_list, an_object, checked
from vivavoce.protocol.session_config import FunctionChoice, ToolChoice
from vivavoce.protocol.tool_config import (
    DeclaredTool,
    FunctionTool,
    McpServerDeclaration,
    RetrievalDeclaration,
    WebSearchDeclaration,
    functions,
)
from vivavoce.protocol.tools import read_tool, read_tool_choice, store_param

DOCUMENTS = "search_documents"
WEB = "web_search"
"""What the model calls the searches that ``file_search`` and ``web_search`` declare."""

MAX_STORES = 8
"""Of one ``file_search``; each becomes a tool of its own."""


@dataclass(frozen=True, slots=True)
class Tools:
    """``params`` says of each declared tool where it names a vector store."""

    declared: tuple[DeclaredTool, ...]
    params: tuple[str, ...]
    choice: ToolChoice

    @classmethod
    def read(cls, tools: Sequence[Any], choice: str | Json) -> Tools:
        """Raises ``ClientError``."""
        pairs = [pair for index in range(len(tools)) for pair in _declared(tools, index)]
        names = [tool.name for tool in functions(tuple(tool for tool, _ in pairs))]
        if len(set(names)) < len(names):
            raise ClientError("Two tools have the same name.", param="tools")
        tool_choice, allowed = _choice(choice)
        allowed_pairs = [(tool, param) for tool, param in pairs if allowed(tool)]
        return cls(tuple(tool for tool, _ in allowed_pairs), tuple(param for _, param in allowed_pairs), tool_choice)


def _declared(tools: Sequence[Any], index: int) -> list[tuple[DeclaredTool, str]]:
    param = f"tools[{index}]"
    tool = an_object(tools[index], param)
    match tool.get("type"):
        case str(kind) if kind.startswith(WEB):  # web_search_preview_2025_03_11, …
            options = {**tool, "type": WEB} if "options" in tool else {"type": WEB}
            return [(read_tool(options, param, announced=True), param)]
        case "file_search":
            return _file_search(tool, param)
        case "mcp" if tool.get("require_approval") != "never":
            raise ClientError(
                "Nobody can be asked for approval here: say 'never' if the tools of this server may be used.",
                code="unsupported_value",
                param=f"{param}.require_approval",
            )
        case kind:
            read = read_tool(tool, param, announced=True)
            return [(read, store_param(tools, index, "tools") if kind == "retrieval" else param)]


def _file_search(tool: Json, param: str) -> list[tuple[DeclaredTool, str]]:
    """A search of documents for each store."""
    if tool.get("filters") is not None:
        raise ClientError("'filters' are not available here.", code="unsupported_value", param=f"{param}.filters")
    stores = a_list(tool.get("vector_store_ids"), f"{param}.vector_store_ids")
    if not 1 <= len(stores) <= MAX_STORES:
        raise ClientError(f"There may be 1 to {MAX_STORES} stores.", param=f"{param}.vector_store_ids")
    declarations: list[tuple[DeclaredTool, str]] = []
    for number, store in enumerate(stores):
        place = f"{param}.vector_store_ids[{number}]"
        checked(store, str, place)
        declarations.append((RetrievalDeclaration(description="", vector_store_id=store, name=DOCUMENTS), place))
    return declarations


def _choice(choice: str | Json) -> tuple[ToolChoice, Callable[[DeclaredTool], bool]]:
    """What must be called, and which tools may be at all."""
    if not isinstance(choice, dict):
        return read_tool_choice(choice, "tool_choice"), lambda tool: True
    match choice.get("type"):
        case "allowed_tools":
            references = [
                _tool_reference(reference, f"tool_choice.tools[{at}]")
                for at, reference in enumerate(choice.get("tools") or ())
            ]
            mode = read_tool_choice(choice.get("mode", "auto"), "tool_choice.mode")
            return mode, lambda tool: any(_matches(tool, reference) for reference in references)
        case "file_search":
            return FunctionChoice(name=DOCUMENTS), lambda tool: True
        case str(kind) if kind.startswith(WEB):
            return FunctionChoice(name=WEB), lambda tool: True
        case _:
            return read_tool_choice(choice, "tool_choice"), lambda tool: True


def _tool_reference(value: Any, param: str) -> Json:
    reference = an_object(value, param)
    if not isinstance(reference.get("type"), str):
        raise ClientError("A tool is allowed by its type and, where it has one, its name.", param=f"{param}.type")
    return reference


def _matches(tool: DeclaredTool, reference: Json) -> bool:
    kind = reference["type"]
    match tool:
        case FunctionTool(name=name):
            return bool(kind == "function" and reference.get("name") == name)
        case McpServerDeclaration(server_label=label):
            return bool(kind == "mcp" and reference.get("server_label") == label)
        case WebSearchDeclaration():
            return bool(kind.startswith(WEB))
        case RetrievalDeclaration():
            return kind in ("file_search", "retrieval")
