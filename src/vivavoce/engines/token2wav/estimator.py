"""The network that estimates the flow: a diffusion transformer (Peebles and Xie 2023, adaLN-Zero) with causal convolutions.

It sees a chunk of mel frames whole, and behind it the prompt's frames and the newest ones of the reply. The names of the
modules are those of the published parameters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from vivavoce.engines.token2wav.flow_config import EstimatorConfig

PAST_FRAMES = 100
"""Frames of the reply before a chunk that it sees, besides the whole prompt: 2 s, as published."""

_TIME_SIZE = 256


@dataclass(frozen=True, slots=True)
class LayerPast:
    """What one layer needs of the chunks before: keys and values ``[2, heads, time, size]``, inputs of its two convolutions."""

    keys: Tensor
    values: Tensor
    before_first: Tensor
    before_second: Tensor


class Attention(nn.Module):
    """Self-attention without positions: these come from the convolutions."""

    def __init__(self, config: EstimatorConfig) -> None:
        super().__init__()
        self.heads, inner = config.num_heads, config.num_heads * config.head_dim
        self.to_q, self.to_k, self.to_v = (nn.Linear(config.hidden_size, inner) for _ in range(3))
        self.q_norm, self.k_norm = nn.LayerNorm(config.head_dim), nn.LayerNorm(config.head_dim)
        self.proj = nn.Linear(inner, config.hidden_size)

    def forward(self, x: Tensor, seen: list[LayerPast]) -> tuple[Tensor, Tensor, Tensor]:
        """The result, and the keys and values of ``x`` itself."""
        query, key, value = (
            linear(x).unflatten(2, (self.heads, -1)).transpose(1, 2) for linear in (self.to_q, self.to_k, self.to_v)
        )
        key = self.k_norm(key)
        all_keys = torch.cat((*(past.keys for past in seen), key), 2)
        all_values = torch.cat((*(past.values for past in seen), value), 2)
        mixed = functional.scaled_dot_product_attention(self.q_norm(query), all_keys, all_values)
        return self.proj(mixed.transpose(1, 2).flatten(2)), key, value


class CausalConvolutions(nn.Module):
    """Two convolutions that look back only."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.block = nn.ModuleDict(
            {"1": nn.Conv1d(width, width, 3), "3": nn.LayerNorm(width), "6": nn.Conv1d(width, width, 3)}
        )

    def forward(self, x: Tensor, past: LayerPast | None) -> tuple[Tensor, Tensor, Tensor]:
        """The result, and the last inputs of either convolution."""
        x, before_first = _causal(self.block["1"], x, None if past is None else past.before_first)
        x = functional.mish(self.block["3"](x))
        x, before_second = _causal(self.block["6"], x, None if past is None else past.before_second)
        return x, before_first, before_second


def _causal(convolution: nn.Module, x: Tensor, before: Tensor | None) -> tuple[Tensor, Tensor]:
    x = x.transpose(1, 2)
    x = torch.cat((x.new_zeros(*x.shape[:2], 2) if before is None else before, x), 2)
    return convolution(x).transpose(1, 2), x[..., -2:]


class Block(nn.Module):
    """Attention, convolutions and a feed-forward network, each moved, scaled and gated by the time in the flow."""

    def __init__(self, config: EstimatorConfig) -> None:
        super().__init__()
        width = config.hidden_size
        inner = int(width * config.mlp_ratio)
        self.attn = Attention(config)
        self.conv = CausalConvolutions(width)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, inner), "fc2": nn.Linear(inner, width)})
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(width, 9 * width))

    def forward(
        self, x: Tensor, time: Tensor, prompt: LayerPast | None, past: LayerPast | None
    ) -> tuple[Tensor, LayerPast]:
        """``x[2, time, width]``; what the next chunk needs. The convolutions go on where ``past`` ended, else the prompt."""
        attention, feed_forward, convolutions = self.adaLN_modulation(time).chunk(3, -1)
        shift, scale, gate = attention.chunk(3, -1)
        attended, keys, values = self.attn(_modulated(x, shift, scale), [seen for seen in (prompt, past) if seen])
        x = x + gate * attended
        shift, scale, gate = convolutions.chunk(3, -1)
        convolved, before_first, before_second = self.conv(_modulated(x, shift, scale), past or prompt)
        x = x + gate * convolved
        shift, scale, gate = feed_forward.chunk(3, -1)
        inner = functional.gelu(self.mlp["fc1"](_modulated(x, shift, scale)), approximate="tanh")
        x = x + gate * self.mlp["fc2"](inner)
        if prompt is not None:
            keys = _newest(keys, None if past is None else past.keys)
            values = _newest(values, None if past is None else past.values)
        return x, LayerPast(keys, values, before_first, before_second)


def _newest(made: Tensor, past: Tensor | None) -> Tensor:
    """The newest ``PAST_FRAMES`` of a reply, as a copy: a view would keep what is before them."""
    made = made[:, :, -PAST_FRAMES:]
    if past is None:
        return made.contiguous()
    unneeded = max(0, past.shape[2] + made.shape[2] - PAST_FRAMES)
    return torch.cat((past[:, :, unneeded:], made), 2)


def _modulated(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    return functional.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + scale) + shift


class FinalLayer(nn.Module):
    """Back to mel bands."""

    def __init__(self, config: EstimatorConfig) -> None:
        super().__init__()
        width = config.hidden_size
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(width, 2 * width))
        self.linear = nn.Linear(width, config.out_channels)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """``[2, time, out_channels]``."""
        shift, scale = self.adaLN_modulation(time).chunk(2, -1)
        return self.linear(_modulated(x, shift, scale))


class TimeEmbedding(nn.Module):
    """Where in the flow a step is, from 0 to 1, as a vector."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(_TIME_SIZE, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, time: Tensor) -> Tensor:
        """``[1, 1, width]``."""
        half = _TIME_SIZE // 2
        angles = 1000 * time * torch.exp(-math.log(10000) * torch.arange(half) / half)
        return self.mlp(torch.cat((torch.cos(angles), torch.sin(angles))))[None, None]


class Estimator(nn.Module):
    """The whole of it."""

    def __init__(self, config: EstimatorConfig) -> None:
        super().__init__()
        self.t_embedder = TimeEmbedding(config.hidden_size)
        self.in_proj = nn.Linear(config.in_channels, config.hidden_size)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.final_layer = FinalLayer(config)

    def forward(
        self, x: Tensor, time: Tensor, prompt: tuple[LayerPast, ...] | None, past: tuple[LayerPast, ...] | None
    ) -> tuple[Tensor, tuple[LayerPast, ...]]:
        """The flow at ``time`` (a number) for ``x[2, time, in_channels]``, and by layer what the next chunk needs."""
        embedded = self.t_embedder(time)
        x = self.in_proj(x)
        made = []
        for number, block in enumerate(self.blocks):
            x, layer = block(x, embedded, prompt[number] if prompt else None, past[number] if past else None)
            made.append(layer)
        return self.final_layer(x, embedded), tuple(made)
