# SPDX-License-Identifier: MIT
"""docs/openapi.yaml as a judge: every answer that a test gets is held against it."""

import fnmatch
import functools
import json
import pathlib
import re
import urllib.parse

import jsonschema
import yaml

PATH = pathlib.Path(__file__).resolve().parent.parent.parent / "docs/openapi.yaml"

# What the listener may refuse on any path, as the description says in its first words.
EVERYWHERE = {400, 404, 405, 413, 414, 431, 503}


@functools.cache
def description():
    return yaml.safe_load(PATH.read_text(encoding="utf-8"))


def operations():
    """(METHOD, template) of everything that is described."""
    return {(method.upper(), template) for template, item in description()["paths"].items()
            for method in item if method != "parameters"}


@functools.cache
def _validator(pointer):
    spec = description()
    schema = {"$ref": "#/" + pointer, **{k: spec[k] for k in ("components", "paths")}}
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def _template(path):
    if path == "/v1" or path.startswith("/v1/"):
        path = "/api" + path
    for template, item in description()["paths"].items():
        pattern = re.sub(r"\{\w+\}", "[^/]+", re.escape(template).replace(r"\{", "{")
                         .replace(r"\}", "}"))
        if re.fullmatch(pattern, path):
            return template, item
    return None, {}


def _pointer(*steps):
    return "/".join(str(s).replace("~", "~0").replace("/", "~1") for s in steps)


def _check_body(pointer, content, kind, body, where):
    wanted = next((k for k in content if fnmatch.fnmatch(kind, k)), None)
    assert wanted, f"{where}: {kind} is not described, only {', '.join(content)}"
    if wanted == "application/json":
        problem = next(_validator(_pointer(*pointer, "content", wanted, "schema"))
                       .iter_errors(json.loads(body)), None)
        assert problem is None, f"{where}: {problem.json_path}: {problem.message}"


def check(method, url, status, kind, body):
    """Fails on an answer that is not described: its path, its code, its type or a field of it."""
    path = urllib.parse.unquote(urllib.parse.urlsplit(url).path)
    where = f"{method} {path} answered {status}"
    template, item = _template(path)
    described = item.get("get" if method == "HEAD" else method.lower())
    kind = (kind or "").partition(";")[0]
    if method == "OPTIONS" and status == 204:
        return
    if described is None or str(status) not in described["responses"]:
        everywhere = status in EVERYWHERE and (status != 404 or described is None)
        assert everywhere, f"{where}, which is not described"
        # The body of one refusal is like that of any other.
        pointer = ("components", "responses", "Invalid")
        answer = description()["components"]["responses"]["Invalid"]
    else:
        pointer = ("paths", template, "get" if method == "HEAD" else method.lower(),
                   "responses", str(status))
        answer = described["responses"][str(status)]
        if "$ref" in answer:
            pointer = tuple(answer["$ref"].removeprefix("#/").split("/"))
            answer = description()["components"]["responses"][pointer[-1]]
    if method == "HEAD":
        return
    if "content" not in answer:
        assert not body, f"{where} with a body that is not described"
    else:
        _check_body(pointer, answer["content"], kind, body, where)
