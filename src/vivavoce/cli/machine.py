"""What this machine has, for whoever recommends a profile."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import psutil

TOOL_S = 10.0


def total_memory_gb() -> float:
    """The memory there is, in GiB; rounded up a little, because a machine of 8 GB tells of 7.7."""
    return float(psutil.virtual_memory().total / 1024**3) * 1.05


def usable_cores() -> int:
    """The processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def graphics_memory_gb() -> float:
    """The memory of all graphics cards that vLLM runs on, in GiB, as the tools of their drivers tell; 0 without any."""
    nvidia = _said_by("nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits")  # MiB, a line a card
    mebibytes = [int(line) for line in nvidia.split() if line.isdecimal()]
    if mebibytes:
        return sum(mebibytes) / 1024
    try:
        cards = json.loads(_said_by("rocm-smi", "--showmeminfo", "vram", "--json") or "{}").values()
        return sum(int(card["VRAM Total Memory (B)"]) for card in cards) / 1024**3
    except (ValueError, KeyError, TypeError, AttributeError):
        return 0.0


def _said_by(tool: str, *arguments: str) -> str:
    """What a tool of a driver prints; nothing, where it is not there or fails."""
    path = shutil.which(tool)
    if path is None:
        return ""
    try:
        return subprocess.run([path, *arguments], capture_output=True, text=True, check=True, timeout=TOOL_S).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
