#!/usr/bin/env python3
"""What goes wrong between us and TSA, OCSP, CRL and AIA servers, one loopback server per trouble: the message must name the
cause in both languages, in time, with the right exit status. usage: network.py ANTIN   ends with "N passed, N failed, N skipped" """
import hashlib, itertools, json, os, socket, ssl, subprocess, sys, tempfile, threading, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from attack.world import DAY, World
from forge import pdf
from forge.der import *
from forge.keys import Rsa
from forge.pki import *


class Server:
    """Answers by path: answers[path] is bytes of a whole HTTP answer, or fn(socket, body)."""

    def __init__(self, tls=None):
        self.tls, self.asked = tls, []
        self.answers, self.socket = {}, socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            client, _ = self.socket.accept()
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        try:
            client = self.tls.wrap_socket(client, server_side=True) if self.tls else client
            data = b""
            while b"\r\n\r\n" not in data:
                part = client.recv(65536)
                if not part:
                    return
                data += part
                if data[:1] == b"\x16":  # a TLS hello
                    return client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            head, body = data.split(b"\r\n\r\n", 1)
            length = next((int(l.split(b":")[1]) for l in head.lower().split(b"\r\n") if l.startswith(b"content-length:")), 0)
            while len(body) < length:
                body += client.recv(65536)
            self.asked.append(head.split(b" ")[1].decode())
            answer = self.answers.get(self.asked[-1], b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            if callable(answer):
                answer(client, body)
            else:
                client.sendall(answer)
        except (OSError, IndexError, ValueError):
            pass
        finally:
            client.close()

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"


def http(body, status="200 OK", kind="application/octet-stream", more=""):
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{more}\r\n".encode() + body


def silent(client, body):
    time.sleep(60)


def drip(client, body):
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n")
    for _ in range(60):
        client.sendall(b"0")
        time.sleep(1)


def endless(client, body):
    client.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    for _ in range(100000):
        client.sendall(b"\0" * 65536)


def reset(client, body):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


TRANSPORT = {  # mode: (answer, code)
    "silent": (silent, "AN_E_FETCH_TIMEOUT"), "slow": (drip, "AN_E_FETCH_TIMEOUT"), "not HTTP": (b"220 ftp.example ready\r\n\r\n", "AN_E_FETCH_PROTOCOL"),
    "closes at once": (b"", "AN_E_FETCH_EMPTY"), "reset": (reset, {"AN_E_FETCH_PROTOCOL", "AN_E_FETCH_EMPTY"}),
    "empty body": (http(b""), "AN_E_FETCH_EMPTY"), "cut off": (http(b"0" * 500)[:-200], "AN_E_FETCH_PROTOCOL"),
    "404": (http(b"no", "404 Not Found"), "AN_E_FETCH_STATUS"), "500": (http(b"no", "500 Internal Server Error"), "AN_E_FETCH_STATUS"),
    "403": (http(b"no", "403 Forbidden"), "AN_E_FETCH_STATUS"), "429": (http(b"", "429 Too Many Requests", more="Retry-After: 1\r\n"), "AN_E_FETCH_RATE"),
    "503": (http(b"", "503 Service Unavailable"), "AN_E_FETCH_RATE"), "endless": (endless, {"AN_E_FETCH_SIZE", "AN_E_FETCH_TIMEOUT"}),  # whichever a busy machine meets first
    "says it is huge": (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "AN_E_FETCH_SIZE"),
    "redirect to ftp": (http(b"", "302 Found", more="Location: ftp://127.0.0.1/x\r\n"), "AN_E_FETCH_SCHEME"),
    "redirect to file": (http(b"", "302 Found", more="Location: file:///etc/passwd\r\n"), "AN_E_FETCH_SCHEME"),
}

SCHEME = {"OCSP": "AN_E_FETCH_SCHEME", "AIA": "AN_E_FETCH_SCHEME", "CRL": "AN_V_STATUS_NONE"}  # of distribution points only http counts


class Lab:
    def __init__(self, antin):
        self.antin, self.world, self.server, self.folder = antin, World(), Server(), Path(tempfile.mkdtemp(prefix="antin-network-"))
        self.counter = itertools.count()
        w = self.world
        (self.folder / "root.der").write_bytes(w.root.der)
        (self.folder / "leaf.der").write_bytes(w.leaf.der)
        (self.folder / "ca.crl").write_bytes(w.crl)
        key = w.leaf.key
        numbers = [0, key.n, key.e, key.d, key.p, key.q, *key.crt]
        (self.folder / "key.der").write_bytes(seq(*map(integer, numbers)))
        subprocess.run(["openssl", "pkcs8", "-topk8", "-inform", "DER", "-in", self.folder / "key.der", "-out", self.folder / "key.pem", "-passout", "pass:2468"], check=True, capture_output=True)
        (self.folder / "pin").write_text("2468\n")
        for secret in ("pin", "key.pem"):
            os.chmod(self.folder / secret, 0o600)
        (self.folder / "in.pdf").write_bytes(pdf.base().data)
        self.server.answers["/loop"] = http(b"", "302 Found", more=f"Location: {self.server.url('/loop')}\r\n")
        self.refused = f"http://127.0.0.1:{closed_port()}/x"

    def run(self, *argv):
        started = time.monotonic()
        done = subprocess.run([self.antin, *map(str, argv)], capture_output=True, text=True, timeout=120, env=dict(os.environ, LC_ALL="C.UTF-8"))
        return done, time.monotonic() - started

    def leaf(self, role, url, key=None):
        place = ctx(6, url.encode(), constructed=False)
        extra = {"OCSP": [extension("aia", seq(seq(oid("ocsp"), place)))], "CRL": [extension("cdp", seq(seq(ctx(0, ctx(0, place)))))],
                 "AIA": [extension("aia", seq(seq(oid("caIssuers"), place)))]}[role]
        w, issuer = self.world, self.world.root
        if role == "AIA":
            issuer = self.middle = getattr(self, "middle", None) or Cert("CA giữa", Rsa.new(), w.root, w.leaf.start, w.leaf.end, ca_extensions())
        return Cert(f"{role} {url[-20:]}", w.leaf.key, issuer, w.leaf.start, w.leaf.end, [key_usage(0, 1)] + extra)

    def verify(self, role, url, private=True, cert=None, more=()):
        cert = cert or self.leaf(role, url)
        path = self.folder / f"{cert.number}-{next(self.counter)}.pdf"
        path.write_bytes(pdf.base().sign(self.world.signer(cert=cert)).data)
        return self.run("verify", "--json", "--online", *(["--allow-private"] if private else []), "--trust", self.folder / "root.der", "--revocation", "require" if role != "AIA" else "none", *more, path)


def check_report(done, took, codes, limit=16, status=2):
    """The cause stands in the report, in both languages, beside a verdict that is not an accept."""
    if done.returncode != status:
        return f"exit {done.returncode}: {(done.stdout + done.stderr)[-200:]}"
    if took > limit:
        return f"took {took:.0f} s"
    row = json.loads(done.stdout)
    notes = [c for s in row["signatures"] for c in s["checks"]]
    found = [c for c in notes if c["code"] in codes]
    if not found:
        return f"no {codes} among {[c['code'] for c in notes if c['status'] != 'passed']}"
    return "" if found[0]["vi"] and found[0]["en"] else "a language is missing"


def status_cases(lab):
    """(name, work) for the three kinds of servers that verifying asks."""
    s, w = lab.server, lab.world
    for role in ("OCSP", "CRL", "AIA"):
        malformed = {"OCSP": {"AN_E_OCSP_STRUCTURE"}, "CRL": {"AN_E_CRL_STRUCTURE"}, "AIA": {"AN_E_CERT_NONE", "AN_E_CERT_STRUCTURE"}}[role]
        modes = dict(TRANSPORT)
        modes["web page"] = (http(b"<html>Dang nhap</html>", kind="text/html"), malformed | {"AN_E_FETCH_TYPE"})
        modes["garbage"] = (http(os.urandom(300)), malformed | {"AN_E_DER", "AN_E_DER_TAG", "AN_E_DER_LENGTH"})
        for mode, (answer, code) in modes.items():
            path = "/" + hashlib.sha1((role + mode).encode()).hexdigest()[:12]
            s.answers[path] = answer
            yield f"{role}: {mode}", lambda r=role, p=path, c=code: check_report(*lab.verify(r, s.url(p)), c if isinstance(c, set) else {c})
        for mode, url, code in (("refused", lab.refused, "AN_E_FETCH_REFUSED"), ("no such name", "http://khong-co.invalid/x", "AN_E_FETCH_DNS"), ("redirect loop", s.url("/loop"), "AN_E_FETCH_REDIRECT"),
                                ("ldap", "ldap://127.0.0.1/x", SCHEME[role]), ("file", "file:///etc/passwd", SCHEME[role]),
                                ("TLS with a server that has none", s.url("/x").replace("http:", "https:"), "AN_E_FETCH_TLS")):
            yield f"{role}: {mode}", lambda r=role, u=url, c=code: check_report(*lab.verify(r, u), {c})
        yield f"{role}: private address", lambda r=role: check_report(*lab.verify(r, s.url("/x")[:-1] + "private", private=False), {"AN_E_FETCH_BLOCKED"})


def content_cases(lab):
    """The answer comes, and is not good enough."""
    s, w, now = lab.server, lab.world, lab.world.now
    other = Cert("Gốc thử", Rsa.new(), start=w.root.start, end=w.root.end, extensions=ca_extensions())
    lists = {"right": (crl(w.root, now - 60, now + DAY), None), "expired": (crl(w.root, now - 9 * DAY, now - 8 * DAY), "AN_V_STATUS_STALE"),
             "clock ahead": (crl(w.root, now + DAY, now + 2 * DAY), "AN_V_STATUS_FUTURE"), "signed by another": (crl(w.root, now - 60, now + DAY, signer=other.key), "AN_V_STATUS_SIGNATURE"),
             "of another issuer": (crl(w.leaf, now - 60, now + DAY), "AN_V_STATUS_ISSUER")}
    for mode, (data, code) in lists.items():
        path = "/crl-" + mode.replace(" ", "-")
        s.answers[path] = http(data)
        codes = {code} | ({"AN_V_STATUS_SCOPE", "AN_V_STATUS_NONE"} if mode == "of another issuer" else set()) | ({"AN_V_STATUS_ISSUER"} if mode == "signed by another" else set())
        yield f"CRL: {mode}", lambda p=path, c=codes, ok=code is None: check_right(lab.verify("CRL", s.url(p))) if ok else check_report(*lab.verify("CRL", s.url(p)), c)
    answers = {"right": (lambda c: ocsp(c, w.root, w.root, now - 60, now + DAY), None), "expired": (lambda c: ocsp(c, w.root, w.root, now - 9 * DAY, now - 8 * DAY), {"AN_V_STATUS_STALE"}),
               "clock ahead": (lambda c: ocsp(c, w.root, w.root, now + DAY, now + 2 * DAY), {"AN_V_STATUS_FUTURE"}), "by another": (lambda c: ocsp(c, w.root, other, now - 60, now + DAY, signer=other.key), {"AN_V_STATUS_SIGNATURE", "AN_V_STATUS_ISSUER"}),
               "about another": (lambda c: ocsp(c, w.root, w.root, now - 60, now + DAY, serial=1), {"AN_V_STATUS_NONE", "AN_V_STATUS_SCOPE", "AN_V_STATUS_RESPONSE"}),
               "unknown": (lambda c: ocsp(c, w.root, w.root, now - 60, now + DAY, status=ctx(2, constructed=False)), {"AN_V_STATUS_UNKNOWN"}),
               "try later": (lambda c: seq(tlv(10, b"\3")), {"AN_V_STATUS_RESPONSE"}), "unauthorized": (lambda c: seq(tlv(10, b"\6")), {"AN_V_STATUS_RESPONSE"})}
    for mode, (make, codes) in answers.items():
        def work(mode=mode, make=make, codes=codes):
            path = "/ocsp-" + mode.replace(" ", "-")
            cert = lab.leaf("OCSP", s.url(path))
            s.answers[path] = http(make(cert), kind="application/ocsp-response")
            result = lab.verify("OCSP", s.url(path), cert=cert)
            return check_right(result) if codes is None else check_report(*result, codes)
        yield f"OCSP: {mode}", work
    s.answers["/aia-other"] = http(other.der)
    yield "AIA: certificate of another", lambda: check_report(*lab.verify("AIA", s.url("/aia-other")), {"AN_V_PATH_NO_ISSUER"})

    def aia_right():
        cert = lab.leaf("AIA", s.url("/aia-right"))
        s.answers["/aia-right"] = http(cert.issuer.der)
        return check_right(lab.verify("AIA", "", cert=cert))
    yield "AIA: right", aia_right


def check_right(result):
    done, took = result
    return "" if done.returncode == 0 else f"exit {done.returncode}: {done.stdout[-600:]}"


def tls_server(lab):
    """A server under an authority of its own, which no system knows."""
    w, key = lab.world, Rsa.new()
    authority = Cert("Gốc máy chủ", Rsa.new(), start=w.root.start, end=w.root.end, extensions=ca_extensions())
    address = extension("2.5.29.17", seq(ctx(7, bytes([127, 0, 0, 1]), constructed=False)))
    cert = Cert("May chu thu", key, authority, w.leaf.start, w.leaf.end, [key_usage(0), eku("1.3.6.1.5.5.7.3.1"), address])
    numbers = [0, key.n, key.e, key.d, key.p, key.q, *key.crt]
    (lab.folder / "server.key.der").write_bytes(seq(*map(integer, numbers)))
    subprocess.run(["openssl", "rsa", "-inform", "DER", "-in", lab.folder / "server.key.der", "-out", lab.folder / "server.key"], check=True, capture_output=True)
    (lab.folder / "server.pem").write_text(cert.pem())
    (lab.folder / "authority.pem").write_text(authority.pem())
    (lab.folder / "other.pem").write_text(w.root.pem())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(lab.folder / "server.pem", lab.folder / "server.key")
    return Server(context)


def tls_cases(lab):
    """https: by the system's authorities, or by those of --ca-file alone."""
    server, w = tls_server(lab), lab.world
    url = server.url("/aia").replace("http:", "https:")
    cert = lab.leaf("AIA", url)
    server.answers["/aia"] = http(cert.issuer.der)
    told = lambda name: ("--ca-file", lab.folder / name)
    yield "https: authority not known", lambda: check_report(*lab.verify("AIA", "", cert=cert), {"AN_E_FETCH_TLS"})
    yield "https: --ca-file names it", lambda: check_right(lab.verify("AIA", "", cert=cert, more=told("authority.pem")))
    yield "https: --ca-file names another", lambda: check_report(*lab.verify("AIA", "", cert=cert, more=told("other.pem")), {"AN_E_FETCH_TLS"})
    yield "https: --ca-file does not exist", lambda: "" if lab.verify("AIA", "", cert=cert, more=told("khong-co.pem"))[0].returncode >= 64 else "no failure"
    server.answers["/tsa"] = stamp_answer(lab, lambda i, n: seq(seq(integer(0)), token(b"", w.tsa, w.now, imprint=i, nonce=n)))
    yield "https: time-stamp by an authority of --ca-file", lambda: check_signed(lab, url.replace("/aia", "/tsa"), "B-T", *told("authority.pem"))


def proxy_cases(lab):
    """Everything goes through the proxy, and only there; what goes wrong with it is said."""
    proxy, w = Server(), lab.world
    good = http(crl(w.root, w.now - 60, w.now + DAY))
    proxy.answers["http://crl.co-quan.example/ca.crl"] = good
    by = lambda port: ("--proxy", f"http://127.0.0.1:{port}")
    ask = lambda url, *more: lab.verify("CRL", url, private=False, more=more)

    def right():
        fault = check_right(ask("http://crl.co-quan.example/ca.crl", *by(proxy.port)))
        return fault or ("" if "http://crl.co-quan.example/ca.crl" in proxy.asked else f"asked {proxy.asked}")
    yield "proxy: right, names are the proxy's to resolve", right
    yield "proxy: refused", lambda: check_report(*ask("http://crl.co-quan.example/ca.crl", *by(closed_port())), {"AN_E_FETCH_REFUSED", "AN_E_FETCH_PROXY"})
    for status, codes in (("407 Proxy Authentication Required", {"AN_E_FETCH_STATUS", "AN_E_FETCH_PROXY"}), ("502 Bad Gateway", {"AN_E_FETCH_STATUS", "AN_E_FETCH_PROXY"})):
        url = f"http://crl.co-quan.example/{status[:3]}"
        proxy.answers[url] = http(b"no", status)
        yield f"proxy: answers {status[:3]}", lambda u=url, c=codes: check_report(*ask(u, *by(proxy.port)), c)
    yield "proxy: an address inside the house is not asked for through it", lambda: check_report(*ask("http://127.0.0.1:9/x", *by(proxy.port)), {"AN_E_FETCH_BLOCKED"})
    for name, target in (("loopback", "http://127.0.0.1:9/x"), ("private network", "http://10.0.0.1/x"), ("link-local", "http://169.254.169.254/x"), ("IPv6 loopback", "http://[::1]:9/x"),
                         ("IPv4 in IPv6", "http://[::ffff:127.0.0.1]:9/x"), ("number", "http://2130706433:9/x"), ("short", "http://127.1:9/x")):
        url = f"http://crl.co-quan.example/{name.replace(' ', '-')}"
        proxy.answers[url] = http(b"", "302 Found", more=f"Location: {target}\r\n")
        yield f"redirect to a {name} address", lambda u=url: check_report(*ask(u, *by(proxy.port)), {"AN_E_FETCH_BLOCKED"})


def crowd_cases(lab):
    """Several files at once: different addresses are asked side by side, one address once for all."""
    s, w, now = lab.server, lab.world, lab.world.now
    good = http(crl(w.root, now - 60, now + DAY))
    meeting, asked = threading.Barrier(2), []

    def meet(client, body):
        meeting.wait(timeout=8)  # the answer comes only when both have been asked
        client.sendall(good)

    def count(client, body):
        asked.append(1)
        time.sleep(0.5)
        client.sendall(good)

    def verify_two(urls):
        paths = []
        for url in urls:
            cert = lab.leaf("CRL", url)
            paths.append(lab.folder / f"{cert.number}.pdf")
            paths[-1].write_bytes(pdf.base().sign(w.signer(cert=cert)).data)
        return lab.run("verify", "--json", "--online", "--allow-private", "--jobs", 2, "--trust", lab.folder / "root.der", "--revocation", "require", *paths)

    s.answers["/meet-a"] = s.answers["/meet-b"] = meet
    s.answers["/once"] = count
    yield "two addresses are asked side by side", lambda: check_right(verify_two([s.url("/meet-a"), s.url("/meet-b")]))
    yield "one address is asked once", lambda: check_right(verify_two([s.url("/once"), s.url("/once")])) or ("" if len(asked) == 1 else f"{len(asked)} times")


def stamp_answer(lab, make):
    """A TSA: make(imprint, nonce) -> TimeStampResp."""
    def answer(client, body):
        parts = split(split(body)[0][2])
        imprint = split(parts[1][2])[1][2]
        nonce = next(int.from_bytes(b, "big") for tag, _, b in parts[2:] if tag == 2)
        client.sendall(http(make(imprint, nonce), kind="application/timestamp-reply"))
    return answer


def tsa_cases(lab):
    s, w, now = lab.server, lab.world, lab.world.now
    ok = seq(integer(0))

    def grant(**change):
        def make(imprint, nonce):
            options = dict(imprint=imprint, nonce=nonce) | {k: v for k, v in change.items() if k in ("imprint", "nonce")}
            return seq(ok, token(b"", change.get("tsa", w.tsa), change.get("at", now), **options, **{k: v for k, v in change.items() if k not in ("imprint", "nonce", "tsa", "at")}))
        return stamp_answer(lab, make)

    modes = {mode: (answer, code) for mode, (answer, code) in TRANSPORT.items()}
    modes["web page"] = (http(b"<html>", kind="text/html"), {"AN_E_TSP_PARSE", "AN_E_FETCH_TYPE"})
    modes["garbage"] = (http(os.urandom(200)), "AN_E_TSP_PARSE")
    modes["refuses"] = (stamp_answer(lab, lambda i, n: seq(seq(integer(2), seq(utf8("het han muc")), bits(b"\0\0\0\1")))), "AN_E_TSP_REFUSED")
    modes["other nonce"] = (grant(nonce=5), "AN_E_TSP_MISMATCH")
    modes["other imprint"] = (grant(imprint=b"\0" * 32), "AN_E_TSP_MISMATCH")
    modes["granted without a token"] = (stamp_answer(lab, lambda i, n: seq(ok)), "AN_E_TSP_PARSE")
    texts = messages(lab.antin)
    for mode, (answer, codes) in modes.items():
        path = "/tsa-" + hashlib.sha1(mode.encode()).hexdigest()[:10]
        s.answers[path] = answer
        yield f"TSA: {mode}", lambda p=path, c=codes if isinstance(codes, set) else {codes}: check_sign(lab, s.url(p), c, texts)
    for mode, url, code in (("refused", lab.refused, "AN_E_FETCH_REFUSED"), ("no such name", "http://khong-co.invalid/x", "AN_E_FETCH_DNS"), ("redirect loop", s.url("/loop"), "AN_E_FETCH_REDIRECT"),
                            ("ldap", "ldap://127.0.0.1/x", "AN_E_FETCH_SCHEME"), ("file", "file:///etc/passwd", "AN_E_FETCH_SCHEME")):
        yield f"TSA: {mode}", lambda u=url, c=code: check_sign(lab, u, {c}, texts)
    s.answers["/tsa-right"] = grant()
    yield "TSA: right", lambda: check_signed(lab, s.url("/tsa-right"), "B-T")
    s.answers["/tsa-404"] = TRANSPORT["404"][0]
    yield "TSA: fails, level lowered on request, and said", lambda: check_signed(lab, s.url("/tsa-404"), "B-B", "--allow-downgrade")


def messages(antin):
    """Symbol -> the Vietnamese words, from the tables."""
    import re
    found = {}
    for table in Path(__file__).resolve().parents[2].joinpath("messages").glob("*.def"):
        for symbol, vi in re.findall(r'AN_MSG\((\w+), \d+, \w+, "((?:[^"\\]|\\.)*)"', table.read_text(encoding="utf-8")):
            found[symbol] = vi
    return found


def sign(lab, url, *options):
    out = lab.folder / (hashlib.sha1((url + str(options)).encode()).hexdigest()[:10] + ".pdf")
    done, took = lab.run("sign", lab.folder / "in.pdf", "-o", out, "--key", lab.folder / "key.pem", "--pin-file", lab.folder / "pin", "--cert", lab.folder / "leaf.der", "--trust", lab.folder / "root.der",
                         "--crl", lab.folder / "ca.crl", "--offline", "--tsa", url, "--tsa-timeout", 2, *options)
    return out, done, took


def check_sign(lab, url, codes, texts):
    out, done, took = sign(lab, url)
    said = done.stderr + done.stdout
    if done.returncode < 64:
        return f"exit {done.returncode}"
    if out.exists():
        return "an output file was left"
    if not any(texts[c] in said for c in codes):
        return f"none of {sorted(codes)} in: {said[-300:]}"
    return "" if took < 40 else f"took {took:.0f} s"


def check_signed(lab, url, level, *options):
    out, done, _ = sign(lab, url, *options)
    if done.returncode:
        return f"exit {done.returncode}: {done.stderr[-300:]}"
    row = json.loads(lab.run("verify", "--json", "--trust", lab.folder / "root.der", "--crl", lab.folder / "ca.crl", out)[0].stdout)
    if row["signatures"][0]["level"] != level or row["indication"] != "TOTAL-PASSED":
        return f"{row['indication']}, level {row['signatures'][0]['level']}"
    return "" if level == "B-T" or "B-B" in done.stdout + done.stderr else "the lower level is not said"


def main():
    lab = Lab(sys.argv[1])
    cases = [*status_cases(lab), *content_cases(lab), *tls_cases(lab), *proxy_cases(lab), *crowd_cases(lab), *tsa_cases(lab)]
    failed, started = 0, time.monotonic()

    def run(case):
        try:
            return case[0], case[1]()
        except Exception as trouble:
            return case[0], f"{type(trouble).__name__}: {trouble}"
    with ThreadPoolExecutor(12) as pool:
        for name, fault in pool.map(run, cases):
            if fault:
                failed += 1
                print(f"not ok: {name}: {fault}")
    subprocess.run(["rm", "-rf", str(lab.folder)])
    print(f"# {time.monotonic() - started:.0f} s")
    print(f"{len(cases) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
