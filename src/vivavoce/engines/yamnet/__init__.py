"""YAMNet on ONNX Runtime: speech, singing, music and named sounds, from AudioSet's 521 classes."""

from vivavoce.engines.yamnet.perceiver import load

__all__ = ["load"]
