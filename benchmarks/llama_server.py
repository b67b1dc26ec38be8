"""llama.cpp's own server on a port, as users run it: the library of the built-in engine with its listener opened to TCP, in a
process of its own.

python benchmarks/llama_server.py MODEL.gguf PORT [--idle]        until its input ends (Ctrl-D)
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from vivavoce.openmp import calm_waiting_threads

READY_S = 120
AUTOGROUP = Path("/proc/self/autogroup")
"""The nice value of a session, where the kernel schedules sessions as groups (Linux, sched(7))."""


@contextmanager
def llama_server(
    gguf: Path, *, context_tokens: int = 4096, slots: int = 2, threads: int = 2, port: int = 0, idle: bool = False
) -> Iterator[str]:
    """The base address (``…/v1``) of a server of these weights, for the length of a ``with`` block. ``idle``: it computes on
    cores nobody else wants. Raises ``RuntimeError``."""
    port = port or _free_port()
    command = [sys.executable, __file__, str(gguf), str(port), f"--context-tokens={context_tokens}"]
    command += [f"--slots={slots}", f"--threads={threads}", *(["--idle"] if idle else [])]
    # Its end of input is ours. The kernel shares cores out among sessions first: one of its own can stand behind all others.
    process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=idle)
    try:
        _wait_until_ready(process, f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.communicate()


def _wait_until_ready(process: subprocess.Popen[bytes], base: str) -> None:
    deadline = time.monotonic() + READY_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(f"{base}/health", trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    ended = "did not begin to answer in time" if process.returncode is None else f"ended ({process.returncode})"
    raise RuntimeError(f"llama.cpp's server {ended}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def _make_way() -> None:
    """Put this session behind all others, and its threads into the idle class (Linux): before any is made, as they inherit it.

    The class counts within a session only where sessions are scheduled as groups (``CONFIG_SCHED_AUTOGROUP``).
    """
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    if AUTOGROUP.exists():
        AUTOGROUP.write_text("19")


def _serve(gguf: Path, port: int, *, context_tokens: int, slots: int, threads: int, idle: bool) -> None:
    """Serve until the input ends."""
    if idle:
        _make_way()
    calm_waiting_threads()
    import xllamacpp

    params: Any = xllamacpp.CommonParams()
    params.model.path = str(gguf)
    params.model_alias = ["served"]
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_parallel = slots
    params.n_ctx = slots * context_tokens
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.use_jinja = True
    params.verbosity = 0
    params.ui = False
    params.fit_params = False
    server = xllamacpp.Server(params)
    sys.stdin.read()
    del server


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="llama.cpp's own server, until the input ends.")
    parser.add_argument("gguf", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("--context-tokens", type=int, default=4096)
    parser.add_argument("--slots", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--idle", action="store_true", help="compute on cores nobody else wants (Linux)")
    _serve(**vars(parser.parse_args()))
