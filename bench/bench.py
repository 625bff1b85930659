#!/usr/bin/env python3
"""Ratios, same run: our work beside libcrypto's floor, the token's raw rate, and openssl as a whole process.

Every pair is run in turn, A B A B …; the median of the pairwise ratios is printed. Absolute times depend on the machine and
are shown only to make the ratios understandable. Results go to bench/results/latest.json.
"""
import argparse, contextlib, json, os, resource, shutil, statistics, subprocess, sys, tempfile, time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def sh(*command, **kwargs):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, **kwargs)
    if done.returncode:
        sys.exit(f"bench: {' '.join(map(str, command))}: {done.stderr[-800:] or done.stdout[-800:]}")
    return done.stdout


def material(d):
    """Root, issuing CA, leaf for RSA-2048 and P-256, CRLs: made by openssl, so that nothing of ours made them."""
    (d / "ca.cnf").write_text("""[req]
distinguished_name=dn
[dn]
[root]
basicConstraints=critical,CA:true
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
[sub]
basicConstraints=critical,CA:true,pathlen:0
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
[leaf]
keyUsage=critical,digitalSignature,nonRepudiation
extendedKeyUsage=clientAuth,emailProtection
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
[ca]
default_ca=def
[def]
database=index.txt
crlnumber=crlnumber
default_md=sha256
default_crl_days=30
""")
    sh("openssl", "req", "-x509", "-newkey", "rsa:3072", "-nodes", "-keyout", d / "root.key", "-out", d / "root.crt", "-days", "3650",
       "-subj", "/C=VN/O=Mau/CN=Root mau", "-config", d / "ca.cnf", "-extensions", "root")
    for name, key, issuer, ext, subject in (
            ("sub", "rsa:3072", "root", "sub", "/C=VN/O=Mau/CN=CA mau"),
            ("rsa", "rsa:2048", "sub", "leaf", "/C=VN/L=Mau/O=UBND tinh Mau/OU=Xa Mau/CN=Nguyen Van Mau/emailAddress=nvmau@mau.gov.vn"),
            ("ec", "ec", "sub", "leaf", "/C=VN/L=Mau/O=UBND tinh Mau/OU=Xa Mau/CN=Tran Thi Mau/emailAddress=ttmau@mau.gov.vn")):
        newkey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if key == "ec" else ["-newkey", key]
        sh("openssl", "req", "-new", *newkey, "-nodes", "-keyout", d / f"{name}.key", "-out", d / f"{name}.csr", "-subj", subject, "-config", d / "ca.cnf")
        sh("openssl", "x509", "-req", "-in", d / f"{name}.csr", "-CA", d / f"{issuer}.crt", "-CAkey", d / f"{issuer}.key", "-CAcreateserial",
           "-days", "1000", "-extfile", d / "ca.cnf", "-extensions", ext, "-out", d / f"{name}.crt")
        os.chmod(d / f"{name}.key", 0o600)
    (d / "index.txt").write_text("")
    crls = ""
    for name in ("root", "sub"):
        (d / "crlnumber").write_text("01\n")
        sh("openssl", "ca", "-gencrl", "-config", "ca.cnf", "-keyfile", f"{name}.key", "-cert", f"{name}.crt", "-out", f"{name}.crl", cwd=d)
        crls += (d / f"{name}.crl").read_text()
    (d / "all.crl").write_text(crls)
    (d / "chain.pem").write_text((d / "sub.crt").read_text())


def make_pdf(path, size, pages=1):
    """A plain PDF of about this size; the filler is a stream that no page shows."""
    with open(path, "wb") as out:
        offsets = []

        def obj(number, body):
            offsets.append((number, out.tell()))
            out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))

        out.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        obj(1, b"<</Type/Catalog/Pages 2 0 R>>")
        kids = b" ".join(b"%d 0 R" % (10 + i) for i in range(pages))
        obj(2, b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, pages))
        obj(3, b"<</Length 38>>\nstream\nBT /F1 12 Tf 72 700 Td (Mau) Tj ET    \nendstream")
        obj(4, b"<</Type/Font/Subtype/Type1/BaseFont/Times-Roman>>")
        for i in range(pages):
            obj(10 + i, b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 3 0 R/Resources<</Font<</F1 4 0 R>>>>>>")
        filler = max(0, size - out.tell() - 400 - 20 * pages)
        offsets.append((5, out.tell()))
        out.write(b"5 0 obj\n<</Length %d>>\nstream\n" % filler)
        block = os.urandom(1 << 16)
        while filler > 0:
            out.write(block[:filler])
            filler -= len(block)
        out.write(b"\nendstream\nendobj\n")
        start = out.tell()
        count = 10 + pages
        table = [b"0000000000 65535 f \n"] * count
        for number, offset in offsets:
            table[number] = b"%010d 00000 n \n" % offset
        out.write(b"xref\n0 %d\n" % count + b"".join(table))
        out.write(b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (count, start))


def in_process(*command):
    return json.loads(sh(*command).splitlines()[-1])


def pair(a, b, rounds):
    """(median ratio a/b, median a, median b) of two functions that answer a rate, run in turn."""
    xs, ys = [], []
    for _ in range(rounds):
        xs.append(a())
        ys.append(b())
    return statistics.median(x / y for x, y in zip(xs, ys)), statistics.median(xs), statistics.median(ys)


def process_rate(command, repeat=1, **kwargs):
    start = time.perf_counter()
    for _ in range(repeat):
        sh(*command, **kwargs)
    return repeat / (time.perf_counter() - start)


def peak_kb(b, command):
    done = subprocess.run([str(c) for c in (b / "peak", *command)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return int(done.stdout), done.returncode


class Table:
    def __init__(self):
        self.rows = []

    def add(self, work, value, target, note=""):
        ok = None if target is None else (value <= -target if target < 0 else value >= target)
        self.rows.append({"work": work, "value": round(value, 3), "target": target, "met": ok, "note": note})
        goal = "" if target is None else (f"≤ {-target:g}" if target < 0 else f"≥ {target:g}")
        print(f"{work:66} {value:9.2f}  {goal:9} {'' if ok is None else 'met' if ok else 'NOT MET':8} {note}", flush=True)


def small_files(t, b, d, rounds):
    for name in ("rsa", "ec"):
        for threads in (1, 2):
            count = 400 if name == "rsa" else 1500
            sign = lambda look="-", image="-": in_process(b / "work", "sign", d / "small.pdf", d, name, threads, count, d, look, image)["per_second"]
            floor = lambda: in_process(b / "floor", "sign", d / "small.pdf", d, name, threads, count)["per_second"]
            ratio, ours, theirs = pair(sign, floor, rounds)
            t.add(f"sign 100 kB, B-B, invisible, {name}, {threads} thread(s) / floor", ratio, 0.80, f"{ours:.0f}/s, floor {theirs:.0f}/s")
            ratio, ours, theirs = pair(lambda: sign("dang-ca-nhan", d / "image.png"), floor, rounds)
            t.add(f"sign 100 kB, image + Vietnamese text, {name}, {threads} thread(s) / floor", ratio, 0.40, f"{ours:.0f}/s")
            verify = lambda: in_process(b / "work", "verify", d / f"signed-{name}.pdf", d, name, threads, count * 4, d, "-", "-")["per_second"]
            floor = lambda: in_process(b / "floor", "verify", d / "small.pdf", d, name, threads, count * 4)["per_second"]
            ratio, ours, theirs = pair(verify, floor, rounds)
            t.add(f"verify 100 kB, path, CRL, changes, {name}, {threads} thread(s) / floor", ratio, 0.60, f"{ours:.0f}/s, floor {theirs:.0f}/s")


def many_files(t, b, d, rounds, antin_verify):
    """Two threads beside one; a folder of 10,000 signed files in one process, beside the same verifies without files."""
    for name in ("rsa", "ec"):
        verify = lambda threads: in_process(b / "work", "verify", d / f"signed-{name}.pdf", d, name, threads, 1600 * threads, d, "-", "-")["per_second"]
        floor = lambda threads: in_process(b / "floor", "verify", d / "small.pdf", d, name, threads, 1600 * threads)["per_second"]
        raw, *_ = pair(lambda: floor(2), lambda: floor(1), rounds)
        ratio, two, one = pair(lambda: verify(2), lambda: verify(1), rounds)
        t.add(f"verify 100 kB, {name}, two threads / one", ratio, 1.8, f"{two:.0f}/s, {one:.0f}/s; libcrypto alone {raw:.2f}")
    folder, count = d / "ten-thousand", 10000
    folder.mkdir()
    for n in range(count):
        os.link(d / "signed-rsa.pdf", folder / f"{n:05}.pdf")
    whole = lambda: count * process_rate(antin_verify(folder))
    single = lambda: in_process(b / "work", "verify", d / "signed-rsa.pdf", d, "rsa", 1, 4000, d, "-", "-")["per_second"]
    ratio, x, y = pair(whole, single, 1)
    t.add("verify a folder of 10,000 files / the same file again and again", ratio, 0.5, f"{x:.0f}/s, {y:.0f}/s")
    shutil.rmtree(folder)


def level_files(t, b, d, rounds, antin_sign):
    """Long-term signatures beside SHA-256 and the operations with public keys that they take: signature, two certificates,
    two lists, time-stamp and its certificate; one time-stamp more for B-LTA."""
    sys.path.insert(0, str(ROOT / "tests" / "e2e"))
    import tsa, types
    (d / "tsa.cnf").write_text("keyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
    sh("openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", d / "tsa.key", "-out", d / "tsa.csr", "-subj", "/C=VN/O=Mau/CN=TSA mau", "-config", d / "ca.cnf")
    sh("openssl", "x509", "-req", "-in", d / "tsa.csr", "-CA", d / "sub.crt", "-CAkey", d / "sub.key", "-CAcreateserial", "-days", "1000", "-extfile", d / "tsa.cnf", "-out", d / "tsa.crt")
    server = tsa.Server(d / "tsa", types.SimpleNamespace(cert=d / "tsa.crt", key=d / "tsa.key"), d / "sub.crt")
    for level, operations in (("B-LT", 7), ("B-LTA", 8)):
        sh(*antin_sign("rsa", d / "small.pdf", "-o", d / f"{level}.pdf", "--level", level, "--tsa", server.url, "--offline"))
        ours = lambda: in_process(b / "work", "verify", d / f"{level}.pdf", d, "rsa", 1, 800, d, "-", "-")["per_second"]
        floor = lambda: in_process(b / "floor", f"public-{operations}", d / f"{level}.pdf", d, "rsa", 1, 800)["per_second"]
        ratio, x, y = pair(ours, floor, rounds)
        t.add(f"verify 100 kB, {level}, rsa / SHA-256 and {operations} RSA-2048 operations", ratio, 0.5, f"{x:.0f}/s, floor {y:.0f}/s")


def suite_rate(t, b, d, rounds):
    """NIST PKITS, parsed and validated anew each time, beside libcrypto in the same process shape."""
    vectors = Path(os.environ.get("ANTIN_VECTORS", ROOT.parent / "shared" / "vectors"))
    if not (vectors / "pkits.jsonl").exists():
        print("PKITS: no vectors here (ANTIN_VECTORS)")
        return
    lines = []
    for case in map(json.loads, (vectors / "pkits.jsonl").read_text().splitlines()):
        parts = [("l", case["file"])] + [("a", p) for p in case["anchor"]] + [("u", p) for p in case["extra"]["intermediates"]] + [("c", p) for p in case["extra"]["crls"]]
        lines.append("\t".join(f"{kind}:{vectors / path}" for kind, path in parts))
    (d / "pkits.list").write_text("\n".join(lines) + "\n")
    rate = lambda who: in_process(b / "bench-paths", who, d / "pkits.list", 1, 20)["per_second"]
    ratio, x, y = pair(lambda: rate("ours"), lambda: rate("openssl"), rounds)
    t.add(f"whole PKITS, {len(lines)} paths / libcrypto", ratio, None, f"{x:.1f}/s, libcrypto {y:.1f}/s")


def huge_file(t, b, d, rounds, antin_sign, antin_verify):
    """2 GB: what counts is hashing."""
    make_pdf(d / "huge.pdf", 2 << 30)
    shutil.copy(d / "huge.pdf", d / "plain.pdf")
    sh(*antin_sign("rsa", d / "huge.pdf", "--in-place"))
    ratio, *_ = pair(lambda: process_rate(antin_verify(d / "huge.pdf")), lambda: process_rate([b / "floor", "hash", d / "plain.pdf", d, "rsa", 1, 0]), rounds)
    t.add("verify 2 GB / hash process", ratio, 0.8)
    os.unlink(d / "huge.pdf")
    os.unlink(d / "plain.pdf")


def big_files(t, b, d, rounds, antin_sign, antin_verify):
    for mb, count in ((20, 4), (200, 1)):
        pdf = d / f"big-{mb}.pdf"
        make_pdf(pdf, mb << 20)
        shutil.copy(pdf, d / "append.pdf")
        size = pdf.stat().st_size

        def in_place():
            os.truncate(d / "append.pdf", size)
            return process_rate(antin_sign("rsa", d / "append.pdf", "--in-place"))

        floor = lambda: process_rate([b / "floor", "sign", pdf, d, "rsa", 1, 0])  # its warm-up is one whole signature
        ratio, *_ = pair(in_place, floor, rounds)
        t.add(f"sign {mb} MB, appended in place / floor process", ratio, 0.75)
        ratio, *_ = pair(lambda: process_rate(antin_sign("rsa", pdf, "-o", d / "new.pdf")), floor, rounds)
        t.add(f"sign {mb} MB, to a new file / floor process", ratio, 0.6)
        ratio, *_ = pair(lambda: process_rate(antin_verify(d / "new.pdf")), lambda: process_rate([b / "floor", "hash", pdf, d, "rsa", 1, 0]), rounds)
        t.add(f"verify {mb} MB / hash process", ratio, 0.8)
        os.unlink(d / "append.pdf")
        os.unlink(d / "new.pdf")


def memory(t, b, d, antin_sign, antin_verify, sizes):
    for mb in sizes:
        pdf = d / "memory.pdf"
        make_pdf(pdf, mb << 20)
        kb, status = peak_kb(b, antin_sign("rsa", pdf, "--in-place"))
        t.add(f"peak memory, sign {mb} MB, in MB", kb / 1024, -16, "" if status == 0 else f"exit {status}")
        kb, status = peak_kb(b, antin_verify(pdf))
        t.add(f"peak memory, verify {mb} MB, in MB", kb / 1024, -16, "" if status == 0 else f"exit {status}")
        os.unlink(pdf)


def whole_process(t, d, rounds, antin_sign, antin_verify):
    for name in ("rsa", "ec"):
        ours = lambda: process_rate(antin_sign(name, d / "small.pdf", "-o", d / "p.pdf"), 20)
        theirs = lambda: process_rate(["openssl", "cms", "-sign", "-binary", "-cades", "-md", "sha256", "-in", d / "small.pdf", "-signer", d / f"{name}.crt",
                                       "-inkey", d / f"{name}.key", "-certfile", d / "chain.pem", "-outform", "DER", "-out", d / "p.p7s"], 20)
        ratio, x, y = pair(ours, theirs, rounds)
        t.add(f"whole process, sign 100 kB, {name} / openssl cms", ratio, 1.0, f"{1000 / x:.1f} ms, openssl {1000 / y:.1f} ms")
        ours = lambda: process_rate(antin_verify(d / f"signed-{name}.pdf"), 20)
        theirs = lambda: process_rate(["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", d / "p.p7s", "-content", d / "small.pdf", "-CAfile",
                                       d / "both.pem", "-crl_check_all", "-purpose", "any", "-out", "/dev/null"], 20)
        ratio, x, y = pair(ours, theirs, rounds)
        t.add(f"whole process, verify 100 kB, {name} / openssl cms", ratio, 1.0, f"{1000 / x:.1f} ms, openssl {1000 / y:.1f} ms")


def shapes(t, b, d, rounds, antin_sign):
    added = (d / "signed-rsa.pdf").stat().st_size - (d / "small.pdf").stat().st_size
    t.add("bytes added by one B-B signature, chain of three, in kB", added / 1000, -6.5)
    make_pdf(d / "one.pdf", 2_000_000, 1)
    make_pdf(d / "many.pdf", 2_000_000, 10000)
    place = ["--look", "dang-ca-nhan", "--image", d / "image.png", "--page", "-1", "--rect", "300,100,160,80"]
    one = lambda: process_rate(antin_sign("ec", d / "one.pdf", "-o", d / "p.pdf", *place), 10)
    many = lambda: process_rate(antin_sign("ec", d / "many.pdf", "-o", d / "p.pdf", *place), 10)
    ratio, *_ = pair(one, many, rounds)
    t.add("field on the last of 10,000 pages, time / on 1 page", ratio, -2)
    shutil.copy(d / "small.pdf", d / "fifty.pdf")
    for _ in range(50):
        sh(*antin_sign("ec", d / "fifty.pdf", "--in-place"))
    fifty = lambda: in_process(b / "work", "verify", d / "fifty.pdf", d, "ec", 1, 20, d, "-", "-")["per_second"]
    single = lambda: in_process(b / "work", "verify", d / "signed-big.pdf", d, "ec", 1, 400, d, "-", "-")["per_second"]
    make_pdf(d / "p.pdf", (d / "fifty.pdf").stat().st_size)
    sh(*antin_sign("ec", d / "p.pdf", "-o", d / "signed-big.pdf"))
    ratio, x, y = pair(lambda: single() / 50, fifty, rounds)
    t.add("50 signatures in one file, time / 50 single verifies", ratio, -2, f"{1000 / y:.1f} ms")


def token(t, b, d, rounds, antin):
    module = next((m for m in ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so") if os.path.exists(m)), None)
    if module is None:
        print("token batch: SoftHSM2 is not installed")
        return
    home = d / "hsm"
    (home / "tokens").mkdir(parents=True)
    (home / "conf").write_text(f"directories.tokendir = {home}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    env = dict(os.environ, SOFTHSM2_CONF=str(home / "conf"))
    (home / "pin").write_text("1234567890\n")
    os.chmod(home / "pin", 0o600)
    sh("softhsm2-util", "--init-token", "--free", "--label", "bench", "--pin", "1234567890", "--so-pin", "1234567890", env=env)
    sh("openssl", "pkcs8", "-topk8", "-nocrypt", "-in", d / "rsa.key", "-out", d / "rsa.p8")
    sh("softhsm2-util", "--import", d / "rsa.p8", "--token", "bench", "--label", "k", "--id", "01", "--pin", "1234567890", env=env)
    ins, out, count = d / "batch", d / "batch-out", 600
    ins.mkdir()
    for i in range(count):
        shutil.copy(d / "small.pdf", ins / f"{i:05}.pdf")
    uri = f"pkcs11:token=bench;object=k;type=private?module-path={module}"
    def ours():
        shutil.rmtree(out, ignore_errors=True)
        start = time.perf_counter()
        sh(antin, "sign", ins, "--out-dir", out, "--key", uri, "--cert", d / "rsa.crt", "--chain", d / "chain.pem", "--trust", d / "root.crt",
           "--crl", d / "all.crl", "--pin-file", home / "pin", "--quiet", env=env)
        return count / (time.perf_counter() - start)

    # One session is what a token in a person's hand gives; preparing and hashing must hide behind it.
    raw = lambda: json.loads(sh(b / "rawtoken", module, home / "pin", "rsa", 1, 1500, env=env).splitlines()[-1])["per_second"]
    ratio, x, y = pair(ours, raw, rounds)
    t.add("token batch, one login / module's raw rate in one session", ratio, 0.95, f"{x:.0f}/s, raw {y:.0f}/s")


@contextlib.contextmanager
def engines():
    """A folder on a disk, never in memory (what counts is that it is there after the power went), and what makes an empty store on each engine."""
    sys.path.insert(0, str(ROOT / "tests" / "lib"))
    import postgres
    with tempfile.TemporaryDirectory(prefix="antin-bench-", dir="/var/tmp") as folder, contextlib.ExitStack() as stack:
        rows = {"SQLite": lambda: f"sqlite:{folder}/store-{time.monotonic_ns()}.db"}
        if postgres.bin_dir():
            server = stack.enter_context(postgres.Postgres(base="/var/tmp"))
            rows["PostgreSQL"] = lambda: server.url(tcp=False)
        yield Path(folder), rows


def store(t, b, rounds):
    with engines() as (d, rows):
        for name, url in rows.items():
            sync = lambda: in_process(b / "bench-store", "sync", d / "sync", 2)["per_second"]
            last = {}
            ours = lambda: (last.update(in_process(b / "bench-store", "append", url(), 128, 4)), last["per_second"])[1]
            ratio, x, y = pair(ours, sync, rounds)
            t.add(f"{name}: durable audit events/s, 128 clients", x, 20000, f"p99 {last['p99_ms']:.1f} ms; {ratio:.1f} × the disk's {y:.0f} syncs/s")
            full = url()
            in_process(b / "bench-store", "fill", full, 1000000)
            seconds = min(in_process(b / "bench-store", "verify", full)["seconds"] for _ in range(rounds))
            t.add(f"{name}: verify 1,000,000 audit events, seconds", seconds, -2)


def request(t, b):
    """The register of requests: what a desk does, at the size of the country beside a small register; ANTIN_FULL=1: 3,000,000."""
    few, many = 20_000, 3_000_000 if os.environ.get("ANTIN_FULL") else 200_000
    works = {"list_all": "a page of all", "list_desk": "a page of a desk", "list_overdue": "what is overdue", "list_agency": "a page of an agency",
             "search_name": "search by name", "search_subject": "search by subscriber", "show": "show one", "make_and_decide": "file and decide, durably"}
    with engines() as (_, rows):
        for name, url in rows.items():
            small, large = (in_process(b / "bench-request", url(), size) for size in (few, many))
            for work, what in works.items():
                x, y = large[work + "_us"], small[work + "_us"]
                t.add(f"{name}: {what}, {many:,} requests / {few:,}", x / y, -2, f"{x:.0f} µs, {y:.0f} µs")


def registry(t, b, antin):
    """The register of subscribers at the size of a province beside a small one, ANTIN_FULL=1: 1,000,000; and 100,000 people from a list."""
    few, many = 5_000, 1_000_000 if os.environ.get("ANTIN_FULL") else 60_000
    works = {"list": "a page of subscribers", "middle": "a page from the middle", "begin": "a name by its beginning", "word": "a name by a word within"}
    with engines() as (d, rows):
        for name, url in rows.items():
            done = in_process(b / "bench-registry", url(), few, many)
            for work, what in works.items():
                x, y = done["many"][work + "_us"], done["few"][work + "_us"]
                t.add(f"{name}: {what}, {many:,} subscribers / {few:,}", x / y, -2, f"{x:.0f} µs, {y:.0f} µs")
        home, people, count = d / "register", d / "people.csv", 100_000
        sh(antin, "init", home, "--name", "MẪU", "--regulation", "tay-ninh-2025", "--quiet")
        sh(antin, "agency", "add", "--name", "Sở (MẪU)", "--code", "H53.6", "--dir", home, "--as", "system")
        people.write_text("name,agency,email,identity\n" + "".join(f"Người Thứ {i},H53.6,nguoi{i}@tayninh.gov.vn,1{i:011d}\n" for i in range(count)))
        start = time.monotonic()
        sh(antin, "person", "import", people, "--dir", home, "--as", "system", "--quiet")
        t.add(f"SQLite: import of {count:,} people, seconds", time.monotonic() - start, None)


def rsa(t, b, home, rounds):
    """Each certificate is two signatures of RSA-2048, its own and that of its first OCSP answer; the raw key has all cores."""
    home.mkdir()
    for name in ("goc", "nha-nuoc", "ocsp"):
        sh("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", home / f"{name}.key")
        os.chmod(home / f"{name}.key", 0o600)
    def ours():
        for path in home.glob("store.db*"):
            path.unlink()
        return in_process(b / "bench-certify", "issue", home, 64, 3)["per_second"]
    raw = lambda: float(sh("openssl", "speed", "-seconds", "1", "-multi", os.cpu_count(), "rsa2048").splitlines()[-1].split()[-2]) / 2
    ratio, x, y = pair(ours, raw, rounds)
    t.add("SQLite: durable certificates/s, RSA-2048 / raw key, two signatures each", ratio, 0.8, f"{x:.0f}/s, raw {y:.0f}/s")


def certify(t, b, rounds):
    """Certificates with audit entry and first OCSP answer in one commit, 64 clients, P-256; the key process is not in between."""
    with tempfile.TemporaryDirectory(prefix="antin-bench-", dir="/var/tmp") as folder:
        d = Path(folder)
        fresh = lambda: (d / f"{time.monotonic_ns()}")
        last = {}
        def ours():
            home = fresh()
            home.mkdir()
            last.update(in_process(b / "bench-certify", "issue", home, 64, 4))
            return last["per_second"]
        rate = statistics.median(ours() for _ in range(rounds))
        t.add("SQLite: durable certificates/s, 64 clients, P-256, first OCSP answer signed", rate, 10000, f"p50 {last['p50_ms']:.1f} ms")
        t.add("SQLite: the same, p99 in ms", last["p99_ms"], -25)
        with engines() as (_, rows):
            for name, url in ((n, u) for n, u in rows.items() if n != "SQLite"):
                home = fresh()
                home.mkdir()
                there = in_process(b / "bench-certify", "issue", home, 64, 4, url())
                t.add(f"{name}: the same, certificates/s", there["per_second"], None, f"p99 {there['p99_ms']:.1f} ms")
        rsa(t, b, fresh(), rounds)
        home = fresh()
        home.mkdir()
        renewed = in_process(b / "bench-certify", "renew", home, 64, 100000)
        t.add(f"SQLite: {renewed['renewed']:,} certificates renewed, seconds", renewed["seconds"], -30, f"issued in {renewed['issuing_seconds']:.0f} s")
        home = fresh()
        home.mkdir()
        lint = in_process(b / "bench-certify", "lint", home)
        t.add(f"linter: microseconds a certificate, {lint['checks']} checks", lint["microseconds"], -20)
        count = 10000000 if os.environ.get("ANTIN_FULL") else 200000
        look = in_process(b / "bench-certify", "find", home, 2)["per_second"]
        in_process(b / "bench-certify", "fill", home, count)
        full = in_process(b / "bench-certify", "issue", home, 64, 4)["per_second"]
        t.add(f"SQLite: issuance at {count:,} certificates / into an empty register", full / rate, 0.8, f"{full:.0f}/s")
        t.add(f"SQLite: look-up at {count:,} certificates / in an empty register", in_process(b / "bench-certify", "find", home, 2)["per_second"] / look, 0.8)


ROWS = ("small", "process", "levels", "suite", "shapes", "token", "store", "certify", "request", "registry", "serve", "lists", "big", "memory")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory-mb", type=int, nargs="*", default=[20, 200, 2000])
    parser.add_argument("--only", default="", help=f"comma-separated: {','.join(ROWS)},many,huge")
    args = parser.parse_args()
    b, antin = ROOT / args.build / "bench", ROOT / args.build / "antin"
    wanted = set(args.only.split(",")) if args.only else set(ROWS)
    folder = tempfile.mkdtemp(prefix="antin-bench-", dir="/dev/shm" if shutil.disk_usage("/dev/shm").free > 8 << 30 else None)
    d, t = Path(folder), Table()
    try:
        material(d)
        make_pdf(d / "small.pdf", 100_000)
        shutil.copy(ROOT / "bench" / "image.png", d / "image.png")
        (d / "both.pem").write_text((d / "root.crt").read_text() + (d / "all.crl").read_text())
        sign = lambda name, source, *more: [antin, "sign", source, "--key", d / f"{name}.key", "--cert", d / f"{name}.crt", "--chain", d / "chain.pem",
                                            "--trust", d / "root.crt", "--crl", d / "all.crl", "--quiet", *more]
        verify = lambda source: [antin, "verify", source, "--trust", d / "root.crt", "--crl", d / "all.crl", "--quiet"]
        for name in ("rsa", "ec"):
            sh(*sign(name, d / "small.pdf", "-o", d / f"signed-{name}.pdf"))
        print(f"{'work':66} {'ratio':>9}  target")
        if "small" in wanted:
            small_files(t, b, d, args.rounds)
        if "process" in wanted:
            whole_process(t, d, args.rounds, sign, verify)
        if "many" in wanted:
            many_files(t, b, d, args.rounds, verify)
        if "levels" in wanted:
            level_files(t, b, d, args.rounds, sign)
        if "suite" in wanted:
            suite_rate(t, b, d, args.rounds)
        if "huge" in wanted:
            huge_file(t, b, d, args.rounds, sign, verify)
        if "shapes" in wanted:
            shapes(t, b, d, args.rounds, sign)
        if "token" in wanted:
            token(t, b, d, args.rounds, antin)
        if "store" in wanted:
            store(t, b, args.rounds)
        if "certify" in wanted:
            certify(t, b, args.rounds)
        if wanted & {"serve", "lists"}:
            import serve
            serve.rows(t, ROOT / args.build, args.rounds, wanted=wanted)
        if "request" in wanted:
            request(t, b)
        if "registry" in wanted:
            registry(t, b, antin)
        if "big" in wanted:
            big_files(t, b, d, args.rounds, sign, verify)
        if "memory" in wanted:
            memory(t, b, d, sign, verify, args.memory_mb)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    results = ROOT / "bench" / "results"
    results.mkdir(exist_ok=True)
    (results / "latest.json").write_text(json.dumps(t.rows, indent=1, ensure_ascii=False) + "\n")
    missed = [r["work"] for r in t.rows if r["met"] is False]
    print(f"\n{sum(r['met'] is True for r in t.rows)} targets met, {len(missed)} not met")


main()
