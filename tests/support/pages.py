# SPDX-License-Identifier: MIT
"""The project's pages as a reader sees them: links, anchors, blocks of commands.

A block (indented by four, or fenced) is commands when its first line begins with one that is listed
below. `<!-- not run: why -->` in the line above says that nobody can run it here."""

import re

from support.server import ROOT

COMMANDS = ("patina build/patina make curl git sudo apt-get systemctl journalctl sqlite3 python3 node sh "
            "export meson ninja podman docker openssl nginx cp mkdir cd").split()
MARK = re.compile(r"<!-- not run: (\S.*) -->")


def pages():
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "examples/README.md"])


class Block:
    def __init__(self, page, line, lines, reason):
        self.page, self.line, self.lines, self.reason = page, line, lines, reason

    def is_commands(self):
        first = self.lines[0].removeprefix("$ ").split()
        return bool(first) and (first[0] in COMMANDS or "=" in first[0] and first[0].isupper())

    def script(self):
        """Without prompts, output and what is said to the right of a command."""
        shown = [l for l in self.lines if l.startswith("$ ")]
        lines = [l[2:] for l in shown] if shown else self.lines
        return "\n".join(re.sub(r"(?<=\S) {3,}\S.*$", "", l) for l in lines)


def blocks(page):
    """Every block of a page, commands or not."""
    found, current, fence, reason, previous = [], None, None, None, ""
    for number, line in enumerate(page.read_text().splitlines() + [""], 1):
        fenced = re.match(r"\s*```(\w*)", line)
        if fence is not None and not fenced:
            current.lines.append(line)
        elif fenced and fence is None:
            fence, current = fenced[1], Block(page, number, [], reason)
        elif fenced:
            found.append(current)
            fence = current = reason = None
        elif line.startswith("    ") and (current or not previous.strip() or MARK.match(previous)):
            if current is None:
                current = Block(page, number, [], reason)
            current.lines.append(line[4:])
        elif current is not None and not line.strip():
            current.lines.append("")
        else:
            if current is not None:
                found.append(current)
                current = reason = None
            if line.strip():
                mark = MARK.fullmatch(line.strip())
                reason = mark[1] if mark else None
        previous = line
    found += [current] if current else []
    for block in found:
        while block.lines and not block.lines[-1].strip():
            block.lines.pop()
    return [b for b in found if b.lines]


def prose(page):
    """A page's text without its blocks."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
    return re.sub(r"^    .*$", "", text, flags=re.M)


def anchors(page):
    """What the headings of a page are linked by."""
    titles = re.findall(r"^#+ (.+)$", prose(page), re.M)
    plain = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", t) for t in titles)
    return {re.sub(r"[^\w\- ]", "", t).strip().lower().replace(" ", "-") for t in plain}


def links(page):
    return re.findall(r"(?<!\\)\[[^]]*\]\(([^)\s]+)\)", prose(page))
