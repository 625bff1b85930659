#!/usr/bin/env python3
"""Every system, memory and crypto call that signing makes is made to fail, one at a time.

Whatever fails: the program ends by itself with an exit status of its own, says why, leaves no temporary file, and an output
that is there is whole (it verifies). Usage: fault.py ANTIN SHIM
"""
import os, subprocess, sys, tempfile, shutil
from pathlib import Path

ANTIN, SHIM = sys.argv[1:3]
CALLS = ["malloc", "calloc", "realloc", "write", "pwrite64", "pread64", "read", "fdatasync", "syncfs", "rename", "flock", "mmap64",
         "EVP_PKEY_sign", "EVP_DigestInit_ex", "EVP_DigestUpdate", "EVP_DigestFinal_ex", "RAND_bytes"]
POINTS = 400 if os.environ.get("ANTIN_FULL") else 12  # for each call: spread over all of them
passed = failed = 0


def sh(*command):
    subprocess.run([str(c) for c in command], check=True, capture_output=True)


def material(d):
    (d / "c").write_text("[req]\ndistinguished_name=n\n[n]\n[root]\nbasicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n"
                         "[leaf]\nkeyUsage=critical,digitalSignature,nonRepudiation\n")
    sh("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", d / "root.key", "-out", d / "root.crt",
       "-days", 100, "-subj", "/C=VN/O=Mau/CN=Root mau", "-config", d / "c", "-extensions", "root")
    sh("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", d / "leaf.key", "-out", d / "leaf.csr",
       "-subj", "/C=VN/O=Mau/CN=Nguyen Van Mau", "-config", d / "c")
    sh("openssl", "x509", "-req", "-in", d / "leaf.csr", "-CA", d / "root.crt", "-CAkey", d / "root.key", "-CAcreateserial", "-days", 50,
       "-extfile", d / "c", "-extensions", "leaf", "-out", d / "leaf.crt")
    os.chmod(d / "leaf.key", 0o600)
    body = b"%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>\nendobj\n"
    offsets = [body.index(b"%d 0 obj" % i) for i in (1, 2, 3)]
    body += b"xref\n0 4\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % o for o in offsets)
    body += b"trailer\n<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % body.index(b"xref\n0 4")
    (d / "in.pdf").write_bytes(body)


def run(d, call, at, count_file=None):
    env = dict(os.environ, LD_PRELOAD=SHIM, FAULT_CALL=call, FAULT_AT=str(at), ASAN_OPTIONS="detect_leaks=0:verify_asan_link_order=0")
    if count_file:
        env["FAULT_COUNT"] = str(count_file)
    command = [ANTIN, "sign", d / "in.pdf", "-o", d / "out.pdf", "--key", d / "leaf.key", "--cert", d / "leaf.crt", "--chain", d / "root.crt", "--trust", d / "root.crt", "--quiet"]
    return subprocess.run([str(c) for c in command], env=env, capture_output=True, text=True, timeout=60)


def check(d, call, at):
    global passed, failed
    out = d / "out.pdf"
    out.unlink(missing_ok=True)
    done = run(d, call, at)
    problem = None
    if done.returncode < 0:
        problem = f"ended by signal {-done.returncode}"
    elif done.returncode and not done.stderr.strip():
        problem = f"exit {done.returncode} without a word"
    elif list(d.glob("*.antin-*")):
        problem = "a temporary file was left"
    elif done.returncode == 0 and not out.exists():
        problem = "exit 0 without an output"
    elif out.exists():
        verdict = subprocess.run([ANTIN, "verify", str(out), "--trust", str(d / "root.crt"), "--quiet"], capture_output=True)
        if verdict.returncode != 0:
            problem = f"the output does not verify (exit {verdict.returncode}; sign said {done.returncode})"
    for left in d.glob("*.antin-*"):
        left.unlink()
    passed, failed = passed + (problem is None), failed + (problem is not None)
    if problem:
        print(f"{call} call {at}: {problem}: {done.stderr.strip()[:200]}")


def main():
    if not shutil.which("openssl"):
        print("0 passed, 0 failed, 1 skipped")
        return 0
    with tempfile.TemporaryDirectory(prefix="antin-fault-") as folder:
        d = Path(folder)
        material(d)
        for call in CALLS:
            run(d, call, 0, d / "count")
            total = int((d / "count").read_text())
            step = max(1, total // POINTS)
            for at in range(1, total + 1, step):
                check(d, call, at)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


sys.exit(main())
