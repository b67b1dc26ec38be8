"""System calls a child process may no longer make (Linux, seccomp(2)): they fail with ``EPERM``.

A list of what is denied, not of what is allowed: numeric libraries differ too much in what they call. It takes the network,
other programs and other processes; files are landlock's business.
"""

from __future__ import annotations

import ctypes
import errno
import platform
from collections.abc import Mapping
from types import MappingProxyType

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _FIRST_ARGUMENT_AT = 0, 4, 16
_ALLOW, _FAIL = 0x7FFF0000, 0x00050000

_X32 = 0x40000000
"""Numbers from here on are x86-64's calls in another spelling."""

_CLONE_THREAD = 0x10000
_SET_NO_NEW_PRIVILEGES, _SECCOMP_SET_MODE_FILTER, _ON_ALL_THREADS = 38, 1, 1

_NEW_EVERYWHERE = {
    "pidfd_send_signal": 424, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428,
    "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433, "pidfd_open": 434, "pidfd_getfd": 438,
    "process_madvise": 440, "mount_setattr": 442,
}  # fmt: skip
"""Since 2019 all architectures count alike."""

DENIED: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        "x86_64": {
            # network
            "socket": 41, "connect": 42, "accept": 43, "bind": 49, "listen": 50, "socketpair": 53, "accept4": 288,
            # other programs and processes
            "fork": 57, "vfork": 58, "execve": 59, "execveat": 322, "kill": 62, "tkill": 200, "tgkill": 234,
            "rt_sigqueueinfo": 129, "rt_tgsigqueueinfo": 297, "ptrace": 101, "process_vm_readv": 310,
            "process_vm_writev": 311, "shmget": 29, "shmat": 30, "msgget": 68, "semget": 64, "mq_open": 240,
            # the system
            "chroot": 161, "pivot_root": 155, "mount": 165, "umount2": 166, "unshare": 272, "setns": 308, "bpf": 321,
            "perf_event_open": 298, "userfaultfd": 323, "add_key": 248, "request_key": 249, "keyctl": 250,
            "init_module": 175, "finit_module": 313, "delete_module": 176, "kexec_load": 246, "kexec_file_load": 320,
            "reboot": 169, "swapon": 167, "swapoff": 168, "acct": 163, "syslog": 103, "sethostname": 170,
            "setdomainname": 171, "settimeofday": 164, "clock_settime": 227, "clock_adjtime": 305,
            "name_to_handle_at": 303, "open_by_handle_at": 304, "iopl": 172, "ioperm": 173, **_NEW_EVERYWHERE,
        },
        "aarch64": {
            "socket": 198, "connect": 203, "accept": 202, "bind": 200, "listen": 201, "socketpair": 199, "accept4": 242,
            "execve": 221, "execveat": 281, "kill": 129, "tkill": 130, "tgkill": 131, "rt_sigqueueinfo": 138,
            "rt_tgsigqueueinfo": 240, "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271, "shmget": 194,
            "shmat": 196, "msgget": 186, "semget": 190, "mq_open": 180, "chroot": 51, "pivot_root": 41, "mount": 40,
            "umount2": 39, "unshare": 97, "setns": 268, "bpf": 280, "perf_event_open": 241, "userfaultfd": 282,
            "add_key": 217, "request_key": 218, "keyctl": 219, "init_module": 105, "finit_module": 273,
            "delete_module": 106, "kexec_load": 104, "kexec_file_load": 294, "reboot": 142, "swapon": 224,
            "swapoff": 225, "acct": 89, "syslog": 116, "sethostname": 161, "setdomainname": 162, "settimeofday": 170,
            "clock_settime": 112, "clock_adjtime": 266, "name_to_handle_at": 264, "open_by_handle_at": 265,
            **_NEW_EVERYWHERE,
        },
    }
)  # fmt: skip
"""By architecture: the names of the calls and their numbers (asm/unistd.h)."""

_SECCOMP = {"x86_64": 317, "aarch64": 277}
_CLONE = {"x86_64": 56, "aarch64": 220}
_PRLIMIT = {"x86_64": 302, "aarch64": 261}
_CLONE3 = 435
_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint16), ("yes", ctypes.c_uint8), ("no", ctypes.c_uint8), ("value", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("count", ctypes.c_uint16), ("first", ctypes.POINTER(_Instruction)))


def deny_calls() -> bool:
    """Deny them to this process, for good; whether that worked."""
    machine = platform.machine()
    if machine not in DENIED:
        return False
    program = _program(machine)
    instructions = (_Instruction * len(program))(*(_Instruction(*instruction) for instruction in program))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        return False
    filter = _Program(len(program), instructions)
    return bool(libc.syscall(_SECCOMP[machine], _SECCOMP_SET_MODE_FILTER, _ON_ALL_THREADS, ctypes.byref(filter)) == 0)


def _program(machine: str) -> list[tuple[int, int, int, int]]:
    """The filter, in the kernel's language of four numbers an instruction; jumps count from the next one."""
    allow, deny = (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _FAIL | errno.EPERM)
    program = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_EQUAL, 1, 0, _ARCHITECTURE[machine]),
        deny,  # the calls of 32 bits
        (_LOAD, 0, 0, _NUMBER_AT),
        (_AT_LEAST, 0, 1, _X32),
        deny,
        (_EQUAL, 0, 1, _CLONE3),
        (_RETURN, 0, 0, _FAIL | errno.ENOSYS),  # its flags cannot be seen: libraries fall back to clone
        (_EQUAL, 0, 4, _CLONE[machine]),
        (_LOAD, 0, 0, _FIRST_ARGUMENT_AT),
        (_ANY_BIT, 0, 1, _CLONE_THREAD),
        allow,
        deny,
        (_EQUAL, 0, 4, _PRLIMIT[machine]),
        (_LOAD, 0, 0, _FIRST_ARGUMENT_AT),
        (_EQUAL, 0, 1, 0),  # its own limits
        allow,
        deny,
    ]
    for number in DENIED[machine].values():
        program += [(_EQUAL, 0, 1, number), deny]
    return [*program, allow]
