"""Whisper on CTranslate2, with a context as short as the utterance allows and guards against invented text."""

from vivavoce.engines.whisper.recognizer import load

__all__ = ["load"]
