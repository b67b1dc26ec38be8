"""Language models in GGUF format on llama.cpp, in process: many conversations on one set of weights."""

from __future__ import annotations

from vivavoce.engines.llama.engine import load

__all__ = ["load"]
