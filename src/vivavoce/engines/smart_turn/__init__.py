"""Smart Turn on ONNX Runtime: hears from intonation and wording whether the speaker has finished."""

from vivavoce.engines.smart_turn.model import load

__all__ = ["load"]
