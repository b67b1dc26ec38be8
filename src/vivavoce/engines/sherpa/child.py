"""The process that clones; ``vivavoce.children`` confines it before it is imported.

sherpa-onnx ends its process when a file is not the model it expects, or a model does something it does not. Here that ends
this process only. It loads the model its first frame names, then speaks what it is asked to, one request after the other,
and ends when the server has gone. Between the pieces of an answer it looks whether the server still wants it.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np
import sherpa_onnx  # type: ignore[import-untyped]

from vivavoce.children.frames import read_frame, write_frame
from vivavoce.types import Samples

Request = tuple[dict[str, Any], Samples]


def model_config(family: str, files: dict[str, str], threads: int) -> sherpa_onnx.OfflineTtsConfig:
    """What sherpa-onnx wants to know of a model."""
    model = sherpa_onnx.OfflineTtsModelConfig(num_threads=threads)
    if family == "zipvoice":
        model.zipvoice = sherpa_onnx.OfflineTtsZipvoiceModelConfig(**files)
    else:
        model.pocket = sherpa_onnx.OfflineTtsPocketModelConfig(**files)
    return sherpa_onnx.OfflineTtsConfig(model=model, max_num_sentences=1)


class SynthesisWorker:
    """Answers requests. A thread of its own reads them, so that "stop" is heard while the model works."""

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._requests: queue.SimpleQueue[Request] = queue.SimpleQueue()
        self._unwanted = -1

    def run(self) -> None:
        """Load the model, then speak until the server has gone."""
        first = read_frame(self._incoming)
        if first is None:
            return
        request = first[0]
        tts = sherpa_onnx.OfflineTts(model_config(request["family"], request["files"], request["threads"]))
        write_frame(self._outgoing, {"ready": True, "rate_hz": tts.sample_rate})
        threading.Thread(target=self._listen, daemon=True).start()
        while True:
            self._speak(tts, *self._requests.get())

    def _listen(self) -> None:
        while True:
            frame = read_frame(self._incoming)
            if frame is None:
                os._exit(0)
            if "stop" in frame[0]:
                self._unwanted = frame[0]["stop"]
            else:
                self._requests.put(frame)

    def _speak(self, tts: sherpa_onnx.OfflineTts, request: dict[str, Any], clip: Samples) -> None:
        number = request["number"]
        finished = False
        try:
            for place, piece in enumerate(request["pieces"]):
                samples = self._piece(tts, request, clip, piece)
                if self._unwanted == number:
                    break
                if len(samples):
                    finished = True
                    write_frame(self._outgoing, {"number": number, "piece": place}, samples)
        except (RuntimeError, ValueError, TypeError) as error:
            write_frame(self._outgoing, {"number": number, "error": f"{type(error).__name__}: {error}"[:500]})
            return
        if finished or self._unwanted == number:
            write_frame(self._outgoing, {"number": number, "end": True})
        else:
            write_frame(self._outgoing, {"number": number, "error": "said nothing"})

    def _piece(self, tts: sherpa_onnx.OfflineTts, request: dict[str, Any], clip: Samples, piece: Any) -> Samples:
        """The speech of one piece: text, or a list of tokens. Part of it when nobody wants it any more."""
        settings = sherpa_onnx.GenerationConfig()
        settings.reference_audio = clip
        settings.reference_sample_rate = request["rate_hz"]
        settings.num_steps = request["steps"]
        settings.speed = request["speed"]
        text = piece
        if isinstance(piece, list):
            settings.tokens = [request["prompt_tokens"], piece]
            settings.extra = {"min_words_in_sentence": str(len(piece) + 1)}  # it would cut at every comma
            settings.reference_text, text = "given as tokens", ""
        audio = tts.generate(
            text, settings, callback=lambda _samples, _progress: int(self._unwanted != request["number"])
        )
        return np.asarray(audio.samples, np.float32)


def main(_unavailable: Sequence[str]) -> None:
    """Keep standard output for frames; what native code prints goes to standard error."""
    outgoing = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    SynthesisWorker(sys.stdin.buffer, outgoing).run()
