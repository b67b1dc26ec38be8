"""The StepFun dialect (Realtime reference, sections 2 to 5).

It differs from the canonical form in the session object (flat names, energy threshold, nested tools) and in the
function-argument deltas, which carry the increment in both ``delta`` and ``arguments`` because StepFun's own clients
disagree on the name.
"""

from __future__ import annotations

from typing import Any

import msgspec

from vivavoce.errors import ClientError
from vivavoce.protocol.dialect import Json
from vivavoce.protocol.server_events import (
    ArgumentsDelta,
    ItemDone,
    RateLimits,
    ServerEvent,
    SessionCreated,
    SessionUpdated,
    TranscriptionCompleted,
    TranscriptionDelta,
    TranscriptionFailed,
)
from vivavoce.protocol.session_config import (
    AudioFormat,
    FunctionChoice,
    FunctionTool,
    SessionConfig,
    ToolChoice,
    TurnDetection,
)

ENERGY_SCALE = 5000
"""``energy_awakeness_threshold`` runs from 0 to 5000; 2500 stands for a speech probability of 0.5 (livekit/agents#7352)."""

LEGACY_NAMES = {"max_response_output_tokens": "max_output_tokens", "max_response_output_length": "max_output_tokens"}
"""Names that clients of the step-1o-audio era send for today's fields."""


class StepFun:
    """Translators of the StepFun dialect. Stateless."""

    name = "stepfun"

    def reshape_client(self, event: Json) -> Json:
        """Flatten tools, scale the threshold, accept legacy names, also StepFun's ``session`` form of an override."""
        match event.get("type"):
            case "session.update":
                return {**event, "session": _session_in(event.get("session"), "session")}
            case "response.create":
                # The guide's opening-line sample puts the override into a top-level ``session`` object.
                key = "session" if "session" in event and "response" not in event else "response"
                return {**event, "response": _session_in(event.get(key) or {}, key)}
            case _:
                return event

    def reshape_session(self, session: Any, param: str) -> Json:
        """The flat session as a canonical patch."""
        return _session_in(session, param)

    def reshape_server(self, event: ServerEvent) -> list[Json]:
        """The session gets its wire shape; most of the rest already has it."""
        if isinstance(event, ItemDone | RateLimits):
            return []
        if isinstance(event, SessionCreated | SessionUpdated):
            return [
                {
                    "event_id": event.event_id,
                    "type": event.wire_name(),
                    "session": _session_out(event.session, event.session_id),
                }
            ]
        plain: Json = msgspec.to_builtins(event, builtin_types=(bytes,))
        match event:
            case ArgumentsDelta():
                plain["arguments"] = event.delta
            case TranscriptionDelta():
                plain["delta"] = plain.pop("text")
                del plain["requested"]
            case TranscriptionCompleted():
                del plain["duration_s"], plain["requested"]
            case TranscriptionFailed():
                del plain["requested"]
        if "response" in plain:
            del plain["response"]["config"]
        return [plain]


def _session_in(session: Any, param: str) -> Json:
    if not isinstance(session, dict):
        raise ClientError(f"'{param}' must be an object.", param=param)
    # Typed clients send null for what they leave alone; only for ``turn_detection`` it has a meaning: off.
    shaped: Json = {
        LEGACY_NAMES.get(str(key), str(key)): value
        for key, value in session.items()
        if value is not None or key == "turn_detection"
    }
    if isinstance(shaped.get("max_output_tokens"), str) and shaped["max_output_tokens"].isdigit():
        shaped["max_output_tokens"] = int(shaped["max_output_tokens"])  # the reference shows "4096" and 4096
    if isinstance(shaped.get("turn_detection"), dict):
        shaped["turn_detection"] = _turn_detection_in(shaped["turn_detection"], param)
    for name in ("input_audio_format", "output_audio_format"):
        if name in shaped:
            shaped[name] = _format_in(shaped[name], f"{param}.{name}")
    if "tools" in shaped:
        shaped["tools"] = _tools_in(shaped["tools"], param)
    return shaped


def _turn_detection_in(vad: Json, param: str) -> Json:
    shaped = dict(vad)
    energy = shaped.pop("energy_awakeness_threshold", None)
    if energy is None:
        return shaped
    if isinstance(energy, bool) or not isinstance(energy, int | float) or not 0 <= energy <= ENERGY_SCALE:
        raise ClientError(
            f"'energy_awakeness_threshold' must be a number from 0 to {ENERGY_SCALE}.",
            param=f"{param}.turn_detection.energy_awakeness_threshold",
        )
    return {**shaped, "threshold": energy / ENERGY_SCALE}


def _tools_in(tools: Any, param: str) -> list[Json]:
    if not isinstance(tools, list):
        raise ClientError("'tools' must be an array.", param=f"{param}.tools")
    return [_tool_in(tool, f"{param}.tools[{index}]") for index, tool in enumerate(tools)]


def _tool_in(tool: Any, param: str) -> Json:
    """Nested (StepFun) and flat (the official demo's library) function tools mean the same."""
    if not isinstance(tool, dict):
        raise ClientError("A tool must be an object.", param=param)
    kind = tool.get("type")
    if kind != "function":
        raise ClientError(f"tools of type '{kind}' are not available on this server", param=f"{param}.type")
    function = tool.get("function", tool)
    if not isinstance(function, dict):
        raise ClientError("'function' must be an object.", param=f"{param}.function")
    return {
        "type": "function",
        **{key: function[key] for key in ("name", "description", "parameters") if key in function},
    }


def _session_out(config: SessionConfig, session_id: str) -> Json:
    return {
        "id": session_id,
        "object": "realtime.session",
        "model": config.model,
        "modalities": list(config.modalities),
        "instructions": config.instructions,
        "voice": config.voice,
        "input_audio_format": _format_out(config.input_audio_format),
        "output_audio_format": _format_out(config.output_audio_format),
        "turn_detection": _turn_detection_out(config.turn_detection),
        "tools": [_tool_out(tool) for tool in config.tools],
        "tool_choice": _choice_out(config.tool_choice),
        "temperature": config.temperature,
        "max_response_output_tokens": config.max_output_tokens,
    }


def _turn_detection_out(vad: TurnDetection | None) -> Json | None:
    if vad is None:
        return None
    return {
        "type": vad.type,
        "prefix_padding_ms": vad.prefix_padding_ms,
        "silence_duration_ms": vad.silence_duration_ms,
        "energy_awakeness_threshold": round(vad.threshold * ENERGY_SCALE),
    }


def _tool_out(tool: FunctionTool) -> Json:
    return {
        "type": tool.type,
        "function": {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)},
    }


def _choice_out(choice: ToolChoice) -> str | Json:
    return {"type": "function", "name": choice.name} if isinstance(choice, FunctionChoice) else choice


_FORMATS = {
    "pcm16": AudioFormat(),
    **{f"pcm16_{rate}": AudioFormat(rate_hz=rate) for rate in (8000, 16000, 24000, 48000)},
    "g711_ulaw": AudioFormat(encoding="g711_ulaw", rate_hz=8000),
    "g711_alaw": AudioFormat(encoding="g711_alaw", rate_hz=8000),
}


def _format_in(name: Any, param: str) -> Json:
    if not isinstance(name, str) or name not in _FORMATS:
        raise ClientError(f"audio formats are {', '.join(_FORMATS)}", param=param)
    return {"encoding": _FORMATS[name].encoding, "rate_hz": _FORMATS[name].rate_hz}


def _format_out(format: AudioFormat) -> str:
    return next(name for name, known in _FORMATS.items() if known == format)
