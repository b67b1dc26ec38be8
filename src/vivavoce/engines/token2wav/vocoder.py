"""The vocoder: mel spectrogram → sound (HiFT, Li et al. 2023, "HiFTNet"; the sizes and names are CosyVoice 2's).

A source of harmonics and noise at the predicted pitch is shaped by transposed convolutions into a short-time spectrum. The
published parameters have their norms apart ("weight norm"); they are joined when they are loaded (``weights``).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

RATE_HZ = 24_000
FRAME_SAMPLES = 480
"""Of a mel frame."""

_RATES = (8, 5, 3)
_KERNELS = (16, 11, 7)
_RESBLOCK_KERNELS = (3, 7, 11)
_SOURCE_KERNELS = (7, 7, 11)
_DILATIONS = (1, 3, 5)
_POINTS, _HOP = 16, 4
_HARMONICS = 8
_VOICED_HZ = 10.0
_LOUDNESS, _BREATH = 0.1, 0.003
"""Amplitudes of a harmonic, and of the noise in voiced sound; in unvoiced sound it is a third of a harmonic's."""

_LIMIT = 0.99


class Snake(nn.Module):
    """x + sin²(a x) / a, with an ``a`` of its own for each channel (Ziyin et al. 2020)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """As ``x``, ``[1, channels, time]``."""
        alpha = self.alpha[:, None]
        return x + torch.sin(x * alpha) ** 2 / (alpha + 1e-9)


class ResBlock(nn.Module):
    """Convolutions of growing reach, each added to its input."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.convs1 = nn.ModuleList(
            nn.Conv1d(channels, channels, kernel, dilation=dilation, padding=(kernel - 1) * dilation // 2)
            for dilation in _DILATIONS
        )
        self.convs2 = nn.ModuleList(nn.Conv1d(channels, channels, kernel, padding=kernel // 2) for _ in _DILATIONS)
        self.activations1 = nn.ModuleList(Snake(channels) for _ in _DILATIONS)
        self.activations2 = nn.ModuleList(Snake(channels) for _ in _DILATIONS)

    def forward(self, x: Tensor) -> Tensor:
        """As ``x``, ``[1, channels, time]``."""
        layers = zip(self.activations1, self.convs1, self.activations2, self.convs2, strict=True)
        for first_activation, first, second_activation, second in layers:
            x = x + second(second_activation(first(first_activation(x))))
        return x


class PitchPredictor(nn.Module):
    """The pitch of each mel frame in Hz; next to nothing where there is no voice."""

    def __init__(self, bands: int, channels: int) -> None:
        super().__init__()
        sizes = [bands, *[channels] * 5]
        layers = {str(2 * n): nn.Conv1d(sizes[n], sizes[n + 1], 3, padding=1) for n in range(5)}
        self.condnet = nn.ModuleDict(layers)
        self.classifier = nn.Linear(channels, 1)

    def forward(self, mel: Tensor) -> Tensor:
        """``[time]`` of ``mel[1, bands, time]``."""
        for layer in self.condnet.values():
            mel = functional.elu(layer(mel))
        return self.classifier(mel.transpose(1, 2)).abs()[0, :, 0]


class Source(nn.Module):
    """The sound of the vocal cords: harmonics of the pitch, and breath."""

    def __init__(self) -> None:
        super().__init__()
        self.l_linear = nn.Linear(_HARMONICS + 1, 1)

    def forward(self, pitch_hz: Tensor, phase: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """``[n]`` samples for ``pitch_hz`` (by frame), and the phase after each frame in cycles, ``[harmonics, time]``.

        ``phase`` (``[harmonics]``) is the one before the first frame, so that a chunk goes on as the one before it ended.
        At the ends the pitch of the nearest frame goes on.
        """
        harmonics = torch.arange(1, _HARMONICS + 2)[:, None]
        turned = pitch_hz * harmonics / RATE_HZ % 1 * FRAME_SAMPLES
        cycles = phase[:, None] + turned.cumsum(1)
        edges = torch.cat((cycles[:, :1] - turned[:, :1], cycles, cycles[:, -1:] + turned[:, -1:]), 1)
        by_sample = functional.interpolate(edges[None], scale_factor=float(FRAME_SAMPLES), mode="linear")[0]
        by_sample = by_sample[:, FRAME_SAMPLES:-FRAME_SAMPLES]
        voiced = (pitch_hz > _VOICED_HZ).float().repeat_interleave(FRAME_SAMPLES)
        noise = torch.randn(by_sample.shape, generator=random)
        noise *= voiced * _BREATH + (1 - voiced) * _LOUDNESS / 3
        sound = _LOUDNESS * torch.sin(2 * math.pi * by_sample) * voiced + noise
        return torch.tanh(self.l_linear(sound.T))[:, 0], cycles % 1


class Vocoder(nn.Module):
    """The whole of it, for ``channels`` in its widest layer."""

    def __init__(self, bands: int, channels: int, pitch_channels: int) -> None:
        super().__init__()
        self.m_source = Source()
        self.f0_predictor = PitchPredictor(bands, pitch_channels)
        self.conv_pre = nn.Conv1d(bands, channels, 7, padding=3)
        widths = [channels // 2**level for level in range(len(_RATES) + 1)]
        self.ups = nn.ModuleList(
            nn.ConvTranspose1d(wide, narrow, kernel, rate, padding=(kernel - rate) // 2)
            for wide, narrow, kernel, rate in zip(widths, widths[1:], _KERNELS, _RATES, strict=False)
        )
        steps = [math.prod(_RATES[level + 1 :]) for level in range(len(_RATES))]
        self.source_downs = nn.ModuleList(
            nn.Conv1d(_POINTS + 2, width, *((1, 1) if step == 1 else (2 * step, step, step // 2)))
            for width, step in zip(widths[1:], steps, strict=True)
        )
        self.source_resblocks = nn.ModuleList(
            ResBlock(width, kernel) for width, kernel in zip(widths[1:], _SOURCE_KERNELS, strict=True)
        )
        self.resblocks = nn.ModuleList(ResBlock(width, kernel) for width in widths[1:] for kernel in _RESBLOCK_KERNELS)
        self.conv_post = nn.Conv1d(widths[-1], _POINTS + 2, 7, padding=3)
        self.window = torch.hann_window(_POINTS, device="cpu")

    @torch.inference_mode()
    def source(self, mel: Tensor, phase: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """As ``Source.forward``, for ``mel[time, bands]``."""
        return self.m_source(self.f0_predictor(mel.T[None]), phase, random)

    @torch.inference_mode()
    def forward(self, mel: Tensor, source: Tensor) -> Tensor:
        """``float32[480 n]`` in [-1, 1] of ``mel[n, bands]`` and its ``source[480 n]``."""
        spectrum = torch.stft(source[None], _POINTS, _HOP, window=self.window, return_complex=True)
        spectrum = torch.cat((spectrum.real, spectrum.imag), 1)
        x = self.conv_pre(mel.T[None])
        for level, up in enumerate(self.ups):
            x = up(functional.leaky_relu(x, 0.1))
            if level == len(self.ups) - 1:
                x = functional.pad(x, (1, 0), mode="reflect")
            x = x + self.source_resblocks[level](self.source_downs[level](spectrum))
            blocks = self.resblocks[level * len(_RESBLOCK_KERNELS) : (level + 1) * len(_RESBLOCK_KERNELS)]
            x = sum(block(x) for block in blocks) / len(blocks)
        x = self.conv_post(functional.leaky_relu(x))
        magnitude = torch.exp(x[:, : _POINTS // 2 + 1]).clamp(max=100.0)
        phase = torch.sin(x[:, _POINTS // 2 + 1 :])
        sound = torch.istft(torch.polar(magnitude, phase), _POINTS, _HOP, window=self.window)
        return sound[0].clamp(-_LIMIT, _LIMIT)


NO_PHASE = torch.zeros(_HARMONICS + 1)
"""Before the first chunk."""
