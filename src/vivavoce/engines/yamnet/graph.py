"""YAMNet as an ONNX graph, made of its checkpoint when it is loaded.

A MobileNet (``yamnet.py`` in tensorflow/models): a convolution, 13 pairs of a depthwise and a pointwise one, the mean, and a
classifier of 521 classes. Normalisation is a factor and an offset once training is over, and goes into the convolutions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

from vivavoce.engines.yamnet.checkpoint import Checkpoint
from vivavoce.perception.sound_patches import BANDS, FRAMES

OPSET = 20
IR_VERSION = 10
STRIDES = (2, 1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
"""Of the first convolution, and of the depthwise ones."""

NORMALISATION_EPSILON = 1e-4
LAYER = "layer-1/layer/_func/_yamnet/layer_with_weights-{}/{}/.ATTRIBUTES/VARIABLE_VALUE"
"""What a tensor is called in the checkpoint: by the number of its layer among those that have weights."""


def classifier(checkpoint: Checkpoint) -> ModelProto:
    """The graph: ``patches`` ``float32[n, 1, FRAMES, BANDS]`` to ``scores`` ``float32[n, classes]`` in [0, 1].

    Raises ``ValueError`` for another network's checkpoint.
    """
    graph = _Graph(checkpoint)
    sound = graph.convolution(0, "patches", "kernel", STRIDES[0])
    for number, stride in enumerate(STRIDES[1:]):
        sound = graph.convolution(4 * number + 2, sound, "depthwise_kernel", stride)
        sound = graph.convolution(4 * number + 4, sound, "kernel", 1)
    mean = graph.node("GlobalAveragePool", [sound], "pooled")
    flat = graph.node("Flatten", [mean], "flat")
    last = 4 * len(STRIDES) - 2
    logits = graph.node("Gemm", [flat, graph.tensor(last, "kernel"), graph.tensor(last, "bias")], "logits")
    graph.node("Sigmoid", [logits], "scores")
    return graph.model()


class _Graph:
    """Nodes and constants as they come up."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self._nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def tensor(self, layer: int, name: str) -> str:
        return self._constant(f"{name}{layer}", self._read(layer, name))

    def convolution(self, layer: int, sound: str, kernel: str, stride: int) -> str:
        """A convolution with the normalisation behind it (the next layer), and its rectifier."""
        weights = self._read(layer, kernel)
        beta, mean, variance = (self._read(layer + 1, name) for name in ("beta", "moving_mean", "moving_variance"))
        factor = 1 / np.sqrt(variance + NORMALISATION_EPSILON)
        depthwise = kernel == "depthwise_kernel"
        # height, width, in, out → out, in, height, width; a depthwise one has its channels where others have inputs
        filters = weights.transpose(2, 3, 0, 1) if depthwise else weights.transpose(3, 2, 0, 1)
        inputs = [
            sound,
            self._constant(f"filters{layer}", filters * factor[:, None, None, None]),
            self._constant(f"offsets{layer}", beta - mean * factor),
        ]
        out = self.node(
            "Conv", inputs, f"convolved{layer}",
            auto_pad="SAME_UPPER", strides=[stride, stride], group=len(filters) if depthwise else 1,
        )  # fmt: skip
        return self.node("Relu", [out], f"rectified{layer}")

    def model(self) -> ModelProto:
        sizes: list[str | int | None] = ["n", 1, FRAMES, BANDS]
        inputs = [helper.make_tensor_value_info("patches", TensorProto.FLOAT, sizes)]
        outputs = [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", None])]
        graph = helper.make_graph(self._nodes, "yamnet", inputs, outputs, self._constants)
        opsets = [helper.make_opsetid("", OPSET)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)

    def _read(self, layer: int, name: str) -> NDArray[np.float32]:
        return self._checkpoint.tensor(LAYER.format(layer, name))

    def _constant(self, name: str, value: NDArray[Any]) -> str:
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value, np.float32), name))
        return name
