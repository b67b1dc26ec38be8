"""A reference clip as the flow model is given it: its tokens, its speaker, its mel frames, as in Step-Audio 2's own code."""

from __future__ import annotations

from pathlib import Path

import kaldi_native_fbank  # type: ignore[import-untyped]
import numpy as np
import torch
from numpy.typing import NDArray

from vivavoce.audio.resample import resample
from vivavoce.engines.mel import HOP, RATE_HZ, WINDOW, mel_filters
from vivavoce.engines.onnx_session import cpu_session
from vivavoce.engines.token2wav.flow import Prompt
from vivavoce.engines.token2wav.flow_config import FlowConfig
from vivavoce.engines.token2wav.vocoder import FRAME_SAMPLES
from vivavoce.engines.token2wav.vocoder import RATE_HZ as SPEECH_HZ
from vivavoce.types import Samples

TOKENIZER_BANDS = 128
SPEAKER_BANDS = 80
_POINTS = 4 * FRAME_SAMPLES


class PromptReader:
    """Holds the speech tokenizer (S3 v2, 25 Hz) and the speaker encoder (CAM++), both by ONNX Runtime."""

    def __init__(self, tokenizer: Path, speaker_encoder: Path, config: FlowConfig, threads: int) -> None:
        """Raises ONNX Runtime's errors."""
        self._tokenizer = cpu_session(tokenizer, threads=threads, memory_patterns=False)
        self._speaker_encoder = cpu_session(speaker_encoder, threads=threads, memory_patterns=False)
        self._config = config

    def __call__(self, clip: Samples) -> Prompt:
        """The prompt in ``clip`` (``float32[n]`` at 24 kHz). Raises ``ValueError`` for what the models make no prompt of."""
        narrow = resample(clip, SPEECH_HZ, RATE_HZ)
        tokens = self._tokens(narrow)
        if not len(tokens) or tokens.min() < 0 or tokens.max() >= self._config.vocab_size:
            raise ValueError("the speech tokenizer makes no tokens of the clip that the flow model knows")
        speaker = self._speaker(narrow)
        if speaker.shape != (self._config.spk_embed_dim,):
            raise ValueError(f"the speaker encoder gives {len(speaker)} numbers, not {self._config.spk_embed_dim}")
        mel = speech_mel(clip, self._config.output_size)
        frames = len(tokens) * self._config.encoder.up_stride
        mel = np.pad(mel[:frames], ((0, max(0, frames - len(mel))), (0, 0)), mode="edge")
        return Prompt(torch.from_numpy(tokens), torch.from_numpy(mel), torch.from_numpy(speaker))

    def _tokens(self, samples: Samples) -> NDArray[np.int64]:
        features = tokenizer_mel(samples)
        inputs = (features[None], np.array([features.shape[1]], np.int32))
        names = (place.name for place in self._tokenizer.get_inputs())
        return np.asarray(self._tokenizer.run(None, dict(zip(names, inputs, strict=True)))[0], np.int64).ravel()

    def _speaker(self, samples: Samples) -> NDArray[np.float32]:
        [place] = self._speaker_encoder.get_inputs()
        features = speaker_features(samples)
        return np.asarray(self._speaker_encoder.run(None, {place.name: features[None]})[0], np.float32).ravel()


def tokenizer_mel(samples: Samples) -> NDArray[np.float32]:
    """``float32[128, n]`` of 16 kHz: Whisper's log mel with 128 bands."""
    padded = np.pad(samples, WINDOW // 2, mode="reflect")
    power = _spectra(padded, WINDOW, HOP)[: len(samples) // HOP] ** 2
    log_mel = np.log10(np.maximum(mel_filters(TOKENIZER_BANDS) @ power.T, 1e-10))
    return np.asarray((np.maximum(log_mel, log_mel.max() - 8.0) + 4.0) / 4.0, np.float32)


def speech_mel(samples: Samples, bands: int) -> NDArray[np.float32]:
    """``float32[n, bands]`` of 24 kHz: natural logarithm, 80 ms windows every 20 ms, up to 8 kHz."""
    padded = np.pad(samples, (_POINTS - FRAME_SAMPLES) // 2, mode="reflect")
    magnitudes = np.sqrt(_spectra(padded, _POINTS, FRAME_SAMPLES) ** 2 + 1e-9)
    mel = magnitudes @ mel_filters(bands, _POINTS, SPEECH_HZ).T
    return np.asarray(np.log(np.maximum(mel, 1e-5)), np.float32)


def speaker_features(samples: Samples) -> NDArray[np.float32]:
    """``float32[n, 80]`` of 16 kHz: Kaldi's log mel filter bank without dither, less its mean."""
    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.samp_freq = RATE_HZ
    options.frame_opts.dither = 0.0
    options.mel_opts.num_bins = SPEAKER_BANDS
    bank = kaldi_native_fbank.OnlineFbank(options)
    bank.accept_waveform(RATE_HZ, samples.tolist())
    bank.input_finished()
    frames = np.stack([bank.get_frame(number) for number in range(bank.num_frames_ready)])
    return np.asarray(frames - frames.mean(axis=0), np.float32)


def _spectra(padded: Samples, points: int, hop: int) -> NDArray[np.floating]:
    """Magnitudes of Hann windows, ``[windows, points / 2 + 1]``."""
    pieces = np.lib.stride_tricks.sliding_window_view(padded, points)[::hop]
    return np.abs(np.fft.rfft(pieces * np.hanning(points + 1)[:-1], axis=1))
