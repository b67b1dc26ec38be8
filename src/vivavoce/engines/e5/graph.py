"""The encoder as an ONNX graph, made of the packed weights when they are loaded.

Embedding rows are looked up outside of it: the table is most of the file, and a text needs a few rows. Matrices stay at
4 bits; ONNX Runtime multiplies them with 8-bit activations (``MatMulNBits``, accuracy level 4), as the authors of the
packed file do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

from vivavoce.engines.e5.weights import BLOCK, Weights, nibbles

OPSET = 20
IR_VERSION = 10
RUNTIME_DOMAIN = "com.microsoft"
EIGHT_BIT_ACTIVATIONS = 4


def encoder(weights: Weights) -> ModelProto:
    """The graph.

    Inputs: ``words`` ``float32[b, n, hidden]`` (rows of the embedding table), ``mask`` ``float32[b, 1, 1, n]`` (0, or very
    negative where a text has ended), ``shares`` ``float32[b, n, 1]`` (what each token counts in the mean).
    Output: ``meaning`` ``float32[b, hidden]``, of length 1.
    """
    graph = _Graph(weights)
    tokens = graph.embedded()
    for layer in range(weights.shape.layers):
        tokens = graph.layer(f"l{layer}", tokens)
    shared = graph.node("Mul", [tokens, "shares"], "shared")
    mean = graph.node("ReduceSum", [shared, graph.constant("along", np.array([1], np.int64))], "mean", keepdims=0)
    graph.node("LpNormalization", [mean], "meaning", axis=-1, p=2)
    return graph.model()


class _Graph:
    """Nodes and constants as they come up; names are the file's."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._shape = weights.shape
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def constant(self, name: str, value: NDArray[Any]) -> str:
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self._nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def embedded(self) -> str:
        """Words, their positions and their kind (there is one), normalised."""
        hidden = self._shape.hidden
        places = self._weights.vector("emb.pos").reshape(-1, hidden) + self._weights.vector("emb.type")[:hidden]
        self.constant("places", places)
        self.constant("first", np.array([0], np.int64))
        length = self.node("Shape", ["words"], "length", start=1, end=2)
        here = self.node("Slice", ["places", "first", length, "first"], "here")
        return self.normalised(self.node("Add", ["words", here], "placed"), "emb.ln")

    def layer(self, name: str, tokens: str) -> str:
        """Attention and feed-forward, each added to what it read and normalised after it."""
        attended = self.matrix(self.attention(name, tokens), f"{name}.ao", self._shape.hidden)
        tokens = self.normalised(self.node("Add", [tokens, attended], f"{name}.seen"), f"{name}.aln")
        wide = self.node("Gelu", [self.matrix(tokens, f"{name}.fi", self._shape.hidden)], f"{name}.bent")
        narrow = self.matrix(wide, f"{name}.fo", self._shape.feed_forward)
        return self.normalised(self.node("Add", [tokens, narrow], f"{name}.thought"), f"{name}.oln")

    def attention(self, name: str, tokens: str) -> str:
        """What each token gathers from the others: ``[b, n, hidden]``."""
        hidden, heads = self._shape.hidden, self._shape.heads
        split = self.constant(f"{name}.split", np.array([0, 0, heads, hidden // heads], np.int64))
        joined = self.constant(f"{name}.joined", np.array([0, 0, hidden], np.int64))
        scale = self.constant(f"{name}.scale", np.array((hidden // heads) ** -0.5, np.float32))
        parts = {}
        for part, order in (("q", [0, 2, 1, 3]), ("k", [0, 2, 3, 1]), ("v", [0, 2, 1, 3])):
            flat = self.matrix(tokens, f"{name}.{part}", hidden)
            per_head = self.node("Reshape", [flat, split], f"{name}.{part}.heads")
            parts[part] = self.node("Transpose", [per_head], f"{name}.{part}.turned", perm=order)
        scaled = self.node("Mul", [parts["q"], scale], f"{name}.scaled")
        alike = self.node("MatMul", [scaled, parts["k"]], f"{name}.alike")
        masked = self.node("Add", [alike, "mask"], f"{name}.masked")
        weighed = self.node("Softmax", [masked], f"{name}.weighed", axis=-1)
        gathered = self.node("MatMul", [weighed, parts["v"]], f"{name}.gathered")
        turned = self.node("Transpose", [gathered], f"{name}.together", perm=[0, 2, 1, 3])
        return self.node("Reshape", [turned, joined], f"{name}.context")

    def matrix(self, tokens: str, name: str, inputs: int) -> str:
        """``tokens`` times the matrix, plus its bias. Low halves come first where ONNX Runtime looks for them."""
        blocks = self._weights.blocks(f"{name}.w", inputs)
        values = nibbles(blocks)
        packed = self.constant(f"{name}.w", values[..., 0::2] | (values[..., 1::2] << 4))
        scales = self.constant(f"{name}.scales", blocks["scale"].astype(np.float32).reshape(-1))
        bias = self.constant(f"{name}.b", self._weights.vector(f"{name}.b"))
        return self.node(
            "MatMulNBits", [tokens, packed, scales, "", "", bias], f"{name}.out", domain=RUNTIME_DOMAIN,
            K=inputs, N=len(blocks), bits=4, block_size=BLOCK, accuracy_level=EIGHT_BIT_ACTIVATIONS,
        )  # fmt: skip

    def normalised(self, tokens: str, name: str) -> str:
        weight = self.constant(f"{name}.w", self._weights.vector(f"{name}.w"))
        bias = self.constant(f"{name}.b", self._weights.vector(f"{name}.b"))
        return self.node(
            "LayerNormalization", [tokens, weight, bias], f"{name}.out", axis=-1, epsilon=self._weights.epsilon
        )

    def model(self) -> ModelProto:
        """All of it."""
        hidden = self._shape.hidden
        shapes: dict[str, list[str | int | None]] = {
            "words": ["b", "n", hidden],
            "mask": ["b", 1, 1, "n"],
            "shares": ["b", "n", 1],
        }
        inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]
        output = helper.make_tensor_value_info("meaning", TensorProto.FLOAT, ["b", hidden])
        graph = helper.make_graph(self._nodes, "e5", inputs, [output], self._constants)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(RUNTIME_DOMAIN, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
