#!/usr/bin/env python3
"""A file is shortened, emptied or written while it is verified or signed, at every kind of moment: a clear failure, never a verdict, never a
crash, and nothing signed is left. usage: cut.py ANTIN SHIM"""
import json, os, shutil, subprocess, sys, tempfile
from pathlib import Path

ANTIN, SHIM = sys.argv[1:3]
MOMENTS = [("madvise", 1), ("EVP_DigestUpdate", 1), ("EVP_DigestUpdate", 2), ("EVP_DigestUpdate", 5), ("pread64", 1), ("pread64", 2), ("EVP_PKEY_verify", 1)]
SIZES = ["0", "1", "5000", "300001", "same"]
passed = failed = 0


def sh(*command):
    subprocess.run([str(c) for c in command], check=True, capture_output=True)


def material(d):
    sh("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", d / "key.pem", "-out", d / "root.crt",
       "-days", 100, "-subj", "/C=VN/O=Mau/CN=Nguyen Van Mau", "-addext", "keyUsage=critical,digitalSignature,keyCertSign")
    os.chmod(d / "key.pem", 0o600)
    stream = b"%" + b"x" * 2_000_000
    parts = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>", b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>",
             b"<</Length %d>>\nstream\n%s\nendstream" % (len(stream), stream)]
    body, at = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        at.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    start = len(body)
    body += b"xref\n0 5\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % o for o in at)
    (d / "plain.pdf").write_bytes(body + b"trailer\n<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % start)
    key = ["--key", d / "key.pem", "--cert", d / "root.crt", "--trust", d / "root.crt", "--quiet"]
    sh(ANTIN, "sign", d / "plain.pdf", "-o", d / "signed.pdf", *key)
    sh("openssl", "cms", "-sign", "-binary", "-nodetach", "-in", d / "plain.pdf", "-signer", d / "root.crt", "-inkey", d / "key.pem", "-outform", "DER", "-out", d / "signed.p7m")
    sh("openssl", "cms", "-sign", "-binary", "-in", d / "plain.pdf", "-signer", d / "root.crt", "-inkey", d / "key.pem", "-outform", "DER", "-out", d / "signed.p7s")
    return key


def run(command, victim, call, at, size, stdin=None):
    env = dict(os.environ, LD_PRELOAD=SHIM, CUT_FILE=str(victim), CUT_CALL=call, CUT_AT=str(at), CUT_SIZE=size, ASAN_OPTIONS="detect_leaks=0:verify_asan_link_order=0")
    return subprocess.run([ANTIN, *map(str, command)], env=env, capture_output=True, text=True, timeout=60, input=stdin)


def report(problem, what, done):
    global passed, failed
    passed, failed = passed + (not problem), failed + bool(problem)
    if problem:
        print(f"{what}: {problem}: {(done.stdout + done.stderr).strip()[-300:]}")


def fresh(source, victim):
    """A copy with a date of long ago: only what happens now can change it."""
    shutil.copyfile(source, victim)
    os.utime(victim, (1_700_000_000, 1_700_000_000))
    return victim.stat().st_mtime_ns, victim.stat().st_size


def verify(d, name, extra, refused):
    """The victim is the document, or the content beside it."""
    for call, at in MOMENTS:
        for size in SIZES:
            victim = d / ("victim" + Path(name).suffix)
            before = fresh(d / name, victim)
            words = ["verify", "--json", "--trust", d / "root.crt", "--policy", "noi-bo", *extra(victim)]
            done = run(words, victim, call, at, size)
            touched = (victim.stat().st_mtime_ns, victim.stat().st_size) != before
            answer = json.loads(done.stdout or "{}")
            code = answer.get("error", {}).get("code")
            problem = f"ended by signal {-done.returncode}" if done.returncode < 0 else "no answer" if not answer else ""
            if touched and not problem and (done.returncode in (0, 1, 2) or code not in refused):
                problem = f"exit {done.returncode}, {code}"
            report(problem, f"verify {name}, {size} at {call} {at}", done)


def stream(d):
    """The next request is answered as if nothing had been."""
    victim = d / "victim.pdf"
    fresh(d / "signed.pdf", victim)
    ask = {"trust": str(d / "root.crt"), "policy": "noi-bo"}
    lines = [json.dumps(ask | {"file": str(victim)}), json.dumps(ask | {"file": str(d / "signed.pdf")})]
    done = run(["verify", "--stream"], victim, "madvise", 1, "5000", stdin="\n".join(lines) + "\n")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    good = len(answers) == 2 and answers[0].get("error", {}).get("code") == "AN_E_FILE_CHANGED" and answers[1]["exit_status"] == 0
    report("" if good else "not an error and an answer", "stream", done)


def sign(d, key):
    for call, at in MOMENTS[:-1] + [("EVP_PKEY_sign", 1)]:
        for size in SIZES:
            victim, out = d / "victim.pdf", d / "out.pdf"
            before = fresh(d / "plain.pdf", victim)
            out.unlink(missing_ok=True)
            done = run(["sign", victim, "-o", out, *key], victim, call, at, size)
            touched = (victim.stat().st_mtime_ns, victim.stat().st_size) != before
            problem = f"ended by signal {-done.returncode}" if done.returncode < 0 else ""
            if touched and not problem and (done.returncode < 64 or out.exists()):
                problem = f"exit {done.returncode}, output {'left' if out.exists() else 'not left'}"
            report(problem or ("a temporary file was left" if list(d.glob("*.antin-*")) else ""), f"sign, {size} at {call} {at}", done)


def main():
    if not shutil.which("openssl"):
        print("0 passed, 0 failed, 1 skipped")
        return 0
    with tempfile.TemporaryDirectory(prefix="antin-cut-") as folder:
        d = Path(folder)
        key = material(d)
        changed = {"AN_E_FILE_CHANGED", "AN_E_FILE_EMPTY"}
        verify(d, "signed.pdf", lambda victim: [victim], changed)
        verify(d, "signed.p7m", lambda victim: [victim], changed)
        verify(d, "plain.pdf", lambda victim: ["--content", victim, d / "signed.p7s"], changed | {"AN_E_FILE_READ"})
        stream(d)
        sign(d, key)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


sys.exit(main())
