"""ZipVoice and Pocket TTS in a few kilobytes: the graphs have the inputs and outputs of the real ones, and no training.

Whatever they say sounds like clicks. With ZipVoice every token lasts ten frames, with Pocket TTS three.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

MELS = 100
BINS = 513
LATENTS, WIDTH, FRAME = 32, 1024, 1920


Tensor = tuple[str, int, Any]


def save(
    path: Path,
    nodes: list[onnx.NodeProto],
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
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
    """Write the four files of the model. Without ``english`` there are tokens of Chinese only."""
    folder.mkdir(parents=True, exist_ok=True)
    _encoder(folder / "encoder.int8.onnx")
    _decoder(folder / "decoder.int8.onnx", rate_hz)
    _vocoder(folder / "vocos_24khz.onnx", rate_hz)
    syllables = ["n0", "h0", "w0", "i3", "ao3", "u3"]
    espeaks = [" ", ".", ",", "?", "!", *"abdefhijklmnoprstuvwzæðŋɐɑɔəɚɛɜɡɪɹɾʃʊʌʒˈˌːθᵻ"] if english else ["."]
    tokens = ["_", *espeaks, *syllables]
    (folder / "tokens.txt").write_text("".join(f"{token}\t{number}\n" for number, token in enumerate(tokens)))
    return folder


def make_pocket(folder: Path) -> Path:
    """Write the seven files of the model."""
    folder.mkdir(parents=True, exist_ok=True)
    _lm_main(folder / "lm_main.int8.onnx")
    _lm_flow(folder / "lm_flow.int8.onnx")
    _mimi_encoder(folder / "encoder.onnx")
    _mimi_decoder(folder / "decoder.onnx")
    _text_conditioner(folder / "text_conditioner.onnx")
    pieces = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *"abcdefghijklmnopqrstuvwxyz.,!?"]
    (folder / "vocab.json").write_text(json.dumps({piece: number for number, piece in enumerate(pieces)}))
    (folder / "token_scores.json").write_text(json.dumps(dict.fromkeys(pieces, -1.0)))
    return folder


def _lm_main(path: Path) -> None:
    """Counts what is to come in its one state: three frames for a token of the text, one less for each that was made."""
    real = TensorProto.FLOAT
    nodes = [
        helper.make_node("ReduceSum", ["text_embeddings", "along"], ["told"], keepdims=0),
        helper.make_node("Mul", ["told", "frames"], ["more"]),
        helper.make_node("Shape", ["sequence"], ["shape"]),
        helper.make_node("Gather", ["shape", "one"], ["count"], axis=0),
        helper.make_node("Cast", ["count"], ["made"], to=real),
        helper.make_node("Add", ["state", "more"], ["grown"]),
        helper.make_node("Sub", ["grown", "made"], ["out_state"]),
        helper.make_node("LessOrEqual", ["out_state", "nothing"], ["over"]),
        helper.make_node("Where", ["over", "yes", "no"], ["eos_logit"]),
        helper.make_node("Expand", ["nothing", "width"], ["conditioning"]),
    ]
    inputs = [("sequence", real, [1, "n", LATENTS]), ("text_embeddings", real, [1, "m", WIDTH]), ("state", real, [1])]
    save(
        path,
        nodes,
        inputs,
        [("conditioning", real, [1, WIDTH]), ("eos_logit", real, [1]), ("out_state", real, [1])],
        {
            "along": np.array([0, 1, 2]),
            "frames": np.full(1, 3 / WIDTH, np.float32),
            "one": np.array([1]),
            "nothing": np.zeros(1, np.float32),
            "yes": np.full(1, 10, np.float32),
            "no": np.full(1, -10, np.float32),
            "width": np.array([1, WIDTH]),
        },
    )


def _lm_flow(path: Path) -> None:
    real = TensorProto.FLOAT
    nodes = [
        helper.make_node("ReduceMean", ["c"], ["level"], keepdims=1),
        helper.make_node("Add", ["s", "t"], ["when"]),
        helper.make_node("Mul", ["when", "level"], ["never"]),
        helper.make_node("Sub", ["never", "x"], ["flow_dir"]),
    ]
    inputs = [("c", real, [1, WIDTH]), ("s", real, [1, 1]), ("t", real, [1, 1]), ("x", real, [1, LATENTS])]
    save(path, nodes, inputs, [("flow_dir", real, [1, LATENTS])], {})


def _mimi_encoder(path: Path) -> None:
    """A voice that says nothing about the length of the speech."""
    real = TensorProto.FLOAT
    nodes = [
        helper.make_node("ReduceMean", ["audio"], ["level"], keepdims=1),
        helper.make_node("Mul", ["level", "silent"], ["latents"]),
    ]
    save(
        path,
        nodes,
        [("audio", real, [1, 1, "n"])],
        [("latents", real, [1, 1, WIDTH])],
        {"silent": np.zeros((1, 1, WIDTH), np.float32)},
    )


def _mimi_decoder(path: Path) -> None:
    """A click in the middle of every frame."""
    real = TensorProto.FLOAT
    click = np.zeros((1, 1, FRAME), np.float32)
    click[..., FRAME // 2] = 0.5
    nodes = [
        helper.make_node("ReduceMean", ["latent"], ["levels"], axes=[2], keepdims=1),
        helper.make_node("Mul", ["levels", "nothing"], ["silent"]),
        helper.make_node("Add", ["silent", "click"], ["frames"]),
        helper.make_node("Reshape", ["frames", "line"], ["audio_frame"]),
        helper.make_node("Identity", ["state"], ["out_state"]),
    ]
    save(
        path,
        nodes,
        [("latent", real, [1, "t", LATENTS]), ("state", real, [1])],
        [("audio_frame", real, [1, 1, "n"]), ("out_state", real, [1])],
        {"nothing": np.zeros(1, np.float32), "click": click, "line": np.array([1, 1, -1])},
    )


def _text_conditioner(path: Path) -> None:
    real, whole = TensorProto.FLOAT, TensorProto.INT64
    nodes = [
        helper.make_node("Cast", ["token_ids"], ["numbers"], to=real),
        helper.make_node("Unsqueeze", ["numbers", "last"], ["column"]),
        helper.make_node("Mul", ["column", "nothing"], ["zeros"]),
        helper.make_node("Add", ["zeros", "ones"], ["embeddings"]),
    ]
    save(
        path,
        nodes,
        [("token_ids", whole, [1, "n"])],
        [("embeddings", real, [1, "n", WIDTH])],
        {"last": np.array([2]), "nothing": np.zeros(1, np.float32), "ones": np.ones((1, 1, WIDTH), np.float32)},
    )


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
    save(
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
    save(
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
    save(
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
