#!/usr/bin/env python3
"""The system's clock is set forward, back, and back beyond a restart, under a service that stamps: nothing is stamped with a wrong time, everything
else goes on, and stamping comes back by itself when the clock does. Of the service only antin-http is another build: the same sources, every reading
of the wall clock moved (clock_step.c), so that nothing else on the machine notices. Usage: clock.py BUILD STEPPED-ANTIN-HTTP"""
import base64, json, os, re, shutil, signal, struct, sys, tempfile, time
from datetime import datetime, timezone
from pathlib import Path

from lib import Service, run, wait_for

build, stepped = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
passed = failed = 0
base = Path(tempfile.mkdtemp(prefix="antin-clock-"))
STAMP = {"Content-Type": "application/timestamp-query"}


def check(what, condition, detail=""):
    global passed, failed
    passed, failed = passed + bool(condition), failed + (not condition)
    if not condition:
        print(f"FAILED {what}: {str(detail)[-900:]}", flush=True)


def programs():
    """A folder of programs as they are built, with one exchanged; inside of the build, where they find their data."""
    folder = Path(tempfile.mkdtemp(prefix="clock-", dir=build))
    for path in build.glob("antin*"):
        if path.is_file() and path.name != "antin-http":
            os.link(path, folder / path.name)
    shutil.copy2(stepped, folder / "antin-http")
    return folder


def step(ms):
    with open(folder / "clock-step", "r+b") as file:
        file.write(struct.pack("=q", ms))


def stamp(s):
    """The time in a stamp that openssl believes; None when it is refused for the clock."""
    body = s.ask("POST", "/tsa", query, STAMP)[1]
    (base / "any.tsr").write_bytes(body)
    text = run("openssl", "ts", "-reply", "-in", base / "any.tsr", "-text", check=False).stdout.decode(errors="replace")
    if "Status: Granted" not in text:
        check("refused for what it is", "time source is not available" in text, text)
        return None
    run("openssl", "ts", "-verify", "-in", base / "any.tsr", "-queryfile", base / "any.tsq", "-CAfile", s.base / "goc.pem", "-untrusted", s.base / "nha-nuoc.pem")
    month, day, clock, year = re.search(r"Time stamp: (\w+) +(\d+) ([\d:]+)(?:\.\d+)? (\d+) GMT", text).groups()
    return datetime.strptime(f"{month} {day} {clock} {year}", "%b %d %H:%M:%S %Y").replace(tzinfo=timezone.utc).timestamp()


def is_true(moment): return moment is not None and abs(moment - time.time()) < 5
def health(s): return json.loads(s.ask("GET", "/healthz")[1])


def set_by(s, ms):
    """While the clock is off: no stamp, the rest goes on, the monitor is told; then it is set back."""
    before = time.time()
    step(ms)
    check(f"set by {ms} ms: nothing is stamped", wait_for(lambda: stamp(s) is None, 5) and all(stamp(s) is None for _ in range(5)))
    noticed = time.time() - before
    said = lambda: health(s)["time_stamping"] is False and "set by" in health(s)["clock"] and s.ask("GET", "/healthz")[0] == 503
    check(f"set by {ms} ms: /healthz says so", wait_for(said, 5), health(s))
    code, body = s.ask("POST", "/ocsp", request, {"Content-Type": "application/ocsp-request"})
    check(f"set by {ms} ms: status goes on", code == 200 and len(body) > 300, body[:40])
    step(0)
    back = time.time()
    check(f"set by {ms} ms: right again", wait_for(lambda: is_true(stamp(s)), 10), health(s))
    print(f"set by {ms} ms: refused after {noticed:.2f} s, right again {time.time() - back:.2f} s after it was set back", flush=True)


def small_steps(s):
    """Many settings, each too small to be one, are the large one that they make."""
    for ms in range(400, 2401, 400):
        step(ms)
        time.sleep(0.3)
    check("many small ones", stamp(s) is None, health(s))
    step(0)
    check("and back", wait_for(lambda: is_true(stamp(s)), 10), health(s))


def over_a_restart(s):
    """A process that knows no other clock than the wrong one: what was stamped before stands against it."""
    number = lambda: int(s.started("antin-http")[-1])
    time.sleep(6)  # the last time trusted is kept every five seconds
    check("stamped", is_true(stamp(s)))
    step(-3600_000)
    gone = number()
    os.kill(gone, signal.SIGKILL)
    check("another process", wait_for(lambda: number() != gone and s.ask("GET", "/crt/goc.crt")[0] == 200, 30))
    check("an hour before the last stamp", stamp(s) is None and "before the last time-stamp" in health(s)["clock"], health(s))
    step(0)
    check("and back", wait_for(lambda: is_true(stamp(s)), 10), health(s))


folder, s = programs(), None
try:
    (folder / "clock-step").write_bytes(struct.pack("=q", 0))
    s = Service(folder, base / "service")
    s.start()
    run("openssl", "ts", "-query", "-digest", "00" * 32, "-sha256", "-cert", "-out", base / "any.tsq")
    query = (base / "any.tsq").read_bytes()
    status, body = s.enrol(*s.allow("clock:1", "may"))
    pem = run("openssl", "x509", input=run("openssl", "pkcs7", "-inform", "DER", "-print_certs", input=base64.b64decode(body)).stdout).stdout
    (base / "may.pem").write_bytes(pem)
    run("openssl", "ocsp", "-issuer", s.base / "nha-nuoc.pem", "-cert", base / "may.pem", "-no_nonce", "-reqout", base / "any.req")
    request = (base / "any.req").read_bytes()
    check("the clock as it is", is_true(stamp(s)))
    for ms in (5000, -5000, 3600_000, -3600_000):
        set_by(s, ms)
    small_steps(s)
    over_a_restart(s)
    check("half a second is within what is allowed", (step(500), time.sleep(0.5), stamp(s))[2] is not None)
finally:
    if s is not None:
        s.stop()
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(base, ignore_errors=True)
print(f"{passed} passed, {failed} failed, 0 skipped")
sys.exit(1 if failed or not passed else 0)
