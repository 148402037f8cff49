#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Turns sql/NNNN_what.sql files into a C table: embed.py OUT.c FILE...

The files must be numbered 1, 2, 3, ... without a gap, in the order given.
"""
import pathlib
import sys


def c_string(text):
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return "\n".join(f'        "{line}\\n"' for line in quoted.splitlines())


def main(out, *files):
    rows = []
    for want, name in enumerate(files, start=1):
        path = pathlib.Path(name)
        if int(path.name[:4]) != want:
            sys.exit(f"embed.py: {path.name}: number {want:04} expected here")
        rows.append(f'    {{"{path.stem}",\n{c_string(path.read_text())}}},\n')
    pathlib.Path(out).write_text(
        '#include "store/store_sqlite_internal.h"\n\n'
        "const struct migration sqlite_migrations[] = {\n"
        + "".join(rows)
        + f"}};\nconst int sqlite_migration_count = {len(rows)};\n"
    )


main(*sys.argv[1:])
