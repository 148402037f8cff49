#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Embeds the API's description: api_page.py OUT.c OPENAPI.yaml

Writes C arrays with the YAML itself (served at /openapi.yaml) and a page made from it (/docs). The
page is plain HTML with one style sheet inside: it needs nothing from the network and no script.
"""

import html
import json
import re
import sys

import yaml

METHODS = ("get", "post", "put", "delete")

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --accent: #2a6f97; }
@media (prefers-color-scheme: dark) { :root { --accent: #7fc8f8; } }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem 1.5rem 6rem; }
h1 { margin-bottom: 0; } h2 { margin-top: 3rem; border-bottom: 1px solid var(--line); }
h3 { margin-top: 2.2rem; font-size: 1.05rem; } h4 { margin: 1rem 0 .3rem; font-size: .9rem; }
code, pre { font: .88em/1.45 ui-monospace, monospace; }
pre { background: var(--soft); padding: .6rem .8rem; overflow-x: auto; }
a { color: var(--accent); } nav ul { columns: 18rem; padding-left: 1.2rem; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
td, th { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--line); }
.method { display: inline-block; min-width: 3.2rem; margin-right: .6rem; font-weight: 700; color: var(--accent); }
.type { white-space: nowrap; opacity: .75; } .deep1 { padding-left: 1.2rem; } .deep2 { padding-left: 2.4rem; }
.deep3 { padding-left: 3.6rem; } .deep4 { padding-left: 4.8rem; }
"""


def text(s):
    """Paragraphs and `code` of a description."""
    paragraphs = re.split(r"\n\s*\n", (s or "").strip())
    code = (re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(p, quote=False))
            for p in paragraphs)
    return "".join(f"<p>{p}</p>" for p in code if p)


def line(s):
    return re.sub(r"^<p>|</p>$", "", text(s))


class Page:
    def __init__(self, spec):
        self.spec = spec
        self.out = []

    def add(self, *pieces):
        self.out.extend(pieces)

    def resolve(self, node):
        while "$ref" in node:
            target = self.spec
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            node = target
        return node

    def type_of(self, schema):
        if "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[1]
            return f'<a href="#schema-{name}">{name}</a>'
        if "const" in schema:
            return f"<code>{html.escape(json.dumps(schema['const']))}</code>"
        if "enum" in schema:
            return " | ".join(f"<code>{html.escape(str(v))}</code>" for v in schema["enum"])
        if "oneOf" in schema:
            return " or ".join(self.type_of(s) for s in schema["oneOf"])
        kinds = schema.get("type", "any")
        name = " or ".join(kinds) if isinstance(kinds, list) else kinds
        if name == "array":
            name += " of " + self.type_of(schema.get("items", {}))
        limits = [f"{words} {schema[key]}" for key, words in (
            ("minimum", "from"), ("maximum", "to"), ("minLength", "at least"),
            ("maxLength", "at most"), ("minItems", "at least"), ("maxItems", "at most"))
            if key in schema]
        if schema.get("format"):
            name += f" ({schema['format']})"
        return name + (", " + " ".join(limits) if limits else "")

    def fields(self, schema, depth=0):
        required = schema.get("required", [])
        for name, field in schema.get("properties", {}).items():
            note = "" if name in required else "optional. "
            self.add(f'<tr><td class="deep{min(depth, 4)}"><code>{html.escape(name)}</code></td>',
                     f'<td class="type">{self.type_of(field)}</td>',
                     f"<td>{note}{line(field.get('description'))}</td></tr>")
            inner = field.get("items", field) if "$ref" not in field else {}
            if "$ref" not in inner:
                self.fields(inner, depth + 1)

    def table(self, schema):
        self.add("<table>")
        self.fields(schema)
        self.add("</table>")

    def content(self, content):
        for kind, body in content.items():
            schema = body.get("schema", {})
            self.add(f"<p><code>{html.escape(kind)}</code>: {self.type_of(schema)}</p>")
            if "properties" in schema:
                self.table(schema)
            for example in body.get("examples", {}).values():
                self.add(f"<pre>{html.escape(json.dumps(example['value'], indent=2))}</pre>")

    def operation(self, path, method, op, shared):
        self.add(f'<h3 id="{op["operationId"]}"><span class="method">{method.upper()}</span>',
                 f"<code>{html.escape(path)}</code></h3>",
                 f"<p><strong>{line(op['summary'])}.</strong></p>", text(op.get("description")))
        parameters = [self.resolve(p) for p in shared + op.get("parameters", [])]
        if parameters:
            self.add("<h4>Parameters</h4><table>")
            for p in parameters:
                self.add(f"<tr><td><code>{html.escape(p['name'])}</code></td>",
                         f'<td class="type">{p["in"]}, {self.type_of(p["schema"])}</td>',
                         f"<td>{line(p.get('description'))}</td></tr>")
            self.add("</table>")
        if "requestBody" in op:
            self.add("<h4>Body</h4>")
            self.content(op["requestBody"]["content"])
        self.add("<h4>Answers</h4><table>")
        for code, answer in op["responses"].items():
            answer = self.resolve(answer)
            kinds = ", ".join(self.type_of(c["schema"]) if "$ref" in c.get("schema", {})
                              else html.escape(kind)
                              for kind, c in answer.get("content", {}).items())
            self.add(f"<tr><td><code>{code}</code></td><td class=type>{kinds}</td>",
                     f"<td>{line(answer['description'])}</td></tr>")
        self.add("</table>")
        for code, answer in op["responses"].items():
            for body in answer.get("content", {}).values():
                if "properties" in body.get("schema", {}):
                    self.add(f"<h4>Body of <code>{code}</code></h4>")
                    self.table(body["schema"])

    def operations(self, tag):
        for path, item in self.spec["paths"].items():
            for method in METHODS:
                if method in item and tag in item[method]["tags"]:
                    yield path, method, item[method], item.get("parameters", [])

    def html(self):
        info = self.spec["info"]
        self.add("<!doctype html><html lang=en><meta charset=utf-8>",
                 "<meta name=viewport content='width=device-width'>",
                 f"<title>{info['title']} API</title><style>{STYLE}</style>",
                 f"<h1>{info['title']} API</h1><p>{html.escape(info['summary'])} Version ",
                 f"{info['version']}, as <a href=/openapi.yaml>OpenAPI</a>.</p>",
                 text(info["description"]), "<nav>")
        tags = [t["name"] for t in self.spec["tags"]]
        for tag in tags:
            self.add(f"<h4>{tag.capitalize()}</h4><ul>")
            for path, method, op, _ in self.operations(tag):
                self.add(f'<li><a href="#{op["operationId"]}">{html.escape(op["summary"])}</a>')
            self.add("</ul>")
        self.add("</nav>")
        for tag in tags:
            self.add(f"<h2>{tag.capitalize()}</h2>")
            for row in self.operations(tag):
                self.operation(*row)
        self.add("<h2>Objects</h2>")
        for name, schema in self.spec["components"]["schemas"].items():
            self.add(f'<h3 id="schema-{name}">{name}</h3>', text(schema.get("description")))
            if "properties" in schema:
                self.table(schema)
            else:
                self.add(f"<p>{self.type_of(schema)}</p>")
        self.add("</html>\n")
        return "".join(self.out)


def array(name, data):
    numbers = [str(b) for b in data.encode()]
    rows = (",".join(numbers[i:i + 32]) for i in range(0, len(numbers), 32))
    return (f"const char {name}[] = {{\n" + ",\n".join(rows) +
            f"}};\nconst size_t {name}_len = sizeof({name});\n")


def main(out, source):
    with open(source, encoding="utf-8") as f:
        description = f.read()
    page = Page(yaml.safe_load(description)).html()
    with open(out, "w", encoding="utf-8") as f:
        f.write('#include "api/api_internal.h"\n\n' + array("api_description", description)
                + array("api_page", page))


main(*sys.argv[1:])
