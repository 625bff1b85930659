#!/usr/bin/env python3
"""Serving: status answers beside nginx, signatures on demand beside the raw key, lists by size, a revocation until it is seen.

usage: bench/serve.py [--build build] [--seconds 3] [--lists 1000000,10000000] [--only ocsp,demand,lists,revoke]
With ANTIN_FULL=1 a revocation is also followed with a million revoked before it.
Rates are per second of the server's own CPU (user and system, from /proc), so that the load generator beside it does not matter.
Results go to bench/results/serve.json."""
import argparse, json, os, re, subprocess, sys, time, urllib.parse, base64, sqlite3, struct, hashlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "serve"))
from lib import Served, run


def cpu_seconds(pids):
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def wrk(url, seconds, pids, script=None, connections=32):
    before = cpu_seconds(pids)
    out = run("wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--latency", *(["-s", script] if script else []), url).stdout.decode()
    spent = cpu_seconds(pids) - before
    count = int(re.search(r"(\d+) requests in", out).group(1))
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    return {"per_cpu_second": round(count / spent), "per_second": round(float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))),
            "p99": re.search(r"99%\s+(\S+)", out).group(1), "bad": int(bad.group(1)) if bad else 0}


def post_script(path, kind, body, target):
    text = "".join(f"\\{b:03d}" for b in body)
    path.write_text(f'wrk.method="POST"\nwrk.path="{target}"\nwrk.headers["Content-Type"]="application/{kind}"\nwrk.body="{text}"\n')
    return path


def nginx(s, content):
    base = s.base / "nginx"
    (base / "html").mkdir(parents=True)
    (base / "html" / "a").write_bytes(content)
    os.chmod(s.base, 0o755)
    (base / "conf").write_text(f"""worker_processes 2; daemon off; error_log {base}/err; pid {base}/pid; events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 100000000; open_file_cache max=1000 inactive=60s; open_file_cache_valid 60s; client_body_temp_path {base}/b; proxy_temp_path {base}/p;
fastcgi_temp_path {base}/f; uwsgi_temp_path {base}/u; scgi_temp_path {base}/s;
server {{ listen 127.0.0.1:18099; root {base}/html; default_type application/ocsp-response; add_header Cache-Control max-age=3600; }} }}""")
    process = subprocess.Popen(["nginx", "-p", str(base), "-c", str(base / "conf")], stderr=subprocess.DEVNULL)
    time.sleep(1)
    workers = [int(p) for p in subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()]
    return process, workers


def ocsp(s, seconds, results):
    request = s.base / "bench.der"
    run("openssl", "ocsp", "-issuer", s.base / "nha-nuoc.pem", "-cert", s.base / "nguoi-mot.pem", "-no_nonce", "-reqout", request)
    der = request.read_bytes()
    target = "/ocsp/" + urllib.parse.quote(base64.b64encode(der).decode(), safe="")
    content = s.ask("GET", target)[2]
    process, workers = nginx(s, content)
    post = post_script(s.base / "post.lua", "ocsp-request", der, "/ocsp")
    try:
        for turn in range(2):
            for name, url, pids, script in (("nginx static", "http://127.0.0.1:18099/a", workers, None), ("ocsp GET", s.url + target, s.child("antin-http"), None),
                                            ("ocsp POST", s.url + "/ocsp", s.child("antin-http"), post)):
                results.setdefault(name, []).append(wrk(url, seconds, pids, script))
                print(name, results[name][-1], flush=True)
    finally:
        process.terminate()
        process.wait()
    best = lambda name: max(r["per_cpu_second"] for r in results[name])
    for name in ("ocsp GET", "ocsp POST"):
        results[f"{name} / nginx"] = round(best(name) / best("nginx static"), 2)
        print(f"{name} / nginx per server CPU second: {results[f'{name} / nginx']}")


RAW = {"P-256": ("ecdsap256",), "RSA-2048": ("rsa2048",)}


def speed(*what):
    """Signatures a second and core, before or after: the raw key."""
    out = run("openssl", "speed", "-seconds", "1", *what).stdout.decode().splitlines()[-1].split()
    return float(out[-2] if what[0].startswith("rsa") else out[-2])


def demand(s, seconds, results, kinds=("P-256", "RSA-2048")):
    nonce = s.base / "nonce.der"
    run("openssl", "ocsp", "-issuer", s.base / "nha-nuoc.pem", "-cert", s.base / "nguoi-mot.pem", "-nonce", "-reqout", nonce)
    (s.base / "d").write_bytes(b"bench")
    run("openssl", "ts", "-query", "-data", s.base / "d", "-sha256", "-cert", "-out", s.base / "bench.tsq")
    for name, target, kind, body, raw in ((f"ocsp on demand, {kinds[0]}", "/ocsp", "ocsp-request", nonce.read_bytes(), RAW[kinds[0]]),
                                          (f"time-stamp, {kinds[1]}", "/tsa", "timestamp-query", (s.base / "bench.tsq").read_bytes(), RAW[kinds[1]])):
        before = speed(*raw)
        pids = s.child("antin-http") + s.child("antin-key")
        got = wrk(s.url + target, seconds, pids, post_script(s.base / "demand.lua", kind, body, target))
        after = speed(*raw)
        results[name] = {**got, "raw_per_core": round((before + after) / 2), "ratio": round(got["per_cpu_second"] / ((before + after) / 2), 2)}
        print(name, results[name], flush=True)


def fill(s, first, last, authority):
    """Revocations straight into the store, as years would have put them there."""
    with sqlite3.connect(s.dir / "store.db") as store:
        def rows():
            for i in range(first, last):
                serial = b"\x5a" + hashlib.sha1(struct.pack("<QQ", i, authority)).digest()[:19]
                entry = b"\x30\x33\x02\x14" + serial + b"\x17\x0d260101000000Z\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01\x05"
                yield (authority, 0, serial, 0, 1, 1767225600, entry)
        store.executemany("INSERT INTO revocation (authority,partition,serial,kind,is_current,at_utc,entry) VALUES (?,?,?,?,?,?,?)", rows())


def lists(s, sizes, results):
    done = 0
    start = time.perf_counter()
    run(s.build / "antin-office", "ca", "crl", "--dir", s.dir, "nha-nuoc")
    empty = time.perf_counter() - start # starting the program and its key process, which opens every key file
    for size in sizes:
        fill(s, done, size, 1)
        done = size
        for turn in ("gathering blocks too", "again"):
            start = time.perf_counter()
            subprocess_ = subprocess.Popen([str(s.build / "antin-office"), "ca", "crl", "--dir", str(s.dir), "--json", "goc"], stdout=subprocess.PIPE)
            out = subprocess_.stdout.read()
            _, _, usage = os.wait4(subprocess_.pid, 0)
            made = json.loads(out)[0]
            results[f"list of {size:,}, {turn}"] = {"seconds": round(time.perf_counter() - start - empty, 2), "start_seconds": round(empty, 2), "MB": made["bytes"] // 1000000, "peak_MiB": usage.ru_maxrss // 1024}
            print(f"list of {size:,} ({turn})", results[f"list of {size:,}, {turn}"], flush=True)


def revoke(s, results, revoked_before=""):
    """From the announcement after the commit to the first answer that says revoked."""
    times = []
    for name, kind in (("nguoi-ba", 1), ("nguoi-ba", 2)) * 10:
        run("openssl", "ocsp", "-issuer", s.base / "nha-nuoc.pem", "-cert", s.base / "nguoi-ba.pem", "-no_nonce", "-reqout", s.base / "rv.der")
        der = (s.base / "rv.der").read_bytes()
        before = s.ask("POST", "/ocsp", der, {"Content-Type": "application/ocsp-request"})[2]
        s.change(name, kind, 0)
        start = time.perf_counter()
        while s.ask("POST", "/ocsp", der, {"Content-Type": "application/ocsp-request"})[2] == before:
            pass
        times.append((time.perf_counter() - start) * 1000)
    times.sort()
    name = f"revoke to answer{revoked_before}, ms"
    results[name] = {"median": round(times[len(times) // 2], 2), "worst": round(times[-1], 2)}
    print(name, results[name], flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--lists", default="1000000")
    parser.add_argument("--only", default="ocsp,demand,revoke,lists")
    args = parser.parse_args()
    build, results = Path(args.build).resolve(), {}
    s = Served(build, build / "tests/serve/test_serve_make", token="file")
    try:
        s.start()
        if "ocsp" in args.only:
            ocsp(s, args.seconds, results)
        if "demand" in args.only:
            demand(s, args.seconds, results)
        if "revoke" in args.only:
            revoke(s, results)
            if os.environ.get("ANTIN_FULL"):
                s.stop()
                fill(s, 0, 1000000, 2)
                s.start()
                revoke(s, results, ", a million revoked before")
        s.stop()
        if "lists" in args.only:
            lists(s, [int(n) for n in args.lists.split(",")], results)
    finally:
        s.remove()
    if "demand" in args.only: # the same with the other key each
        s = Served(build, build / "tests/serve/test_serve_make", token="file", swapped=True)
        try:
            s.start()
            demand(s, args.seconds, results, ("RSA-2048", "P-256"))
        finally:
            s.remove()
    (ROOT / "bench" / "results").mkdir(exist_ok=True)
    (ROOT / "bench" / "results" / "serve.json").write_text(json.dumps(results, indent=1) + "\n")


main()
