"""The published ``flow.yaml``: the sizes of the flow model. Its tags name Python classes, which are never called."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator


class _Table(BaseModel):
    """What it does not list is a setting this implementation does not know, and refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class EncoderConfig(_Table):
    """The conformer between tokens and mel frames. The dropout rates are for training."""

    input_size: int = Field(gt=0)
    output_size: int = Field(gt=0)
    input_layer: Literal["linear"] = "linear"
    pre_lookahead_len: int = Field(gt=0)
    num_blocks: int = Field(gt=0)
    num_up_blocks: int = Field(gt=0)
    up_stride: int = Field(gt=0)
    up_scale_factor: float
    attention_heads: int = Field(gt=0)
    pos_enc_layer_type: Literal["rel_pos_espnet"] = "rel_pos_espnet"
    selfattention_layer_type: Literal["rel_selfattn"] = "rel_selfattn"
    key_bias: bool = True
    linear_units: int = Field(gt=0)
    dropout_rate: float = 0.0
    positional_dropout_rate: float = 0.0
    attention_dropout_rate: float = 0.0
    normalize_before: Literal[True] = True


class EstimatorConfig(_Table):
    """The transformer that estimates the flow."""

    in_channels: int
    out_channels: int
    mlp_ratio: float
    depth: int = Field(gt=0)
    num_heads: int = Field(gt=0)
    head_dim: int = Field(gt=0)
    hidden_size: int = Field(gt=0)


class DecoderConfig(_Table):
    """How the flow is followed."""

    inference_cfg_rate: float = Field(gt=0)
    estimator: EstimatorConfig


class FlowConfig(_Table):
    """The flow model: ``vocab_size`` tokens in, ``output_size`` mel bands out."""

    input_size: int = Field(gt=0)
    output_size: int = Field(gt=0)
    spk_embed_dim: int = Field(gt=0)
    output_type: Literal["mel"] = "mel"
    vocab_size: int = Field(gt=0)
    encoder: EncoderConfig
    decoder: DecoderConfig

    @model_validator(mode="after")
    def _fits_together(self) -> FlowConfig:
        encoder, estimator = self.encoder, self.decoder.estimator
        if not self.input_size == encoder.input_size == encoder.output_size:
            raise ValueError("input_size and output_size of the encoder must be that of the flow")
        if encoder.output_size % (2 * encoder.attention_heads):
            raise ValueError("output_size of the encoder must be an even multiple of attention_heads")
        if encoder.up_scale_factor != encoder.up_stride:
            raise ValueError("up_scale_factor must be up_stride")
        if (estimator.in_channels, estimator.out_channels) != (4 * self.output_size, self.output_size):
            raise ValueError("the estimator must take four times output_size channels, and give as many as that once")
        return self


class _Loader(yaml.SafeLoader):
    """A tag ``!new:CLASS`` is a table like any other."""


def _table(loader: _Loader, _class: str, node: yaml.MappingNode) -> dict[str, Any]:
    table: dict[str, Any] = loader.construct_mapping(node, deep=True)
    return table


_Loader.add_multi_constructor("!new:", _table)


def read_flow_config(path: Path) -> FlowConfig:
    """The configuration in ``path``. Raises ``ValueError`` naming what does not fit, ``OSError``."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)
        return FlowConfig.model_validate(content["flow"])
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, entry['loc'])) or 'flow'}: {entry['msg']}" for entry in error.errors())
        raise ValueError(f"{path.name}: {'; '.join(problems)}") from error
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"{path.name} is not the configuration of a flow model") from error
