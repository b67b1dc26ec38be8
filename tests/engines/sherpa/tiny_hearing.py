"""SenseVoice and Paraformer in a few kilobytes: the graphs have the inputs and outputs of the real ones, and no training.

What they hear stands in the graph: a token and the frame (60 ms) at which it is said. SenseVoice finds anger in what is loud.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper

from engines.sherpa.tiny import save

FEATURES = 560
FRAMES = 1000
"""How long what is heard can be, in frames."""

Said = Sequence[tuple[str, int]]
"""Tokens, and the frame at which each is said."""

HELLO: Said = (("▁Hello", 4), ("▁the", 8), ("re", 10), (".", 12))
NIHAO: Said = (("你", 3), ("好", 6), ("，", 8), ("▁Lu", 10), ("na", 12), ("。", 14))

_LANGUAGES = {"auto": 0, "zh": 3, "en": 4, "yue": 7, "ja": 11, "ko": 12, "nospeech": 13}
_EMOTIONS = ("<|ANGRY|>", "<|NEUTRAL|>")
_CLOSE = 1e3
"""A logit that wins."""

LOUD = 18.0
"""Mean of the log mel energies of samples in [-32768, 32767] above which a voice is angry."""


def _meta(vocabulary: int) -> dict[str, str]:
    return {
        "vocab_size": str(vocabulary),
        "lfr_window_size": "7",
        "lfr_window_shift": "6",
        "neg_mean": ",".join(["0.0"] * FEATURES),
        "inv_stddev": ",".join(["1.0"] * FEATURES),
    }


def _write_tokens(folder: Path, tokens: Sequence[str]) -> None:
    (folder / "tokens.txt").write_text("".join(f"{token} {number}\n" for number, token in enumerate(tokens)))


def _rows(numbers: Sequence[int], vocabulary: int) -> NDArray[np.float32]:
    rows = np.zeros((1, len(numbers), vocabulary), np.float32)
    rows[0, range(len(numbers)), numbers] = _CLOSE
    return rows


def make_sense_voice(
    folder: Path, said: Said = HELLO, *, language: str = "en", event: str = "Speech", file: str = "model.int8.onnx"
) -> Path:
    """Write the two files of the model. It finds ``language`` in everything, unless it is told one."""
    folder.mkdir(parents=True, exist_ok=True)
    tags = [f"<|{name}|>" for name in _LANGUAGES if name != "auto"]
    events = [f"<|{name}|>" for name in dict.fromkeys(("Speech", event))]
    tokens = list(
        dict.fromkeys(
            ["<unk>", "<s>", "</s>", *tags, *_EMOTIONS, *events, "<|withitn|>", *(token for token, _ in said)]
        )
    )
    _write_tokens(folder, tokens)
    spoken = [0] * FRAMES
    for token, frame in said:
        spoken[frame] = tokens.index(token)
    by_language = [0] * (max(_LANGUAGES.values()) + 1)
    for name, number in _LANGUAGES.items():
        by_language[number] = tokens.index(f"<|{language if name == 'auto' else name}|>")
    angry, neutral = (_rows([tokens.index(emotion)], len(tokens)) for emotion in _EMOTIONS)
    values: dict[str, NDArray[Any]] = {
        "languages": _rows(by_language, len(tokens))[0],
        "angry": angry,
        "neutral": neutral,
        "rest": _rows([tokens.index(f"<|{event}|>"), tokens.index("<|withitn|>"), *spoken], len(tokens)),
        "loud": np.array(LOUD, np.float32),
        "begin": np.array([0]),
        "along": np.array([1]),
        "two": np.array([2]),
        "one": np.array([1]),
    }
    nodes = [
        helper.make_node("Gather", ["languages", "language"], ["tag"], axis=0),
        helper.make_node("Unsqueeze", ["tag", "along"], ["first"]),
        helper.make_node("ReduceMean", ["x"], ["level"], keepdims=0),
        helper.make_node("Greater", ["level", "loud"], ["is_loud"]),
        helper.make_node("Where", ["is_loud", "angry", "neutral"], ["emotion"]),
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Gather", ["shape", "one"], ["length"], axis=0),
        helper.make_node("Add", ["length", "two"], ["end"]),
        helper.make_node("Slice", ["rest", "begin", "end", "along"], ["told"]),
        helper.make_node("Concat", ["first", "emotion", "told"], ["logits"], axis=1),
    ]
    whole = TensorProto.INT32
    inputs = [
        ("x", TensorProto.FLOAT, ["N", "T", FEATURES]), ("x_length", whole, ["N"]), ("language", whole, ["N"]),
        ("text_norm", whole, ["N"]),
    ]  # fmt: skip
    ids = {f"lang_{name}": str(number) for name, number in _LANGUAGES.items()}
    meta = {**_meta(len(tokens)), **ids, "normalize_samples": "0", "with_itn": "14", "without_itn": "15"}
    outputs = [("logits", TensorProto.FLOAT, ["N", "L", len(tokens)])]
    save(folder / file, nodes, inputs, outputs, values, model_type="sense_voice_ctc", comment="tiny", **meta)
    return folder


def make_paraformer(
    folder: Path, said: Said = (("你", 3), ("好", 6), ("lu@@", 9), ("na", 11)), *, times: bool = True
) -> Path:
    """Write the two files of the model; without ``times`` it says nothing of when its tokens are said."""
    folder.mkdir(parents=True, exist_ok=True)
    tokens = list(dict.fromkeys(["<blank>", "<s>", "</s>", *(token for token, _ in said), "<unk>"]))
    _write_tokens(folder, tokens)
    numbers = [*(tokens.index(token) for token, _ in said), tokens.index("</s>")]
    peaks = np.zeros((1, 3 * FRAMES), np.float32)
    peaks[0, [3 * frame for _, frame in said]] = 1
    peaks[0, 3 * (said[-1][1] + 2)] = 1  # that of the end
    values: dict[str, NDArray[Any]] = {
        "nothing": np.zeros(1, np.float32),
        "told": _rows(numbers, len(tokens)),
        "peaks": peaks,
        "count": np.array([len(numbers)], np.int32),
    }
    real, whole = TensorProto.FLOAT, TensorProto.INT32
    nodes = [
        helper.make_node("ReduceMean", ["speech"], ["level"], keepdims=0),
        helper.make_node("Mul", ["level", "nothing"], ["zero"]),
        helper.make_node("Add", ["told", "zero"], ["logits"]),
        helper.make_node("Identity", ["count"], ["token_num"]),
    ]
    outputs: list[tuple[str, int, Any]] = [("logits", real, ["N", "L", len(tokens)]), ("token_num", whole, ["N"])]
    if times:
        nodes += [
            helper.make_node("Add", ["peaks", "zero"], ["us_alphas"]),
            helper.make_node("Add", ["peaks", "zero"], ["us_cif_peak"]),
        ]
        outputs += [("us_alphas", real, ["N", "P"]), ("us_cif_peak", real, ["N", "P"])]
    inputs = [("speech", real, ["N", "T", FEATURES]), ("speech_lengths", whole, ["N"])]
    meta: Mapping[str, str] = _meta(len(tokens))
    save(folder / "model.int8.onnx", nodes, inputs, outputs, values, model_type="paraformer", **meta)
    return folder
