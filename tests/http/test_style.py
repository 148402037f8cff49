# SPDX-License-Identifier: MIT
"""`--sref URL`: a second picture, whose style the neural engine takes. It is fetched, decoded and kept
like the source, and its failures say that they are its own."""

import subprocess
import threading

import pytest

from support.accounts import add_account, open_store
from support.contract import check_task
from support.origin import redirect, send
from support.pictures import jpeg, opened, png, png_of_size
from support.server import COST, PATINA, PIXELS, wait_for

ENGINES = ("flux2",)
SEEDED = "oil painting --q .25 --seed 7"


def style():
    """Nothing like the sources."""
    return png(200, 320, "L")


def pictures(server, task):
    assert task["status"] == "completed", task["error"]
    return [server.get(u).content for u in task["output"]["image_urls"]]


@pytest.fixture(scope="module")
def source(server):
    return server.upload(jpeg(320, 240))


@pytest.fixture(scope="module")
def plain(server, source):
    return pictures(server, server.run(source, SEEDED))


def test_a_style_picture_is_fetched_and_changes_the_result(server, origin, source, plain, tmp_path,
                                                           engine):
    url = origin.serve("/style.png", redirect(origin.serve("/there.png", style())))
    task = server.run(source, f"{SEEDED} --sref {url}")
    check_task(task)
    assert task["detail"]["interpretation"]["parameters"]["sref"] == url
    assert task["detail"]["warnings"] == []
    made = pictures(server, task)
    assert all(a != b for a, b in zip(made, plain))
    assert {opened(p).size for p in made} == {opened(p).size for p in plain}
    # The command is given the file and makes the same bytes.
    (tmp_path / "in.jpg").write_bytes(jpeg(320, 240))
    (tmp_path / "style.png").write_bytes(style())
    subprocess.run([PATINA, "render", "in.jpg", f"{SEEDED} --sref {url}", "--sref", "style.png",
                    "-o", "out.png"], cwd=tmp_path, check=True, capture_output=True,
                   env={"PATH": "/usr/bin:/bin", "PATINA_PIXELS": str(PIXELS),
                        **{f"PATINA_{k.upper()}": str(v) for k, v in engine.settings.items()}})
    assert (tmp_path / "out.png").read_bytes() == made[0]


def test_uploads_and_results_are_styles_too(server, origin, source):
    fetched = pictures(server, server.run(source, f"{SEEDED} --sref {origin.serve('/s', style())}"))
    of_upload = server.run(source, f"{SEEDED} --sref {server.upload(style())}")
    # The prompt is part of a file; the pixels are not.
    assert [opened(p).tobytes() for p in pictures(server, of_upload)] == \
        [opened(p).tobytes() for p in fetched]
    result = of_upload["output"]["image_urls"][1]
    assert server.run(source, f"{SEEDED} --sref {result}")["status"] == "completed"


def test_an_upload_is_kept_for_the_job_that_names_it_as_its_style(idle):
    """However long it waits: the store counts who needs it."""
    url = idle.upload(style())
    job_id = idle.submit(idle.upload(jpeg()), f"{SEEDED} --SREF {url} --iw 2")["job_id"]
    idle.submit(idle.upload(jpeg()), f"{SEEDED} --sref {idle.base}/uploads/{'0' * 32}")

    def needed():
        with open_store(idle) as db:
            return db.execute("SELECT jobs FROM upload WHERE public_id = ?",
                              (url.rpartition("/")[2],)).fetchone()[0]

    assert needed() == 1
    idle.post(f"/api/v1/job/{job_id}/cancel")
    assert needed() == 0


def test_what_weighs_nothing_is_not_fetched(server, origin, source, plain):
    url = origin.url("/never")
    task = server.run(source, f"{SEEDED} --sref {url} --sw 0")
    assert [opened(p).tobytes() for p in pictures(server, task)] == \
        [opened(p).tobytes() for p in plain]
    assert "/never" not in origin.requests and task["detail"]["warnings"] == []


@pytest.mark.parametrize("route, code, detail", [
    (lambda h: send(h, b"no", 404), 424, {"reason": "http_status", "status": 404}),
    (lambda h: redirect("https://10.0.0.1/a.jpg")(h), 424, {"reason": "blocked_address"}),
    (lambda h: redirect("http://example.com/a.jpg")(h), 424, {"reason": "not_https"}),
    (b"not a picture", 415, {}),
    (jpeg()[:200], 422, {}),
    (b"\x89PNG" + bytes(10_000_000), 413, {"limit": "bytes"}),
    (png_of_size(16_385, 10), 413, {"limit": "side"}),
])
def test_its_failures_say_that_they_are_its_own_and_cost_nothing(server, origin, source, route, code,
                                                                 detail):
    before = server.balance()
    task = check_task(server.run(source, f"{SEEDED} --sref {origin.serve('/bad', route)}"))
    assert task["status"] == "failed" and task["error"]["code"] == code, task["error"]
    assert task["error"]["detail"] == {**detail, "field": "sref"}
    assert ": --sref: " in task["error"]["message"]
    assert task["meta"]["usage"] == {"type": "point", "frozen": 0, "consume": 0}
    assert server.balance() == before


def test_a_source_that_fails_is_still_called_the_source(server, origin):
    url = origin.serve("/style.png", style())
    task = server.run(origin.url("/none"), f"{SEEDED} --sref {url}")
    assert task["error"]["detail"]["field"] == "imgUrl"


def test_others_pictures_are_not_there(server, source):
    """Uploads, and results of private accounts, whose signed URL nobody has checked."""
    private = add_account(server, private=True)
    mine = server.upload(style(), key=private)
    done = server.finished(server.submit(mine, SEEDED, key=private)["job_id"], key=private)
    for url in (mine, done["output"]["image_urls"][0], f"{server.base}/uploads/{'0' * 32}",
                f"{server.base}/readyz"):
        task = server.run(source, f"{SEEDED} --sref {url}")
        assert task["error"]["code"] == 424, task
        assert task["error"]["detail"] == {"reason": "expired", "field": "sref"}
    again = server.submit(mine, f"{SEEDED} --sref {done['output']['image_urls'][0]}", key=private)
    assert server.finished(again["job_id"], key=private)["status"] == "completed"


def test_a_job_is_cancelled_while_its_style_is_fetched(server, origin, source):
    asked, over = threading.Event(), threading.Event()

    def never(handler):
        asked.set()
        over.wait(30)

    before = server.balance()
    job_id = server.submit(source, f"{SEEDED} --sref {origin.serve('/slow', never)}")["job_id"]
    assert asked.wait(10)
    try:
        answer = server.post(f"/api/v1/job/{job_id}/cancel")
        assert check_task(answer.json())["error"]["code"] == 499
        assert server.balance() == before
    finally:
        over.set()


def test_after_a_restart_the_style_is_there_and_not_fetched_again(fresh, certificates, engine,
                                                                  origin):
    server = fresh(pixels=engine.long_pixels // 4, fetch_allow="127.0.0.0/8",
                   fetch_ca=certificates[0], **engine.settings)
    url = origin.serve("/once.png", style())
    source = origin.serve("/once.jpg", jpeg(320, 240))
    job_id = server.submit(source, f"{SEEDED} --ar 1:1 --sref {url}")["job_id"]
    wait_for(lambda: server.job(job_id)["status"] != "pending", what="the job to be staged")
    server.kill()
    del origin.routes["/once.png"], origin.routes["/once.jpg"]
    server.start()
    task = server.finished(job_id, timeout=120)
    assert task["status"] == "completed", task["error"]
    assert "--sref" not in str(task["detail"]["warnings"])
    assert origin.requests.count("/once.png") == 1
    assert task["meta"]["usage"]["consume"] == COST


def test_a_look_takes_no_style_and_fetches_none(fresh, origin):
    server = fresh()
    url = origin.url("/unwanted")
    task = server.run(server.upload(jpeg(96, 64)), f"oil painting --sref {url}")
    assert task["status"] == "completed"
    assert [w["code"] for w in task["detail"]["warnings"] if "--sref" in w["message"]] == \
        ["no_effect"]
    assert "/unwanted" not in origin.requests
