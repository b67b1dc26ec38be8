"""Kokoro's graph, cut in two where phonemes have become frames: what says how it sounds, and what makes the sound.

The published file is one graph that pads every clip with about a second of silence, and making the sound of a frame costs
the same whether it is silent or not. Between the halves the silent frames can be left out (``model.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper

from vivavoce.errors import WeightsError

FEATURES = "/encoder/MatMul_1_output_0"
"""``float32[1, 512, frames]``: the phonemes, each as long as it lasts."""

PITCH = "/encoder/Reshape_output_0"
ENERGY = "/encoder/Reshape_1_output_0"
"""``float32[1, 2 * frames]`` each: the curves of the fundamental frequency and of the energy."""

STYLE = "style"

_FRAMES = [
    (FEATURES, TensorProto.FLOAT, [1, 512, "frames"]),
    (PITCH, TensorProto.FLOAT, [1, "half_frames"]),
    (ENERGY, TensorProto.FLOAT, [1, "half_frames"]),
]
_VOICE = (STYLE, TensorProto.FLOAT, [1, 256])


def halves(file: Path) -> tuple[bytes, bytes]:
    """Two serialised models: tokens, style and speed → ``FEATURES``, ``PITCH``, ``ENERGY``; those and the style → audio.

    Raises ``WeightsError`` for a graph that has no such place to be cut.
    """
    whole = onnx.load(str(file))
    made = {name for node in whole.graph.node for name in node.output}
    if not {FEATURES, PITCH, ENERGY} <= made:
        raise WeightsError(f"{file} is not the graph of Kokoro v1.0 this program knows.")
    tokens = ("tokens", TensorProto.INT64, [1, "tokens"])
    speed = ("speed", TensorProto.FLOAT, [1])
    first = _part(whole, [tokens, _VOICE, speed], _FRAMES)
    second = _part(whole, [*_FRAMES, _VOICE], [("audio", TensorProto.FLOAT, ["samples"])])
    return first, second


_Value = tuple[str, int, list[Any]]


def _part(whole: onnx.ModelProto, inputs: Sequence[_Value], outputs: Sequence[_Value]) -> bytes:
    """What of ``whole`` leads from ``inputs`` to ``outputs``, as a model."""
    makers = {name: node for node in whole.graph.node for name in node.output}
    given = {name for name, _, _ in inputs}
    used: set[str] = set()
    wanted = [name for name, _, _ in outputs]
    while wanted:
        name = wanted.pop()
        if name and name not in used and name not in given:
            used.add(name)
            wanted.extend(makers[name].input if name in makers else ())
    graph = helper.make_graph(
        [node for node in whole.graph.node if not used.isdisjoint(node.output)],
        whole.graph.name,
        [helper.make_tensor_value_info(*value) for value in inputs],
        [helper.make_tensor_value_info(*value) for value in outputs],
        initializer=[constant for constant in whole.graph.initializer if constant.name in used],
    )
    model = helper.make_model(graph, opset_imports=whole.opset_import, ir_version=whole.ir_version)
    return model.SerializeToString()
