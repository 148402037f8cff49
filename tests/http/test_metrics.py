# SPDX-License-Identifier: MIT
"""The admin listener: metrics in Prometheus' text format, counted from the log."""

import json
import re
import shutil
import subprocess
import time

import pytest
import requests
import yaml

from support.pictures import jpeg
from support.server import PATINA, ROOT, START_S, wait_for

pytestmark = pytest.mark.sanitized

CLOCKS_S = 1  # what the wall clock, rounded, may be ahead of ours
LINE = re.compile(r'([a-z_]+)(\{[^}]*\})? (-?[0-9.e+-]+|\+Inf)')


def admin(server, path="/metrics"):
    address = (server.data / "admin-listen").read_text().strip()
    return requests.get(f"http://{address}{path}", timeout=20)


def scrape(server):
    """{'name{labels}': value}; every line has to be well-formed and follow its HELP and TYPE."""
    answer = admin(server)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found, name, helped = {}, None, set()
    for line in answer.text.splitlines():
        if line.startswith("# HELP "):
            name = line.split()[2]
            assert name not in helped, "a metric is in one piece"
            helped.add(name)
        elif line.startswith("# TYPE "):
            assert line.split()[2] == name and line.split()[3] in ("counter", "gauge", "histogram")
        else:
            match = LINE.fullmatch(line)
            assert match, line
            assert re.fullmatch(rf"{name}(_bucket|_sum|_count)?", match[1]), line
            assert match[0].rsplit(" ", 1)[0] not in found, line
            found[match[1] + (match[2] or "")] = float(match[3])
    return found


def once_counted(server, before, *names):
    """A scrape in which each of these has grown by one since `before`: an answer is out, and a job
    has ended, a moment before it is logged, and so counted."""
    def look():
        now = scrape(server)
        grown = [now.get(name, 0) - before.get(name, 0) for name in names]
        assert max(grown) <= 1, dict(zip(names, grown))
        return now if min(grown) == 1 else None
    return wait_for(look, what=f"{names} to be counted")


def test_a_job_is_counted_from_post_to_webhook(server, origin):
    before, began = scrape(server), time.monotonic()
    callback = origin.url("/metrics-hook")
    task = server.submit(server.upload(jpeg(640, 480)), callback=callback)
    engine = server.finished(task["job_id"])["detail"]["engine"]
    assert server.get("/api/v1/job/nobody").status_code == 404
    now = once_counted(
        server, before,
        'patina_webhook_attempts_total{outcome="delivered"}',
        'patina_http_requests_total{route="retexture",status="200"}',
        'patina_http_requests_total{route="job.get",status="404"}',
        f'patina_jobs_finished_total{{state="completed",engine="{engine}"}}',
        'patina_job_errors_total{code="0"}',
        *(f'patina_job_stage_seconds_count{{stage="{stage}"}}' for stage in
          ("queue", "fetch", "decode", "render", "encode", "store", "total")))

    def grown(key):
        return now.get(key, 0) - before.get(key, 0)
    assert engine.split("/")[0] == "look"
    assert any(k.startswith('patina_info{') and 'engine="look"' in k for k in now)
    # From a look on a small picture to an hour with a neural engine.
    for bound in ("0.01", "60", "900", "3600", "+Inf"):
        assert f'patina_job_stage_seconds_bucket{{stage="total",le="{bound}"}}' in now
    seconds = grown('patina_job_stage_seconds_sum{stage="total"}')
    assert 0 < seconds < time.monotonic() - began + CLOCKS_S
    stored = sum(len(server.get(u).content) for u in
                 [server.job(task["job_id"])["output"]["image_url"],
                  *server.job(task["job_id"])["output"]["image_urls"]])
    assert grown("patina_stored_bytes_total") == stored
    assert grown("patina_store_commit_seconds_count") > 3
    # Of one metric: two are not read at one moment.
    commits = grown("patina_store_commit_requests_count")
    assert grown("patina_store_commit_requests_sum") >= commits > 3


def test_histograms_add_up(server):
    before = scrape(server)
    server.get("/healthz")
    now = once_counted(server, before, 'patina_http_request_seconds_count{route="healthz"}')
    buckets = [v for k, v in now.items()
               if k.startswith('patina_http_request_seconds_bucket{route="healthz"')]
    assert len(buckets) > 5
    assert buckets == sorted(buckets)
    assert buckets[-1] == now['patina_http_request_seconds_count{route="healthz"}'] > 0


def test_a_queue_shows_its_depth_and_age(idle):
    assert scrape(idle)["patina_queue_oldest_seconds"] == 0
    began = time.monotonic()
    jobs = [idle.submit(idle.upload(jpeg()))["job_id"] for _ in range(3)]
    assert scrape(idle)["patina_jobs_waiting"] == 3
    age = wait_for(lambda: scrape(idle)["patina_queue_oldest_seconds"], what="the queue to age")
    assert age < time.monotonic() - began + CLOCKS_S
    for job in jobs:
        idle.post(f"/api/v1/job/{job}/cancel")
    now = scrape(idle)
    assert now["patina_jobs_waiting"] == now["patina_jobs_running"] == 0
    assert now["patina_disk_free_bytes"] > 0
    assert now["process_resident_memory_bytes"] > 1 << 20
    assert now["process_open_fds"] > 5
    assert any(k.startswith('patina_info{version="') for k in now)


def test_the_api_has_no_metrics_and_the_admin_listener_no_api(idle):
    assert idle.get("/metrics", key=None).status_code == 404
    assert admin(idle, "/api/v1/jobs").status_code == 404
    assert admin(idle, "/").status_code == 200


def test_it_can_be_off(fresh):
    server = fresh(admin_listen="off")
    assert server.get("/healthz").status_code == 200
    assert not (server.data / "admin-listen").exists()


def test_a_taken_address_that_was_asked_for_is_an_error(fresh, idle):
    address = (idle.data / "admin-listen").read_text().strip()
    server = fresh(start=False, admin_listen=address)
    assert server.spawn().wait(START_S) == 1
    assert "--admin-listen" in server.log() and address in server.log()


def test_the_page_is_made_from_the_table():
    page = subprocess.run([PATINA, "--describe", "metrics"], capture_output=True, text=True,
                          check=True).stdout
    assert page == (ROOT / "docs/metrics.md").read_text(), \
        "write it anew: build/patina --describe metrics > docs/metrics.md"


def test_alerts_and_dashboard_name_metrics_that_exist():
    named = set(re.findall(r"^\| `(\w+)`", (ROOT / "docs/metrics.md").read_text(), re.M))
    histograms = {m for m in named if m.endswith(("_seconds", "_requests"))}
    known = named | {h + s for h in histograms for s in ("_bucket", "_sum", "_count")}
    alerts = yaml.safe_load((ROOT / "docs/alerts.yml").read_text())
    rules = [r for g in alerts["groups"] for r in g["rules"]]
    dashboard = json.loads((ROOT / "docs/dashboard.json").read_text())
    expressions = [r["expr"] for r in rules] + \
        [t["expr"] for p in dashboard["panels"] for t in p["targets"]]
    assert len(expressions) > 20
    for expression in expressions:
        used = set(re.findall(r"\b(?:patina|process)_\w+", expression))
        assert used <= known, used - known
        assert used or "up{" in expression


SELECTOR = re.compile(r'(patina_\w+_total|patina_\w+_bucket)(?:\{(\w+)=~?"([^"]+)"\})?')


def test_what_alerts_watch_is_there_before_anything_happens(idle):
    """In a series that begins at 1 Prometheus sees no rise, so the first event of a kind would be
    missed."""
    series = scrape(idle)
    rules = yaml.safe_load((ROOT / "docs/alerts.yml").read_text())["groups"][0]["rules"]
    watched = [found for rule in rules for found in SELECTOR.findall(rule["expr"])]
    assert len(watched) >= 6
    for name, label, value in watched:
        for one in value.split("|"):
            pattern = rf'{name}\{{{label}="{one}"\}}' if label else rf"{name}(\{{.*\}})?"
            assert any(re.fullmatch(pattern, s) for s in series), pattern


# What has to fire, and what came before: values of series at each minute from the first scrape on.
ALERTS = {
    "PatinaDown": ({'up{job="patina"}': "1 0x9"}, 4),
    "PatinaQueueOld": ({"patina_queue_oldest_seconds": "0 601x9"}, 8),
    "PatinaJobsFail": ({'patina_job_errors_total{code="0"}': "0+9x60",
                        'patina_job_errors_total{code="500"}': "0+1x60"}, 40),
    "PatinaErrors": ({'patina_http_answers_total{status="503"}': "0x9 60+60x20"}, 20),
    "PatinaCommitsSlow": ({'patina_store_commit_seconds_bucket{le="0.1"}': "0x60",
                           'patina_store_commit_seconds_bucket{le="1"}': "0+9x60",
                           'patina_store_commit_seconds_bucket{le="+Inf"}': "0+9x60"}, 30),
    "PatinaDiskLow": ({"patina_disk_free_bytes": "1e9x20"}, 10),
    "PatinaRenderersDie": ({'patina_renderers_lost_total{state="busy"}': "0x9 3x9"}, 12),
    "PatinaWebhooksGivenUp": ({'patina_webhook_attempts_total{outcome="given up"}': "0x9 1x9"}, 12),
}


@pytest.mark.skipif(not shutil.which("promtool"), reason="prometheus (promtool) is not installed")
def test_alerts_fire_when_they_should(tmp_path):
    rules = yaml.safe_load((ROOT / "docs/alerts.yml").read_text())["groups"][0]["rules"]
    assert set(ALERTS) == {rule["alert"] for rule in rules}
    with_labels = {"PatinaDown": {"job": "patina"}, "PatinaRenderersDie": {"state": "busy"},
                   "PatinaWebhooksGivenUp": {"outcome": "given up"}}

    def expected(rule, fires):
        labels = {"exp_labels": with_labels.get(rule["alert"], {}),
                  "exp_annotations": rule["annotations"]}
        return [labels] if fires else []
    tests = [{"interval": "1m",
              "input_series": [{"series": s, "values": v} for s, v in ALERTS[r["alert"]][0].items()],
              "alert_rule_test": [{"eval_time": f"{minute}m", "alertname": r["alert"],
                                   "exp_alerts": expected(r, minute > 0)}
                                  for minute in (0, ALERTS[r["alert"]][1])]} for r in rules]
    (tmp_path / "tests.yml").write_text(yaml.safe_dump(
        {"rule_files": [str(ROOT / "docs/alerts.yml")], "tests": tests}))
    done = subprocess.run(["promtool", "test", "rules", "tests.yml"], cwd=tmp_path,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
