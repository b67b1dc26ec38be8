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
    unavailable = [] if leave_readable(path.resolve() for path in paths) else [FILES]
    return unavailable if deny_calls() else [NETWORK, *unavailable]


def limit_memory(max_bytes: int | None) -> None:
    """Bound the address space of this process, or free it again with ``None``. Only Linux keeps it."""
    if sys.platform == "linux":
        limit = resource.RLIM_INFINITY if max_bytes is None else max_bytes
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))


def limit_cpu(seconds_from_now: int) -> None:
    """End this process (``SIGXCPU``) when it has computed for ``seconds_from_now`` from now on."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + 1 + seconds_from_now
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))
