"""The process that recognises; ``vivavoce.children`` confines it before it is imported.

sherpa-onnx ends its process when a file is not the model it expects. Here that ends this process only. It loads the model its
first frame names, then answers one utterance after the other with one frame each, and ends when the server has gone.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sherpa_onnx  # type: ignore[import-untyped]

from vivavoce.children.frames import read_frame, write_frame
from vivavoce.types import Samples

RATE_HZ = 16_000


def open_model(request: Mapping[str, Any]) -> sherpa_onnx.OfflineRecognizer:
    """The recogniser that the first frame describes."""
    files, threads = request["files"], request["threads"]
    if request["family"] == "paraformer":
        return sherpa_onnx.OfflineRecognizer.from_paraformer(
            paraformer=files["model"], tokens=files["tokens"], num_threads=threads
        )
    return sherpa_onnx.OfflineRecognizer.from_sense_voice(
        model=files["model"],
        tokens=files["tokens"],
        num_threads=threads,
        language=request["language"],
        use_itn=request["written_numbers"],
    )


def heard(model: sherpa_onnx.OfflineRecognizer, samples: Samples) -> dict[str, Any]:
    """What the model makes of an utterance: the text, its tokens and when each is said (s), and the tags it has."""
    stream = model.create_stream()
    stream.accept_waveform(RATE_HZ, samples)
    model.decode_stream(stream)
    result = stream.result
    return {
        "text": result.text,
        "tokens": list(result.tokens),
        "starts_s": list(result.timestamps),
        "language": result.lang,
        "emotion": result.emotion,
        "event": result.event,
    }


def main(_unavailable: Sequence[str]) -> None:
    """Keep standard output for frames; what native code prints goes to standard error."""
    outgoing = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    first = read_frame(sys.stdin.buffer)
    if first is None:
        return
    model = open_model(first[0])
    heard(model, np.zeros(RATE_HZ, np.float32))  # the first call allocates what all later ones reuse
    write_frame(outgoing, {"ready": True, "rate_hz": RATE_HZ})
    while (frame := read_frame(sys.stdin.buffer)) is not None:
        request, samples = frame
        try:
            answer = heard(model, samples)
        except (RuntimeError, ValueError, TypeError) as error:
            answer = {"error": f"{type(error).__name__}: {error}"[:500]}
        write_frame(outgoing, {"number": request["number"], **answer})
