"""The files of a token2wav model in a few kilobytes: named, shaped and saved as the published ones, and not trained.

Parameters follow from their names by a formula, so that they are the same everywhere. Whatever is said sounds like noise.
Needs PyTorch.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from vivavoce.engines.token2wav.flow import Flow
from vivavoce.engines.token2wav.flow_config import read_flow_config
from vivavoce.engines.token2wav.vocoder import Vocoder

BANDS, SPEAKER, CODEBOOK, WIDTH = 16, 6, 64, 16

FLOW_YAML = f"""\
flow: !new:cosyvoice2.flow.flow.CausalMaskedDiffWithXvec
    input_size: {WIDTH}
    output_size: {BANDS}
    spk_embed_dim: {SPEAKER}
    output_type: 'mel'
    vocab_size: {CODEBOOK}
    encoder: !new:cosyvoice2.transformer.upsample_encoder_v2.UpsampleConformerEncoderV2
        input_size: {WIDTH}
        output_size: {WIDTH}
        input_layer: 'linear'
        pre_lookahead_len: 3
        num_blocks: 2
        num_up_blocks: 1
        up_stride: 2
        up_scale_factor: 2
        attention_heads: 2
        pos_enc_layer_type: 'rel_pos_espnet'
        selfattention_layer_type: 'rel_selfattn'
        key_bias: true
        linear_units: 24
        dropout_rate: 0.1
        positional_dropout_rate: 0.1
        attention_dropout_rate: 0.1
        normalize_before: True
    decoder: !new:cosyvoice2.flow.flow_matching.CausalConditionalCFM
        inference_cfg_rate: 0.7
        estimator: !new:cosyvoice2.flow.decoder_dit.DiT
            in_channels: {4 * BANDS}
            out_channels: {BANDS}
            mlp_ratio: 4.0
            depth: 2
            num_heads: 2
            head_dim: 8
            hidden_size: {WIDTH}
"""
"""The published file with other sizes."""

_NO_NORM = ("source_downs", "l_linear", "classifier")
"""Layers of the vocoder whose weights are saved whole."""


def parameter(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    """The value of a parameter: some sine, of a size that fits its place."""
    waves = np.sin(np.arange(1, math.prod(shape) + 1) * (1.0 + zlib.crc32(name.encode()) % 1000 / 997)).reshape(shape)
    if name.endswith("classifier.bias"):
        return torch.full(shape, 200.0)  # Hz
    if len(shape) == 1:
        scale = 0.1
        center = 1.0 if name.endswith((".alpha", "weight")) else 0.0
    else:
        scale, center = 1.2 / math.sqrt(math.prod(shape[1:])), 0.0
    if name.endswith("classifier.weight"):
        scale *= 1000  # or the pitch would hardly change
    if name.endswith("original0"):
        scale, center = (0.2, 1.0) if "conv_post" not in name else (0.05, 0.2)
    return torch.from_numpy(center + scale * waves).float()


def flow_parameters(flow: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Of ``flow.pt``."""
    return {name: parameter(name, tuple(value.shape)) for name, value in flow.state_dict().items()}


def vocoder_parameters(vocoder: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Of ``hift.pt``: the weights of most layers as norms and directions."""
    parameters: dict[str, torch.Tensor] = {}
    for name, value in vocoder.state_dict().items():
        shapes = {name: tuple(value.shape)}
        if name.endswith(".weight") and not any(layer in name for layer in _NO_NORM):
            stem = f"{name.removesuffix('weight')}parametrizations.weight.original"
            shapes = {f"{stem}0": (len(value), 1, 1), f"{stem}1": tuple(value.shape)}
        parameters |= {name: parameter(name, shape) for name, shape in shapes.items()}
    return parameters


def make_token2wav(folder: Path) -> Path:
    """Write the five files."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "flow.yaml").write_text(FLOW_YAML)
    torch.save(flow_parameters(Flow(read_flow_config(folder / "flow.yaml"), 1)), folder / "flow.pt")
    vocoder = {f"generator.{name}": value for name, value in vocoder_parameters(Vocoder(BANDS, 16, 8)).items()}
    torch.save(vocoder, folder / "hift.pt")
    _tokenizer(folder / "speech_tokenizer_v2_25hz.onnx")
    _speaker_encoder(folder / "campplus.onnx")
    return folder


def _save(path: Path, nodes: list[Any], inputs: list[Any], output: Any, values: Mapping[str, Any]) -> None:
    initializers = [numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()]
    graph = helper.make_graph(nodes, path.stem, inputs, [output], initializers)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def _tokenizer(path: Path) -> None:
    """A token for every four frames: how loud they are, coarsely."""
    nodes = [
        helper.make_node("ReduceMean", ["feats"], ["loudness"], axes=[1], keepdims=1),
        helper.make_node("AveragePool", ["loudness"], ["coarse"], kernel_shape=[4], strides=[4]),
        helper.make_node("Mul", ["coarse", "many"], ["scaled"]),
        helper.make_node("Abs", ["scaled"], ["positive"]),
        helper.make_node("Cast", ["positive"], ["whole"], to=TensorProto.INT64),
        helper.make_node("Mod", ["whole", "entries"], ["tokens"]),
        helper.make_node("Cast", ["feats_length"], ["length"], to=TensorProto.INT64),
        helper.make_node("Mul", ["length", "none"], ["nothing"]),
        helper.make_node("Add", ["tokens", "nothing"], ["sum"]),
        helper.make_node("Squeeze", ["sum", "middle"], ["indices"]),
    ]
    inputs = [
        helper.make_tensor_value_info("feats", TensorProto.FLOAT, [1, 128, "frames"]),
        helper.make_tensor_value_info("feats_length", TensorProto.INT32, [1]),
    ]
    values = {"many": np.float32(1000), "entries": np.int64(CODEBOOK), "none": np.int64(0), "middle": np.array([1])}
    _save(path, nodes, inputs, helper.make_tensor_value_info("indices", TensorProto.INT64, [1, "tokens"]), values)


def _speaker_encoder(path: Path) -> None:
    """The middle of the clip's bands, mixed."""
    nodes = [
        helper.make_node("Abs", ["fbank"], ["positive"]),
        helper.make_node("ReduceMean", ["positive"], ["mean"], axes=[1], keepdims=0),
        helper.make_node("MatMul", ["mean", "mixing"], ["embedding"]),
    ]
    mixing = np.sin(np.arange(80 * SPEAKER)).reshape(80, SPEAKER).astype(np.float32)
    inputs = [helper.make_tensor_value_info("fbank", TensorProto.FLOAT, [1, "frames", 80])]
    output = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, SPEAKER])
    _save(path, nodes, inputs, output, {"mixing": mixing})
