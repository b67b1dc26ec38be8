"""The models that clone: which files each is made of, and what it speaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from vivavoce.errors import EngineError
from vivavoce.types import Language


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of model. ``files``: by sherpa-onnx's name of each, the names its file may have, first choice first.

    ``weights``: what the catalogue calls it. ``spelled``: it reads tokens, not text, and those of the clip, too.
    ``paced``: it speaks faster and slower by itself.
    """

    name: str
    weights: str
    languages: frozenset[Language]
    files: Mapping[str, tuple[str, ...]]
    spelled: bool
    paced: bool


ZIPVOICE = Family(
    "zipvoice",
    "zipvoice",
    frozenset({"en", "zh"}),
    MappingProxyType(
        {
            "encoder": ("encoder.int8.onnx", "encoder.onnx"),
            "decoder": ("decoder.int8.onnx", "decoder.onnx"),
            "vocoder": ("vocos_24khz.onnx",),
            "tokens": ("tokens.txt",),
        }
    ),
    spelled=True,
    paced=True,
)
POCKET = Family(
    "pocket",
    "pocket-tts",
    frozenset({"en"}),
    MappingProxyType(
        {
            "lm_flow": ("lm_flow.int8.onnx", "lm_flow.onnx"),
            "lm_main": ("lm_main.int8.onnx", "lm_main.onnx"),
            "encoder": ("encoder.int8.onnx", "encoder.onnx"),
            "decoder": ("decoder.onnx", "decoder.int8.onnx"),  # in int8 it hisses
            "text_conditioner": ("text_conditioner.int8.onnx", "text_conditioner.onnx"),
            "vocab_json": ("vocab.json",),
            "token_scores_json": ("token_scores.json",),
        }
    ),
    spelled=False,
    paced=False,
)


def files_in(folder: Path, name: str, files: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Where each of ``files`` (as ``Family.files``) of the model ``name`` is. Raises ``EngineError`` naming those missing."""
    paths = {
        part: next((folder / file for file in names if (folder / file).is_file()), None)
        for part, names in files.items()
    }
    if missing := [" or ".join(files[part]) for part, path in paths.items() if path is None]:
        raise EngineError(name, f"not in {folder}: {', '.join(missing)}")
    return {part: str(path) for part, path in paths.items()}
