#!/usr/bin/env python3
"""antin serve, asked by openssl, gnutls and curl: status answers, time-stamps, lists, health; changes that are seen at once; processes
that are killed, replaced and stopped while many ask. Usage: serve.py BUILD MAKER"""
import base64, json, os, signal, socket, subprocess, sys, threading, time, urllib.parse
from pathlib import Path

from lib import Served, run, wait_for

failures = []


def check(condition, what, detail=""):
    if not condition:
        failures.append(what)
        print(f"FAILED {what} {detail}")


def ocsp(s, *names, more=()):
    certs = [x for name in names for x in ("-cert", s.base / f"{name}.pem")]
    done = run("openssl", "ocsp", "-issuer", s.base / "nha-nuoc.pem", *certs, "-url", f"{s.url}/ocsp", "-CAfile", s.base / "goc.pem", "-verify_other", s.base / "nha-nuoc.pem",
               "-no_nonce" if "-nonce" not in more else "-nonce", *[m for m in more if m != "-nonce"], check=False)
    return (done.stdout + done.stderr).decode()


def request_der(s, name, *more):
    path = s.base / "request.der"
    run("openssl", "ocsp", "-issuer", s.base / "nha-nuoc.pem", *more, "-cert", s.base / f"{name}.pem", "-no_nonce", "-reqout", path)
    return path.read_bytes()


def status_answers(s):
    for digest in ("-sha1", "-sha256", "-sha384"):
        text = run("openssl", "ocsp", "-issuer", s.base / "nha-nuoc.pem", digest, "-cert", s.base / "nguoi-mot.pem", "-url", f"{s.url}/ocsp", "-CAfile", s.base / "goc.pem",
                   "-no_nonce", check=False)
        out = (text.stdout + text.stderr).decode()
        check("Response verify OK" in out and "nguoi-mot.pem: good" in out, f"ocsp {digest}", out)
    out = ocsp(s, "nguoi-mot", more=("-nonce",))
    check("Response verify OK" in out and ": good" in out and "WARNING" not in out, "ocsp with nonce", out)
    out = ocsp(s, "nguoi-mot", "nguoi-hai", "nguoi-ba")
    check(out.count(": good") == 3 and "verify OK" in out, "three in one request", out)
    s2 = run("ocsptool", f"--ask={s.url}/ocsp", "--load-issuer", s.base / "nha-nuoc.pem", "--load-cert", s.base / "nguoi-hai.pem", "--nonce", check=False, input=b"")
    check(b"Certificate Status: good" in s2.stdout, "gnutls ocsptool", (s2.stdout + s2.stderr).decode(errors="replace")[-600:])
    der = request_der(s, "nguoi-mot")
    encoded = urllib.parse.quote(base64.b64encode(der).decode(), safe="")
    plain = base64.b64encode(der).decode()
    first = s.ask("POST", "/ocsp", der, {"Content-Type": "application/ocsp-request"})
    for path in (f"/ocsp/{encoded}", f"/ocsp/{plain}"):
        got = s.ask("GET", path)
        check(got[0] == 200 and got[2] == first[2], f"GET gives what POST gave: {path[:20]}", str(got[1]))
        for header in ("cache-control", "etag", "last-modified", "expires", "date"):
            check(header in got[1], f"GET has {header}", str(got[1]))
        check("max-age=" in got[1]["cache-control"] and int(got[1]["cache-control"].split("max-age=")[1]) <= 3600, "max-age", str(got[1]))
        again = s.ask("GET", path, headers={"If-None-Match": got[1]["etag"]})
        check(again[0] == 304 and again[2] == b"", "If-None-Match", str(again[:2]))
        head = s.ask("HEAD", path)
        check(head[0] == 200 and head[2] == b"" and int(head[1]["content-length"]) == len(got[2]), "HEAD", str(head[1]))
    table = [("GET", "/ocsp/AAAA", None, b"\x30\x03\x0a\x01\x01"), ("GET", "/ocsp/%%%", None, None), ("POST", "/ocsp", b"nonsense", b"\x30\x03\x0a\x01\x01"),
             ("POST", "/ocsp", b"", b"\x30\x03\x0a\x01\x01")]
    for method, path, body, want in table:
        got = s.ask(method, path, body, {"Content-Type": "application/ocsp-request"})
        check(got[2] == want if want else got[0] == 400, f"malformed {path} {body}", str(got))
    check(s.ask("POST", "/ocsp", b"x", {"Content-Type": "text/plain"})[0] == 415, "content type")
    check(s.ask("PUT", "/ocsp", der)[0] == 405, "method")
    check(s.ask("POST", "/ocsp", b"x" * 70000, {"Content-Type": "application/ocsp-request"})[0] == 413, "too large")
    # a foreign issuer: unauthorized; a serial that was never issued: unknown
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", s.base / "x.key", "-out", s.base / "x.pem", "-subj", "/CN=x")
    out = run("openssl", "ocsp", "-issuer", s.base / "x.pem", "-cert", s.base / "x.pem", "-url", f"{s.url}/ocsp", check=False)
    check(b"unauthorized" in out.stdout + out.stderr, "foreign issuer", out.stdout.decode())
    out = run("openssl", "ocsp", "-issuer", s.base / "nha-nuoc.pem", "-serial", "0x1234567890", "-url", f"{s.url}/ocsp", "-CAfile", s.base / "goc.pem", check=False)
    check(b"0x1234567890: unknown" in out.stdout, "never issued", (out.stdout + out.stderr).decode())


def changes(s):
    """A hold, a release, a revocation: seen by the very next question, and in the lists within seconds."""
    for name, kind, reason, want in (("nguoi-ba", 1, 0, "revoked"), ("nguoi-ba", 2, 0, "good"), ("nguoi-hai", 0, 1, "revoked")):
        before = ocsp(s, name)
        s.change(name, kind, reason)
        out = ocsp(s, name)
        check(f": {want}" in out, f"{name} is {want} at once", before + out)
        if kind == 1:
            check("certificateHold" in out, "reason of a hold", out)
    check("keyCompromise" in ocsp(s, "nguoi-hai"), "reason of a revocation")
    serial = s.serial("nguoi-hai").hex().upper()

    def listed():
        text = b""
        for file in ("nha-nuoc.crl", "nha-nuoc-delta.crl"):
            got = s.ask("GET", f"/crl/{file}")
            if got[0] == 200:
                (s.base / file).write_bytes(got[2])
                text += run("openssl", "crl", "-inform", "DER", "-in", s.base / file, "-noout", "-text", "-CAfile", s.base / "nha-nuoc.pem", "-verify", check=False).stdout
        return serial.encode() in text
    start = time.time()
    check(wait_for(listed), "the revocation is in a list")
    print(f"revoked -> in a list: {time.time() - start:.1f} s")


def lists(s):
    check(wait_for(lambda: s.ask("GET", "/crl/nha-nuoc.crl")[0] == 200), "a list is there")
    got = s.ask("GET", "/crl/nha-nuoc.crl")
    check(got[1]["content-type"] == "application/pkix-crl" and "etag" in got[1] and "last-modified" in got[1], "headers of a list", str(got[1]))
    (s.base / "got.crl").write_bytes(got[2])
    out = run("openssl", "crl", "-inform", "DER", "-in", s.base / "got.crl", "-noout", "-CAfile", s.base / "nha-nuoc.pem", check=False)
    check(b"verify OK" in out.stderr, "openssl crl", out.stderr.decode())
    check(s.ask("GET", "/crl/nha-nuoc.crl", headers={"If-None-Match": got[1]["etag"]})[0] == 304, "304 for a list")
    check(s.ask("HEAD", "/crl/nha-nuoc.crl")[2] == b"", "HEAD of a list")
    for path in ("/crl/../antin.yaml", "/crl/%2e%2e%2fantin.yaml", "/crl/none.crl", "/crl/", "/crl/.crl", "/crl/nha-nuoc.crl%00", "/crt/../pins/token.pin"):
        check(s.ask("GET", path)[0] in (400, 404), f"{path} leads nowhere")
    got = s.ask("GET", "/crt/nha-nuoc.crt")
    check(got[0] == 200 and got[2] == (s.dir / "nha-nuoc.crt").read_bytes(), "/crt/")
    before = run(s.build / "antin-office", "ca", "crl", "--dir", s.dir, "--lang=en").stdout.decode()
    check("nha-nuoc.crl" in before and "goc.crl" in before, "antin ca crl", before)
    out = run(s.build / "antin-office", "ca", "crl", "--delta", "--dir", s.dir, "--json", "nha-nuoc").stdout.decode()
    check("nha-nuoc-delta.crl" in out, "antin ca crl --delta", out)


def stamps(s):
    data = s.base / "data"
    data.write_bytes(b"van ban mau")
    for more, want in (((), True), (("-cert",), True), (("-tspolicy", "2.16.704.1.1.1.1.1", "-cert"), True), (("-tspolicy", "1.2.3.4"), False)):
        run("openssl", "ts", "-query", "-data", data, "-sha256", *more, "-out", s.base / "q.tsq")
        got = s.ask("POST", "/tsa", (s.base / "q.tsq").read_bytes(), {"Content-Type": "application/timestamp-query"})
        check(got[0] == 200 and got[1]["content-type"] == "application/timestamp-reply", "answer of /tsa", str(got[:2]))
        (s.base / "r.tsr").write_bytes(got[2])
        text = run("openssl", "ts", "-reply", "-in", s.base / "r.tsr", "-text", check=False).stdout.decode(errors="replace")
        if not want:
            check("Unaccepted policy" in text or "Rejected" in text, f"refused {more}", text)
            continue
        run("sh", "-c", f"cat '{s.base}/nha-nuoc.pem' '{s.base}/tsa.pem' > '{s.base}/chain.pem'")
        out = run("openssl", "ts", "-verify", "-queryfile", s.base / "q.tsq", "-in", s.base / "r.tsr", "-CAfile", s.base / "goc.pem", "-untrusted", s.base / "chain.pem", check=False)
        check(b"Verification: OK" in out.stdout + out.stderr, f"openssl ts -verify {more}", (out.stdout + out.stderr).decode(errors="replace") + text)
    run("openssl", "ts", "-query", "-data", data, "-sha256", "-cert", "-out", s.base / "q.tsq")
    serials = set()
    for _ in range(50):
        got = s.ask("POST", "/tsa", (s.base / "q.tsq").read_bytes(), {"Content-Type": "application/timestamp-query"})
        (s.base / "r.tsr").write_bytes(got[2])
        text = run("openssl", "ts", "-reply", "-in", s.base / "r.tsr", "-text").stdout.decode(errors="replace")
        serials.add([l for l in text.splitlines() if l.startswith("Serial number")][0])
    check(len(serials) == 50, "serials are unique", str(len(serials)))
    check(s.ask("POST", "/tsa", b"nonsense", {"Content-Type": "application/timestamp-query"})[0] == 200, "malformed query is answered")
    check(s.ask("GET", "/tsa")[0] == 405, "GET /tsa")


def bad_clock(s):
    """With a clock that cannot be trusted nothing is stamped; everything else goes on."""
    text = (s.dir / "antin.yaml").read_text()
    monitor = s.base / "ca" / "run" / "clock"
    (s.dir / "antin.yaml").write_text(text.replace("clock: steps", f"clock: file\n  clock_file: {monitor}"))
    s.process.send_signal(signal.SIGHUP)
    query = (s.base / "q.tsq").read_bytes()

    def ask():
        (s.base / "r.tsr").write_bytes(s.ask("POST", "/tsa", query, {"Content-Type": "application/timestamp-query"})[2])
        return run("openssl", "ts", "-reply", "-in", s.base / "r.tsr", "-text", check=False).stdout.decode(errors="replace")
    check(wait_for(lambda: "time source" in ask().lower()), "refused: the monitor is silent", ask())
    monitor.write_text(f"3 {int(time.time())}\n")
    check(wait_for(lambda: "time source" not in ask().lower()), "granted again: the monitor says 3 ms", ask())
    monitor.write_text(f"5000 {int(time.time())}\n")
    check(wait_for(lambda: "time source" in ask().lower()), "refused: 5 s off", ask())
    status, _, body = s.ask("GET", "/healthz")
    health = json.loads(body)
    check(status == 503 and health["time_stamping"] is False and health["status"] == "degraded" and "5000 ms off" in health["clock"], "/healthz tells of the clock", body.decode())
    check(s.ask("GET", "/crt/nha-nuoc.crt")[0] == 200 and ": good" in ocsp(s, "nguoi-mot"), "the rest goes on")
    (s.dir / "antin.yaml").write_text(text)
    s.process.send_signal(signal.SIGHUP)
    check(wait_for(lambda: "time source" not in ask().lower()), "and as before")


def health(s):
    got = s.ask("GET", "/healthz")
    check(got[0] == 200 and json.loads(got[2])["status"] == "ok" and json.loads(got[2])["clock_proven"] is False and json.loads(got[2])["time_stamping"] is True
          and json.loads(got[2])["clock"] == "trusted", "/healthz", str(got))
    check("clock.unproven" in (s.base / "log").read_text(), "the log warns that nobody vouches for the clock")
    text = s.ask("GET", "/metrics")[2].decode()
    for word in ('antin_http_requests_total{route="/ocsp",status="2xx"}', "antin_ocsp_kept_total", "antin_ocsp_signed_total", "antin_stamps_total", "antin_crl_next_update_seconds"):
        check(word in text, f"/metrics has {word}")
    check(s.ask("GET", "/nothing")[0] == 404, "404")
    second = run(s.build / "antin-office", "serve", "--dir", s.dir, "--listen", "127.0.0.1:0", check=False)
    check(second.returncode != 0, "one server an instance")


class Askers:
    """Threads that ask without pause; every question must be answered rightly. A connection that was closed between two requests
    may be opened again, as every HTTP client does; a request that was sent must get its answer."""
    def __init__(self, s, count=4):
        self.s, self.going, self.done, self.wrong = s, True, 0, []
        self.der = request_der(s, "nguoi-mot")
        run("openssl", "ts", "-query", "-data", s.base / "data", "-sha256", "-cert", "-out", s.base / "a.tsq")
        self.query = (s.base / "a.tsq").read_bytes()
        self.threads = [threading.Thread(target=self.ask, args=(i,)) for i in range(count)]
        for t in self.threads:
            t.start()

    def ask(self, number):
        sock, room = None, b""
        while self.going:
            path, kind, body = ("/tsa", "timestamp-query", self.query) if number % 2 else ("/ocsp", "ocsp-request", self.der)
            request = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/{kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
            try:
                if sock is None:
                    sock = socket.create_connection(("127.0.0.1", self.s.port), timeout=60)
                sock.sendall(request)
                answer = b""
                while b"\r\n\r\n" not in answer:
                    part = sock.recv(65536)
                    if not part:
                        raise ConnectionError("closed before the answer")
                    answer += part
                head, _, content = answer.partition(b"\r\n\r\n")
                length = int([l for l in head.split(b"\r\n") if l.lower().startswith(b"content-length:")][0].split(b":")[1])
                while len(content) < length:
                    content += sock.recv(65536)
                if not head.startswith(b"HTTP/1.1 200") or len(content) < 200:
                    self.wrong.append(f"{path}: {head[:60]} {content[:20]}")
                self.done += 1
                if b"connection: close" in head.lower():
                    sock.close()
                    sock = None
            except (OSError, ConnectionError) as problem:
                self.wrong.append(f"{path}: {problem}")
                sock = None

    def more(self, count):
        want = self.done + count
        return wait_for(lambda: self.done >= want, 60)

    def stop(self):
        self.going = False
        for t in self.threads:
            t.join()


def replacement(s):
    """SIGHUP, twice, while many ask: not one request is lost."""
    askers = Askers(s)
    check(askers.more(50), "answers before")
    for _ in range(2):
        before = s.child("antin-http") + s.child("antin-key")
        s.process.send_signal(signal.SIGHUP)
        check(wait_for(lambda: not set(before) & set(s.child("antin-http") + s.child("antin-key")), 60), "new processes", str(before))
        check(askers.more(50), "answers after")
    askers.stop()
    check(not askers.wrong, "nothing is lost while processes are replaced", str(askers.wrong[:3]))
    print(f"replaced twice under load: {askers.done} answers, {len(askers.wrong)} lost")


def killing(s):
    """kill -9 of the key process loses nothing; of the network process what it had in hand."""
    askers = Askers(s)
    check(askers.more(50), "answers before")
    for _ in range(3):
        check(wait_for(lambda: s.child("antin-key")), "the key process is there")
        check(askers.more(1), "answers between")
        os.kill(s.child("antin-key")[0], signal.SIGKILL)
        check(askers.more(50), "answers after the key process was killed")
    check(not askers.wrong, "nothing is lost when the key process is killed", str(askers.wrong[:3]))
    check(wait_for(lambda: s.child("antin-http")), "the network process is there")
    os.kill(s.child("antin-http")[0], signal.SIGKILL)
    check(askers.more(50), "answers after the network process was killed")
    askers.stop()
    check(len(askers.wrong) <= len(askers.threads), "one request a connection", str(len(askers.wrong)))
    print(f"killed under load: {askers.done} answers, {len(askers.wrong)} lost with the network process")


def slow_ones(s):
    """A thousand who send half a request, or nothing, hold nobody up."""
    def time_them(count=300):
        times = []
        sock = socket.create_connection(("127.0.0.1", s.port), timeout=30)
        der = request_der(s, "nguoi-mot")
        request = f"POST /ocsp HTTP/1.1\r\nHost: a\r\nContent-Type: application/ocsp-request\r\nContent-Length: {len(der)}\r\n\r\n".encode() + der
        for _ in range(count):
            start = time.perf_counter()
            sock.sendall(request)
            if not sock.recv(65536):
                check(False, "answer beside slow ones")
                break
            times.append(time.perf_counter() - start)
        sock.close()
        return sorted(times)
    quiet = time_them()
    half = []
    for i in range(1000):
        sock = socket.create_connection(("127.0.0.1", s.port), timeout=30)
        sock.sendall([b"", b"GET /oc", b"POST /ocsp HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\nContent-Type: application/ocsp-request\r\n\r\nhalf"][i % 3])
        half.append(sock)
    busy = time_them()
    for sock in half:
        sock.close()
    p99 = lambda times: times[int(len(times) * 0.99)] * 1000
    print(f"p99 quiet {p99(quiet):.2f} ms, beside 1,000 slow connections {p99(busy):.2f} ms")


def memory(s):
    total = 0
    for pid in [s.process.pid] + s.child("antin-http") + s.child("antin-key"):
        pss = [l for l in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines() if l.startswith("Pss:")][0]
        total += int(pss.split()[1])
    print(f"memory of all processes: {total / 1024:.1f} MiB")


def sandboxes(s):
    """What each process may not: read in the kernel's own words."""
    for program in ("antin-http", "antin-key"):
        status = Path(f"/proc/{s.child(program)[0]}/status").read_text()
        check("NoNewPrivs:\t1" in status and "Seccomp:\t2" in status, f"{program} is confined", status[-800:])


def main():
    s = Served(sys.argv[1], sys.argv[2], token="file")
    try:
        s.start()
        for step in (lists, status_answers, stamps, bad_clock, changes, health, sandboxes, memory, slow_ones, replacement, killing):
            start = time.time()
            step(s)
            print(f"  {step.__name__}: {time.time() - start:.1f} s", flush=True)
        s.stop()
        check(s.process is None, "stopped")
        check('"event":"stopped"' in s.events().replace(" ", ""), "drained", s.events()[-500:])
    finally:
        if failures:
            print(s.events()[-3000:])
        s.remove()
    print(f"serve: {len(failures)} failed")
    return 1 if failures else 0


sys.exit(main())
