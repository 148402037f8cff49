# SPDX-License-Identifier: MIT
"""protocol.md sections 3 and 4: a job from start to end, cancel, lists, account."""

import concurrent.futures
import datetime
import subprocess

import pytest

from support.accounts import add_account
from support.contract import NEVER, NO_SUCH_JOB, check_error, check_task
from support.pictures import jpeg, opened, png
from support.server import COST, KEY, PATINA, PIXELS, wait_for

pytestmark = pytest.mark.sanitized
ENGINES = ("look", "flux2")


@pytest.fixture(scope="module")
def done(server):
    """A finished job."""
    return server.run(server.upload(jpeg(640, 480)), "oil painting --seed 4294967295")


@pytest.mark.every_engine
def test_a_job_ends_with_four_pictures(engine, done):
    check_task(done)
    assert done["status"] == "completed"
    assert done["output"]["seed"] == "4294967295"
    assert done["meta"]["usage"] == {"type": "point", "frozen": COST, "consume": COST}
    created, started, ended = (
        datetime.datetime.strptime(done["meta"][k], "%Y-%m-%dT%H:%M:%SZ")
        for k in ("created_at", "started_at", "ended_at"))
    assert created <= started <= ended
    detail = done["detail"]
    assert detail["progress"] == 100 and detail["stage"] == "done"
    assert detail["engine"].split("/")[0] == engine.name
    assert detail["interpretation"]["medium"] == "oil painting"
    assert detail["attempt"] == 1
    assert set(detail["timings_ms"]) and all(v >= 0 for v in detail["timings_ms"].values())
    assert detail["expires_at"] > done["meta"]["ended_at"]
    assert "expired" not in detail or detail["expired"] is False


def test_sizes_follow_the_source_and_the_grid_is_four_of_them(server, done):
    pictures = [opened(server.get(u).content) for u in done["output"]["image_urls"]]
    grid = opened(server.get(done["output"]["image_url"]).content)
    width, height = pictures[0].size
    assert {p.size for p in pictures} == {(width, height)}
    assert (done["detail"]["width"], done["detail"]["height"]) == (width, height)
    assert width % 16 == height % 16 == 0
    assert abs(width * height - PIXELS) < .25 * PIXELS  # small sides, steps of 16
    assert abs(width / height - 640 / 480) < .1
    assert grid.size == (2 * width, 2 * height)
    for i, picture in enumerate(pictures):
        x, y = i % 2 * width, i // 2 * height
        assert grid.crop((x, y, x + width, y + height)).tobytes() == picture.tobytes()
    assert len({p.tobytes() for p in pictures}) == 4


def test_the_same_request_gives_the_same_bytes_and_so_does_the_command(server, engine, done,
                                                                       tmp_path):
    source = jpeg(640, 480)
    again = server.run(server.upload(source), "oil painting --seed 4294967295")
    for one, two in zip(done["output"]["image_urls"], again["output"]["image_urls"]):
        assert server.get(one).content == server.get(two).content
    (tmp_path / "in.jpg").write_bytes(source)
    subprocess.run([PATINA, "render", "in.jpg", "oil painting --seed 4294967295", "-o", "out.png"],
                   cwd=tmp_path, check=True, capture_output=True,
                   env={"PATH": "/usr/bin:/bin", "PATINA_PIXELS": str(PIXELS),
                        **{f"PATINA_{k.upper()}": str(v) for k, v in engine.settings.items()}})
    assert (tmp_path / "out.png").read_bytes() == \
        server.get(done["output"]["image_urls"][0]).content


def test_seeds_differ_when_none_is_given(server):
    url = server.upload(jpeg())
    tasks = [server.submit(url, "oil painting") for _ in range(3)]
    assert len({server.finished(t["job_id"])["output"]["seed"] for t in tasks}) == 3


def test_unknown_malformed_and_foreign_ids_are_one_and_the_same_404(server, done):
    foreign = add_account(server)
    answers = [server.get(f"/api/v1/job/{i}") for i in (
        NO_SUCH_JOB, "x", "0", "%20", "'; DROP TABLE job", "a" * 200, done["job_id"].upper() + "0",
        done["job_id"][:-1])]
    answers.append(server.get(f"/api/v1/job/{done['job_id']}", key=foreign))
    for answer in answers:
        check_error(answer, 404)
    assert len({a.content for a in answers}) == 1


def test_every_state_on_the_way_is_a_documented_one(server):
    seen = []
    job_id = server.submit(server.upload(png(800, 600)))["job_id"]

    def ended():
        task = check_task(server.job(job_id))
        seen.append((task["status"], (task["detail"] or {}).get("progress", 0)))
        return task["status"] in ("completed", "failed")

    wait_for(ended)
    order = ["pending", "staged", "processing", "completed"]
    assert [order.index(s) for s, _ in seen] == sorted(order.index(s) for s, _ in seen)
    assert [p for _, p in seen] == sorted(p for _, p in seen)


def test_a_waiting_job_says_its_place_in_the_queue(idle):
    key = add_account(idle)
    url = idle.upload(jpeg(), key=key)
    jobs = [idle.submit(url, key=key)["job_id"] for _ in range(3)]

    def places():
        found = [(idle.job(j, key)["detail"] or {}).get("queue_position") for j in jobs]
        return found == [1, 2, 3] and found

    assert wait_for(places, what="queue positions 1, 2, 3")


# Cancel

def test_a_waiting_job_is_cancelled_once_and_its_points_come_back(idle):
    key = add_account(idle)
    url = idle.upload(jpeg(), key=key)
    before = idle.balance(key)
    task = idle.submit(url, key=key)
    path = f"/api/v1/job/{task['job_id']}/cancel"
    for _ in range(2):  # the second finds it cancelled already
        answer = idle.post(path, key=key)
        assert answer.status_code == 200, answer.text
        cancelled = check_task(answer.json())
        assert cancelled["status"] == "failed" and cancelled["error"]["code"] == 499
        assert cancelled["detail"]["cancelled"] is True
    assert idle.balance(key) == before


@pytest.mark.every_engine
def test_a_running_job_stops_within_a_second(fresh, engine):
    server = fresh(pixels=engine.long_pixels, **engine.settings)
    with server.held():
        job_id = server.submit(server.upload(jpeg(1600, 1200)))["job_id"]
        server.until(job_id, "processing")
    answer = server.post(f"/api/v1/job/{job_id}/cancel")
    assert check_task(answer.json())["error"]["code"] == 499
    assert server.balance() == 12000
    # The renderer is free again: the next job is not held up by the one before.
    job_id = server.submit(server.upload(jpeg(64, 64)), "oil --ar 1:1 --q .25")["job_id"]

    def advances():
        task = server.job(job_id)
        return task["status"] == "completed" or task["detail"]["progress"] > 0
    wait_for(advances, what="the next job to be painted")


def test_a_finished_job_cannot_be_cancelled(server, done):
    answer = server.post(f"/api/v1/job/{done['job_id']}/cancel")
    body = check_error(answer, 409)
    assert body["detail"]["job_id"] == done["job_id"] or body["detail"]["task"]["job_id"]


def test_a_foreign_or_unknown_job_cannot_be_cancelled(server, done):
    key = add_account(server)
    check_error(server.post(f"/api/v1/job/{done['job_id']}/cancel", key=key), 404)
    check_error(server.post(f"/api/v1/job/{NO_SUCH_JOB}/cancel"), 404)


def test_cancelling_at_any_moment_ends_a_job_exactly_once(server):
    url = server.upload(jpeg(400, 300))
    key = KEY
    before = server.balance()
    jobs = [server.submit(url, f"oil --seed {i}")["job_id"] for i in range(8)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda j: server.post(f"/api/v1/job/{j}/cancel"), jobs))
    ends = [server.finished(j, key) for j in jobs]
    consumed = sum(t["meta"]["usage"]["consume"] for t in ends)
    assert server.balance() == before - consumed


# Lists

def test_the_list_pages_through_all_jobs_newest_first(idle):
    key = add_account(idle)
    url = idle.upload(jpeg(), key=key)
    made = [idle.submit(url, key=key)["job_id"] for _ in range(7)]
    seen, cursor = [], ""
    while True:
        page = idle.get("/api/v1/jobs", key=key, params={"limit": 3, "cursor": cursor}).json()
        assert list(page) == ["jobs", "next_cursor"]
        seen += [check_task(t)["job_id"] for t in page["jobs"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
        assert len(page["jobs"]) == 3
    assert seen == made[::-1]


def test_the_list_filters_by_status(idle):
    key = add_account(idle)
    url = idle.upload(jpeg(), key=key)
    first, second = (idle.submit(url, key=key)["job_id"] for _ in range(2))
    idle.post(f"/api/v1/job/{first}/cancel", key=key)

    def listed(status):
        return [t["job_id"] for t in idle.get("/api/v1/jobs", key=key,
                                              params={"status": status}).json()["jobs"]]

    assert listed("failed") == [first]
    assert listed("pending") == [second]
    assert listed("completed") == []


@pytest.mark.parametrize("query, status", [
    ("limit=1", 200), ("limit=100", 200), ("limit=0", 400), ("limit=101", 400), ("limit=x", 400),
    ("limit=-1", 400), ("status=done", 400), ("cursor=nonsense!", 400), ("other=1", 200),
])
def test_the_parameters_of_the_list_are_checked(idle, query, status):
    answer = idle.get(f"/api/v1/jobs?{query}")
    assert answer.status_code == status, answer.text
    if status != 200:
        check_error(answer, status)


# Account

def test_the_balance_has_the_documented_shape(idle):
    key = add_account(idle, 1234)
    answer = idle.get("/api/account/balance", key=key).json()
    assert list(answer) == ["code", "message", "data"]
    assert (answer["code"], answer["message"]) == (200, "success")
    data = answer["data"]
    assert list(data) == ["account_id", "balance_usd", "available_credits", "available_points",
                          "alert_threshold", "low_balance_alert", "updated_at"]
    assert data["available_points"] == 1234 and data["balance_usd"] == 1.234


def test_the_account_is_described(idle):
    info = idle.get("/api/account/info").json()
    for name in ("account_id", "email", "plan", "balance", "used", "quota", "status", "created_at",
                 "updated_at"):
        assert name in info, info
    assert list(info["quota"]) == ["monthly_limit", "remaining", "reset_at"]


def test_active_tasks_are_the_unfinished_jobs(idle):
    key = add_account(idle)
    job_id = idle.submit(idle.upload(jpeg(), key=key), key=key)["job_id"]
    tasks = idle.get("/api/account/active_tasks", key=key).json()
    assert list(tasks) == ["account_id", "total_active", "concurrent_limit", "tasks", "updated_at"]
    assert tasks["total_active"] == 1 and tasks["concurrent_limit"] == 6
    assert list(tasks["tasks"][0]) == ["job_id", "task_type", "status", "created_at", "progress",
                                       "estimated_time"]
    assert tasks["tasks"][0]["job_id"] == job_id
    idle.post(f"/api/v1/job/{job_id}/cancel", key=key)
    assert idle.get("/api/account/active_tasks", key=key).json()["total_active"] == 0


def test_times_that_have_not_come_are_the_zero_time(idle):
    task = idle.submit(idle.upload(jpeg()))
    assert idle.job(task["job_id"])["meta"]["ended_at"] == NEVER
