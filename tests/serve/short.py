#!/usr/bin/env python3
"""A service as `antin init` makes it, from the first certificate to the last answer: EST, CMP, status, time-stamp, list, revocation,
replacement while it is asked, end. Short, and without times that matter: it runs under sanitizers, too, whose findings in any
process fail it. Usage: short.py BUILD"""
import base64, json, re, signal, sys, threading

from lib import Service, clean, run, said, wait_for

failures = []


def check(condition, what, detail=""):
    print(f"{'ok    ' if condition else 'FAILED'} {what}" + ("" if condition else f": {str(detail)[-1500:]}"), flush=True)
    if not condition:
        failures.append(what)


def est(s):
    reference, secret = s.allow("short:est", "may-est")
    run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", s.base / "est.key", "-subj", "/", "-outform", "DER", "-out", s.base / "est.csr")
    body = base64.b64encode((s.base / "est.csr").read_bytes())
    headers = {"Content-Type": "application/pkcs10", "Authorization": "Basic " + base64.b64encode(f"{reference}:{secret}".encode()).decode()}
    status, content = s.ask("POST", "/.well-known/est/simpleenroll", body, headers)
    check(status == 200, "EST gives a certificate", content)
    pem = run("openssl", "pkcs7", "-inform", "DER", "-print_certs", input=base64.b64decode(content)).stdout
    (s.base / "est.pem").write_bytes(run("openssl", "x509", input=pem).stdout)
    check("OK" in said(run("openssl", "verify", "-CAfile", s.base / "goc.pem", "-untrusted", s.base / "nha-nuoc.pem", s.base / "est.pem", check=False)), "openssl verifies it")


def cmp(s):
    reference, secret = s.allow("short:cmp", "may-cmp")
    run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", s.base / "cmp.key")
    out = said(run("openssl", "cmp", "-config", "", "-batch", "-server", f"127.0.0.1:{s.port}", "-path", "/cmp", "-recipient", "/C=VN/CN=x", "-total_timeout", "60", "-cmd", "ir", "-ref", reference,
                   "-secret", f"pass:{secret}", "-newkey", s.base / "cmp.key", "-certout", s.base / "cmp.pem", check=False))
    check((s.base / "cmp.pem").exists(), "openssl cmp is given a certificate", out)


def status(s):
    for more in (("-no_nonce",), ("-nonce",)):
        out = s.ocsp("est", *more)
        check("Response verify OK" in out and "est.pem: good" in out, f"openssl ocsp {more[0]}", out)
    serial = run("openssl", "x509", "-in", s.base / "cmp.pem", "-noout", "-serial").stdout.decode().strip().split("=")[1]
    s.office("ca", "revoke", serial, "--dir", s.dir, "--ground", "lo-khoa", "--as", "CB01/can-bo-thu-hoi")
    out = s.ocsp("cmp")
    check("cmp.pem: revoked" in out, "revoked: seen by the next question", out)

    def listed():
        text = b""
        for name in ("nha-nuoc.crl", "nha-nuoc-delta.crl"):
            code, content = s.ask("GET", f"/crl/{name}")
            done = run("openssl", "crl", "-inform", "DER", "-noout", "-text", "-CAfile", s.base / "nha-nuoc.pem", "-verify", input=content, check=False) if code == 200 else None
            text += done.stdout if done is not None and b"verify OK" in done.stderr else b""
        return serial.encode() in text
    check(wait_for(listed, 60), "and in a list that openssl verifies")


def stamp(s):
    run("openssl", "rand", "-out", s.base / "data", "100")
    run("openssl", "ts", "-query", "-data", s.base / "data", "-sha256", "-cert", "-out", s.base / "q.tsq")
    code, content = s.ask("POST", "/tsa", (s.base / "q.tsq").read_bytes(), {"Content-Type": "application/timestamp-query"})
    (s.base / "r.tsr").write_bytes(content)
    (s.base / "chain.pem").write_bytes((s.base / "nha-nuoc.pem").read_bytes() + (s.base / "tsa.pem").read_bytes())
    out = said(run("openssl", "ts", "-verify", "-queryfile", s.base / "q.tsq", "-in", s.base / "r.tsr", "-CAfile", s.base / "goc.pem", "-untrusted", s.base / "chain.pem", check=False))
    check(code == 200 and "Verification: OK" in out, "openssl ts -verify", out)


def replaced(s):
    """Both processes, while stamps are asked for one after the other: each is answered."""
    query, wrong, done = (s.base / "q.tsq").read_bytes(), [], [0]
    stop = threading.Event()

    def work():
        while not stop.is_set():
            try:
                code, content = s.ask("POST", "/tsa", query, {"Content-Type": "application/timestamp-query"})
                if code != 200 or len(content) < 300:
                    wrong.append(f"{code} {content[:100]}")
            except OSError as problem:
                wrong.append(str(problem))
            done[0] += 1
    thread = threading.Thread(target=work)
    thread.start()
    before = len(s.started("antin-http"))
    s.process.send_signal(signal.SIGHUP)
    check(wait_for(lambda: len(s.started("antin-http")) > before, 120), "a new network process serves", s.log.read_text())
    more = done[0] + 20
    check(wait_for(lambda: done[0] >= more, 120), "it answers")
    stop.set()
    thread.join()
    check(not wrong, f"{done[0]} stamps asked for meanwhile, none lost", wrong[:3])


def checkpoint(s):
    """The head of the log, stamped by a time-stamp authority over the network: our own. The process that faces the network reaches
    nobody; it has the command started that does."""
    (s.dir / "antin.yaml").write_text(re.sub(r"checkpoint_events: \d+", f"checkpoint_events: 1\n  tsa: \"{s.url}/tsa\"", (s.dir / "antin.yaml").read_text()).replace("tsa_private: false", "tsa_private: true"))
    s.office("config", "check", s.dir)
    before = len(s.started("antin-http"))
    s.process.send_signal(signal.SIGHUP)
    check(wait_for(lambda: len(s.started("antin-http")) > before, 120), "the new configuration is taken up", s.log.read_text())
    stamped = lambda: json.loads(s.office("audit", "verify", "--dir", s.dir, "--json").stdout)["stamped"]
    check(wait_for(stamped, 120), "a checkpoint is time-stamped", s.log.read_text())
    s.office("audit", "export", s.base / "export", "--dir", s.dir)
    lines = [json.loads(line) for line in (s.base / "export").read_text().splitlines()]
    signatures = [base64.b64decode(line["signature"]) for line in lines if "checkpoint" in line and "signature" in line]
    token, value = stamp_of(s, signatures[-1])
    (s.base / "token").write_bytes(token)
    (s.base / "value").write_bytes(value)
    out = said(run("openssl", "ts", "-verify", "-data", s.base / "value", "-token_in", "-in", s.base / "token", "-CAfile", s.base / "goc.pem", "-untrusted", s.base / "chain.pem", check=False))
    check("Verification: OK" in out, "openssl ts -verify: it stamps the value of the signature", out)


def stamp_of(s, cms):
    """The time-stamp token of a CMS signature (RFC 3161 A), and the value of the signature that it is over."""
    (s.base / "cms").write_bytes(cms)
    lines = [re.match(r" *(\d+):d=(\d+) +hl=(\d+) +l= *(\d+) (?:cons|prim): (.*)", l).groups() for l in run("openssl", "asn1parse", "-inform", "DER", "-in", s.base / "cms").stdout.decode().splitlines()]
    part = lambda row: cms[int(row[0]):int(row[0]) + int(row[2]) + int(row[3])]
    at = next(i for i, row in enumerate(lines) if "id-smime-aa-timeStampToken" in row[4])
    value = next(row for row in reversed(lines[:at]) if row[4].startswith("OCTET STRING") and row[1] == str(int(lines[at][1]) - 2))
    return part(lines[at + 2]), part(value)[int(value[2]):]


def ended(s):
    s.process.send_signal(signal.SIGTERM)
    check(s.process.wait(90) == 0, "it ends by itself", s.log.read_text())
    done = s.office("audit", "verify", "--dir", s.dir, "--json", check=False)
    check(done.returncode == 0, "the audit log is whole", said(done))
    check(clean(s.log.read_text()), "no process was found at fault by a sanitizer", s.log.read_text())


def main():
    s = Service(sys.argv[1])
    s.start()
    try:
        for step in (est, cmp, status, stamp, checkpoint, replaced, ended):
            step(s)
    finally:
        s.remove()
    print(f"{len(failures)} failed")
    return 1 if failures else 0


sys.exit(main())
