#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Manual pages from the program's own help, which it makes from its tables of commands and flags.

Usage: man.py PATINA OUTDIR. Writes patina.1, with every command that the help names, and
patina-serve.1, with every setting. No date is in them: the same program gives the same pages.
"""

import pathlib
import re
import subprocess
import sys

INDENT = 30  # where the program's help begins its explanations

FILES = """\
.SH FILES
.TP
.I DATA/patina.db
accounts, jobs, points, webhooks: an SQLite database
.TP
.I DATA/blobs/
pictures
.TP
.I DATA/api-key
the first account's key, when the service made it itself
.TP
.IR DATA/listen ", " DATA/admin-listen
the addresses that a running service listens on
.PP
.I DATA
is the folder that
.B PATINA_DATA
or
.B \\-\\-data
names, ./patina\\-data otherwise.
"""

EXIT_STATUS = """\
.SH EXIT STATUS
.TP
.B 0
done
.TP
.B 1
the work failed
.TP
.B 2
the command line, or a setting, was wrong
"""


def run(patina, *words):
    return subprocess.run([patina, *words], check=True, capture_output=True, text=True).stdout


def roff(text):
    """Text as it is: nothing in it is a request or an escape."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    text = text.replace("^", "\\(ha").replace("~", "\\(ti").replace('"', "\\(dq")
    return re.sub(r"^\.", r"\\&.", text, flags=re.M)


def commands(listing):
    """The names that a help text lists with one line each."""
    return re.findall(r"^  ([a-z-]+) +\S", listing, re.M)


def synopsis(usage):
    """`patina render IN -o OUT [flags]` with its fixed words in bold, the rest in italics."""
    words = []
    for word in usage.split():
        fixed = re.fullmatch(r"patina|[a-z-]+,?|-{1,2}[a-z]+", word)
        words.append(rf"\fB{roff(word)}\fR" if fixed else rf"\fI{roff(word)}\fR")
    return " ".join(words) + "\n"


def options(lines):
    """Rows of flags: `  -o, --out FILE   what it does`, what it does going on below itself."""
    out = []
    for line in lines:
        if line.startswith(" " * INDENT):
            out.append(roff(line.strip()))
        elif not line.startswith(" "):  # a group's heading
            out.append(f".PP\n{roff(line)}")
        else:
            names, _, help_text = line.strip().partition("  ")
            out.append(f".TP\n.B {roff(names)}")
            if help_text:
                out.append(roff(help_text.strip()))
    return "\n".join(out) + "\n"


def paragraph(text):
    """Prose is filled; what is indented is shown as it is."""
    lines = text.splitlines()
    if any(line.startswith("  ") for line in lines):
        head = [line for line in lines if not line.startswith("  ")]
        shown = [line.strip() for line in lines if line.startswith("  ")]
        return "".join([".PP\n", *(roff(h) + "\n" for h in head), ".RS\n.nf\n",
                        *(roff(s) + "\n" for s in shown), ".fi\n.RE\n"])
    return f".PP\n{roff(text)}\n"


def described(help_text):
    """(usage, body in roff) of one command's help."""
    usage, _, rest = help_text.partition("\n\n")
    blocks = [b for b in rest.strip("\n").split("\n\n") if b]
    body = []
    for block in blocks:
        lines = block.splitlines()
        has_flags = re.match(r" {2,6}-", lines[0]) or (
            len(lines) > 1 and lines[0].endswith(":") and re.match(r" {2,6}-", lines[1]))
        body.append(options(lines) if has_flags else paragraph(block))
    return usage.removeprefix("usage: "), "".join(body)


def head(name, version, summary):
    return (f'.TH {roff(name).upper()} 1 "" "Patina {version}" "User Commands"\n'
            f".SH NAME\n{roff(name)} \\- {summary}\n")


def leaves(patina, names):
    """(words, help text) of every command that does something itself."""
    for name in names:
        text = run(patina, name, "--help")
        if " COMMAND " not in text.splitlines()[0]:
            yield (name,), text
            continue
        for sub in commands(text):
            yield (name, sub), run(patina, name, sub, "--help")


def main_page(patina, version):
    listing = run(patina, "help")
    names = [n for n in commands(listing) if n not in ("help", "version")]
    out = [head("patina", version, "repaint photographs by a prompt"),
           ".SH SYNOPSIS\n", synopsis("patina COMMAND [flags]"), ".SH DESCRIPTION\n",
           "Patina keeps what is in a photograph and changes what it is made of. One program is\n"
           "the HTTP API, the queue, the workers and the painter.\n",
           ".PP\n.B patina help\n.I COMMAND\nprints what is said here of a command.\n",
           ".SH COMMANDS\n"]
    for words, text in leaves(patina, names):
        usage, body = described(text)
        out.append(f".SS {roff(' '.join(words))}\n{synopsis(usage)}")
        if words == ("serve",):
            body = ".PP\nRuns the service. Its settings have a page of their own:\n" \
                   ".BR patina\\-serve (1).\n"
        out.append(body)
    return "".join([*out, EXIT_STATUS, FILES, ".SH SEE ALSO\n.BR patina\\-serve (1)\n"])


def serve_page(patina, version):
    usage, body = described(run(patina, "serve", "--help"))
    return "".join([head("patina-serve", version, "run the retexturing service"),
                    ".SH SYNOPSIS\n", synopsis(usage), ".SH DESCRIPTION\n",
                    re.sub(r"^\.PP\n([\w\\ -]+):\n", lambda m: f".SS {m[1]}\n",
                           body.removeprefix(".PP\n"), flags=re.M),
                    EXIT_STATUS, FILES, ".SH SEE ALSO\n.BR patina (1)\n"])


def main():
    patina, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    version = run(patina, "version").split()[1]
    (folder / "patina.1").write_text(main_page(patina, version))
    (folder / "patina-serve.1").write_text(serve_page(patina, version))


if __name__ == "__main__":
    main()
