#!/usr/bin/env python3
"""Two services on one PostgreSQL database, asked for the same approvals at once; revocations on either seen by the other; lists with one
row of numbers; one of them killed under load. Usage: nodes.py BUILD"""
import collections, os, re, shutil, signal, sys, tempfile, threading, time
from pathlib import Path

from lib import Service, certificate_of, run, said, wait_for

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "lib"))
from postgres import Postgres, bin_dir  # noqa: E402

RACES, KILLED = 24, 24
failures = []


def check(condition, what, detail=""):
    print(f"{'ok    ' if condition else 'FAILED'} {what}" + ("" if condition else f": {str(detail)[-1500:]}"), flush=True)
    if not condition:
        failures.append(what)


def second(one):
    """Another machine: its own configuration, keys and run/, the folder public/ in common."""
    folder = one.base / "ca2"
    shutil.copytree(one.dir, folder, ignore=shutil.ignore_patterns("run", "public", "*.sock"))
    (folder / "run").mkdir(mode=0o700)
    (folder / "public").symlink_to(one.dir / "public")
    conf = folder / "softhsm2.conf"
    if conf.exists():
        conf.write_text(conf.read_text().replace(str(one.dir), str(folder)))
    return Service(one.build, one.base, "ca2")


class Load:
    """Threads that ask node by node until each approval is fetched; what was acknowledged is kept."""
    def __init__(self, entries, nodes, threads):
        self.todo, self.lock, self.bodies, self.wrong = collections.deque(entries), threading.Lock(), collections.defaultdict(set), []
        self.threads = [threading.Thread(target=self.work, args=(nodes, i)) for i in range(threads)]
        for thread in self.threads:
            thread.start()

    def work(self, nodes, number):
        while True:
            try:
                item, who = self.todo.popleft()
            except IndexError:
                return
            deadline = time.time() + 90
            while time.time() < deadline:
                node = nodes[number % len(nodes)]
                number += 1
                try:
                    status, body = node.enrol(*who, timeout=20)
                except OSError:
                    continue
                if status == 200:
                    with self.lock:
                        self.bodies[item].add(body)
                    break
                if status not in (500, 503):
                    self.wrong.append(f"{item}: {status}")
                    break
                time.sleep(0.05)
            else:
                self.wrong.append(f"{item}: never acknowledged")

    def join(self):
        for thread in self.threads:
            thread.join()
        return self


class Watch(threading.Thread):
    """Asks both nodes in turn for stamps and lists, as those do who come through a balancer."""
    def __init__(self, nodes, query, names):
        super().__init__(daemon=True)
        self.nodes, self.query, self.names, self.over, self.stamps, self.numbers = nodes, query, names, threading.Event(), [], collections.defaultdict(list)

    def run(self):
        turn = 0
        while not self.over.is_set():
            node = self.nodes[turn % len(self.nodes)]
            turn += 1
            try:
                status, body = node.ask("POST", "/tsa", self.query, {"Content-Type": "application/timestamp-query"}, timeout=10)
                self.stamps += [body] if status == 200 and len(body) > 300 else []
                for name in self.names:
                    status, body = node.ask("GET", f"/crl/{name}.crl", timeout=10)
                    if status == 200:
                        out = run("openssl", "crl", "-inform", "DER", "-noout", "-crlnumber", input=body).stdout
                        self.numbers[name].append(int(re.search(rb"=(?:0x)?([0-9A-Fa-f]+)", out).group(1), 16))
            except OSError:
                time.sleep(0.05)


def stamp_serials(base, stamps):
    out = []
    for body in stamps:
        (base / "r.tsr").write_bytes(body)
        out.append(re.search(r"Serial number: 0x([0-9A-F]+)", run("openssl", "ts", "-reply", "-in", base / "r.tsr", "-text").stdout.decode(errors="replace")).group(1))
    return out


def allow(node, prefix, count): return [(f"{prefix}:{i}", node.allow(f"{prefix}:{i}", f"{prefix}-{i}")) for i in range(count)]


def race(nodes):
    """Every approval is asked for on both at the same time."""
    entries = allow(nodes[0], "race", RACES)
    both = [Load(entries, [node], 3) for node in nodes]
    for load in both:
        load.join()
    check(not both[0].wrong + both[1].wrong, "all are acknowledged on both", both[0].wrong + both[1].wrong)
    serials = {}
    for item in both[0].bodies:
        found = {certificate_of(body)[1] for load in both for body in load.bodies[item]}
        check(len(found) == 1, f"{item}: one certificate", found) if len(found) != 1 else serials.setdefault(item, found.pop())
    check(len(set(serials.values())) == RACES, f"{RACES} approvals, asked for on both nodes at once: {len(set(serials.values()))} certificates, no serial twice", serials)
    return both[0].bodies


def revoked(nodes, bodies):
    """On one, by command; the other's answers know within seconds."""
    times = []
    for i, item in enumerate(sorted(bodies)[:6]):
        here, there = nodes[i % 2], nodes[(i + 1) % 2]
        pem, serial = certificate_of(next(iter(bodies[item])))
        (there.base / "revoked.pem").write_bytes(pem)
        check(": good" in there.ocsp("revoked", "-no_nonce"), f"{item} is good") if i == 0 else there.ocsp("revoked", "-no_nonce")
        here.office("ca", "revoke", serial, "--dir", here.dir, "--ground", "lo-khoa", "--as", "CB01/can-bo-thu-hoi")
        begun = time.time()
        check(wait_for(lambda: ": revoked" in there.ocsp("revoked", "-no_nonce"), 20), f"revoked on {here.dir.name}, known on {there.dir.name}") if i < 2 else wait_for(lambda: ": revoked" in there.ocsp("revoked", "-no_nonce"), 20)
        times.append(time.time() - begun)
    print(f"revoked on one node, known on the other: {max(times):.2f} s at most, of {len(times)}")
    check(max(times) < 10, "within seconds", times)


def killed(nodes, watch):
    """Everything of one machine at once; the other goes on alone."""
    load = Load(allow(nodes[0], "kill", KILLED), nodes, 4)
    time.sleep(0.3)
    gone = nodes[1]
    family = [gone.process.pid] + [int(pid) for program in ("antin-key", "antin-http") for pid in gone.started(program)[-1:]]
    for pid in family:
        os.kill(pid, signal.SIGKILL)
    gone.process.wait()
    load.join()
    check(not load.wrong and len(load.bodies) == KILLED, f"one node killed under load: {len(load.bodies)} of {KILLED} acknowledged", load.wrong)
    lost = [item for item, found in load.bodies.items() for body in found if nodes[0].ask("GET", f"/search/{certificate_of(body)[1].lower()}.crt")[0] != 200]
    check(not lost, "none acknowledged is lost", lost)
    gone.start()
    check(gone.enrol(*gone.allow("after:1", "after"))[0] == 200, "it comes back and issues")
    seen = len(watch.stamps)
    check(wait_for(lambda: len(watch.stamps) > seen + 5), "and stamps")


def judge(one, nodes, watch):
    numbers = stamp_serials(one.base, watch.stamps)
    check(len(set(numbers)) == len(numbers) > 0, f"{len(numbers)} time-stamps of both nodes, all serials different")
    for name, seen in watch.numbers.items():
        check(seen == sorted(seen) and seen, f"{name}.crl fetched {len(seen)} times from both: numbers {seen[0]} to {seen[-1]}, never falling", seen)
    made = collections.Counter(re.findall(r'"detail":"(\S+\.crl): number (\d+),', "".join(node.log.read_text() for node in nodes)))
    check(made and max(made.values()) == 1, f"{len(made)} lists made, each by one node", made.most_common(3))
    each = [len(re.findall(r'"event":"crl"', node.log.read_text())) for node in nodes]
    revocations = 6
    print(f"lists made by each node: {each}")
    check(sum(each) <= 2 * (2 + revocations) + 4, "no list was made a second time by the other", made)
    done = one.office("audit", "verify", "--dir", one.dir, "--json", check=False)
    check(done.returncode == 0, "the audit log is whole", said(done))


def main():
    if bin_dir() is None:
        print("0 passed, 0 failed, 1 skipped: PostgreSQL is not installed")
        return 77
    base = Path(tempfile.mkdtemp(prefix="antin-nodes-"))
    with Postgres() as server:
        one = Service(sys.argv[1], base, "ca", ("--database", server.url()))
        one.configure(("revoked_seconds: 5", "revoked_seconds: 1"))
        two = second(one)
        nodes = [one, two]
        try:
            for node in nodes:
                node.start()
            run("openssl", "ts", "-query", "-digest", "00" * 32, "-sha256", "-out", base / "q.tsq")
            watch = Watch(nodes, (base / "q.tsq").read_bytes(), ("nha-nuoc", "nha-nuoc-delta"))
            watch.start()
            revoked(nodes, race(nodes))
            killed(nodes, watch)
            watch.over.set()
            watch.join()
            judge(one, nodes, watch)
        finally:
            if failures:
                print("\n".join(node.log.read_text()[-1500:] for node in nodes))
            for node in nodes:
                node.stop()
            shutil.rmtree(base, ignore_errors=True)
    print(f"{len(failures)} failed")
    return 1 if failures else 0


sys.exit(main())
