"""llama.cpp's own server on a port, as users run it: the library of the built-in engine with its listener opened to TCP.

python benchmarks/llama_server.py MODEL.gguf PORT SECONDS
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx


@contextmanager
def llama_server(
    gguf: Path, *, context_tokens: int = 4096, slots: int = 2, threads: int = 2, port: int = 0
) -> Iterator[str]:
    """The base address (``…/v1``) of a server of these weights, for the length of a ``with`` block."""
    import xllamacpp

    port = port or _free_port()
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
    base = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{base}/health", trust_env=False).is_success:
                break
        except httpx.ConnectError:
            pass
        time.sleep(0.05)
    try:
        yield f"{base}/v1"
    finally:
        del server


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


if __name__ == "__main__":
    import sys

    with llama_server(Path(sys.argv[1]), port=int(sys.argv[2])) as address:
        print(address, flush=True)
        time.sleep(float(sys.argv[3]))
