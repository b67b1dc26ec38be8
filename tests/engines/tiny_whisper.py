"""Whisper for CTranslate2 with random weights, in the shape that is asked for: it loads and computes, and writes nonsense."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import ctranslate2.specs
import numpy as np
from numpy.typing import NDArray
from tokenizers import AddedToken, Tokenizer
from tokenizers.models import BPE

SPECIAL = [
    "<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|zh|>", "<|translate|>", "<|transcribe|>", "<|startofprev|>",
    "<|nospeech|>", "<|notimestamps|>",
]  # fmt: skip


def make_whisper(
    folder: Path, *, bands: int, width: int = 64, heads: int = 2, layers: tuple[int, int] = (1, 1), spare: int = 0
) -> Path:
    """Write the four files of the model: ``layers`` of the encoder and of the decoder, ``spare`` more tokens."""
    folder.mkdir(parents=True, exist_ok=True)
    tokens = [chr(code) for code in range(ord("!"), ord("~") + 1)] + ["Ġ"]
    tokenizer = Tokenizer(BPE({token: number for number, token in enumerate(tokens)}, []))
    tokenizer.add_special_tokens([AddedToken(token) for token in SPECIAL])
    tokenizer.save(str(folder / "tokenizer.json"))
    vocabulary = [*tokens, *SPECIAL, *(f"<|{number}|>" for number in range(spare))]
    random = np.random.default_rng(7)

    def matrix(*shape: int) -> NDArray[np.float16]:
        return (random.standard_normal(shape, np.float32) * 0.05).astype(np.float16)

    def linear(spec: Any, rows: int, columns: int) -> None:
        spec.weight, spec.bias = matrix(rows, columns), np.zeros(rows, np.float16)

    def norm(spec: Any) -> None:
        spec.gamma, spec.beta = np.ones(width, np.float16), np.zeros(width, np.float16)

    def attention(spec: Any, *sizes: int) -> None:
        norm(spec.layer_norm)
        for part, rows in zip(spec.linear, sizes, strict=True):
            linear(part, rows * width, width)

    def feed_forward(spec: Any) -> None:
        norm(spec.layer_norm)
        linear(spec.linear_0, 4 * width, width)
        linear(spec.linear_1, width, 4 * width)

    whisper: Any = ctranslate2.specs.WhisperSpec(layers[0], heads, layers[1], heads)
    for convolution, inputs in ((whisper.encoder.conv1, bands), (whisper.encoder.conv2, width)):
        convolution.weight, convolution.bias = matrix(width, inputs, 3), np.zeros(width, np.float16)
    whisper.encoder.position_encodings.encodings = matrix(1500, width)
    norm(whisper.encoder.layer_norm)
    for layer in whisper.encoder.layer:
        attention(layer.self_attention, 3, 1)
        feed_forward(layer.ffn)
    decoder = whisper.decoder
    decoder.embeddings.weight = matrix(len(vocabulary), width)
    decoder.projection.weight = decoder.embeddings.weight
    decoder.position_encodings.encodings = matrix(448, width)
    norm(decoder.layer_norm)
    for layer in decoder.layer:
        attention(layer.self_attention, 3, 1)
        attention(layer.attention, 1, 2, 1)
        feed_forward(layer.ffn)
    whisper.register_vocabulary(vocabulary)
    whisper.config.alignment_heads = [(0, 0)]
    whisper.config.lang_ids = [vocabulary.index("<|en|>"), vocabulary.index("<|zh|>")]
    whisper.config.suppress_ids, whisper.config.suppress_ids_begin = [], []
    whisper.validate()
    whisper.save(str(folder))
    assert json.loads((folder / "config.json").read_text())["lang_ids"]
    return folder
