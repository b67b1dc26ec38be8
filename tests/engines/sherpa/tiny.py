"""ZipVoice in a few kilobytes: the graphs have the inputs and outputs of the real ones, and no training.

Every token lasts ten frames; whatever is said sounds like a click at every frame.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

MELS = 100
BINS = 513


Tensor = tuple[str, int, Any]


def _save(
    path: Path,
    nodes: list[onnx.NodeProto],
    inputs: list[Tensor],
    outputs: list[Tensor],
    values: dict[str, NDArray[Any]],
    **meta: str,
) -> None:
    graph = helper.make_graph(
        nodes,
        path.stem,
        [helper.make_tensor_value_info(*one) for one in inputs],
        [helper.make_tensor_value_info(*one) for one in outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, meta)
    onnx.save(model, path)


def make_zipvoice(folder: Path, *, rate_hz: int = 24_000, english: bool = True) -> Path:
    """Write the five files of the model."""
    folder.mkdir(parents=True, exist_ok=True)
    _encoder(folder / "encoder.int8.onnx")
    _decoder(folder / "decoder.int8.onnx", rate_hz)
    _vocoder(folder / "vocos_24khz.onnx", rate_hz)
    symbols = [" ", "_", ".", ",", "?", "!", *"abcdefghijklmnopqrstuvwxyz"]
    (folder / "tokens.txt").write_text("".join(f"{symbol} {number}\n" for number, symbol in enumerate(symbols)))
    words = ["hello", "there", "good", "day", "i", "heard", "milliseconds"] if english else []
    chinese = "你 n i\n好 h a o\n"
    (folder / "lexicon.txt").write_text("".join(f"{word} {' '.join(word)}\n" for word in words) + chinese)
    return folder


def _encoder(path: Path) -> None:
    """Frames: those of the clip, and ten for every token of the text."""
    nodes = [
        helper.make_node("Shape", ["tokens"], ["shape"]),
        helper.make_node("Gather", ["shape", "one"], ["count"], axis=0),
        helper.make_node("Mul", ["count", "ten"], ["own"]),
        helper.make_node("Add", ["own", "prompt_features_len"], ["frames"]),
        helper.make_node("Concat", ["one", "frames", "mels"], ["wanted"], axis=0),
        helper.make_node("ReduceSum", ["prompt_tokens"], ["told"], keepdims=0),
        helper.make_node("Cast", ["told"], ["telling"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["telling", "nothing"], ["zero"]),
        helper.make_node("Mul", ["zero", "speed"], ["silent"]),
        helper.make_node("Expand", ["silent", "wanted"], ["text_condition"]),
    ]
    whole, real = TensorProto.INT64, TensorProto.FLOAT
    _save(
        path,
        nodes,
        [
            ("tokens", whole, [1, "n"]),
            ("prompt_tokens", whole, [1, "m"]),
            ("prompt_features_len", whole, [1]),
            ("speed", real, [1]),
        ],
        [("text_condition", real, [1, "t", MELS])],
        {
            "one": np.array([1]),
            "ten": np.array([10]),
            "mels": np.array([MELS]),
            "nothing": np.zeros(1, np.float32),
        },
        use_espeak="0",
    )


def _decoder(path: Path, rate_hz: int) -> None:
    real = TensorProto.FLOAT
    nodes = [
        helper.make_node("Sub", ["text_condition", "x"], ["away"]),
        helper.make_node("Add", ["away", "speech_condition"], ["toward"]),
        helper.make_node("Mul", ["guidance_scale", "nothing"], ["zero"]),
        helper.make_node("Add", ["zero", "t"], ["when"]),
        helper.make_node("Mul", ["when", "nothing"], ["never"]),
        helper.make_node("Add", ["toward", "never"], ["v"]),
    ]
    frames = [1, "t", MELS]
    inputs = [("t", real, [1]), *((name, real, frames) for name in ("x", "text_condition", "speech_condition"))]
    _save(
        path,
        nodes,
        [*inputs, ("guidance_scale", real, [1])],
        [("v", real, frames)],
        {"nothing": np.zeros(1, np.float32)},
        sample_rate=str(rate_hz),
        model_type="zipvoice",
        version="1",
    )


def _vocoder(path: Path, rate_hz: int) -> None:
    """All frequencies alike, their signs in turn: a click in the middle of every frame, where the window is open."""
    real = TensorProto.FLOAT
    nodes = [
        helper.make_node("ReduceMean", ["mel"], ["level"], axes=[1], keepdims=1),
        helper.make_node("Mul", ["level", "none"], ["flat"]),
        helper.make_node("Add", ["flat", "loud"], ["mag"]),
        helper.make_node("Add", ["flat", "all"], ["x"]),
        helper.make_node("Identity", ["flat"], ["y"]),
    ]
    bins = np.zeros((1, BINS, 1), np.float32)
    _save(
        path,
        nodes,
        [("mel", real, [1, MELS, "t"])],
        [(name, real, [1, BINS, "t"]) for name in ("mag", "x", "y")],
        {
            "none": bins,
            "loud": bins + 0.5,
            "all": bins + (1 - 2 * (np.arange(BINS) % 2).reshape(1, -1, 1)).astype(np.float32),
        },
        model_type="vocos",
        sample_rate=str(rate_hz),
        n_fft="1024",
        hop_length="256",
        win_length="1024",
        center="1",
        normalized="0",
        window_type="hann",
        pad_mode="reflect",
    )
