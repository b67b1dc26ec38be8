"""Turn detection as the dialects write it. StepFun measures energy from 0 to 5000 where the others have a probability."""

from __future__ import annotations

from typing import Any

import msgspec

from vivavoce.errors import ClientError
from vivavoce.protocol.json_fields import Json, an_object, checked, without_nulls
from vivavoce.protocol.session_config import TurnDetection, TurnDetectionPatch

ENERGY_SCALE = 5000
"""``energy_awakeness_threshold`` runs from 0 to 5000; 2500 stands for a speech probability of 0.5 (livekit/agents#7352)."""


def read_turn_detection(value: Any, param: str) -> TurnDetectionPatch | None:
    """The tunables given; ``idle_timeout_ms`` alone can be ``null``. Azure's clients write ``{"type": "none"}`` for off.

    StepFun's energy threshold goes before a plain ``threshold``.
    """
    fields = an_object(value, param)
    shaped = without_nulls(fields)
    if "idle_timeout_ms" in fields:
        shaped["idle_timeout_ms"] = fields["idle_timeout_ms"]
    if "energy_awakeness_threshold" in shaped:
        energy = shaped.pop("energy_awakeness_threshold")
        shaped["threshold"] = _probability(energy, f"{param}.energy_awakeness_threshold")
    if "interruption" in shaped:
        shaped["interruption"] = without_nulls(an_object(shaped["interruption"], f"{param}.interruption"))
    return None if shaped.get("type") == "none" else checked(shaped, TurnDetectionPatch, param)


def _probability(energy: Any, param: str) -> float:
    """The speech probability an energy stands for."""
    if isinstance(energy, bool) or not isinstance(energy, int | float) or not 0 <= energy <= ENERGY_SCALE:
        raise ClientError(f"'energy_awakeness_threshold' must be a number from 0 to {ENERGY_SCALE}.", param=param)
    return energy / ENERGY_SCALE


def turn_detection(vad: TurnDetection | None) -> Json | None:
    """OpenAI's object: each type shows what it is tuned by. ``idle_timeout_ms`` (GA) and ``interruption`` (ours) are shown
    where they are set."""
    if vad is None:
        return None
    shaped: Json = {"type": vad.type}
    if vad.type == "semantic_vad":
        shaped["eagerness"] = vad.eagerness
    else:
        shaped["threshold"] = vad.threshold
        shaped["prefix_padding_ms"] = vad.prefix_padding_ms
        shaped |= _silence(vad)
    shaped["create_response"] = vad.create_response
    shaped["interrupt_response"] = vad.interrupt_response
    if vad.idle_timeout_ms is not None:
        shaped["idle_timeout_ms"] = vad.idle_timeout_ms
    return {**shaped, **_interruption(vad)}


def energy_turn_detection(vad: TurnDetection | None) -> Json | None:
    """StepFun's object, with OpenAI's tunables only where a client has set them."""
    if vad is None:
        return None
    defaults = TurnDetection()
    beyond = ("create_response", "interrupt_response", "idle_timeout_ms", "eagerness")
    return {
        "type": vad.type,
        "prefix_padding_ms": vad.prefix_padding_ms,
        **_silence(vad),
        "energy_awakeness_threshold": round(vad.threshold * ENERGY_SCALE),
        **{name: getattr(vad, name) for name in beyond if getattr(vad, name) != getattr(defaults, name)},
        **_interruption(vad),
    }


def _silence(vad: TurnDetection) -> Json:
    """A fixed silence, where one was asked for: typed clients stumble over a number that is ``null``."""
    return {} if vad.silence_duration_ms is None else {"silence_duration_ms": vad.silence_duration_ms}


def _interruption(vad: TurnDetection) -> Json:
    """What the client has set of it: other clients never see the field."""
    return {} if vad.interruption is None else {"interruption": msgspec.to_builtins(vad.interruption)}
