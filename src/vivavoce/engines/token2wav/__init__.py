"""The vocoder of Step-Audio 2: audio tokens become a mel spectrogram by flow matching, and that becomes sound by HiFT.

The networks are those of the published files (``token2wav/`` of Step-Audio-2-mini, CosyVoice 2's design), written for
inference alone: a chunk at a time, with everything a reply needs from its past in one value. PyTorch runs them in a process
of its own (``child``); the server's side is ``decoder`` and ``process``.

Nothing is imported here: the server never imports PyTorch.
"""
