"""What this machine has, for whoever recommends a profile."""

from __future__ import annotations

import os
import shutil

import psutil


def total_memory_gb() -> float:
    """The memory there is, in GiB; rounded up a little, because a machine of 8 GB tells of 7.7."""
    return float(psutil.virtual_memory().total / 1024**3) * 1.05


def usable_cores() -> int:
    """The processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def has_gpu() -> bool:
    """Whether there is a graphics card that vLLM runs on: the tool of its driver is there."""
    return shutil.which("nvidia-smi") is not None or shutil.which("rocm-smi") is not None
