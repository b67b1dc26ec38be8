"""Hearing the voice and not only the words: measures and small classifiers over what the recogniser has computed anyway.

Pure numpy. ``prosody`` measures an utterance, ``head`` classifies it by the recogniser's encoder output; how one speaker's
turns compare is the session's (``session/voice_perception.py``), as is what is told of it.
"""
