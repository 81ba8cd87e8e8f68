"""Runs a command under a seccomp filter that answers bpf() with EPERM, as some containers do.

    refuse_bpf.py COMMAND…
"""

import ctypes
import os
import platform
import struct
import sys

# The architecture's number of bpf(), see seccomp(2) and syscalls(2).
BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
LOAD_NUMBER, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
REFUSE, ALLOW = 0x00050000 | 1, 0x7FFF0000  # SECCOMP_RET_ERRNO with EPERM, SECCOMP_RET_ALLOW.


def instruction(code: int, if_true: int, if_false: int, operand: int) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, operand)


def refuse():
    program = ctypes.create_string_buffer(
        instruction(LOAD_NUMBER, 0, 0, 0) + instruction(JUMP_IF_EQUAL, 0, 1, BPF) +
        instruction(RETURN, 0, 0, REFUSE) + instruction(RETURN, 0, 0, ALLOW))
    filter_of_4 = ctypes.create_string_buffer(
        struct.pack("@HP", 4, ctypes.addressof(program)))  # struct sock_fprog
    libc = ctypes.CDLL(None, use_errno=True)
    if (libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
            or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filter_of_4, 0, 0) != 0):
        raise OSError(ctypes.get_errno(), "prctl")


if __name__ == "__main__":
    refuse()
    os.execv(sys.argv[1], sys.argv[1:])
