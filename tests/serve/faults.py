#!/usr/bin/env python3
"""A whole instance under load while its processes are killed, its token is pulled, its database goes and comes back, and two nodes race.
Afterwards nothing acknowledged is lost, no serial stands twice, numbers only grew and the log is whole. Usage: faults.py BUILD [URL…]

40 kills; ANTIN_FULL=1: 500 kills. ANTIN_SEED: the same order of kills again."""
import base64, collections, http.client, json, os, random, re, shutil, signal, subprocess, sys, tempfile, threading, time
from pathlib import Path

BUILD = Path(sys.argv[1]).resolve()
FULL = bool(os.environ.get("ANTIN_FULL"))
SEED = int(os.environ.get("ANTIN_SEED") or random.SystemRandom().randrange(1 << 32))
rng = random.Random(SEED)
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "lib"))
from lib import ask  # noqa: E402
from postgres import Postgres, bin_dir  # noqa: E402


def run(*command, check=True, **kw):
    done = subprocess.run([str(c) for c in command], capture_output=True, **kw)
    if check and done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}: {done.returncode} {done.stderr.decode(errors='replace')[-1500:]} {done.stdout.decode(errors='replace')[-500:]}")
    return done


def office(*words, check=True): return run(BUILD / "antin-office", *words, check=check)


class Node:
    """One `antin serve`, started again when it is gone."""
    def __init__(self, folder):
        self.dir, self.process, self.port = Path(folder), None, None
        self.log = open(self.dir.parent / f"{self.dir.name}.log", "ab")

    def start(self):
        listen = f"127.0.0.1:{self.port or 0}"
        self.process = subprocess.Popen([str(BUILD / "antin-office"), "serve", "--dir", str(self.dir), "--listen", listen, "--lang=en"], stdout=subprocess.PIPE, stderr=self.log)
        line = self.process.stdout.readline().decode()
        if "port" not in line:
            return False
        self.port = int(line.split()[-1])
        return True

    def start_surely(self):
        for _ in range(40):
            if self.start():
                return
            self.process.kill()
            self.process.wait()
            time.sleep(0.25)
        raise SystemExit(f"serve does not start again: {Path(self.log.name).read_text()[-1500:]}")

    def processes(self):
        """(pid, name) of the supervisor and its children, grandchildren included."""
        parents = collections.defaultdict(list)
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    stat = Path(f"/proc/{entry}/stat").read_text()
                except OSError:
                    continue
                parents[int(stat[stat.rindex(")") + 2:].split()[1])].append((int(entry), stat[stat.index("(") + 1:stat.rindex(")")]))
        found, todo = [(self.process.pid, "supervisor")], [self.process.pid]
        while todo:
            for child in parents[todo.pop()]:
                found.append(child)
                todo.append(child[0])
        return found

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class World:
    """An instance, references to be fetched, and what was acknowledged."""
    def __init__(self, url=None):
        self.base = Path(tempfile.mkdtemp(prefix="antin-faults-"))
        self.dir = self.base / "ca"
        office("init", self.dir, "--quiet", *(["--database", url] if url else []))
        self.node = Node(self.dir)
        run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.base / "key", "-subj", "/", "-outform", "DER", "-out", self.base / "csr")
        self.csr = base64.b64encode((self.base / "csr").read_bytes())
        run("openssl", "rand", "-out", self.base / "data", "100")
        run("openssl", "ts", "-query", "-data", self.base / "data", "-sha256", "-out", self.base / "query")
        self.query = (self.base / "query").read_bytes()
        self.lock = threading.Lock()
        self.acknowledged, self.stamps, self.retries, self.repeats, self.crl_numbers = {}, [], 0, 0, []
        self.waits, self.wrong = [], []

    def allow(self, count, prefix):
        out = []
        for i in range(count):
            got = json.loads(office("enrol", "allow", f"{prefix}:{i}", "--dir", self.dir, "--json", "--subject", f"C=VN, O=Cơ quan MẪU, CN={prefix}-{i}").stdout)
            out.append((f"{prefix}:{i}", got["reference"], got["secret"]))
        return out

    def enrol(self, entry, port_of, deadline):
        """Asks until it is acknowledged: what was answered 200 must stand for ever."""
        item, reference, secret = entry
        who = base64.b64encode(f"{reference}:{secret}".encode()).decode()
        begun = time.time()
        while time.time() < deadline:
            try:
                status, body = ask(port_of(), "POST", "/.well-known/est/simpleenroll", self.csr, {"Content-Type": "application/pkcs10", "Authorization": f"Basic {who}"})
            except (OSError, http.client.HTTPException):
                status = 0
            if status == 200:
                with self.lock:
                    self.acknowledged.setdefault(item, set()).add(body)
                    self.waits.append(time.time() - begun)
                return True
            if status and status not in (500, 503):
                with self.lock:
                    self.wrong.append(f"{item}: {status} {body[:200]}")
                return False
            with self.lock:
                self.retries += 1
            time.sleep(0.05)
        return False

    def stamp(self, port):
        try:
            status, body = ask(port, "POST", "/tsa", self.query, {"Content-Type": "application/timestamp-query"}, 5)
            if status == 200 and len(body) > 300:
                with self.lock:
                    self.stamps.append(body)
        except (OSError, http.client.HTTPException):
            pass

    def look_at_list(self, port, name):
        try:
            status, body = ask(port, "GET", f"/crl/{name}.crl", timeout=5)
        except (OSError, http.client.HTTPException):
            return
        if status == 200:
            done = run("openssl", "crl", "-inform", "DER", "-noout", "-crlnumber", input=body, check=False)
            found = re.search(rb"=(?:0x)?([0-9A-Fa-f]+)", done.stdout)
            if done.returncode or not found:
                raise SystemExit(f"a list that openssl does not read: {done.stderr[-300:]}")
            self.crl_numbers.append(int(found.group(1), 16))

    def close(self):
        shutil.rmtree(self.base, ignore_errors=True)


def serials_of(bodies):
    out = set()
    for body in bodies:
        pem = run("openssl", "pkcs7", "-inform", "DER", "-print_certs", input=base64.b64decode(body)).stdout
        out.add(run("openssl", "x509", "-noout", "-serial", input=pem).stdout.decode().strip().split("=")[1].lower())
    return out


def stamp_serials(world):
    out = []
    for body in world.stamps:
        (world.base / "r.tsr").write_bytes(body)
        text = run("openssl", "ts", "-reply", "-in", world.base / "r.tsr", "-text").stdout.decode(errors="replace")
        out.append(re.search(r"Serial number: 0x([0-9A-F]+)", text).group(1))
    return out


def judge(world, what):
    """After everything: what was acknowledged is there, once; the log is whole; invariants hold."""
    problems = list(world.wrong)
    seen = collections.Counter()
    for item, bodies in world.acknowledged.items():
        serials = serials_of(bodies)
        if len(serials) != 1:
            problems.append(f"{item}: {len(serials)} certificates for one approval")
        seen.update(serials)
    problems += [f"serial {s} stands twice" for s, n in seen.items() if n > 1]
    for serial in seen:
        status, body = ask(world.node.port, "GET", f"/search/{serial}.crt")
        if status != 200:
            problems.append(f"acknowledged and lost: {serial}")
    numbers = stamp_serials(world)
    if len(set(numbers)) != len(numbers):
        problems.append("a time-stamp's serial stands twice")
    if any(b < a for a, b in zip(world.crl_numbers, world.crl_numbers[1:])):
        problems.append(f"numbers of lists fell: {world.crl_numbers}")
    verified = office("audit", "verify", "--dir", world.dir, "--json", check=False)
    if verified.returncode != 0:
        problems.append(f"the audit log: {verified.stdout.decode()[-400:]}")
    doctor = office("doctor", world.dir, "--deep", "--json", check=False).stdout.decode()
    if "invariant" in doctor and '"faults": 0' not in doctor and re.search(r'"invariant[^"]*"', doctor) and "failed" in doctor:
        problems.append(f"doctor: {doctor[-400:]}")
    events = json.loads(verified.stdout)["size"] if verified.returncode == 0 else 0
    waits = sorted(world.waits) or [0]
    print(f"{what}: {len(world.acknowledged)} certificates acknowledged, {len(seen)} serials, {len(numbers)} time-stamps, {len(world.crl_numbers)} lists seen "
          f"(number {max(world.crl_numbers or [0])}), {world.retries} retries, {world.repeats} repeats, longest wait {waits[-1]:.1f} s, {events} audit events; {len(problems)} problems")
    return [f"{what}: {p}" for p in problems]


def load(world, entries, threads, port_of, deadline, pace=0.0):
    """Threads that enrol, one new reference each pace seconds, and meanwhile ask again for what they have; each tells what it did
    not finish."""
    todo, left = collections.deque(entries), []

    def work():
        mine = []
        while True:
            try:
                entry = todo.popleft()
            except IndexError:
                return
            begun = time.time()
            if not world.enrol(entry, port_of, deadline):
                left.append(entry[0])
                continue
            mine.append(entry)
            while time.time() < begun + pace:
                world.enrol(random.choice(mine), port_of, deadline)
                world.repeats += 1
    running = [threading.Thread(target=work, daemon=True) for _ in range(threads)]
    for thread in running:
        thread.start()
    return running, left


def side_load(world, stop, port_of):
    name = list_name(world)

    def work():
        while not stop.is_set():
            world.stamp(port_of())
            world.look_at_list(port_of(), name)
            time.sleep(0.05)
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def list_name(world):
    names = [p.stem for p in (world.dir / "public" / "crl").glob("*.crl") if "delta" not in p.stem]
    return sorted(n for n in names if n != "goc")[0] if names and names != ["goc"] else "nha-nuoc"


def killed_at_random(url=None):
    kills = 500 if FULL else 40
    world = World(url)
    entries = world.allow(kills, "kill")
    world.node.start_surely()
    stop, by_name = threading.Event(), collections.Counter()
    deadline = time.time() + (900 if FULL else 240)
    running, left = load(world, entries, 4, lambda: world.node.port, deadline, pace=1.0)
    side = side_load(world, stop, lambda: world.node.port)
    for _ in range(kills):
        time.sleep(rng.uniform(0.02, 0.5))
        processes = world.node.processes()
        # each process of the house is as likely as another, the supervisor once in ten
        pid, name = processes[0] if rng.random() < 0.1 or len(processes) == 1 else rng.choice(processes[1:])
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
        by_name[name] += 1
        if name == "supervisor":
            world.node.process.wait()
            world.node.start_surely()
    for thread in running:
        thread.join()
    stop.set()
    side.join()
    problems = [f"never acknowledged: {left}"] if left else []
    print(f"seed {SEED}: {sum(by_name.values())} kills {dict(by_name)}")
    problems += judge(world, f"killed at random{' (PostgreSQL)' if url else ''}")
    world.node.stop()
    world.close()
    return problems


def keys_late():
    """The token of every key is away when the service starts: enrolment and stamps refuse, and answer once it is there."""
    world = World()
    entries = world.allow(1, "late")
    tokens = [p for p in (world.dir / "tokens").iterdir() if p.is_dir()]
    for token in tokens:
        os.rename(token, world.base / token.name)
    world.node.start_surely()
    before, _ = ask(world.node.port, "GET", "/.well-known/est/cacerts")
    for token in tokens:
        os.rename(world.base / token.name, token)
    running, left = load(world, entries, 1, lambda: world.node.port, time.time() + 120)
    for thread in running:
        thread.join()
    problems = ([f"keys late: {before} before they are there"] if before != 503 else []) + ([f"keys late: never acknowledged: {left}"] if left else [])
    problems += judge(world, "keys away at the start")
    world.node.stop()
    world.close()
    return problems


def token_pulled():
    world = World()
    entries = world.allow(20, "token")
    world.node.start_surely()
    tokens, away = world.dir / "tokens", world.dir / "tokens-away"
    running, left = load(world, entries, 2, lambda: world.node.port, time.time() + 120, pace=0.4)
    for _ in range(3):
        time.sleep(0.4)
        os.rename(tokens, away)
        time.sleep(1.0)
        os.rename(away, tokens)
    for thread in running:
        thread.join()
    problems = ([f"token pulled: never acknowledged: {left}"] if left else []) + judge(world, "token pulled three times")
    world.node.stop()
    world.close()
    return problems


def database_gone(server):
    world = World(server.url())
    entries = world.allow(20, "base")
    world.node.start_surely()
    running, left = load(world, entries, 2, lambda: world.node.port, time.time() + 120, pace=0.4)
    for _ in range(3):
        time.sleep(0.5)
        server.kill()
        time.sleep(0.7)
        server.start()
    for thread in running:
        thread.join()
    problems = ([f"database gone: never acknowledged: {left}"] if left else []) + judge(world, "database killed and back three times")
    world.node.stop()
    world.close()
    return problems


def two_nodes(server):
    """Both are asked for the same approvals at once: one certificate each."""
    world = World(server.url())
    entries = world.allow(25, "race")
    shutil.copytree(world.dir, world.base / "ca2", ignore=shutil.ignore_patterns("run", "*.sock"))
    (world.base / "ca2" / "run").mkdir(mode=0o700, exist_ok=True)
    other = Node(world.base / "ca2")
    conf = world.base / "ca2" / "softhsm2.conf"
    if conf.exists():
        conf.write_text(conf.read_text().replace(str(world.dir), str(world.base / "ca2")))
    world.node.start_surely()
    other.start_surely()
    deadline = time.time() + 120
    one, left_one = load(world, entries, 3, lambda: world.node.port, deadline)
    two, left_two = load(world, entries, 3, lambda: other.port, deadline)
    for thread in one + two:
        thread.join()
    problems = [f"two nodes: never acknowledged: {left_one} {left_two}"] if left_one or left_two else []
    problems += judge(world, "two nodes on one database")
    other.stop()
    world.node.stop()
    world.close()
    return problems


def has_authorities():
    """Whether `antin init` makes some here: without them nobody enrols."""
    base = Path(tempfile.mkdtemp(prefix="antin-faults-"))
    office("init", base / "ca", "--quiet")
    made = any((base / "ca" / "public" / "crt").glob("*.crt")) or b"dang-ky" in (base / "ca" / "keys" / "keys.json").read_bytes() if (base / "ca" / "keys" / "keys.json").exists() else False
    shutil.rmtree(base)
    return made


def main():
    begun = time.time()
    if not has_authorities():
        print("0 passed, 0 failed, 1 skipped: init makes no authorities")
        return 77
    problems = killed_at_random() + token_pulled() + keys_late()
    done = 3
    if bin_dir() is not None:
        with Postgres() as server:
            problems += database_gone(server) + two_nodes(server)
            done += 2
            if FULL:
                problems += killed_at_random(server.url())
                done += 1
    else:
        print("without PostgreSQL: not installed")
    print("\n".join(problems))
    print(f"{time.time() - begun:.0f} s; {done - bool(problems)} passed, {int(bool(problems))} failed, 0 skipped")
    return 1 if problems else 0


sys.exit(main())
