"""What a child process takes from itself before it looks at anything from outside."""

from __future__ import annotations

import resource
import sys
from collections.abc import Sequence
from pathlib import Path

_SYSTEM = (
    "/usr",
    "/lib",
    "/lib64",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/meminfo",
)
_CORES = "/sys/devices/system/cpu"

NETWORK = "the network and other programs"
FILES = "the files of this machine"


def confine(readable: Sequence[Path]) -> list[str]:
    """Leave this process its own threads, what is open, Python's files and ``readable``; what the system cannot keep it from.

    Nothing of it can be taken back. To be called before there are other threads.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a dump would hold what somebody sent
    if sys.platform != "linux":
        return [NETWORK, FILES]
    from vivavoce.children.landlock import leave_readable
    from vivavoce.children.seccomp import deny_calls

    pythons = [Path(entry) for entry in (*sys.path, sys.prefix, sys.base_prefix) if entry not in ("", "/")]
    paths = (*pythons, *(Path(name) for name in (*_SYSTEM, _CORES)), *readable)
    refused = [] if leave_readable(path.resolve() for path in paths) else [FILES]
    return refused if deny_calls() else [NETWORK, *refused]


def limit_memory(most_bytes: int | None) -> None:
    """Bound the address space of this process, or free it again with ``None``. Only Linux keeps it."""
    if sys.platform == "linux":
        most = resource.RLIM_INFINITY if most_bytes is None else most_bytes
        resource.setrlimit(resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))


def limit_cpu(more_s: int) -> None:
    """End this process (``SIGXCPU``) when it has computed for ``more_s`` from now on."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + 1 + more_s
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))
