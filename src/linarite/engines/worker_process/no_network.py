"""Taking the network away from a process, for good: a filter of system calls (seccomp).

What a model file, a template or a grammar may do to an engine's process, it can't call out: the
kernel refuses every socket but those of this machine (`AF_UNIX`). Sockets that are there already
stay as they are.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
import sys
from typing import NamedTuple

_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2
_RET_ALLOW = 0x7FFF0000
_RET_ERRNO = 0x00050000
_LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_JUMP_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_JUMP_AT_LEAST = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_RETURN = 0x06  # BPF_RET | BPF_K
_NUMBER_AT, _ARCHITECTURE_AT, _FIRST_ARGUMENT_AT = 0, 4, 16
"""in `struct seccomp_data`; arguments are 64 bits, little-endian on the machines below"""
_X32 = 0x40000000
"""the second set of numbers that x86-64 has"""
_IO_URING_SETUP = 425
"""opens sockets without the system call for it; the same number everywhere"""


class _Machine(NamedTuple):
    audit: int
    """`AUDIT_ARCH_…`"""
    socket: int
    """the number of socket(2)"""


_MACHINES = {"x86_64": _Machine(0xC000003E, 41), "aarch64": _Machine(0xC00000B7, 198)}


class _Program(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def give_up_network() -> bool:
    """Have the kernel refuse every further socket that reaches beyond this machine.

    It can't be undone, and holds for threads and processes that this one starts from here on.
    False where the platform has no such thing.
    """
    machine = _MACHINES.get(os.uname().machine)
    if sys.platform != "linux" or machine is None:
        return False
    code = _filter(machine)
    program = _Program(len(code) // 8, code)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) == 0


def _filter(machine: _Machine) -> bytes:
    """The instructions; jumps count those that are left out."""
    refused, absent = _RET_ERRNO | errno.EACCES, _RET_ERRNO | errno.ENOSYS
    return b"".join(
        struct.pack("=HBBI", code, if_true, if_false, operand)
        for code, if_true, if_false, operand in (
            (_LOAD, 0, 0, _ARCHITECTURE_AT),
            (_JUMP_EQUAL, 0, 8, machine.audit),  # else refused
            (_LOAD, 0, 0, _NUMBER_AT),
            (_JUMP_AT_LEAST, 6, 0, _X32),  # refused
            (_JUMP_EQUAL, 4, 0, _IO_URING_SETUP),  # absent
            (_JUMP_EQUAL, 0, 2, machine.socket),  # else allowed
            (_LOAD, 0, 0, _FIRST_ARGUMENT_AT),
            (_JUMP_EQUAL, 0, 2, int(socket.AF_UNIX)),  # else refused
            (_RETURN, 0, 0, _RET_ALLOW),
            (_RETURN, 0, 0, absent),
            (_RETURN, 0, 0, refused),
        )
    )
