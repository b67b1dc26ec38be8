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


def split_graph(file: Path) -> tuple[bytes, bytes]:
    """Two serialised models: tokens, style and speed → ``FEATURES``, ``PITCH``, ``ENERGY``; those and the style → audio.

    Raises ``WeightsError`` for a graph that has no such place to be cut.
    """
    model = onnx.load(str(file))
    outputs = {name for node in model.graph.node for name in node.output}
    if not {FEATURES, PITCH, ENERGY} <= outputs:
        raise WeightsError(f"{file} is not the graph of Kokoro v1.0 this program knows.")
    tokens = ("tokens", TensorProto.INT64, [1, "tokens"])
    speed = ("speed", TensorProto.FLOAT, [1])
    first = _part(model, [tokens, _VOICE, speed], _FRAMES)
    second = _part(model, [*_FRAMES, _VOICE], [("audio", TensorProto.FLOAT, ["samples"])])
    return first, second


_Value = tuple[str, int, list[Any]]


def _part(full_model: onnx.ModelProto, inputs: Sequence[_Value], outputs: Sequence[_Value]) -> bytes:
    """What of ``full_model`` leads from ``inputs`` to ``outputs``, as a model."""
    producers = {name: node for node in full_model.graph.node for name in node.output}
    input_names = {name for name, _, _ in inputs}
    used: set[str] = set()
    pending = [name for name, _, _ in outputs]
    while pending:
        name = pending.pop()
        if name and name not in used and name not in input_names:
            used.add(name)
            pending.extend(producers[name].input if name in producers else ())
    graph = helper.make_graph(
        [node for node in full_model.graph.node if not used.isdisjoint(node.output)],
        full_model.graph.name,
        [helper.make_tensor_value_info(*value) for value in inputs],
        [helper.make_tensor_value_info(*value) for value in outputs],
        initializer=[constant for constant in full_model.graph.initializer if constant.name in used],
    )
    model = helper.make_model(graph, opset_imports=full_model.opset_import, ir_version=full_model.ir_version)
    return model.SerializeToString()
