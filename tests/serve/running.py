#!/usr/bin/env python3
"""What happens to a service while its disk is full, its clock is off, its database is away, its token is pulled out or hangs; and how soon all is
as before once that is over, without hands. Prints its figures. Usage: running.py BUILD TROUBLE-MODULE [CASE…]"""
import collections, ctypes, json, os, re, shutil, signal, subprocess, sys, tempfile, threading, time, urllib.parse
from pathlib import Path

from lib import Service, certificate_of, run, said, wait_for

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "lib"))
from postgres import Postgres, bin_dir  # noqa: E402

BUILD, TROUBLE = sys.argv[1], Path(sys.argv[2])
RECOVERS, REFERENCES, DISK_MB = 30, 20, 24
failures = []


def check(condition, what, detail=""):
    if not condition:
        failures.append(what)
        print(f"FAILED {what}: {str(detail)[-1200:]}", flush=True)


# ---- asking all the time ----
class Probe(threading.Thread):
    """One kind of question, again and again: when it was answered, and how."""
    def __init__(self, ask, pause):
        super().__init__(daemon=True)
        self.question, self.pause, self.seen, self.over = ask, pause, [], threading.Event()
        self.start()

    def run(self):
        while not self.over.is_set():
            begun = time.time()
            try:
                got = self.question()
            except OSError:
                got = "late"
            self.seen.append((begun, time.time(), got))
            time.sleep(self.pause)

    def between(self, begin, end): return collections.Counter(got for asked, _, got in self.seen if begin <= asked < end)

    def first_after(self, moment):
        """How long after the moment something was answered rightly."""
        return next((done - moment for _, done, got in self.seen if got == "ok" and done >= moment), None)


class Asking:
    def __init__(self, s, name):
        self.s, self.acknowledged = s, []
        self.entries = collections.deque(s.allow(f"{name}:{i}", f"{name}-{i}") for i in range(REFERENCES))
        pem, _ = certificate_of(s.enrol(*self.entries.popleft())[1])
        (s.base / "kept.pem").write_bytes(pem)
        run("openssl", "ocsp", "-issuer", s.base / "nha-nuoc.pem", "-cert", s.base / "kept.pem", "-no_nonce", "-reqout", s.base / "kept.req")
        run("openssl", "ts", "-query", "-digest", "00" * 32, "-sha256", "-out", s.base / "any.tsq")
        self.request, self.query = (s.base / "kept.req").read_bytes(), (s.base / "any.tsq").read_bytes()
        self.probes = {"status": Probe(self.status, 0.02), "stamps": Probe(self.stamp, 0.1), "certificates": Probe(self.enrol, 0.3)}

    def status(self):
        code, body = self.s.ask("POST", "/ocsp", self.request, {"Content-Type": "application/ocsp-request"}, timeout=10)
        return "ok" if code == 200 and b"\x0a\x01\x00" in body[:10] else f"wrong {code} {body[:12].hex()}"

    def stamp(self):
        code, body = self.s.ask("POST", "/tsa", self.query, {"Content-Type": "application/timestamp-query"}, timeout=10)
        return "ok" if code == 200 and len(body) > 300 else "refused" if code in (200, 500, 503) and len(body) else f"wrong {code}"

    def enrol(self):
        if len(self.entries) == 0:
            return "none left"
        who = self.entries[0]
        code, body = self.s.enrol(*who, timeout=10)
        if code == 200:
            self.entries.popleft()
            self.acknowledged.append(body)
        return "ok" if code == 200 else "refused" if code in (500, 503) else f"wrong {code} {body[:100]}"

    def stop(self):
        for probe in self.probes.values():
            probe.over.set()
        for probe in self.probes.values():
            probe.join()


# ---- what happens ----
class Full:
    """The file system of the instance has no block left."""
    refuses, serves = ("certificates",), ("status",)

    def __init__(self, base): self.base = base

    def make(self):
        run("mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=700", "tmpfs", self.base)
        return Service(BUILD, self.base)

    def begin(self, s):
        with open(s.base / "filler", "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(bytes(4096))
            except OSError:
                pass

    def end(self, s): (s.base / "filler").unlink()
    def close(self): run("umount", "-l", self.base, check=False)


class Clock:
    """Whoever watches the clock says that it was set five seconds off."""
    refuses, serves = ("stamps",), ("status", "certificates")

    def __init__(self, base): self.base = base

    def make(self):
        s = Service(BUILD, self.base)
        s.configure(("clock: steps", f"clock: file\n  clock_file: {s.dir}/run/clock"))
        self.end(s)
        return s

    def begin(self, s): (s.dir / "run" / "clock").write_text(f"5000 {int(time.time())}\n")

    def during(self, s):
        body = s.ask("POST", "/tsa", (s.base / "any.tsq").read_bytes(), {"Content-Type": "application/timestamp-query"})[1]
        (s.base / "refused.tsr").write_bytes(body)
        text = run("openssl", "ts", "-reply", "-in", s.base / "refused.tsr", "-text").stdout.decode(errors="replace")
        check("time source is not available" in text, "openssl ts: failInfo timeNotAvailable", text)
        code, body = s.ask("GET", "/healthz")
        check(code == 503 and json.loads(body)["time_stamping"] is False and "5000 ms" in json.loads(body)["clock"], "/healthz says so", body)

    def end(self, s): (s.dir / "run" / "clock").write_text(f"2 {int(time.time())}\n")
    def close(self): pass


class Database:
    """PostgreSQL is killed, and started again."""
    refuses, serves = (), ("status",)

    def __init__(self, base):
        self.base, self.server = base, Postgres()
        self.server.__enter__()

    def make(self): return Service(BUILD, self.base, init=("--database", self.server.url()))
    def begin(self, s): self.server.kill()
    def end(self, s): self.server.start()
    def close(self): self.server.__exit__(None, None, None)


class Token:
    """The token of every key, behind a module that misbehaves on command."""
    def __init__(self, base, order, refuses=(), hold=3.0, kills=False):
        self.base, self.order, self.refuses, self.serves, self.hold, self.kills = base, order, refuses, ("status",), hold, kills

    def make(self):
        s = Service(BUILD, self.base)
        s.configure(("token_seconds: 10", "token_seconds: 2"))
        tokens, keys = s.dir / "tokens", s.dir / "keys" / "keys.json"
        shutil.copy(TROUBLE, tokens / "p11_trouble.so")
        text = keys.read_text()
        path = re.search(r"module-path=([^\"&]+)", text).group(1)
        (tokens / "p11_trouble.module").write_text(urllib.parse.unquote(path))
        keys.write_text(text.replace(path, urllib.parse.quote(str(tokens / "p11_trouble.so"), safe="")))
        self.end(s)
        return s

    def tell(self, s, order):
        (s.base / "order").write_text(order)
        (s.base / "order").replace(s.dir / "tokens" / "p11_trouble.control")

    def begin(self, s):
        self.tell(s, self.order)
        if self.kills:
            os.kill(int(s.started("antin-key")[-1]), signal.SIGKILL)

    def end(self, s): self.tell(s, "nothing 0\n")
    def close(self): pass


class Hanging(Token):
    """It is named for what it is: in /healthz, in /metrics and by the doctor, who asks the service that has the trouble."""
    def during(self, s):
        health = lambda: json.loads(s.ask("GET", "/healthz")[1])
        gauge = lambda: int(re.search(rb"^antin_token_hangs (\d)$", s.ask("GET", "/metrics")[1], re.M).group(1))
        check(s.ask("GET", "/healthz")[0] == 503 and health()["tokens"] == "AN_E_TOKEN_HANGS" and gauge() == 1, "/healthz and /metrics say that a token hangs", health())
        doctor = lambda: next(c for c in json.loads(s.office("doctor", s.dir, "--deep", "--json", check=False).stdout)["checks"] if c["check"] == "tokens")
        check(wait_for(lambda: "AN_E_TOKEN_HANGS" in doctor()["detail"], 20), "the doctor says whose token hangs", doctor())

    def end(self, s):
        super().end(s)
        if s.process is None:
            return
        health = lambda: json.loads(s.ask("GET", "/healthz")[1])
        check(wait_for(lambda: health()["tokens"] == "ok", RECOVERS), "and no longer once it answers", health())


CASES = {
    "disk full": lambda base: Full(base),
    "clock five seconds off": lambda base: Clock(base),
    "database away": lambda base: Database(base),
    "token pulled out": lambda base: Token(base, "removed 1\n"),
    "token hangs, comes back": lambda base: Hanging(base, "hang 1\n", hold=5.0),
    "call never comes back": lambda base: Token(base, "hang 2\n", hold=0.5),
    "token hangs at the start": lambda base: Hanging(base, "hang_login 1\n", refuses=("certificates", "stamps"), hold=6.0, kills=True),
}


# ---- one case ----
def judge(name, s, case, asking, begin, end):
    words = []
    for kind, probe in asking.probes.items():
        during, before = probe.between(begin, end), probe.between(0, begin)
        recovered = probe.first_after(end)
        words.append(f"{kind} {during['ok']} ok, {sum(during.values()) - during['ok']} not" + (f", right again after {recovered:.2f} s" if recovered is not None else ""))
        check(before["ok"], f"{name}: {kind} before", before)
        check(recovered is not None and recovered < RECOVERS, f"{name}: {kind} recovers by itself", recovered)
        check(kind not in case.serves or set(during) == {"ok"}, f"{name}: {kind} goes on", during)
        check(kind not in case.refuses or during["refused"], f"{name}: {kind} is refused cleanly", during)
        wrong = [got for _, _, got in probe.seen if got.startswith("wrong")]
        check(not wrong, f"{name}: {kind} never wrong", wrong[:3])
    print(f"{name}, {end - begin:.1f} s: {'; '.join(words)}", flush=True)
    serials = [certificate_of(body)[1] for body in asking.acknowledged]
    lost = [serial for serial in serials if s.ask("GET", f"/search/{serial.lower()}.crt")[0] != 200]
    check(not lost and len(set(serials)) == len(serials), f"{name}: nothing acknowledged is lost, no serial twice", lost)
    check(wait_for(lambda: s.ask("GET", "/healthz")[0] == 200, RECOVERS), f"{name}: /healthz is ok again", s.ask("GET", "/healthz"))
    done = s.office("audit", "verify", "--dir", s.dir, "--json", check=False)
    check(done.returncode == 0, f"{name}: the audit log is whole", said(done))


def try_case(name, make):
    base = Path(tempfile.mkdtemp(prefix="antin-running-"))
    case, s, before = make(base), None, len(failures)
    try:
        s = case.make()
        s.start()
        asking = Asking(s, re.sub("[^a-z]", "-", name))
        wait_for(lambda: all(probe.between(0, time.time())["ok"] for probe in asking.probes.values()))
        begin = time.time()
        case.begin(s)
        begun = time.time()
        time.sleep(getattr(case, "hold", 2.5))
        if hasattr(case, "during"):
            case.during(s)
        end = time.time()
        case.end(s)
        back = time.time()
        wait_for(lambda: all(probe.first_after(back) is not None for probe in asking.probes.values()), RECOVERS)
        asking.stop()
        judge(name, s, case, asking, max(begun, begin) + 0.3, end)
    finally:
        if len(failures) > before and s is not None:
            print("\n".join(line for line in s.log.read_text().splitlines() if "stamp.failed" not in line)[-4000:])
        if s is not None:
            s.stop()
        case.close()
        shutil.rmtree(base, ignore_errors=True)


def may_mount():
    """In a name space of our own, so that nothing of ours is seen elsewhere nor left behind."""
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() != 0 or libc.unshare(0x00020000) != 0:
        return False
    return subprocess.run(["mount", "--make-rprivate", "/"], capture_output=True).returncode == 0


def main():
    wanted = sys.argv[3:] or list(CASES)
    skipped = [name for name in wanted if (name == "disk full" and not may_mount()) or (name == "database away" and bin_dir() is None) or
               (name.startswith(("token", "call")) and not Path("/usr/lib/softhsm/libsofthsm2.so").exists())]
    bad = 0
    for name in wanted:
        if name in skipped:
            print(f"{name}: not tried on this machine")
            continue
        before = len(failures)
        try_case(name, CASES[name])
        bad += len(failures) > before
    print(f"{len(wanted) - len(skipped) - bad} passed, {bad} failed, {len(skipped)} skipped")
    return 1 if bad else 0


sys.exit(main())
