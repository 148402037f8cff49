# SPDX-License-Identifier: MIT
"""A loopback HTTPS server that hands out pictures, misbehaves on request and receives webhooks."""

import http.server
import queue
import socket
import ssl
import subprocess
import threading


def make_certificates(folder):
    """A CA and a certificate for 127.0.0.1 signed by it: (ca.pem, server.pem, server.key)."""
    def openssl(*args):
        subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
            "-subj", "/CN=test CA")
    openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=127.0.0.1")
    (folder / "ext").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-days", "2", "-extfile", "ext", "-out", "server.pem")
    return folder / "ca.pem", folder / "server.pem", folder / "server.key"


class Delivery:
    """A webhook as it arrived."""

    def __init__(self, path, headers, body):
        self.path, self.headers, self.body = path, headers, body


class Origin:
    """Routes are set with serve(); `url(path)` is where they are. Use as a context manager.

    A route is bytes, sent with 200, or a function of the request handler, which may write whatever
    it likes to handler.wfile. POSTs land in `deliveries`, answered by `answers`: a queue of
    (status, headers) per path, 200 when it is empty.
    """

    def __init__(self, certificate=None, key=None):
        self.routes = {}
        self.requests = []  # paths asked for, in order
        self.deliveries = queue.Queue()
        self.answers = {}
        origin = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                origin.requests.append(self.path)
                self.close_connection = True
                route = origin.routes.get(self.path.partition("?")[0])
                if callable(route):
                    route(self)
                elif route is None:
                    self.send_error(404)
                else:
                    send(self, route)

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                origin.deliveries.put(Delivery(self.path, dict(self.headers.items()), body))
                waiting = origin.answers.get(self.path)
                status, headers = waiting.pop(0) if waiting else (200, {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        class Listener(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request, address):
                pass  # clients that hang up are what some tests are about

            def get_request(self):
                connection, address = super().get_request()
                connection.settimeout(120)
                return connection, address

            def finish_request(self, request, address):
                if origin.tls:
                    request = origin.tls.wrap_socket(request, server_side=True)
                super().finish_request(request, address)
                try:
                    request.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                request.close()

        self.tls = None
        if certificate:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(certificate, key)
        self.listener = Listener(("127.0.0.1", 0), Handler)
        self.port = self.listener.server_address[1]

    def serve(self, path, route):
        self.routes[path] = route
        return self.url(path)

    def url(self, path):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}{path}"

    def delivery(self, path=None, timeout=120):
        """The next webhook that arrives (at `path`: others are put aside for good)."""
        while True:
            found = self.deliveries.get(timeout=timeout)
            if path is None or found.path == path:
                return found

    def __enter__(self):
        threading.Thread(target=self.listener.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *error):
        self.listener.shutdown()
        self.listener.server_close()


def send(handler, data, status=200, **headers):
    """A plain answer with a true Content-Length."""
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(data)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(data)


def redirect(to, status=302):
    return lambda handler: send(handler, b"", status, Location=to)
