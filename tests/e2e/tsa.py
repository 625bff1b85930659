"""A time-stamping server on loopback (openssl ts behind http.server), and the same when it misbehaves."""
import socket
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONFIG = """
[tsa]
default_tsa = here
[here]
serial = {dir}/serial
crypto_device = builtin
signer_cert = {cert}
signer_key = {key}
certs = {chain}
signer_digest = sha256
default_policy = 1.3.6.1.4.1.99999.1
digests = sha256, sha384, sha512
accuracy = secs:1
ordering = no
tsa_name = no
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


class Server:
    """mode: right, slow, 500, 429, html (a page),
    type (a right answer under a wrong name), garbage, empty, wrong (answers about other data), silent (accepts, never answers)."""

    def __init__(self, folder, who, chain, mode="right"):
        self.dir, self.mode, self.asked, self.lock = folder, mode, 0, threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "serial").write_text("01\n")
        self.config = folder / "tsa.cnf"
        self.config.write_text(CONFIG.format(dir=folder, cert=who.cert, key=who.key, chain=chain))
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                owner.answer(self)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/tsa"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stamp(self, query):
        with self.lock:
            request = self.dir / "request.tsq"
            request.write_bytes(query)
            return subprocess.run(["openssl", "ts", "-reply", "-config", str(self.config), "-queryfile", str(request)],
                                  capture_output=True, check=True).stdout

    def answer(self, http):
        query = http.rfile.read(int(http.headers.get("Content-Length", 0)))
        mode, status, kind = self.mode, 200, "application/timestamp-reply"
        self.asked += 1
        if mode in ("slow", "silent"):
            time.sleep(30 if mode == "silent" else 2)
        if mode in ("500", "429"):
            status, body = int(mode), b"no"
        elif mode == "garbage":
            body = b"\x30\x82 this is not a time-stamp"
        elif mode == "html":
            body, kind = b"<html><body>Dang nhap</body></html>", "text/html"
        elif mode == "empty":
            body = b""
        elif mode == "wrong":
            body = self.stamp(self._other(query))
        else:
            body = self.stamp(query)
            kind = "text/html" if mode == "type" else kind
        try:
            http.send_response(status)
            http.send_header("Content-Type", kind)
            http.send_header("Content-Length", str(len(body)))
            http.end_headers()
            http.wfile.write(body)
        except OSError:
            pass  # the client lost patience

    def _other(self, query):
        """The question about other data: one bit of the imprint is turned over."""
        mark = query.index(b"\x04\x20") + 2
        return query[:mark] + bytes([query[mark] ^ 1]) + query[mark + 1:]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def closed_port():
    """An address where nobody listens."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{s.getsockname()[1]}/tsa"
