#!/usr/bin/env python3
"""Signers of answers, stamps, the log and enrolment are renewed and rolled over while the service answers: it goes over by itself, no question
fails meanwhile, and what was answered before is still believed by openssl. Usage: signers.py BUILD [DATABASE-URL]"""
import base64, json, re, sys, threading, time

from lib import Service, run, said, wait_for

build, database = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None
passed = failed = 0


def check(what, condition, detail=""):
    global passed, failed
    passed, failed = passed + bool(condition), failed + (not condition)
    if not condition:
        print(f"FAILED {what}: {str(detail)[-900:]}", flush=True)


s = Service(build, init=("--database", database) if database else ())
STATUS, STAMP = {"Content-Type": "application/ocsp-request"}, {"Content-Type": "application/timestamp-query"}


def enrol(name):
    status, body = s.enrol(*s.allow(f"signers:{name}", name))
    if status != 200:
        raise SystemExit(f"enrolment {name}: {status} {body}")
    pem = run("openssl", "pkcs7", "-inform", "DER", "-print_certs", input=base64.b64decode(body)).stdout
    (s.base / f"{name}.pem").write_bytes(run("openssl", "x509", input=pem).stdout)


def published(name):
    """A certificate of public/crt as PEM and as DER."""
    path = s.dir / "public/crt" / f"{name}.crt"
    run("openssl", "x509", "-inform", "DER", "-in", path, "-out", s.base / f"{name}.pem")
    return path.read_bytes()


class Asking(threading.Thread):
    """Status and stamps without a pause."""
    def __init__(self):
        super().__init__(daemon=True)
        self.count, self.bad, self.over = 0, [], threading.Event()
        self.start()

    def run(self):
        while not self.over.is_set():
            try:
                for path, body, headers, size in (("/ocsp", request, STATUS, 300), ("/ocsp", nonce, STATUS, 300), ("/tsa", query, STAMP, 600)):
                    code, got = s.ask("POST", path, body, headers)
                    self.count += 1
                    if code != 200 or len(got) < size:
                        self.bad.append((path, code, got[:80]))
            except OSError as why:
                self.bad.append(why)


def answers():
    return s.ask("POST", "/ocsp", request, STATUS)[1], s.ask("POST", "/ocsp", nonce, STATUS)[1], s.ask("POST", "/tsa", query, STAMP)[1]


def believed(what, kept):
    """By openssl, today, with nothing but the root: each answer brings the certificate of its own signer."""
    for i, answer in enumerate(kept[:2]):
        (s.base / "kept.ocsp").write_bytes(answer)
        out = said(run("openssl", "ocsp", "-respin", s.base / "kept.ocsp", "-issuer", s.base / "nha-nuoc.pem", "-cert", s.base / "mot.pem", "-CAfile", s.base / "goc.pem", "-no_nonce", check=False))
        check(f"{what}: answer {i}", "Response verify OK" in out and "mot.pem: good" in out, out)
    (s.base / "kept.tsr").write_bytes(kept[2])
    out = said(run("openssl", "ts", "-verify", "-in", s.base / "kept.tsr", "-queryfile", s.base / "any.tsq", "-CAfile", s.base / "goc.pem", "-untrusted", s.base / "nha-nuoc.pem", check=False))
    check(f"{what}: stamp", "Verification: OK" in out, out)


def goes_over(verb, name, file, which, new_key):
    """The service signs with the new certificate within seconds, by itself."""
    before, kept, old = published(file) if file else None, answers(), None
    process = s.process.pid
    told = json.loads(s.office("ca", "authority", verb, name, "--dir", s.dir, "--json").stdout)
    begun = time.time()
    if which == 2:  # a row of an authority stays: the next generation has a file of its own
        listed = [json.loads(line) for line in s.office("ca", "authority", "list", "--dir", s.dir, "--json").stdout.decode().splitlines()]
        file, old = next(row["name"] for row in listed if row["line"] == "tsa" and row["active"]), file
    after = published(file)
    key = lambda der: run("openssl", "x509", "-inform", "DER", "-noout", "-pubkey", input=der).stdout
    check(f"{verb} {name}: another certificate", after != before and (key(after) != key(before)) == new_key, told)
    check(f"{verb} {name}: the one before stays published", old is None or published(old) == before)
    fresh = lambda: all(after in answers()[i] for i in ((0, 1) if which == 0 else (2,)))
    check(f"{verb} {name}: served", wait_for(fresh, 30), s.log.read_text()[-900:])
    print(f"{verb} {name}: served after {time.time() - begun:.1f} s", flush=True)
    believed(f"{verb} {name}: given before", kept)
    believed(f"{verb} {name}: given after", answers())
    check(f"{verb} {name}: the same service", s.process.poll() is None and s.process.pid == process)
    return file


def own_signers():
    """What speaks for the instance itself: its next word bears the new certificate."""
    for name in ("nhat-ky", "dang-ky"):
        taken = len(s.started("antin-http"))
        s.office("ca", "authority", "renew", name, "--dir", s.dir)
        check(f"renew {name}: read", wait_for(lambda: len(s.started("antin-http")) > taken, 30))
    s.office("audit", "checkpoint", "--dir", s.dir)
    done = s.office("audit", "verify", "--dir", s.dir, check=False)
    check("the log is whole", done.returncode == 0, said(done))
    enrol("sau-dang-ky")


def the_issuer_rolls():
    """A machine that enrols after it is certified by the new key, though the service was never restarted."""
    name = json.loads(s.office("ca", "authority", "roll", "nha-nuoc", "--dir", s.dir, "--json").stdout)["name"]
    published(name)
    taken = len(s.started("antin-http"))
    for i in range(30):
        enrol(f"sau-thay-{i}")
        if "OK" in said(run("openssl", "verify", "-CAfile", s.base / "goc.pem", "-untrusted", s.base / f"{name}.pem", s.base / f"sau-thay-{i}.pem", check=False)):
            break
        time.sleep(1)
    else:
        check("the issuer rolls", False, f"{taken} {s.log.read_text()[-900:]}")
    last = s.base / f"sau-thay-{i}.pem"
    out = said(run("openssl", "ocsp", "-issuer", s.base / f"{name}.pem", "-cert", last, "-url", f"{s.url}/ocsp", "-CAfile", s.base / "goc.pem", check=False))
    check("its status, too", "Response verify OK" in out and ": good" in out, out)


try:
    s.start()
    enrol("mot")
    for extra, file in (("-no_nonce", "once.req"), ("-nonce", "nonce.req")):
        run("openssl", "ocsp", "-issuer", s.base / "nha-nuoc.pem", "-cert", s.base / "mot.pem", extra, "-reqout", s.base / file)
    run("openssl", "ts", "-query", "-digest", "00" * 32, "-sha256", "-cert", "-out", s.base / "any.tsq")
    request, nonce, query = ((s.base / name).read_bytes() for name in ("once.req", "nonce.req", "any.tsq"))
    asking = Asking()
    goes_over("renew", "nha-nuoc-ocsp", "nha-nuoc-ocsp", 0, False)
    goes_over("roll", "nha-nuoc-ocsp", "nha-nuoc-ocsp", 0, True)
    stamper = goes_over("renew", "tsa", "tsa", 2, False)
    goes_over("roll", "tsa", stamper, 2, True)
    own_signers()
    the_issuer_rolls()
    asking.over.set()
    asking.join()
    check("no question failed meanwhile", asking.count > 100 and not asking.bad, (asking.count, asking.bad[:5]))
    print(f"{asking.count} questions meanwhile, {len(asking.bad)} without an answer")
    told = json.loads(s.office("doctor", s.dir, "--deep", "--json", check=False).stdout)
    check("the doctor finds nothing", all(c["health"] != "bad" for c in told["checks"]), [c for c in told["checks"] if c["health"] == "bad"])
    check("one new process for each change", len(s.started("antin-http")) <= 12, s.started("antin-http"))
finally:
    s.remove()
print(f"{passed} passed, {failed} failed, 0 skipped")
sys.exit(1 if failed or not passed else 0)
