"""Hibari: English with one voice."""

from vivavoce.engines.hibari.synthesizer import VOICE, HibariSynthesizer, load

__all__ = ["VOICE", "HibariSynthesizer", "load"]
