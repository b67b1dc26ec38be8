"""The published files → networks. Every parameter must be there, in the right shape, and none besides."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from vivavoce.engines.token2wav.flow import Flow
from vivavoce.engines.token2wav.flow_config import FlowConfig
from vivavoce.engines.token2wav.vocoder import Vocoder

_NAMED = 6
"""So many parameters are named when something is wrong with them."""


def load_flow(path: Path, config: FlowConfig, steps: int) -> Flow:
    """The flow model of ``flow.pt``. Raises ``ValueError`` naming the parameters that do not fit, ``OSError``."""
    with torch.device("meta"):  # parameters are not made up before they are loaded
        flow = Flow(config, steps)
    _fill(flow, _parameters(path), path.name)
    return flow


def load_vocoder(path: Path, bands: int) -> Vocoder:
    """The vocoder of ``hift.pt``, as large as its parameters are. Raises as ``load_flow``."""
    joined = _joined(
        {name.removeprefix("generator."): parameter for name, parameter in _parameters(path).items()}, path.name
    )
    with torch.device("meta"):
        vocoder = Vocoder(bands, _outputs(joined, "conv_pre", path), _outputs(joined, "f0_predictor.condnet.0", path))
    _fill(vocoder, joined, path.name)
    return vocoder


def _parameters(path: Path) -> dict[str, Tensor]:
    """What is in a file, as 32-bit floats. Nothing in it is executed (``weights_only``)."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise ValueError(f"{path.name} is not a file of parameters ({type(error).__name__})") from error
    if not isinstance(content, Mapping) or not all(isinstance(parameter, Tensor) for parameter in content.values()):
        raise ValueError(f"{path.name} is not a file of parameters")
    return {str(name): parameter.float() for name, parameter in content.items()}


def _joined(parameters: Mapping[str, Tensor], file: str) -> dict[str, Tensor]:
    """With each norm and its direction made one weight again: both spellings of PyTorch's are known."""
    joined = dict(parameters)
    spellings = (("parametrizations.weight.original0", "parametrizations.weight.original1"), ("weight_g", "weight_v"))
    for of_norm, of_direction in spellings:
        for name in [name for name in parameters if name.endswith(f".{of_norm}")]:
            layer = name.removesuffix(of_norm)
            direction = joined.pop(layer + of_direction, None)
            if direction is None:
                raise ValueError(f"{file} lacks {layer}{of_direction}")
            lengths = direction.flatten(1).norm(dim=1).view(-1, *[1] * (direction.dim() - 1))
            joined[f"{layer}weight"] = direction * (joined.pop(name) / lengths)
    return joined


def _outputs(parameters: Mapping[str, Tensor], layer: str, path: Path) -> int:
    weight = parameters.get(f"{layer}.weight")
    if weight is None:
        raise ValueError(f"{path.name} lacks {layer}.weight")
    return len(weight)


def _fill(network: nn.Module, parameters: Mapping[str, Tensor], file: str) -> None:
    expected = network.state_dict()
    problems = []
    if missing := [name for name in expected if name not in parameters]:
        problems.append(f"lacks {_list(missing)}")
    if unknown := [name for name in parameters if name not in expected]:
        problems.append(f"has {_list(unknown)}, which the model does not know")
    if wrong := [
        f"{name} {list(parameters[name].shape)} instead of {list(parameter.shape)}"
        for name, parameter in expected.items()
        if name in parameters and parameters[name].shape != parameter.shape
    ]:
        problems.append(f"has {_list(wrong)}")
    if problems:
        raise ValueError(f"{file} {', and '.join(problems)}")
    network.load_state_dict(parameters, assign=True)
    network.requires_grad_(False).eval()


def _list(names: list[str]) -> str:
    further = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + further
