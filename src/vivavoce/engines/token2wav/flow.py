"""Flow matching: tokens → mel spectrogram, a chunk at a time (CosyVoice 2, Du et al. 2024, section 2.3).

A flow from noise to mel frames is followed in a few Euler steps, each twice: with what is to be said, in whose voice, and
without, so that the difference can be stressed ("classifier-free guidance"). The noise of a frame depends on where the frame
is, so that a reply is the same however its tokens arrive.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

from vivavoce.engines.token2wav.conformer import Encoder, EncoderPast
from vivavoce.engines.token2wav.estimator import Estimator, LayerPast
from vivavoce.engines.token2wav.flow_config import FlowConfig

Check: TypeAlias = Callable[[], None]
"""Called between two steps; raises when the result is not wanted any more."""

_NOISE_FRAMES = 30_000
"""Ten minutes; then it begins again."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A reference clip: its tokens ``int64[n]``, its mel frames ``float32[2 n, bands]``, its speaker ``float32[size]``."""

    tokens: Tensor
    mel: Tensor
    speaker: Tensor


@dataclass(frozen=True, slots=True)
class FlowPast:
    """What the next chunk needs; after the prompt alone it is a voice. ``steps``: by step of the flow, by layer."""

    encoder: EncoderPast
    steps: tuple[tuple[LayerPast, ...], ...]
    frames: int


@dataclass(frozen=True, slots=True)
class Voice:
    """A prompt that has been read, as it stands before every reply. Replies share it."""

    prompt: FlowPast
    speaker: Tensor


class Flow(nn.Module):
    """The model. The names of its modules are those of the published parameters."""

    def __init__(self, config: FlowConfig, steps: int) -> None:
        super().__init__()
        self.config = config
        size = config.vocab_size, config.input_size
        # With a weight of ours PyTorch draws none: without storage that takes its compiler, which wants a folder to write to.
        self.input_embedding = nn.Embedding(*size, _weight=torch.empty(size))
        self.spk_embed_affine_layer = nn.Linear(config.spk_embed_dim, config.output_size)
        self.encoder = Encoder(config.encoder)
        self.encoder_proj = nn.Linear(config.encoder.output_size, config.output_size)
        self.decoder = nn.ModuleDict({"estimator": Estimator(config.decoder.estimator)})
        self.times = 1 - torch.cos(torch.linspace(0, 1, steps + 1, device="cpu") * 0.5 * math.pi)
        random = torch.Generator().manual_seed(0)
        self.noise = torch.randn(_NOISE_FRAMES, config.output_size, generator=random, device="cpu")

    @property
    def lookahead(self) -> int:
        """How many tokens beyond a chunk have to be known."""
        return self.config.encoder.pre_lookahead_len

    @torch.inference_mode()
    def voice(self, prompt: Prompt, check: Check) -> Voice:
        """Read a prompt. Its first tokens stand for those that would follow it, as in the published code."""
        speaker = self.spk_embed_affine_layer(functional.normalize(prompt.speaker, dim=0))
        tokens = torch.cat((prompt.tokens, prompt.tokens.repeat(self.lookahead)[: self.lookahead]))
        expected, encoder = self._expected(tokens, None, last=False)
        _, steps = self._follow(expected, speaker, prompt.mel, None, None, 0, check)
        return Voice(FlowPast(encoder, steps, len(expected)), speaker)

    @torch.inference_mode()
    def chunk(
        self, voice: Voice, past: FlowPast | None, tokens: Tensor, last: bool, check: Check
    ) -> tuple[Tensor, FlowPast]:
        """The mel frames ``float32[n, bands]`` of a chunk, and what the next one needs.

        ``tokens`` (``int64[n]``) include those looked ahead to, unless this is the ``last`` chunk.
        """
        before = past or voice.prompt
        expected, encoder = self._expected(tokens, before.encoder, last)
        mel, steps = self._follow(
            expected, voice.speaker, torch.zeros_like(expected), voice.prompt, past, before.frames, check
        )
        return mel, FlowPast(encoder, steps, before.frames + len(mel))

    def _expected(self, tokens: Tensor, past: EncoderPast | None, last: bool) -> tuple[Tensor, EncoderPast]:
        encoded, past = self.encoder(self.input_embedding(tokens)[None], past, last)
        return self.encoder_proj(encoded)[0], past

    def _follow(
        self,
        expected: Tensor,
        speaker: Tensor,
        known: Tensor,
        prompt: FlowPast | None,
        past: FlowPast | None,
        at: int,
        check: Check,
    ) -> tuple[Tensor, tuple[tuple[LayerPast, ...], ...]]:
        """From noise to mel frames; ``known`` are those of the prompt, where it is read. ``at``: frames before these."""
        places = torch.arange(at, at + len(expected)) % _NOISE_FRAMES
        mel = self.noise[places]
        conditions = torch.cat((expected, speaker.expand(len(expected), -1), known), 1)
        conditions = torch.stack((conditions, torch.zeros_like(conditions)))
        guidance = self.config.decoder.inference_cfg_rate
        made = []
        for step, (time, following) in enumerate(zip(self.times[:-1], self.times[1:], strict=True)):
            check()
            x = torch.cat((mel.expand(2, -1, -1), conditions), 2)
            flow, layers = self.decoder["estimator"](
                x, time[None], prompt.steps[step] if prompt else None, past.steps[step] if past else None
            )
            mel = mel + (following - time) * ((1 + guidance) * flow[0] - guidance * flow[1])
            made.append(layers)
        return mel, tuple(made)
