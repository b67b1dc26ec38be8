"""Files a child process may still see (Linux, landlock(7)): what it is given to read, and nothing to write."""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Iterable
from pathlib import Path

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION, _PATH_BENEATH = 1, 1
_WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 1, 1 << 2, 1 << 3
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""By version of the interface: how many rights there are. Later ones have as many as the fifth."""

_TCP_SINCE, _TCP = 4, 0b11
_SCOPES_SINCE, _SCOPES = 6, 0b11
"""Abstract UNIX sockets and signals of others."""

_DEVICES = tuple(Path(name) for name in ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"))


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("tcp", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("rights", ctypes.c_uint64), ("folder", ctypes.c_int32))


def leave_readable(paths: Iterable[Path]) -> bool:
    """Deny this thread, and those it starts, all files but ``paths`` and what is in them; whether that worked.

    To be called before there are other threads. Files that are open stay so.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE, None, 0, _VERSION)
    if version < 1:
        return False
    ruleset = _Ruleset((1 << _FILE_RIGHTS[min(version, 5)]) - 1)
    ruleset.tcp = _TCP if version >= _TCP_SINCE else 0
    ruleset.scopes = _SCOPES if version >= _SCOPES_SINCE else 0
    size = 24 if version >= _SCOPES_SINCE else 16 if version >= _TCP_SINCE else 8
    rules = libc.syscall(_CREATE, ctypes.byref(ruleset), size, 0)
    if rules < 0:
        return False
    try:
        for path in paths:
            _allow(libc, rules, path, _READ_FILE | _READ_DIR)
        for device in _DEVICES:
            _allow(libc, rules, device, _READ_FILE | _WRITE_FILE)
        return bool(libc.syscall(_RESTRICT, rules, 0) == 0)
    finally:
        os.close(rules)


def _allow(libc: ctypes.CDLL, rules: int, path: Path, rights: int) -> None:
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there need not be read
    try:
        if not stat.S_ISDIR(os.fstat(opened).st_mode):
            rights &= ~_READ_DIR
        beneath = _Beneath(rights, opened)
        libc.syscall(_ADD, rules, _PATH_BENEATH, ctypes.byref(beneath), 0)
    finally:
        os.close(opened)
