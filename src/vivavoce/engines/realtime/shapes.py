"""How the other side is written to in its dialect, and what is read the same in all of them. Pure.

Names and shapes are those of OpenAI's typed clients (GA and beta) and of StepFun's reference. Reading is liberal: events of any
dialect are taken under the names of the beta, which StepFun shares.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from vivavoce.engines.realtime.settings import HostedSettings, WireDialect
from vivavoce.hosted import HistoryCall, HistoryEntry, HistoryOutput, HostedSetup
from vivavoce.types import NamedTool, Tool, ToolOfServer

OPENAI_VOICES = frozenset({"alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar"})
"""OpenAI's built-in ones; others have to be in the table."""

SPEEDS = (0.25, 1.5)
MAX_TOKENS = 4096
"""What OpenAI takes."""

ROOT = "root"
"""As ``previous_item_id``: before everything else."""

BETA_HEADER = {"OpenAI-Beta": "realtime=v1"}

TRANSCRIPTION_MODEL = "gpt-4o-mini-transcribe"

_GA_NAMES = (("response.output_audio", "response.audio"), ("response.output_text", "response.text"))


def event_name(name: str) -> str:
    """The beta's name of an event: GA's ``output_audio`` and ``output_text`` are ``audio`` and ``text``."""
    for ga, beta in _GA_NAMES:
        if name.startswith(ga):
            return beta + name.removeprefix(ga)
    return "conversation.item.created" if name == "conversation.item.added" else name


class Shapes:
    """The shapes of one dialect, with what is set about it."""

    def __init__(self, dialect: WireDialect, settings: HostedSettings) -> None:
        self.dialect = dialect
        self._settings = settings

    @property
    def headers(self) -> Mapping[str, str]:
        """What the upgrade says besides."""
        return BETA_HEADER if self.dialect == "openai_beta" else {}

    @property
    def takes_calls(self) -> bool:
        """Whether calls, and their outputs, can be told it that it has not made itself: StepFun refuses items of that type."""
        return self.dialect != "stepfun"

    def voice(self, ours: str) -> str | None:
        """Who speaks there in the place of one of our voices; ``None``: whoever does by default."""
        known = self.dialect == "stepfun" or ours in OPENAI_VOICES
        return self._settings.voices.get(ours, self._settings.voice) or (ours if known else None)

    # ---- the session

    def session(self, setup: HostedSetup) -> dict[str, Any]:
        """The ``session`` of a ``session.update``. Turns are ours to end."""
        tools = [tool for tool in setup.tools if self._is_offered(tool, setup)]
        session = self._ga(setup, tools) if self.dialect == "openai" else self._flat(setup, tools)
        return {**session, **self._settings.session}

    def _ga(self, setup: HostedSetup, tools: Sequence[Tool]) -> dict[str, Any]:
        pcm = {"type": "audio/pcm", "rate": 24_000}
        output: dict[str, Any] = {"format": pcm}
        if setup.speed != 1.0:
            output["speed"] = _bounded(setup.speed)
        if setup.voice is not None and (voice := self.voice(setup.voice)) is not None:
            output["voice"] = voice
        session: dict[str, Any] = {
            "type": "realtime",
            "output_modalities": ["text"] if setup.voice is None else ["audio"],
            "instructions": setup.instructions,
            "audio": {
                "input": {"format": pcm, "turn_detection": None, "transcription": self._transcription(setup)},
                "output": output,
            },
            "tools": [_flat_tool(tool) for tool in tools],
            "tool_choice": self._choice(setup),
            "max_output_tokens": _most_tokens(setup),
        }
        return session if setup.parallel_tool_calls else {**session, "parallel_tool_calls": False}

    def _flat(self, setup: HostedSetup, tools: Sequence[Tool]) -> dict[str, Any]:
        stepfun = self.dialect == "stepfun"
        session: dict[str, Any] = {
            "modalities": ["text"] if setup.voice is None else ["text", "audio"],
            "instructions": setup.instructions,
            "input_audio_format": "pcm16",
            "output_audio_format": "pcm16",
            "turn_detection": None,
            "tools": [_nested_tool(tool) if stepfun else _flat_tool(tool) for tool in tools],
            "tool_choice": self._choice(setup),
            "max_response_output_tokens": MAX_TOKENS if stepfun and setup.max_tokens is None else _most_tokens(setup),
        }
        if setup.voice is not None and (voice := self.voice(setup.voice)) is not None:
            session["voice"] = voice
        if setup.speed != 1.0:
            session["speed"] = _bounded(setup.speed)
        if not stepfun:  # StepFun's writes down in any case
            session["input_audio_transcription"] = self._transcription(setup)
        return session

    def _transcription(self, setup: HostedSetup) -> dict[str, Any] | None:
        if self._settings.transcripts == "ours":
            return None
        transcription = {"model": self._settings.transcription_model or TRANSCRIPTION_MODEL}
        return transcription if setup.language is None else {**transcription, "language": setup.language}

    def _choice(self, setup: HostedSetup) -> Any:
        """A choice of one tool is an object; StepFun takes words only, so there it is the only one on offer."""
        choice = setup.tool_choice
        if isinstance(choice, NamedTool):
            return "required" if self.dialect == "stepfun" else {"type": "function", "name": choice.name}
        return "auto" if isinstance(choice, ToolOfServer) or not setup.tools else choice

    def _is_offered(self, tool: Tool, setup: HostedSetup) -> bool:
        one_only = self.dialect == "stepfun" and isinstance(setup.tool_choice, NamedTool)
        return not one_only or setup.tool_choice == NamedTool(tool.name)

    # ---- items

    def item(self, entry: HistoryEntry, audio: bytes | None, *, answers: bool) -> dict[str, Any] | None:
        """The item that tells ``entry``, with its ``audio`` (PCM16 at 24 kHz) in place of its words; ``None``: none is needed.

        ``answers``: an output is that of a call the other side knows of. What came of others is told in words.
        """
        match entry:
            case HistoryCall(call=call):
                if not self.takes_calls:
                    return None
                return {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": call.arguments}
            case HistoryOutput(call_id=call_id, output=output):
                if answers:
                    return {"type": "function_call_output", "call_id": call_id, "output": output}
                return _message("system", "input_text", f"A tool that was called here gave: {output}")
            case _ if audio is not None:
                content = [{"type": "input_audio", "audio": base64.b64encode(audio).decode()}]
                return {"type": "message", "role": "user", "content": content}
            case _ if not entry.text:
                return None
            case _ if entry.role == "assistant":
                return _message("assistant", "output_text" if self.dialect == "openai" else "text", entry.text)
            case _:
                return _message("system" if entry.role == "system" else "user", "input_text", entry.text)


def _message(role: str, kind: str, text: str) -> dict[str, Any]:
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}


def _flat_tool(tool: Tool) -> dict[str, Any]:
    return {"type": "function", "name": tool.name, "description": tool.description, "parameters": tool.parameters}


def _nested_tool(tool: Tool) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def _most_tokens(setup: HostedSetup) -> int | str:
    return "inf" if setup.max_tokens is None else min(setup.max_tokens, MAX_TOKENS)


def _bounded(speed: float) -> float:
    return min(max(speed, SPEEDS[0]), SPEEDS[1])
