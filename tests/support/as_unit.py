#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs a program behind a unit's system call filter, as systemd would, where systemd is not at work.

Usage: as_unit.py UNIT PROGRAM [ARG...]. Takes SystemCallFilter= and NoNewPrivileges= of the unit;
groups of calls are those of the systemd that is installed.
"""

import ctypes
import os
import subprocess
import sys

PR_SET_NO_NEW_PRIVS = 38
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | 1  # SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO with EPERM


def group(name):
    """The calls of a group and of the groups within it."""
    listed = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager", name], check=True,
                            capture_output=True, text=True).stdout
    calls = set()
    for line in listed.splitlines()[1:]:
        word = line.strip()
        if word.startswith("@"):
            calls |= group(word)
        elif word and not word.startswith("#"):
            calls.add(word)
    return calls


def allowed(unit):
    """What its SystemCallFilter= lines leave, in their order."""
    calls = set()
    with open(unit, encoding="utf-8") as lines:
        rows = [row.strip().partition("=")[2] for row in lines
                if row.startswith("SystemCallFilter=")]
    for row in rows:
        for word in row.removeprefix("~").split():
            named = group(word) if word.startswith("@") else {word}
            calls = calls - named if row.startswith("~") else calls | named
    return calls


def confine(calls):
    libc = ctypes.CDLL(None, use_errno=True)
    seccomp = ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(REFUSE))
    for call in sorted(calls):
        number = seccomp.seccomp_syscall_resolve_name(call.encode())
        if number >= 0:
            assert seccomp.seccomp_rule_add(context, ALLOW, number, 0) == 0, call
    assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    assert seccomp.seccomp_load(context) == 0


def main():
    confine(allowed(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
