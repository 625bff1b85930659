"""Serving, measured: the rows of `bench.py --only serve,lists`. Status answers beside nginx, signatures on demand beside the raw key, connections
that do nothing, a revocation until it is seen, lists by size. Rates are per second of the server's own CPU (user and system, from /proc); the
server has one core, the load generator another."""
import base64, json, multiprocessing, os, re, resource, socket, sqlite3, statistics, subprocess, sys, threading, time, urllib.parse
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "serve"))
from lib import Served, ask, run, wait_for

CORES = sorted(os.sched_getaffinity(0))
SERVER, LOAD = {CORES[0]}, {CORES[-1]}
FULL = bool(os.environ.get("ANTIN_FULL"))


def cpu_seconds(pids):
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def wrk(url, seconds, pids, script=None, connections=32):
    before = cpu_seconds(pids)
    out = run("wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--latency", *(["-s", script] if script else []), url,
              preexec_fn=lambda: os.sched_setaffinity(0, LOAD)).stdout.decode()
    spent = cpu_seconds(pids) - before
    count = int(re.search(r"(\d+) requests in", out).group(1))
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    if bad:
        sys.exit(f"bench: {bad.group(0)} of {count}: {url}")
    return {"per_cpu": count / max(spent, 0.01), "per_second": float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)),
            "p99": milliseconds(re.search(r"^\s+99%\s+(\S+)", out, re.M).group(1))}


def post_script(path, kind, body, target):
    text = "".join(f"\\{b:03d}" for b in body)
    path.write_text(f'wrk.method="POST"\nwrk.path="{target}"\nwrk.headers["Content-Type"]="application/{kind}"\nwrk.body="{text}"\n')
    return path


def question(s, name, *options):
    path = s.base / f"{name}.der"
    run("openssl", "ocsp", "-issuer", s.base / "nha-nuoc.pem", "-cert", s.base / f"{name}.pem", *options, "-reqout", path)
    return path.read_bytes()


def ask_status(s, der):
    return s.ask("POST", "/ocsp", der, {"Content-Type": "application/ocsp-request"})[2]


# ---- answers signed beforehand ----
def nginx(s, content):
    base = s.base / "nginx"
    (base / "html").mkdir(parents=True)
    (base / "html" / "a").write_bytes(content)
    os.chmod(s.base, 0o755)
    (base / "conf").write_text(f"""worker_processes 1; daemon off; error_log {base}/err; pid {base}/pid; events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 100000000; open_file_cache max=1000 inactive=60s; open_file_cache_valid 60s; client_body_temp_path {base}/b; proxy_temp_path {base}/p;
fastcgi_temp_path {base}/f; uwsgi_temp_path {base}/u; scgi_temp_path {base}/s;
server {{ listen 127.0.0.1:18099; root {base}/html; default_type application/ocsp-response; add_header Cache-Control max-age=3600; }} }}""")
    process = subprocess.Popen(["nginx", "-p", str(base), "-c", str(base / "conf")], stderr=subprocess.DEVNULL, preexec_fn=lambda: os.sched_setaffinity(0, SERVER))
    time.sleep(1)
    workers = [int(p) for p in subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()]
    return process, workers


def beforehand(t, s, seconds, rounds):
    der = question(s, "nguoi-mot", "-no_nonce")
    target = "/ocsp/" + urllib.parse.quote(base64.b64encode(der).decode(), safe="")
    post = post_script(s.base / "post.lua", "ocsp-request", der, "/ocsp")
    http = s.child("antin-http")
    process, workers = nginx(s, s.ask("GET", target)[2])
    got = {"GET": [], "POST": [], "nginx": []}
    try:
        for _ in range(rounds):
            got["nginx"].append(wrk("http://127.0.0.1:18099/a", seconds, workers))
            got["GET"].append(wrk(s.url + target, seconds, http))
            got["POST"].append(wrk(s.url + "/ocsp", seconds, http, post))
    finally:
        process.terminate()
        process.wait()
    middle = lambda name, what: statistics.median(r[what] for r in got[name])
    for name in ("GET", "POST"):
        ratio = statistics.median(a["per_cpu"] / b["per_cpu"] for a, b in zip(got[name], got["nginx"]))
        t.add(f"OCSP signed beforehand, {name} / nginx static, a server-CPU-second", ratio, 1.3,
              f"{middle(name, 'per_cpu'):.0f}, nginx {middle('nginx', 'per_cpu'):.0f}; {middle(name, 'per_second'):.0f}/s")
        t.add(f"OCSP signed beforehand, {name}, 32 connections, p99 in ms", middle(name, "p99"), -1, f"nginx {middle('nginx', 'p99'):.2f}")
    peer_beforehand(t, s, der, seconds, middle("nginx", "per_cpu"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_listening(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def peer_beforehand(t, s, der, seconds, nginx_per_cpu):
    """`cfssl ocspserve` with our own answer, asked by POST: of a GET it takes a plus sign for a blank."""
    port, content = free_port(), ask_status(s, der)
    (s.base / "answers").write_text(base64.b64encode(content).decode() + "\n")
    process = subprocess.Popen(["cfssl", "ocspserve", "-loglevel", "5", "-port", str(port), "-responses", s.base / "answers"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               preexec_fn=lambda: os.sched_setaffinity(0, SERVER))
    try:
        post = post_script(s.base / "cfssl.lua", "ocsp-request", der, "/")
        if not wait_for(lambda: is_listening(port)) or ask(port, "POST", "/", der, {"Content-Type": "application/ocsp-request"}) != (200, content):
            sys.exit("bench: cfssl ocspserve does not answer as we do")
        got = wrk(f"http://127.0.0.1:{port}/", seconds, [process.pid], post)
        t.add("cfssl ocspserve, POST / nginx static, a server-CPU-second", got["per_cpu"] / nginx_per_cpu, None, f"{got['per_cpu']:.0f}; {got['per_second']:.0f}/s, p99 {got['p99']:.2f} ms")
    finally:
        process.terminate()
        process.wait()


# ---- connections that cost and ask nothing ----
def crawl(port, count, is_open, is_over):
    """Half of count connections never finish what they began, the others say one octet a second each: one after another at even intervals, on the load
    generator's core. All at once they would be a burst that holds a core for a hundredth of every second, which is just what p99 is about."""
    os.sched_setaffinity(0, LOAD)
    slow = []
    for _ in range(count):
        one = socket.create_connection(("127.0.0.1", port))
        one.send(b"GET /ocsp/")
        slow.append(one)
    is_open.set()
    at = time.monotonic()
    while not is_over.is_set():
        for one in slow[::2]:
            at += 2 / count
            time.sleep(max(0, at - time.monotonic()))
            try:
                one.send(b"x")
            except OSError:
                pass  # its time for saying what it wants is over
            if is_over.is_set():
                break


def connections_of(s): return int(re.search(rb"^antin_http_connections (\d+)", s.ask("GET", "/metrics")[2], re.M).group(1))


def slow_connections(t, s, seconds, rounds, count=1000):
    target = s.url + "/ocsp/" + urllib.parse.quote(base64.b64encode(question(s, "nguoi-mot", "-no_nonce")).decode(), safe="")
    http, quiet, busy = s.child("antin-http"), [], []
    for _ in range(rounds):
        quiet.append(wrk(target, seconds, http))
        is_open, is_over = multiprocessing.Event(), multiprocessing.Event()
        crawler = multiprocessing.Process(target=crawl, args=(s.port, count, is_open, is_over))
        crawler.start()
        is_open.wait()
        if not wait_for(lambda: connections_of(s) > count):
            sys.exit(f"bench: {connections_of(s)} connections, {count} were opened")
        busy.append(wrk(target, seconds, http))
        is_left = connections_of(s) > count  # whoever was closed meanwhile was not slow any more
        is_over.set()
        crawler.join()
        if not is_left or not wait_for(lambda: connections_of(s) < count):
            sys.exit("bench: the slow connections did not stay, or not go")
    middle = lambda of, what: statistics.median(one[what] for one in of)
    ratios = [b["p99"] / a["p99"] for a, b in zip(quiet, busy)]
    t.add(f"{count:,} half-open and slow connections, p99 / p99 in quiet", statistics.median(ratios), -2,
          f"{middle(busy, 'p99'):.2f} ms, quiet {middle(quiet, 'p99'):.2f} ms; {middle(busy, 'per_cpu'):.0f} a CPU-second, quiet {middle(quiet, 'per_cpu'):.0f}")


# ---- answers signed on demand ----
def raw_rate(kind):
    out = run("openssl", "speed", "-seconds", "1", {"P-256": "ecdsap256", "RSA-2048": "rsa2048"}[kind], preexec_fn=lambda: os.sched_setaffinity(0, SERVER))
    return float(out.stdout.decode().splitlines()[-1].split()[-2])


def verify_stamp(s, query):
    reply = s.base / "bench.tsr"
    reply.write_bytes(s.ask("POST", "/tsa", query, {"Content-Type": "application/timestamp-query"})[2])
    run("openssl", "ts", "-verify", "-in", reply, "-queryfile", s.base / "bench.tsq", "-CAfile", s.base / "goc.pem", "-untrusted", s.base / "nha-nuoc.pem")


def on_demand(t, s, seconds, rounds, ocsp_kind, stamp_kind):
    targets = {"P-256": 0.60, "RSA-2048": 0.90}
    (s.base / "d").write_bytes(b"bench")
    run("openssl", "ts", "-query", "-data", s.base / "d", "-sha256", "-cert", "-out", s.base / "bench.tsq")
    query = (s.base / "bench.tsq").read_bytes()
    verify_stamp(s, query)
    pids = s.child("antin-http") + s.child("antin-key")
    for name, target, kind, body, key in (("OCSP on demand with nonce", "/ocsp", "ocsp-request", question(s, "nguoi-mot", "-nonce"), ocsp_kind),
                                          ("time-stamp", "/tsa", "timestamp-query", query, stamp_kind)):
        script, ratios = post_script(s.base / "demand.lua", kind, body, target), []
        for _ in range(rounds):
            before = raw_rate(key)
            got = wrk(s.url + target, seconds, pids, script)
            ratios.append(got["per_cpu"] / ((before + raw_rate(key)) / 2))
        t.add(f"{name}, {key} / raw key, a core", statistics.median(ratios), targets[key], f"{got['per_cpu']:.0f} a CPU-second, {got['per_second']:.0f}/s, p99 {got['p99']:.1f} ms")


def peer_ocsp(t, s, seconds):
    """`openssl ocsp` as a server, for the size of things: one connection at a time, no keep-alive."""
    run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", s.base / "peer.key")
    run("openssl", "req", "-x509", "-new", "-key", s.base / "peer.key", "-subj", "/CN=peer", "-out", s.base / "peer.pem", "-days", "2")
    (s.base / "peer.index").write_text(f"V\t351231235959Z\t\t01\tunknown\t/CN=mau\n")
    (s.base / "peer.index.attr").write_text("unique_subject = no\n")
    run("openssl", "ocsp", "-issuer", s.base / "peer.pem", "-serial", "1", "-nonce", "-reqout", s.base / "peer.der")
    body = (s.base / "peer.der").read_bytes()
    request = b"POST / HTTP/1.0\r\nContent-Type: application/ocsp-request\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    port = free_port()
    process = subprocess.Popen(["openssl", "ocsp", "-index", s.base / "peer.index", "-port", str(port), "-rsigner", s.base / "peer.pem", "-rkey", s.base / "peer.key", "-CA", s.base / "peer.pem"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=lambda: os.sched_setaffinity(0, SERVER))
    try:
        time.sleep(1)
        count, before, end = 0, cpu_seconds([process.pid]), time.monotonic() + seconds
        while time.monotonic() < end:
            with socket.create_connection(("127.0.0.1", port)) as one, one.makefile("rb") as answer:
                one.sendall(request)
                count += answer.read().startswith(b"HTTP/1.0 200")
        rate = count / max(cpu_seconds([process.pid]) - before, 0.01)
        t.add("openssl ocsp on demand, P-256 / raw key, a core", rate / raw_rate("P-256"), None, f"{rate:.0f} a CPU-second, {count / seconds:.0f}/s")
    finally:
        process.terminate()
        process.wait()


def peer_stamp(t, s, seconds):
    """`openssl ts -reply`, which is a process for each token: what a script around it would do."""
    d = s.base / "peer-tsa"
    d.mkdir()
    (d / "cnf").write_text(f"""[req]
distinguished_name=dn
[dn]
[tsa]
extendedKeyUsage=critical,timeStamping
[stamp]
serial={d}/serial
default_policy=1.2.3.4.1
digests=sha256
signer_digest=sha256
accuracy=secs:1
ess_cert_id_alg=sha256
""")
    run("openssl", "req", "-x509", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", d / "key", "-subj", "/CN=peer", "-out", d / "crt", "-days", "2",
        "-config", d / "cnf", "-extensions", "tsa")
    count, before, end = 0, resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() + seconds
    while time.monotonic() < end:
        run("openssl", "ts", "-reply", "-config", d / "cnf", "-section", "stamp", "-queryfile", s.base / "bench.tsq", "-signer", d / "crt", "-inkey", d / "key", "-out", d / "tsr",
            preexec_fn=lambda: os.sched_setaffinity(0, SERVER))
        count += 1
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    run("openssl", "ts", "-verify", "-in", d / "tsr", "-queryfile", s.base / "bench.tsq", "-CAfile", d / "crt")
    rate = count / (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    t.add("openssl ts -reply, a process each, P-256 / raw key, a core", rate / raw_rate("P-256"), None, f"{rate:.0f} a CPU-second, {count / seconds:.0f}/s")


# ---- how much it holds when nobody asks ----
def idle_memory(t, s):
    parents = [s.process.pid] + [pid for name in ("antin-http", "antin-key", "antin-fetch") for pid in s.child(name)]
    held = sum(int(re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M).group(1)) for pid in parents)
    t.add("antin serve, idle, all processes, in MiB", held / 1024, -32, f"{len(parents)} processes")


# ---- lists ----
def fill(s, count, authority, partitions=0):
    """Revocations straight into the store, as years would have put them there."""
    def rows():
        for i in range(count):
            serial = b"\x5a" + os.urandom(19)
            entry = b"\x30\x33\x02\x14" + serial + b"\x17\x0d260101000000Z\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01\x05"
            yield (authority, i % partitions + 1 if partitions else 0, serial, 0, 1, 1767225600, entry)
    with sqlite3.connect(s.dir / "store.db") as store:
        store.executemany("INSERT INTO revocation (authority,partition,serial,kind,is_current,at_utc,entry) VALUES (?,?,?,?,?,?,?)", rows())


def make_list(s, peak, name, *options):
    """(seconds, MiB at most, what was made); the start of the program and of its key process included."""
    start = time.perf_counter()
    done = subprocess.Popen([str(c) for c in (peak, "sh", "-c", 'exec "$@" >"$0"', s.base / "made", s.build / "antin-office", "ca", "crl", "--dir", s.dir, "--json", name, *options)],
                            stdout=subprocess.PIPE)
    kb = int(done.stdout.read())
    if done.wait() != 0:
        sys.exit(f"bench: ca crl {name}")
    return time.perf_counter() - start, kb / 1024, json.loads((s.base / "made").read_text())[0]


def peer_list(s, count):
    """openssl ca -gencrl over an index of that length: entries a second."""
    d = s.base / "peer-ca"
    d.mkdir()
    run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", d / "key")
    run("openssl", "req", "-x509", "-new", "-key", d / "key", "-subj", "/CN=peer", "-out", d / "crt", "-days", "2")
    with open(d / "index.txt", "w") as index:
        for _ in range(count):
            index.write(f"R\t351231235959Z\t260101000000Z,cessationOfOperation\t5A{os.urandom(19).hex().upper()}\tunknown\t/CN=mau\n")
    (d / "number").write_text("01\n")
    (d / "cnf").write_text(f"[ca]\ndefault_ca=x\n[x]\ndatabase={d}/index.txt\ncrlnumber={d}/number\ndefault_md=sha256\ndefault_crl_days=7\nunique_subject=no\n")
    start = time.perf_counter()
    run("openssl", "ca", "-gencrl", "-config", d / "cnf", "-keyfile", d / "key", "-cert", d / "crt", "-out", d / "crl")
    return count / (time.perf_counter() - start)


def lists(t, b, s):
    seconds_max = {1000000: 0.5, 10000000: 5}
    start = statistics.median(make_list(s, b / "peak", "goc")[0] for _ in range(3))
    t.add("CRL without entries, start of both programs included, seconds", start, None)
    for count in (1000000, 10000000) if FULL else (1000000,):
        fill(s, count if count == 1000000 else count - 1000000, 2)
        gathering, mib, _ = make_list(s, b / "peak", "nha-nuoc")
        t.add(f"CRL of {count:,} rows that were never gathered, synced and re-verified, seconds", gathering - start, None, f"{mib:.0f} MiB")
        again = [make_list(s, b / "peak", "nha-nuoc") for _ in range(3)]
        seconds = statistics.median(r[0] for r in again) - start
        t.add(f"CRL of {count:,} rows, synced and re-verified, seconds", seconds, -seconds_max[count], f"{again[0][2]['bytes'] / 1e6:.0f} MB")
        t.add(f"CRL of {count:,} rows, peak memory in MiB", max(mib, *(r[1] for r in again)), -64, "the first gathering included")
    ours, few = count / seconds, 1000000 if FULL else 100000
    t.add(f"CRL, entries a second / openssl ca -gencrl at {few:,} entries", ours / peer_list(s, few), 20)
    sizes = []
    for more in (100, 900):
        fill(s, more, 2)
        seconds, _, made = make_list(s, b / "peak", "nha-nuoc", "--delta")
        sizes.append((made["bytes"], seconds - start))
    t.add("delta list, 1,000 changes / 100 changes, bytes", sizes[1][0] / sizes[0][0], -10.5, f"{sizes[1][0] / 1000:.1f} kB, {sizes[0][0] / 1000:.1f} kB; {1000 * max(sizes[1][1], 0):.0f} ms")


def partitions(t, b, s, count=1000000, parts=8):
    with sqlite3.connect(s.dir / "store.db") as store:
        store.execute("UPDATE authority SET crl_partitions=? WHERE id=1", (parts,))
    fill(s, count, 1, parts)
    make_list(s, b / "peak", "goc")
    largest = max(p.stat().st_size for p in (s.dir / "public" / "crl").glob("goc-[0-9]*.crl"))
    t.add(f"largest of {parts} lists by distribution point, {count:,} rows, in MB", largest / 1e6, -10)


# ---- a revocation until it is seen ----
def revoke(t, s, rounds=50):
    """From the commit to the first answer that says so: both clocks are the machine's."""
    der, times = question(s, "nguoi-ba", "-no_nonce"), []
    before = ask_status(s, der)
    for kind in (1, 2) * (rounds // 2):
        state = {}

        def watch():
            while (now := ask_status(s, der)) == before:
                pass
            state.update(at=time.monotonic(), answer=now)

        watcher = threading.Thread(target=watch)
        watcher.start()
        committed = s.change("nguoi-ba", kind, 0)
        watcher.join()
        times.append(max(0.0, state["at"] - committed) * 1000)
        before = state["answer"]
    times.sort()
    t.add("revoked → OCSP says so, 1,000,000 revoked before, p99 in ms", times[max(0, len(times) * 99 // 100 - 1)], -10, f"median {statistics.median(times):.1f} ms, worst {times[-1]:.1f} ms")


def rows(t, build, rounds, seconds=2, wanted=("serve", "lists")):
    maker = build / "tests" / "serve" / "test_serve_make"
    s = Served(build, maker, token="file")
    try:
        if "serve" in wanted:
            s.start(cores=SERVER)
            time.sleep(2)
            idle_memory(t, s)
            beforehand(t, s, seconds, rounds)
            slow_connections(t, s, seconds, rounds)
            on_demand(t, s, seconds, rounds, "P-256", "RSA-2048")
            peer_ocsp(t, s, seconds)
            peer_stamp(t, s, seconds)
            s.stop()
        if "lists" in wanted:
            lists(t, build / "bench", s)
            partitions(t, build / "bench", s)
            s.start()
            revoke(t, s)
    finally:
        s.remove()
    if "serve" not in wanted:
        return
    s = Served(build, maker, token="file", swapped=True)  # the same with the other key each
    try:
        s.start(cores=SERVER)
        on_demand(t, s, seconds, rounds, "RSA-2048", "P-256")
    finally:
        s.remove()
