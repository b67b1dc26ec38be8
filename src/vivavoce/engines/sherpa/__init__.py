"""Voices taken from a clip, without training: ZipVoice and Pocket TTS, run by sherpa-onnx in a process of its own."""

from vivavoce.engines.sherpa.speaker import load_pocket, load_zipvoice

__all__ = ["load_pocket", "load_zipvoice"]
