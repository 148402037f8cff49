#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A web server that misbehaves on demand, for tests of the fetcher.

    hostile_server.py ADDRESS FOLDER

Makes certificates in FOLDER, listens on free ports of ADDRESS and prints one line
    NAME PORT
for each: http, https (a certificate of FOLDER/ca.pem for good.test and ADDRESS), expired, selfsigned,
wronghost; then "ready". What is asked for decides what happens, see `Handler`. Ends with its
standard input, so it never outlives who started it.
"""

import gzip
import os
import socket
import ssl
import subprocess
import sys
import threading
import time


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, capture_output=True)


def make_certificate(folder, name, subject_alt, days="2", issuer=None):
    """FOLDER/NAME.pem and NAME.key, by an issuer of the same folder or by itself."""
    key, request, out = (f"{folder}/{name}.{end}" for end in ("key", "csr", "pem"))
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
            "-subj", f"/CN={name}", "-out", request)
    extensions = f"{folder}/{name}.ext"
    with open(extensions, "w") as f:
        f.write(subject_alt)
    by = (["-CA", f"{folder}/{issuer}.pem", "-CAkey", f"{folder}/{issuer}.key", "-CAcreateserial"]
          if issuer else ["-signkey", key])
    openssl("x509", "-req", "-in", request, "-days", days, "-extfile", extensions, "-out", out, *by)


def context(folder, name):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(f"{folder}/{name}.pem", f"{folder}/{name}.key")
    return made


class Handler:
    """One connection, one request; the first component of the path names the method below."""

    seen = {}  # what clients sent, and how often, by token
    lock = threading.Lock()

    def __init__(self, sock):
        self.sock = sock

    def send(self, text):
        self.sock.sendall(text.encode("latin-1") if isinstance(text, str) else text)

    def head(self, status=200, **fields):
        lines = [f"HTTP/1.1 {status} Whatever", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
        self.send("\r\n".join(lines) + "\r\n\r\n")

    def answer(self, body, status=200, **fields):
        body = body.encode("latin-1") if isinstance(body, str) else body
        self.head(status, Content_Length=len(body), **fields)
        self.send(body)

    def count(self, token):
        with Handler.lock:
            Handler.seen[token] = Handler.seen.get(token, 0) + 1
            return Handler.seen[token]

    def serve(self):
        data = b""
        while b"\r\n\r\n" not in data:
            more = self.sock.recv(65536)
            if not more:
                return
            data += more
            if not data[:1].isalpha():  # TLS where plain HTTP is spoken
                return self.answer("what?", 400)
        request, _, body = data.partition(b"\r\n\r\n")
        self.request = request
        length = next((int(line.split(b":")[1]) for line in request.split(b"\r\n")
                       if line.lower().startswith(b"content-length:")), 0)
        while len(body) < length:
            body += self.sock.recv(65536)
        self.body = body
        _, name, *args = request.split(b" ")[1].decode("latin-1").split("/", 2)
        getattr(self, "do_" + name)(*args)

    # Answers in good order.

    def do_ok(self, size):
        self.answer(b"x" * int(size))

    def do_chunked(self, size):
        self.head(Transfer_Encoding="chunked")
        for _ in range(int(size) // 1000):
            self.send("3e8\r\n" + "x" * 1000 + "\r\n")
        self.send("0\r\n\r\n")

    def do_stream(self, size):
        self.head()
        self.send(b"x" * int(size))

    def do_echo(self, *_):
        self.answer(self.request + b"\r\n\r\n" + self.body)

    def do_gzip(self):
        self.answer(gzip.compress(b"x" * 1000, mtime=0), Content_Encoding="gzip")

    def do_status(self, status):
        self.answer("sorry", int(status))

    def do_retry(self, rest):
        status, value = rest.split("/", 1)
        self.answer("later", int(status), Retry_After=value.replace("_", " "))

    def do_redirect(self, left):
        if int(left) == 0:
            return self.answer("arrived")
        self.answer("go on", 302, Location=f"/redirect/{int(left) - 1}")

    def do_loop(self):
        self.answer("go on", 301, Location="/loop")

    def do_to(self, url):
        self.answer("go on", 307, Location=url)

    def do_cookie(self):
        self.answer("go on", 302, Location="/echo", Set_Cookie="a=b; Path=/")

    def do_count(self, token):
        self.answer(str(Handler.seen.get(token, 0)))

    # Failing the first time only.

    def do_once500(self, token):
        self.answer("x", 500 if self.count(token) == 1 else 200)

    def do_onceclose(self, token):
        if self.count(token) > 1:
            self.answer("x")

    def do_always(self, rest):
        status, token = rest.split("/")
        self.count(token)
        self.answer("x", int(status))

    # Answers in no good order.

    def do_short(self, rest):
        promised, sent = rest.split("/")
        self.head(Content_Length=promised)
        self.send(b"x" * int(sent))

    def do_shortchunked(self):
        self.head(Transfer_Encoding="chunked")
        self.send("3e8\r\n" + "x" * 500)

    def do_close(self):
        pass

    def do_halfhead(self):
        self.send("HTTP/1.1 200 OK\r\nContent-Le")

    def do_garbage(self):
        self.send(b"\x00\xff\xfe not HTTP at all \r\n\r\n")

    def do_badchunk(self):
        self.head(Transfer_Encoding="chunked")
        self.send("zz\r\nxxxx\r\n0\r\n\r\n")

    def do_noplace(self):
        self.head(302, Content_Length=0)

    def do_bighead(self, size):
        self.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n")
        for _ in range(int(size) // 1000):
            self.send("X-Filler: " + "x" * 988 + "\r\n")
        self.send("\r\nx")

    def do_endlesshead(self):
        self.send("HTTP/1.1 200 OK\r\n")
        while True:
            self.send("X-Filler: " + "x" * 988 + "\r\n")

    def do_endless(self):
        self.head()
        while True:
            self.send(b"x" * 65536)

    def do_silent(self, token="silent"):
        self.count(token)
        self.sock.recv(1)

    def do_drip(self):
        self.head(Content_Length=100000)
        while True:
            self.send("x")
            time.sleep(0.02)

    def do_driphead(self):
        for c in "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n" + "X-A: b\r\n" * 1000:
            self.send(c)
            time.sleep(0.02)

    def do_stall(self):
        self.head(Content_Length=100000)
        self.send(b"x" * 60000)
        self.sock.recv(1)


def handle(sock, tls):
    try:
        sock.settimeout(60)
        if tls:
            sock = tls.wrap_socket(sock, server_side=True)
        Handler(sock).serve()
        if tls:
            sock = sock.unwrap()
    except OSError:  # what the client does to us is the client's business
        pass
    finally:
        sock.close()


def listen(address, name, tls):
    listener = socket.create_server((address, 0), backlog=64)
    print(name, listener.getsockname()[1], flush=True)

    def accept():
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=handle, args=(sock, tls), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def main(address, folder):
    alt = f"subjectAltName=DNS:good.test,IP:{address}\n"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", f"{folder}/ca.key", "-out", f"{folder}/ca.pem", "-days", "2",
            "-subj", "/CN=patina test CA")
    make_certificate(folder, "https", alt, issuer="ca")
    make_certificate(folder, "expired", alt, days="-1", issuer="ca")
    make_certificate(folder, "wronghost", "subjectAltName=DNS:other.test\n", issuer="ca")
    make_certificate(folder, "selfsigned", alt)
    listen(address, "http", None)
    for name in ("https", "expired", "wronghost", "selfsigned"):
        listen(address, name, context(folder, name))
    print("ready", flush=True)
    os.read(0, 1)


main(*sys.argv[1:])
