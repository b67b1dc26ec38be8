"""multilingual-e5-small, 4 bits a weight, on ONNX Runtime: what a text means, as 384 numbers, in a hundred languages."""

from vivavoce.engines.e5.embedder import load

__all__ = ["load"]
