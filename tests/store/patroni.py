#!/usr/bin/env python3
"""Patroni, as Debian has it (its own Raft, no other service): two PostgreSQL nodes and a third vote on loopback. The primary's
machine dies under load; Patroni promotes the synchronous replica; the service goes on without hands and nothing acknowledged is
lost. Skipped (77) where Patroni is not installed. Arguments: the load program, postgres.py."""
import json, os, shutil, signal, subprocess, sys, time, urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(sys.argv[2]).parent))
import postgres  # noqa: E402

PYTHON = "/usr/bin/python3"
TOOLS = [Path("/usr/bin/patroni"), Path("/usr/bin/patroni_raft_controller")]
ok = subprocess.run([PYTHON, "-c", "import pysyncobj, patroni"], capture_output=True).returncode == 0 if Path(PYTHON).exists() else False
if postgres.bin_dir() is None or not ok or not all(t.exists() for t in TOOLS):
    print("Patroni with Raft is not installed (patroni, python3-pysyncobj)")
    sys.exit(77)


def load_faults():
    """faults.py without its main."""
    path = Path(__file__).parent / "faults.py"
    module = type(sys)("faults")
    exec(compile(path.read_text().replace("sys.exit(main())", ""), str(path), "exec"), module.__dict__)
    return module


faults = load_faults()


class Node(postgres.Postgres):
    def __init__(self, name, raft, raft_ports):
        super().__init__()
        self.name, self.rest, self.raft, self.raft_ports = name, postgres.free_port(), raft, raft_ports

    def write_config(self):
        self.make_dir()
        config = {
            "scope": "antin", "name": self.name,
            "restapi": {"listen": f"127.0.0.1:{self.rest}", "connect_address": f"127.0.0.1:{self.rest}"},
            "raft": {"data_dir": str(self.dir / "raft"), "self_addr": f"127.0.0.1:{self.raft}",
                     "partner_addrs": [f"127.0.0.1:{p}" for p in self.raft_ports if p != self.raft]},
            "bootstrap": {
                "dcs": {"ttl": 20, "loop_wait": 1, "retry_timeout": 5, "synchronous_mode": True,
                        "postgresql": {"use_slots": True, "parameters": {"shared_buffers": "32MB", "max_connections": 60}}},
                "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}],
                "pg_hba": ["local all all trust", "host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"]},
            "postgresql": {"listen": f"127.0.0.1:{self.port}", "connect_address": f"127.0.0.1:{self.port}", "data_dir": str(self.data),
                           "bin_dir": str(self.bin), "pgpass": str(self.dir / "pgpass"),
                           "authentication": {"superuser": {"username": self.user, "password": "sample"},
                                              "replication": {"username": "replicator", "password": "sample"}},
                           "parameters": {"unix_socket_directories": str(self.dir)}},
            "watchdog": {"mode": "off"}}
        text = json.dumps(config)  # JSON is YAML
        self.run("sh", "-c", 'cat > "$1"', "sh", self.dir / "patroni.yml", input=text)

    def start(self, tool=TOOLS[0]):
        log = open(self.dir / "log", "ab")
        self.process = subprocess.Popen(self.as_user(PYTHON, tool, self.dir / "patroni.yml"), stdout=log, stderr=log, cwd=self.dir, start_new_session=True)

    def role(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.rest}/patroni", timeout=2) as answer:
                return json.load(answer)
        except OSError:
            return {}

    def kill(self):
        """The machine is gone: Patroni and PostgreSQL at once."""
        pid = self.data / "postmaster.pid"
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if pid.exists():
            try:
                os.kill(int(pid.read_text().split()[0]), signal.SIGKILL)
            except ProcessLookupError:
                pass

    def __exit__(self, *_):
        self.kill()
        time.sleep(0.2)
        if getattr(self, "dir", None):
            shutil.rmtree(self.dir, ignore_errors=True)


def wait(what, test, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if test():
            return True
        time.sleep(0.3)
    print(f"waited {seconds} s in vain: {what}", flush=True)
    return False


def is_leader(node):
    return node.role().get("role") in ("master", "primary") and node.role().get("state") == "running"


def main():
    ports = [postgres.free_port() for _ in range(3)]
    a, b, vote = (Node(name, port, ports) for name, port in zip(("a", "b", "vote"), ports))
    try:
        for node in (a, b, vote):
            node.write_config()
        vote.start(TOOLS[1])
        a.start()
        if not wait("a leader", lambda: is_leader(a), 120):
            print((a.dir / "log").read_text()[-1500:])
            return 1
        b.start()
        sync = lambda: a.sql("SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')") == "1"
        faults.check("a synchronous replica", wait("a synchronous replica", sync, 180), (b.dir / "log").read_text()[-600:])
        a.sql("CREATE DATABASE antin")
        url = f"postgresql://{a.user}@127.0.0.1:{a.port},127.0.0.1:{b.port}/antin"
        load = faults.Load(url, "p", 16)
        faults.check("writes", load.wait_for(500, "ok"), load.lines[-3:] + [load.process.poll()])
        a.kill()
        at, before = time.monotonic(), len(load.said("ok"))
        faults.check("Patroni promotes the replica", wait("another leader", lambda: is_leader(b), 120), (b.dir / "log").read_text()[-600:])
        promoted = time.monotonic() - at
        faults.check("service is back without hands", load.wait_for(before + 300, "ok", seconds=90), load.lines[-3:])
        load.kill()
        faults.check("no write failed", not load.said("fail"), load.said("fail")[:3])
        faults.judge("after the fail-over", f"postgresql://{b.user}@127.0.0.1:{b.port}/antin", load.acknowledged)
        print(f"Patroni: {len(load.acknowledged)} acknowledged, 0 lost, {len(load.said('lost'))} unknown; another leader after {promoted:.1f} s, "
              f"longest wait of a writer {faults.gap(load):.1f} s")
    finally:
        for node in (a, b, vote):
            node.__exit__()
    print(f"{faults.passed} passed, {faults.failed} failed, 0 skipped")
    return faults.failed > 0


sys.exit(main())
