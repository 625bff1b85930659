"""Many files: one line each, one bad file stops nothing, interruption and --resume, flat memory, progress."""
import hashlib
import os
import pty
import signal
import subprocess
import termios
import time

import oracles
import pdfs
from lib import SANITIZED, Instance, Suite, error_of, is_bilingual, leftovers, run

suite = Suite("batch")
i = Instance()
status = ["--crl", i.crls, "--offline"]
COUNT = 100 if SANITIZED else 300


def make(name, count, filler=0):
    folder = i.dir / name
    folder.mkdir()
    extra = [f"<< /Length {filler} >>\nstream\n".encode() + b"x" * filler + b"\nendstream"] if filler else ()
    for n in range(count):
        (folder / f"{n:04}.pdf").write_bytes(pdfs.simple(text=f"So {n}", more=extra))
    return folder


def command(source, target, *more):
    return [str(i.program), *map(str, i.sign_words(source, None, i.person(), *status, "--out-dir", target, *more))]


def all_valid(folder, count, what):
    ran = i.antin("verify", folder, "--trust", i.root.cert, "--untrusted", i.sub.cert, "--crl", i.crls, "--policy", "noi-bo", "--json", timeout=120)
    passed = sum(1 for line in ran.lines() if line.get("indication") == "TOTAL-PASSED" and len(line["signatures"]) == 1)
    suite.equal((ran.status, passed), (0, count), what, ran.err[-300:])


def one_damaged():
    folder, target = make("in", COUNT), i.dir / "out"
    bad = folder / "0123.pdf" if COUNT > 123 else folder / "0050.pdf"
    bad.write_bytes(b"not a PDF at all\n" * 20)
    ran = i.sign(folder, None, i.person(), *status, "--out-dir", target)
    suite.equal(ran.status, 65, "status of the bad file", ran.err)
    suite.equal(len(list(target.iterdir())), COUNT - 1, "all others are signed")
    lines = [line for line in ran.out.splitlines() if "→" in line]
    suite.equal(len(lines), COUNT - 1, "one line for each signed file")
    suite.equal([line.split(" → ")[0] for line in lines], sorted(str(p) for p in folder.iterdir() if p != bad), "in the order of the files")
    suite.check(bad.name in ran.both and is_bilingual(ran) and error_of(ran), "the bad file is named", ran.err)
    suite.check(f"{COUNT - 1}/{COUNT}" in ran.out, "the sum at the end", ran.out[-200:])
    all_valid(target, COUNT - 1, "all others verify")
    ran = i.sign(folder, None, i.person(), *status, "--out-dir", i.dir / "out-json", "--json", "--jobs", "1")
    answers = ran.lines()
    suite.equal(len(answers), COUNT, "JSON: one line for each file")
    suite.equal([a["file"] for a in answers if a.get("error")], [str(bad)], "JSON: the bad one has an error")
    suite.equal({a["status"] for a in answers if not a.get("error")}, {"signed"}, "JSON: the others are signed")
    samples = sorted(target.iterdir())[::60]
    judge = oracles.Judge(i)
    suite.equal([p.name for p in samples if judge.openssl(p)[0]], [], "openssl agrees on a sample")


def wait_for(target, count, process):
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if target.exists() and sum(1 for p in target.iterdir() if p.suffix == ".pdf") >= count:
            return
        time.sleep(0.002)


def interrupted():
    """Killed, and asked to stop: what has its final name is whole; --resume does the rest and touches nothing else."""
    count = 400 if SANITIZED else 900
    folder = make("long", count)
    for name, number in (("SIGKILL", signal.SIGKILL), ("SIGTERM", signal.SIGTERM), ("SIGINT", signal.SIGINT)):
        target = i.dir / f"out-{name}"
        process = subprocess.Popen(command(folder, target, "--jobs", "1"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=i.dir)
        wait_for(target, 40, process)
        process.send_signal(number)
        out, err = process.communicate(timeout=120)
        done = {p.name: (p.stat().st_ino, p.stat().st_mtime_ns) for p in target.iterdir() if p.suffix == ".pdf"}
        if not suite.check(40 <= len(done) < count, f"{name}: stopped on the way", (len(done), process.returncode)):
            continue
        if number != signal.SIGKILL:
            suite.equal(process.returncode, 75, f"{name}: status", err)
            suite.check("AN_E_CLI_INTERRUPTED" in err and "--resume" in err, f"{name}: says how to go on", err)
            suite.equal(leftovers(target), [], f"{name}: nothing half-written")
            suite.equal(sum("→" in line for line in out.splitlines()), len(done), f"{name}: what is said to be signed is there")
        else:
            # a test of the promise "whole or not at all": every file with its final name verifies
            ran = i.antin("verify", *[target / n for n in done], "--trust", i.root.cert, "--untrusted", i.sub.cert, "--crl", i.crls, "--policy",
                          "noi-bo", "--json", timeout=120)
            suite.equal(sum(1 for line in ran.lines() if line.get("indication") == "TOTAL-PASSED"), len(done), f"{name}: every finished file is whole")
        ran = i.antin(*command(folder, target, "--resume")[1:], timeout=120)
        suite.equal(ran.status, 0, f"{name}: resumed", ran.err)
        now = {p.name: (p.stat().st_ino, p.stat().st_mtime_ns) for p in target.iterdir() if p.suffix == ".pdf"}
        suite.equal(len(now), count, f"{name}: all there after --resume")
        suite.check(all(now[n] == done[n] for n in done), f"{name}: finished files were not touched again")
        suite.check(f": {len(done)}" in ran.out, f"{name}: told how many were done", ran.out[-200:])
    all_valid(i.dir / "out-SIGTERM", count, "all valid after --resume")


def in_place_interrupted():
    """What a power loss in the middle of --in-place leaves: told by verify, cut off by the next run, and only when it is that."""
    source = i.file("in/place.pdf", pdfs.simple())
    whole, other = i.dir / "place-whole.pdf", i.dir / "place.pdf"
    whole.write_bytes(source.read_bytes())
    suite.equal(i.sign(whole, None, i.person(), *status, "--in-place").status, 0, "in place: signed")
    suite.equal(leftovers(i.dir / "."), [], "in place: no journal stays")
    first, base = whole.read_bytes(), len(whole.read_bytes())
    again = i.dir / "place-again.pdf"
    again.write_bytes(first)
    suite.equal(i.sign(again, None, i.person(), *status, "--in-place").status, 0, "in place: signed twice")
    tail = again.read_bytes()[base:]
    journal = i.dir / "place.pdf.antin-journal"
    for what, left, fits in (("half of it written", tail[:len(tail) // 2], True), ("zeros", bytes(len(tail)), True), ("nothing written", b"", True),
                             ("the file is another since", tail[:len(tail) // 2], False)):
        other.write_bytes(first + left)
        digest = hashlib.sha256(first[-65536:] if fits else b"khac").hexdigest()
        journal.write_text(f"{base} {digest}\n")
        _, row = i.verify(other)
        suite.check("AN_N_SIGN_INTERRUPTED" in [n["code"] for n in row.get("notes", [])], f"{what}: verify says so", row.get("notes"))
        ran = i.sign(other, None, i.person(), *status, "--in-place", "--json")
        suite.check(not journal.exists(), f"{what}: the journal is gone")
        if not fits:
            suite.check(other.read_bytes().startswith(first + left), f"{what}: nothing is cut", ran)
            continue
        suite.equal(ran.status, 0, f"{what}: signed", ran)
        suite.check(("AN_N_SIGN_RECOVERED" in ran.out + ran.err) == bool(left), f"{what}: recovery is told", ran)
        signed = other.read_bytes()
        suite.check(signed.startswith(first) and abs(len(signed) - base - len(tail)) < 100, f"{what}: the tail is off", len(signed))
        done, row = i.verify(other)
        suite.equal((done.status, len(row.get("signatures", []))), (0, 2), f"{what}: valid", done)


def peak_kb(words):
    """Highest resident set while it ran: /proc/PID/status, looked at all the time."""
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=i.dir)
    peak, path = 0, f"/proc/{process.pid}/status"
    while process.poll() is None:
        try:
            with open(path) as file:
                peak = max([peak] + [int(line.split()[1]) for line in file if line.startswith("VmHWM")])
        except OSError:
            break
    process.wait()
    suite.equal(process.returncode, 0, "a run that is measured")
    return peak


def flat_memory():
    if SANITIZED:
        suite.skip("memory under sanitizers says nothing")
        return
    few, many = make("few", 50, 100000), make("many", 1000, 100000)
    a = peak_kb(command(few, i.dir / "few-out", "--jobs", "2"))
    b = peak_kb(command(many, i.dir / "many-out", "--jobs", "2"))
    suite.say(f"peak resident set: {a} kB for 50 files, {b} kB for 1,000")
    suite.check(b <= a * 1.2, "memory does not grow with the number of files", (a, b))
    small, large = make("small", 1, 1000), make("large", 1, 60000000)
    a = peak_kb(command(small, i.dir / "small-out"))
    b = peak_kb(command(large, i.dir / "large-out"))
    suite.say(f"peak resident set: {a} kB for a small file, {b} kB for one of 60 MB")
    suite.check(b <= 16384, "60 MB in 16 MB of memory", b)
    suite.equal(oracles.pdfsig(i.dir / "large-out/0000.pdf")[0], [True], "the large one is valid")


def progress():
    """On a terminal: files done, rate and the time that is left; nothing of it when the output is no terminal."""
    master, slave = pty.openpty()
    process = subprocess.Popen(command(i.dir / "few" if not SANITIZED else i.dir / "in", i.dir / "shown"), stdout=subprocess.DEVNULL, stderr=slave, cwd=i.dir)
    os.close(slave)
    seen = b""
    while True:
        try:
            part = os.read(master, 4096)
        except OSError:
            break
        if not part:
            break
        seen += part
    process.wait()
    text = seen.decode("utf-8", "replace")
    suite.check("\r" in text and "/s" in text and " s" in text, "progress on a terminal", text)
    ran = i.antin(*command(i.dir / "few" if not SANITIZED else i.dir / "in", i.dir / "shown2")[1:])
    suite.check("/s" not in ran.err and "\r" not in ran.err, "no progress into a file", ran.err)


def typed(words, *lines):
    """Runs on a terminal of its own: waits for the question, types each line. Returns (exit status, everything shown)."""
    pid, master = pty.fork()
    if pid == 0:
        os.chdir(i.dir)
        os.execvpe(words[0], words, dict(os.environ, LC_ALL="C.UTF-8"))
    seen, answered = b"", 0
    while True:
        try:
            part = os.read(master, 4096)
        except OSError:
            break
        if not part:
            break
        seen += part
        if seen.count("Mã PIN / PIN".encode()) > answered < len(lines):
            while termios.tcgetattr(master)[3] & termios.ECHO:  # typed when the terminal hides it, as a person would see
                time.sleep(0.01)
            os.write(master, lines[answered])
            answered += 1
    _, code = os.waitpid(pid, 0)
    os.close(master)
    return os.waitstatus_to_exitcode(code), seen.decode("utf-8", "replace")


def pin_on_a_terminal():
    """The PIN is asked for on the terminal, never shown, never in a file; an empty line or ^C gives up."""
    who, locked = i.person(), i.dir / "locked.pem"
    run("openssl", "pkcs8", "-topk8", "-in", who.key, "-out", locked, "-passout", "pass:Bi mat 2468", "-v2", "aes-256-cbc")
    os.chmod(locked, 0o600)
    source = i.file("in/tty.pdf", pdfs.simple())
    for what, line, status_wanted, code in (("right", b"Bi mat 2468\n", 0, ""), ("wrong", b"Bi mat 1357\n", None, "AN_E_PIN_WRONG"),
                                            ("empty", b"\n", None, "AN_E_PIN_CANCELLED"), ("interrupted", b"\x03", None, "")):
        out = i.dir / f"tty-{what}.pdf"
        words = i.sign_words(source, out, who, *status)
        words[words.index("--key") + 1] = locked
        code_seen, text = typed([str(w) for w in [i.program, *words]], line)
        suite.check((code_seen == 0) == (status_wanted == 0) and out.exists() == (status_wanted == 0), f"PIN {what}: outcome", (code_seen, text))
        suite.check("Mã PIN / PIN" in text and "2468" not in text and "1357" not in text, f"PIN {what}: asked for, not shown", text)
        suite.check(code in text, f"PIN {what}: {code}", text)


with i:
    suite.run(one_damaged, interrupted, in_place_interrupted, pin_on_a_terminal, flat_memory, progress)
