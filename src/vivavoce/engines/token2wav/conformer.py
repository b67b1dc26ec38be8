"""The encoder of the flow model: tokens (25 Hz) → what the mel frames (50 Hz) should be like, a chunk at a time.

CosyVoice 2's "upsampling conformer" (Du et al. 2024, section 2.3, and the code published with it): a convolution that looks a
few tokens ahead, transformer layers with relative positions (Dai et al. 2019, section 3.3), a doubling of the rate, and more of
such layers. The names of the modules are those of the published parameters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

from vivavoce.engines.token2wav.flow_config import EncoderConfig

KeysValues: TypeAlias = tuple[Tensor, Tensor]
"""Of one layer, ``[batch, heads, time, size]`` each."""

PAST_TOKENS = 1000
"""Tokens before a chunk that it sees, the prompt's among them: 40 s. It bounds their memory: 57 MB at the published sizes."""


@dataclass(frozen=True, slots=True)
class EncoderPast:
    """What the next chunk needs of those before it."""

    looked_ahead: Tensor
    upsampled: Tensor
    layers: tuple[KeysValues, ...]
    up_layers: tuple[KeysValues, ...]


class RelativeAttention(nn.Module):
    """Self-attention that knows how far apart two positions are, and not where they are."""

    def __init__(self, width: int, heads: int, key_bias: bool) -> None:
        super().__init__()
        self.heads, self.size = heads, width // heads
        self.linear_q, self.linear_v, self.linear_out = (nn.Linear(width, width) for _ in range(3))
        self.linear_k = nn.Linear(width, width, bias=key_bias)
        self.linear_pos = nn.Linear(width, width, bias=False)
        self.pos_bias_u = nn.Parameter(torch.zeros(heads, self.size))
        self.pos_bias_v = nn.Parameter(torch.zeros(heads, self.size))

    def forward(self, x: Tensor, distances: Tensor, past: KeysValues | None) -> tuple[Tensor, KeysValues]:
        """``x[1, time, width]``; ``distances[n, width]`` as of ``distance_encoding``."""
        query, key, value = (self._split(linear(x)) for linear in (self.linear_q, self.linear_k, self.linear_v))
        if past is not None:
            key, value = torch.cat((past[0], key), 2), torch.cat((past[1], value), 2)
        by_distance = (query + self.pos_bias_v[:, None]) @ self._split(self.linear_pos(distances)[None]).transpose(2, 3)
        bias = _by_position(by_distance, key.shape[2]) / math.sqrt(self.size)
        mixed = functional.scaled_dot_product_attention(query + self.pos_bias_u[:, None], key, value, attn_mask=bias)
        return self.linear_out(mixed.transpose(1, 2).flatten(2)), (key, value)

    def _split(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:2], self.heads, self.size).transpose(1, 2)


def _by_position(scores: Tensor, keys: int) -> Tensor:
    """Scores by distance (farthest back first) as scores by key: row ``i`` of ``t`` begins ``t - 1 - i`` columns later."""
    batch, heads, queries, distances = scores.shape
    flat = functional.pad(scores, (0, 1)).flatten(2)[:, :, queries - 1 : queries - 1 + queries * distances]
    return flat.view(batch, heads, queries, distances)[..., :keys]


def distance_encoding(queries: int, keys: int, width: int) -> Tensor:
    """Sines and cosines of the distances between the last ``queries`` of ``keys`` positions and each key, farthest first."""
    distances = torch.arange(keys - 1, -queries, -1, dtype=torch.float32)[:, None]
    rates = torch.exp(torch.arange(0, width, 2, dtype=torch.float32) * -(math.log(10000.0) / width))
    return torch.stack((torch.sin(distances * rates), torch.cos(distances * rates)), 2).flatten(1)


class ConformerLayer(nn.Module):
    """Attention and a feed-forward network, each normalised before."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        width = config.output_size
        self.self_attn = RelativeAttention(width, config.attention_heads, config.key_bias)
        self.feed_forward = nn.ModuleDict(
            {"w_1": nn.Linear(width, config.linear_units), "w_2": nn.Linear(config.linear_units, width)}
        )
        self.norm_mha, self.norm_ff = (nn.LayerNorm(width, eps=1e-12) for _ in range(2))

    def forward(self, x: Tensor, distances: Tensor, past: KeysValues | None) -> tuple[Tensor, KeysValues]:
        """As ``RelativeAttention.forward``."""
        attended, keys_values = self.self_attn(self.norm_mha(x), distances, past)
        x = x + attended
        return x + self.feed_forward["w_2"](functional.silu(self.feed_forward["w_1"](self.norm_ff(x)))), keys_values


class Embedding(nn.Module):
    """What comes before the layers: a linear layer, and the scale transformers give their input."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.out = nn.Sequential(nn.Linear(config.input_size, config.output_size), nn.LayerNorm(config.output_size))
        self.scale = math.sqrt(config.output_size)

    def forward(self, x: Tensor) -> Tensor:
        """``[1, time, width]``, as ``x``."""
        return self.out(x) * self.scale


class LookAhead(nn.Module):
    """Mixes each token with the few that follow it, and the two before it."""

    def __init__(self, width: int, tokens: int) -> None:
        super().__init__()
        self.tokens = tokens
        self.conv1 = nn.Conv1d(width, width, tokens + 1)
        self.conv2 = nn.Conv1d(width, width, 3)

    def forward(self, x: Tensor, past: Tensor | None) -> tuple[Tensor, Tensor]:
        """``x[1, time + tokens, width]`` → ``[1, time, width]``, and what the next chunk needs."""
        mixed = functional.leaky_relu(self.conv1(x.transpose(1, 2)))
        mixed = torch.cat((mixed.new_zeros(*mixed.shape[:2], 2) if past is None else past, mixed), 2)
        return self.conv2(mixed).transpose(1, 2) + x[:, : -self.tokens], mixed[..., -2:]


class Upsampling(nn.Module):
    """Repeats each position, then smooths."""

    def __init__(self, width: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.conv = nn.Conv1d(width, width, 2 * stride + 1)

    def forward(self, x: Tensor, past: Tensor | None) -> tuple[Tensor, Tensor]:
        """``x[1, time, width]`` → ``[1, stride * time, width]``, and what the next chunk needs."""
        repeated = x.transpose(1, 2).repeat_interleave(self.stride, 2)
        before = repeated.new_zeros(*repeated.shape[:2], 2 * self.stride) if past is None else past
        repeated = torch.cat((before, repeated), 2)
        return self.conv(repeated).transpose(1, 2), repeated[..., -2 * self.stride :]


class Encoder(nn.Module):
    """The whole of it."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.width = config.output_size
        self.embed, self.up_embed = Embedding(config), Embedding(config)
        self.pre_lookahead_layer = LookAhead(self.width, config.pre_lookahead_len)
        self.encoders = nn.ModuleList(ConformerLayer(config) for _ in range(config.num_blocks))
        self.up_layer = Upsampling(self.width, config.up_stride)
        self.up_encoders = nn.ModuleList(ConformerLayer(config) for _ in range(config.num_up_blocks))
        self.after_norm = nn.LayerNorm(self.width)

    def forward(self, x: Tensor, past: EncoderPast | None, last: bool) -> tuple[Tensor, EncoderPast]:
        """``x[1, time, width]`` are the tokens of a chunk and those looked ahead to, unless it is the ``last`` one."""
        x = self.embed(x)
        if last:
            x = functional.pad(x, (0, 0, 0, self.pre_lookahead_layer.tokens))
        x, looked_ahead = self.pre_lookahead_layer(x, None if past is None else past.looked_ahead)
        x, layers = self._stack(self.encoders, x, None if past is None else past.layers, PAST_TOKENS)
        x, upsampled = self.up_layer(x, None if past is None else past.upsampled)
        up_past = None if past is None else past.up_layers
        x, up_layers = self._stack(self.up_encoders, self.up_embed(x), up_past, PAST_TOKENS * self.up_layer.stride)
        return self.after_norm(x), EncoderPast(looked_ahead, upsampled, layers, up_layers)

    def _stack(
        self, layers: nn.ModuleList, x: Tensor, past: tuple[KeysValues, ...] | None, kept: int
    ) -> tuple[Tensor, tuple[KeysValues, ...]]:
        """Through ``layers``; of the keys and values the newest ``kept`` are for the next chunk."""
        seen = x.shape[1] + (0 if past is None else past[0][0].shape[2])
        distances = distance_encoding(x.shape[1], seen, self.width)
        made = []
        for number, layer in enumerate(layers):
            x, (keys, values) = layer(x, distances, None if past is None else past[number])
            made.append((keys[:, :, -kept:], values[:, :, -kept:]))
        return x, tuple(made)
