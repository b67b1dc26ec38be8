"""Kokoro v1.0 (82M parameters, int8 ONNX): English, Chinese and Japanese with many voices."""

from vivavoce.engines.kokoro.synthesizer import KokoroSynthesizer, load

__all__ = ["KokoroSynthesizer", "load"]
