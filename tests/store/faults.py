#!/usr/bin/env python3
"""Faults under load: the writer killed, the disk full, the database gone and back, two nodes at once, the primary lost to a
replica. After each: what was acknowledged is there, no number was given twice or left out, the audit chain is whole.
ANTIN_FULL=1: 500 kills instead of 100. Arguments: the load program, postgres.py, then the cases (default: all)."""
import os, random, resource, shutil, signal, subprocess, sys, tempfile, threading, time
from pathlib import Path

LOAD, LIB = sys.argv[1], Path(sys.argv[2]).parent
sys.path.insert(0, str(LIB))
import postgres  # noqa: E402
KILLS = int(os.environ.get("KILLS", 500 if os.environ.get("ANTIN_FULL") else 100))
passed = failed = skipped = 0


def check(name, good, more=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print(f"FAILED {name}: {more}", flush=True)


class Load:
    """A load program and the lines it said."""
    def __init__(self, url, name, threads=8, **kwargs):
        self.lines, self.times = [], []
        self.process = subprocess.Popen([LOAD, "run", url, name, str(threads)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kwargs)
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            if line.endswith("\n"):
                self.lines.append(line.split())
                self.times.append(time.monotonic())

    def said(self, *words):
        return [l for l in list(self.lines) if l[:len(words)] == list(words)]

    def wait_for(self, count, *words, seconds=60):
        end = time.monotonic() + seconds
        while len(self.said(*words)) < count and time.monotonic() < end and self.process.poll() is None:
            time.sleep(0.01)
        return len(self.said(*words)) >= count

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.error = self.process.stderr.read()
        self.process.stderr.close()

    @property
    def acknowledged(self):
        return {l[1] for l in self.said("ok")}


def judge(name, url, acknowledged):
    """Invariants, audit chain, numbers 1…n each once, and everything acknowledged."""
    done = subprocess.run([LOAD, "check", url], capture_output=True, text=True)
    rows = [l.split() for l in done.stdout.splitlines()]
    objects = [r[1] for r in rows if r[0] == "row"]
    numbers = sorted(int(r[2]) for r in rows if r[0] == "row")
    check(f"{name}: opens", done.returncode == 0, done.stderr)
    check(f"{name}: invariants, audit", not [r for r in rows if r[0] == "fault"], done.stdout[-400:])
    check(f"{name}: nothing acknowledged is lost", acknowledged <= set(objects), f"{len(acknowledged - set(objects))} of {len(acknowledged)}")
    check(f"{name}: nothing twice", len(objects) == len(set(objects)))
    check(f"{name}: numbers without gap or repetition", numbers == list(range(1, len(numbers) + 1)), f"{len(numbers)} rows, last {numbers[-1:]}")
    return len(objects)


def kills(name, url, count):
    acknowledged, start, rows = set(), time.monotonic(), 0
    for i in range(count):
        load = Load(url, f"k{i}")
        if i % 4:
            load.wait_for(1, "ok")
        time.sleep(random.expovariate(1 / 0.03))
        load.kill()
        acknowledged |= load.acknowledged
        check(f"{name}: kill {i}: no failure before it", not load.said("fail") and not load.said("lost"), load.lines[-3:])
        if i % 5 == 4 or i == count - 1:
            rows = judge(f"{name}: kill {i}", url, acknowledged)
    print(f"{name}: {count} kills under load, {len(acknowledged)} writes acknowledged, 0 lost, {rows - len(acknowledged)} finished unheard, "
          f"{time.monotonic() - start:.0f} s", flush=True)


def disk_full_by_limit(d):
    """A quota: writing beyond a size fails, with nothing acknowledged lost, and goes on once the limit is gone."""
    url = f"sqlite:{d}/quota.db"
    load = Load(url, "before")
    load.wait_for(300, "ok")
    load.kill()
    acknowledged = load.acknowledged
    size = max((d / n).stat().st_size for n in ("quota.db", "quota.db-wal"))
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size + 200_000, size + 200_000))
    load = Load(url, "full", preexec_fn=limit)
    full = load.wait_for(5, "fail", "AN_E_STORE_FULL")
    load.kill()
    acknowledged |= load.acknowledged
    check("quota: told as full", full, load.lines[-3:] + [load.error])
    judge("quota", url, acknowledged)
    load = Load(url, "after")
    check("quota: goes on", load.wait_for(50, "ok"), load.lines[-3:])
    load.kill()
    judge("quota, after", url, acknowledged | load.acknowledged)


def disk_full(d):
    """A small file system that fills up and is freed under a running writer."""
    global skipped
    small = d / "small"
    small.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "none", small], capture_output=True).returncode:
        print("disk full: a file system of its own cannot be mounted here", flush=True)
        skipped += 1
        return
    try:
        url = f"sqlite:{small}/store.db"
        (small / "ballast").write_bytes(bytes(3 << 20))
        load = Load(url, "f", 8)
        full = load.wait_for(8, "fail", "AN_E_STORE_FULL", seconds=120)
        check("disk full: told as full", full, load.lines[-3:])
        (small / "ballast").unlink()
        before = len(load.said("ok"))
        check("disk full: goes on by itself", load.wait_for(before + 100, "ok"), load.lines[-3:])
        load.kill()
        rows = judge("disk full", url, load.acknowledged)
        print(f"disk full: {before} writes before, {len(load.said('fail'))} refused, {rows} rows in the end", flush=True)
    finally:
        subprocess.run(["umount", small], capture_output=True)


def two_nodes(name, url):
    nodes = [Load(url, f"n{i}", 6) for i in range(2)]
    for node in nodes:
        check(f"{name}: both write", node.wait_for(300, "ok"), node.lines[-3:] )
    nodes[0].kill()
    more = len(nodes[1].said("ok")) + 50
    check(f"{name}: one goes on when the other is killed", nodes[1].wait_for(more, "ok"))
    nodes[1].kill()
    acknowledged = nodes[0].acknowledged | nodes[1].acknowledged
    check(f"{name}: no failure", not any(n.said("fail") or n.said("lost") for n in nodes), [n.said("fail")[:2] for n in nodes])
    rows = judge(name, url, acknowledged)
    print(f"{name}: {len(nodes[0].acknowledged)} + {len(nodes[1].acknowledged)} writes, {rows} rows", flush=True)


def moved_away(d):
    """The file is taken away under a running writer and brought back: nobody writes to what has no name."""
    path = d / "moved.db"
    load = Load(f"sqlite:{path}", "m")
    load.wait_for(100, "ok")
    for _ in range(3):
        path.rename(d / "elsewhere.db")
        time.sleep(0.3)
        held = len(load.said("ok"))
        time.sleep(0.5)
        check("moved: nothing is acknowledged meanwhile", len(load.said("ok")) == held, len(load.said("ok")) - held)
        (d / "elsewhere.db").rename(path)
        check("moved: goes on by itself", load.wait_for(held + 50, "ok"), load.lines[-3:])
    load.kill()
    check("moved: no write failed", not load.said("fail"), load.said("fail")[:2])
    judge("moved", f"sqlite:{path}", load.acknowledged)
    print(f"file moved away and back 3 times: {len(load.acknowledged)} acknowledged, 0 lost, longest wait {gap(load):.1f} s", flush=True)


def gap(load):
    """The longest time without an acknowledgement."""
    times = [t for l, t in zip(load.lines, load.times) if l[0] == "ok"]
    return max((b - a for a, b in zip(times, times[1:])), default=0)


def gone_and_back(server):
    url = server.url()
    load = Load(url, "g")
    load.wait_for(200, "ok")
    for _ in range(3):
        server.kill()
        time.sleep(0.5)
        server.start()
        before = len(load.said("ok"))
        check("gone and back: goes on by itself", load.wait_for(before + 100, "ok", seconds=90), load.lines[-3:])
    load.kill()
    check("gone and back: no write failed", not load.said("fail"), load.said("fail")[:3])
    judge("gone and back", url, load.acknowledged)
    print(f"gone and back: 3 crashes, {len(load.acknowledged)} acknowledged, {len(load.said('lost'))} unknown, longest wait {gap(load):.1f} s", flush=True)


def fail_over():
    """The primary dies under load; its synchronous replica takes over; the address names both."""
    with postgres.Postgres() as primary:
        primary.url("antin")
        standby = primary.clone("standby")
        try:
            standby.start()
            primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
            primary.sql("SELECT pg_reload_conf()")
            for _ in range(200):
                if primary.sql("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == "1":
                    break
                time.sleep(0.1)
            url = f"postgresql://{primary.user}@127.0.0.1:{primary.port},127.0.0.1:{standby.port}/antin"
            load = Load(url, "o", 16)
            replica = lambda: subprocess.run([LOAD, "read", f"postgresql://{standby.user}@127.0.0.1:{standby.port}/antin"], capture_output=True, text=True)
            check("fail-over: writes", load.wait_for(500, "ok"), load.lines[-3:])
            seen = replica()
            check("fail-over: the replica serves reads before", seen.returncode == 0 and int(seen.stdout.split()[-1]) > 100, seen.stderr + seen.stdout[-100:])
            primary.kill()
            at = time.monotonic()
            standby.promote()
            promoted = time.monotonic()
            before = len(load.said("ok"))
            check("fail-over: service is back without hands", load.wait_for(before + 300, "ok", seconds=90), load.lines[-3:])
            load.kill()
            check("fail-over: no write failed", not load.said("fail"), load.said("fail")[:3])
            judge("fail-over", f"postgresql://{standby.user}@127.0.0.1:{standby.port}/antin", load.acknowledged)
            print(f"fail-over: {len(load.acknowledged)} acknowledged, 0 lost, {len(load.said('lost'))} unknown; replica promoted in {promoted - at:.1f} s, "
                  f"longest wait of a writer {gap(load):.1f} s", flush=True)
        finally:
            standby.__exit__()


def main():
    global skipped
    wanted = set(sys.argv[3:])
    random.seed(int(os.environ.get("SEED", time.time_ns())))
    with tempfile.TemporaryDirectory(prefix="antin-faults-") as d:
        d = Path(d)
        if not wanted or "sqlite" in wanted:
            kills("SQLite", f"sqlite:{d}/kill.db", KILLS)
            disk_full_by_limit(d)
            disk_full(d)
            moved_away(d)
            two_nodes("two processes on SQLite", f"sqlite:{d}/two.db")
        if postgres.bin_dir() is None:
            skipped += 1
        elif not wanted or "postgresql" in wanted:
            with postgres.Postgres() as server:
                kills("PostgreSQL", server.url(), KILLS // 2)
                two_nodes("two nodes on PostgreSQL", server.url())
                gone_and_back(server)
            fail_over()
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return failed > 0


sys.exit(main())
