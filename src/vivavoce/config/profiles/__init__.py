"""Profiles: whole configurations under one word, for machines of different sizes. Each is a TOML file that can be copied.

What a configuration file, the environment or flags say comes before what the profile says.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Profile:
    """``memory_gb`` is what the machine should have, ``disk_gb`` what its weights take, ``graphics_gb`` the
    memory of graphics cards it needs."""

    name: str
    what: str
    memory_gb: float
    cores: int
    disk_gb: float
    graphics_gb: float = 0
    hosted: bool = False

    @property
    def file(self) -> Path:
        """The configuration."""
        return _FOLDER / f"{self.name}.toml"


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        profile.name: profile
        for profile in (
            Profile("pocket", "a 0.5B language model for all tiers", 2, 1, 0.9),
            Profile("default", "language models of 1.5B and 0.5B", 4, 2, 2.1),
            Profile("better", "Qwen3 4B, larger recognisers, BGE-M3 for documents", 8, 4, 4.5),
            Profile("gpu", "a 30B language model on vLLM; hearing and speaking here", 16, 4, 1.6, graphics_gb=22),
            Profile("hosted", "language models of a provider; hearing and speaking here", 2, 1, 0.5, hosted=True),
        )
    }
)
"""By name, from small to large; ``hosted`` needs a key of somebody else's."""

NO_PROFILE = "default"
"""What a server runs on without one."""


def profile_values(name: str, others: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What the profile says beside ``others``, which come before it. A language model to which one of them gives an engine or
    weights is theirs alone: settings are tuned for weights."""
    values = tomllib.loads(PROFILES[name].file.read_text(encoding="utf-8"))
    models = values.get("engines", {}).get("language_models", {})
    for other in others:
        engines = other.get("engines")
        said = engines.get("language_models") if isinstance(engines, Mapping) else None
        for model, entry in said.items() if isinstance(said, Mapping) else ():
            if isinstance(entry, Mapping) and {"engine", "weights"} & entry.keys():
                models.pop(model, None)
    return values


def recommended(memory_gb: float, cores: int, graphics_gb: float) -> Profile:
    """The largest profile for a machine, the provider's aside: whether words may leave it is not for a program to say."""
    fitting = [
        profile
        for profile in PROFILES.values()
        if not profile.hosted
        and profile.memory_gb <= memory_gb
        and profile.cores <= cores
        and profile.graphics_gb <= graphics_gb
    ]
    return fitting[-1] if fitting else PROFILES["pocket"]
