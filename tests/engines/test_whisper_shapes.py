"""Whisper in other shapes than the built-in one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engines.tiny_whisper import make_whisper
from vivavoce.engines.mel import RATE_HZ
from vivavoce.engines.whisper.model import WhisperModel
from vivavoce.engines.whisper.settings import WhisperSettings


@pytest.mark.parametrize("bands", [80, 128])
def test_the_number_of_bands_is_the_networks(bands: int, tmp_path: Path) -> None:
    """Large v3 and turbo look at 128."""
    folder = make_whisper(tmp_path, bands=bands)
    model = WhisperModel(folder, WhisperSettings(weights=str(folder), compute_type="float32"), 1)
    encoded = model.encode(np.zeros(RATE_HZ, np.float32), 2.0)
    assert encoded.log_mel.shape == (bands, 200)
    assert encoded.states.shape == (50, 64)
    read = model.read(encoded, language="en", prompt=None, length=RATE_HZ)
    assert 0 <= read.no_speech <= 1
    assert model.align(encoded, "!", language="en", length=RATE_HZ)
