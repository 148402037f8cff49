# SPDX-License-Identifier: MIT
"""What protocol.md promises about every task and every error, in one place."""

import json
import re

TASK_KEYS = ["job_id", "model", "task_type", "status", "config", "input", "output", "meta",
             "detail", "logs", "error"]
ERROR_KEYS = ["code", "message", "raw_message", "detail", "error"]
NESTED_ERROR_KEYS = ["code", "raw_message", "message", "detail"]
NO_ERROR = {"code": 0, "raw_message": "", "message": "", "detail": None}
STATUSES = {"pending", "staged", "processing", "completed", "failed"}
STAGES = {"queued", "fetching", "decoding", "rendering", "encoding", "storing", "done"}
NEVER = "0001-01-01T00:00:00Z"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
NO_SUCH_JOB = "00000000-0000-4000-8000-000000000000"


def check_task(task):
    """Exactly the documented keys in the documented order, with values that fit together."""
    assert list(task) == TASK_KEYS
    assert UUID4.fullmatch(task["job_id"])
    assert task["model"] == "midjourney"
    assert task["task_type"] == "retexture"
    assert task["status"] in STATUSES
    assert list(task["config"]) == ["service_mode", "webhook_config"]
    assert task["config"]["service_mode"] in ("public", "private")
    assert list(task["config"]["webhook_config"]) == ["endpoint", "secret"]
    assert task["config"]["webhook_config"]["secret"] == ""
    assert task["input"] is None or list(task["input"]) == ["imgUrl", "remixPrompt", "callback"]
    assert list(task["output"]) == ["image_url", "image_urls", "seed"]
    assert list(task["meta"]) == ["created_at", "started_at", "ended_at", "usage"]
    for name in ("created_at", "started_at", "ended_at"):
        assert TIME.fullmatch(task["meta"][name]), task["meta"]
    assert list(task["meta"]["usage"]) == ["type", "frozen", "consume"]
    assert task["meta"]["usage"]["type"] == "point"
    assert task["detail"] is None or isinstance(task["detail"], dict)
    assert task["logs"] == []
    assert list(task["error"]) == NESTED_ERROR_KEYS

    output, usage, error = task["output"], task["meta"]["usage"], task["error"]
    if task["status"] == "completed":
        assert len(output["image_urls"]) == 4 and output["image_url"]
        assert re.fullmatch(r"\d{1,10}", output["seed"])
        assert usage["frozen"] == usage["consume"]
    else:
        assert output["image_url"] == "" and output["image_urls"] is None
    if task["status"] == "failed":
        assert error["code"] >= 400 and error["message"].startswith(error["raw_message"])
        assert error["raw_message"]
        assert (usage["frozen"], usage["consume"]) == (0, 0)
    else:
        assert error == NO_ERROR
    ended = task["status"] in ("completed", "failed")
    assert (task["meta"]["ended_at"] != NEVER) == ended
    if task["detail"]:
        check_detail(task["detail"])
    return task


def check_detail(detail):
    assert 0 <= detail.get("progress", 0) <= 100
    assert detail.get("stage", "done") in STAGES
    for warning in detail.get("warnings", []):
        assert {"code", "message"} <= set(warning)


def check_error(answer, code):
    """An error answer as section 5 says; its parsed body."""
    assert answer.status_code == code, f"{answer.status_code} {answer.text}"
    assert answer.headers["Content-Type"].split(";")[0] == "application/json"
    body = json.loads(answer.content)
    assert list(body) == ERROR_KEYS
    assert list(body["error"]) == NESTED_ERROR_KEYS
    for name in NESTED_ERROR_KEYS:
        assert body["error"][name] == body[name]
    assert body["code"] == code
    assert body["raw_message"] and body["message"].startswith(body["raw_message"])
    assert body["detail"] is None or isinstance(body["detail"], dict)
    if code in (429, 503):
        assert re.fullmatch(r"[1-9]\d*", answer.headers["Retry-After"])
    return body


def bad_fields(answer):
    """The fields that a 400 complains about."""
    return {f["field"] for f in check_error(answer, 400)["detail"]["fields"]}
