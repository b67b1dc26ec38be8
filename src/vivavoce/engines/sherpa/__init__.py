"""Voices taken from a clip, without training: ZipVoice and Pocket TTS, run by sherpa-onnx in a process of its own.

Nothing is imported here: the process in ``child`` starts in half the time when it does not import the server's side.
"""
