"""What sherpa-onnx runs, each model in a process of its own: voices taken from a clip, without training (ZipVoice, Pocket TTS),
and recognisers (SenseVoice, Paraformer).

Nothing is imported here: the processes start in half the time when they do not import the server's side.
"""
