"""A child that tries what it may not: ``main`` prints what came of each, as JSON."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from pathlib import Path


def outcome(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return "done"


def exec_true() -> None:
    os.execv("/bin/true", ["true"])


def fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def connect() -> None:
    socket.create_connection(("127.0.0.1", 9), 1)


def ptrace() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(16, os.getppid(), 0, 0):
        raise OSError(ctypes.get_errno(), "")


def thread() -> None:
    started = threading.Thread(target=int)
    started.start()
    started.join()


def main(unavailable: Sequence[str]) -> None:
    folder = Path(os.environ["PROBED"])
    attempts: dict[str, Callable[[], object]] = {
        "socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
        "udp": lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM),
        "unix": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM),
        "connect": connect,
        "pair": socket.socketpair,
        "fork": fork,
        "exec": exec_true,
        "kill": lambda: os.kill(os.getppid(), signal.SIGCONT),
        "ptrace": ptrace,
        "secret": (folder / "secret").read_bytes,
        "environment": Path(f"/proc/{os.getppid()}/environ").read_bytes,
        "passwd": Path("/etc/passwd").read_bytes,
        "list": lambda: os.listdir(folder),
        "write": lambda: (folder / "new").write_text(""),
        "tmp": lambda: Path("/tmp/vivavoce-probe").write_text(""),
        "given": (folder / "given" / "file").read_bytes,
        "null": lambda: Path("/dev/null").write_text(""),
        "thread": thread,
        "library": Path(json.__file__).read_bytes,
    }
    print(json.dumps({"refused": list(unavailable), **{name: outcome(attempt) for name, attempt in attempts.items()}}))
