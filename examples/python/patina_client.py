#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A small client for Patina, in one file and without packages.

    PATINA_KEY=... python3 patina_client.py PHOTO "PROMPT" [FOLDER]

or from a program:

    client = Client("http://127.0.0.1:8080", key)
    task = client.wait(client.retexture(client.upload(photo_bytes), "carved from walnut")["job_id"])
    for url in task["output"]["image_urls"]:
        picture = client.download(url)
"""

import json
import os
import pathlib
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid


class PatinaError(Exception):
    """What the service has answered, or why a job has failed."""

    def __init__(self, error):
        super().__init__(error["message"])
        self.code = error["code"]
        self.detail = error["detail"]


class Client:
    def __init__(self, base="http://127.0.0.1:8080", key="", timeout=30):
        self.base, self.key, self.timeout = base.rstrip("/"), key, timeout

    def upload(self, photo):
        """An imgUrl for the bytes of a JPEG, PNG or WebP."""
        return self._call("POST", "/api/v1/uploads", photo)["imgUrl"]

    def retexture(self, img_url, prompt, callback=None):
        """Starts a job. Sent again when the answer is lost: the key makes that harmless."""
        body = {"imgUrl": img_url, "remixPrompt": prompt, "callback": callback}
        return self._call("POST", "/api/v1/retexture", json.dumps(body).encode(),
                          {"Idempotency-Key": str(uuid.uuid4())}, tries=4)

    def job(self, job_id):
        return self._call("GET", f"/api/v1/job/{job_id}", tries=4)

    def cancel(self, job_id):
        return self._call("POST", f"/api/v1/job/{job_id}/cancel")

    def events(self, job_id):
        """The task at each change, until the job's end."""
        request = self._request("GET", f"/api/v1/job/{job_id}/events", None, {})
        with urllib.request.urlopen(request, timeout=self.timeout) as answer:
            for line in answer:
                if line.startswith(b"data: "):
                    yield json.loads(line[6:])

    def wait(self, job_id, every=1.0):
        """The task when the job has ended; PatinaError when it has failed."""
        while (task := self.job(job_id))["status"] not in ("completed", "failed"):
            time.sleep(every)
        if task["status"] == "failed":
            raise PatinaError(task["error"])
        return task

    def download(self, url):
        """A result's bytes: its URL needs no key."""
        with urllib.request.urlopen(url, timeout=self.timeout) as answer:
            return answer.read()

    def _request(self, method, path, body, headers):
        return urllib.request.Request(self.base + path, body, method=method,
                                      headers={"x-api-key": self.key, **headers})

    def _call(self, method, path, body=None, headers=None, tries=1):
        for left in reversed(range(tries)):
            try:
                request = self._request(method, path, body, headers or {})
                with urllib.request.urlopen(request, timeout=self.timeout) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as refused:
                with refused:
                    error = json.load(refused)
                if refused.code not in (429, 503) or not left:
                    raise PatinaError(error) from None
                time.sleep(int(refused.headers.get("Retry-After", 1)))
            except urllib.error.URLError:
                if not left:
                    raise
                time.sleep(1)


def main(photo, prompt, folder="."):
    client = Client(os.environ.get("PATINA_URL", "http://127.0.0.1:8080"),
                    os.environ["PATINA_KEY"])
    job = client.retexture(client.upload(pathlib.Path(photo).read_bytes()), prompt)
    for task in client.events(job["job_id"]):
        print(task["status"], task["detail"] and task["detail"].get("progress"), file=sys.stderr)
    task = client.wait(job["job_id"])
    for url in [task["output"]["image_url"], *task["output"]["image_urls"]]:
        path = pathlib.Path(folder) / pathlib.PurePosixPath(urllib.parse.urlsplit(url).path).name
        path.write_bytes(client.download(url))
        print(path)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4) or not os.environ.get("PATINA_KEY"):
        sys.exit('usage: PATINA_KEY=... patina_client.py PHOTO "PROMPT" [FOLDER]')
    try:
        main(*sys.argv[1:])
    except PatinaError as e:
        sys.exit(f"{e.code}: {e}")
    except OSError as e:  # no such photo, nobody answers
        sys.exit(str(e))
