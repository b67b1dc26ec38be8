"""The network in two halves: what is left out between them, and that nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from vivavoce.audio.silence import trim
from vivavoce.engines.kokoro.chinese import Chinese
from vivavoce.engines.kokoro.model import MARGIN, RATE_HZ, speech
from vivavoce.engines.kokoro.split_graph import split_graph
from vivavoce.engines.kokoro.styles import read_builtin_voices
from vivavoce.engines.kokoro.synthesizer import KokoroSynthesizer
from vivavoce.engines.phonemes.english import English
from vivavoce.errors import WeightsError
from vivavoce.types import Samples


def energies(*frames: float) -> NDArray[np.float32]:
    return np.repeat(np.array(frames, np.float32), 2)[None]


def test_speech_is_kept_with_a_margin() -> None:
    padding = [-12.0] * 10
    assert speech(energies(*padding, -5.0, -12.0, -6.0, *padding)) == (10 - MARGIN, 13 + MARGIN)
    assert speech(energies(-12.0, -5.0, -12.0)) == (0, 3)


def test_one_loud_half_of_a_frame_is_speech() -> None:
    curve = energies(*[-12.0] * 20)
    curve[0, 21] = -3.0
    assert speech(curve) == (10 - MARGIN, 11 + MARGIN)


def test_all_is_kept_where_nothing_is_heard() -> None:
    assert speech(energies(*[-12.0] * 7)) == (0, 7)


def test_another_graph_is_refused(tmp_path: Path) -> None:
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Abs", ["x"], ["y"])], "other", [value], [out])
    onnx.save(helper.make_model(graph), str(tmp_path / "other.onnx"))
    with pytest.raises(WeightsError, match="not the graph of Kokoro"):
        split_graph(tmp_path / "other.onnx")


@pytest.mark.real
@pytest.mark.parametrize("voice", ["zf_xiaoxiao", "zm_yunyang"])
def test_without_padding_it_is_as_long_and_as_loud(
    kokoro: KokoroSynthesizer, weights: Callable[[str], Path], voice: str
) -> None:
    pack = read_builtin_voices(weights("kokoro-voices"))[voice]
    phonemes = Chinese(English())("好的，我明白了。")

    def made(padded: bool) -> Samples:
        return kokoro._model.synthesize(phonemes, lambda count: pack[count - 1 : count], 1.0, padded=padded)

    whole, short = made(True), made(False)
    assert len(short) < 0.8 * len(whole)
    spoken, kept = trim(whole, RATE_HZ), trim(short, RATE_HZ)
    assert abs(len(spoken) - len(kept)) < 0.1 * RATE_HZ
    louder = np.sqrt(np.mean(np.square(kept)) / np.mean(np.square(spoken)))
    assert 0.75 < louder < 1.33
