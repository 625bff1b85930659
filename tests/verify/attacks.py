#!/usr/bin/env python3
"""Attacks on signed documents and signatures, and lawful documents beside them. Everything is forged here with a second
implementation (forge/); antin says a word on each, and so do pdfsig, MuPDF and PDFBox: what they refuse we do not accept
without a reason in the case. usage: attacks.py ANTIN [--full] [--only TEXT] [--keep DIR]   ends with "N passed, N failed, N skipped" """
import argparse, importlib, json, os, shutil, signal, subprocess, sys, tempfile, time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from attack import terminal
from attack.world import BROKEN, CHANGES, ERROR, LAWFUL, MODIFIED, VALID, World

MODULES = ["structure", "wrapping", "content", "signatures", "evidence", "records", "containers", "lawful", "bombs", "older"]


def write_group(folder, world, case):
    """The options of antin that a case needs; cases with the same options share one run."""
    options = ["--policy", case.policy] if case.policy else []
    for option, items, ending in (("--trust", case.anchors if case.anchors is not None else [world.root.der], "der"), ("--crl", case.crls or [world.crl], "crl"),
                                  ("--ocsp", case.ocsps, "ors"), ("--untrusted", case.untrusted, "der")):
        for item in items:
            path = folder / f"{abs(hash(item)):x}.{ending}"
            if not path.exists():
                path.write_bytes(item)
            options += [option, str(path)]
    if case.revocation:
        options += ["--revocation", case.revocation]
    if case.at:
        options += ["--at", case.at]
    if case.content is not None:
        path = folder / f"{abs(hash(case.content)):x}.content"
        path.write_bytes(case.content)
        options += ["--content", str(path)]
    return tuple(options)


ENDINGS = {b"0": "p7s", b"P": "asice"}
MEMORY_MAX = 1 << 30
COST = {}  # file -> (seconds, peak memory in kB), of those judged alone


def verdicts(antin, options, paths, limit):
    """file -> (word, sub-indication, indication, report)."""
    env = dict(os.environ, LC_ALL="C.UTF-8")
    out = {}
    for start in range(0, len(paths), 100):
        part = paths[start:start + 100]
        try:
            done = run_measured([antin, "verify", "--json", *options, *part], limit, env, part[0])
        except subprocess.TimeoutExpired:
            out.update({p: ("hang", "", "", {}) for p in part})
            continue
        rows = [json.loads(line) for line in done.stdout.splitlines() + done.stderr.splitlines() if line.startswith("{")]
        if done.returncode < 0 or "Sanitizer" in done.stderr or "runtime error" in done.stderr:
            print(done.stderr[-3000:])
            out.update({p: ("crash", "", "", {}) for p in part})
            continue
        out.update(dict(zip(part, map(read_row, rows))) if len(rows) == len(part) else {p: ("lost", "", "", {}) for p in part})
    return out


def run_measured(argv, limit, env, path):
    """As subprocess.run; GNU time notes what the child took."""
    started, notes = time.monotonic(), path + ".cost"
    timed = ["/usr/bin/time", "-o", notes, "-f", "%M"] if os.path.exists("/usr/bin/time") else []
    process = subprocess.Popen([*timed, *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, start_new_session=True)
    try:
        out, err = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    peak = int(open(notes).read().split()[-1]) if timed and os.path.exists(notes) else 0
    COST[path] = time.monotonic() - started, peak
    return subprocess.CompletedProcess(argv, process.returncode, out, err)


def read_row(row):
    if "indication" not in row:
        return ERROR, (row.get("code") or row.get("error", {}).get("code", "")), "", row
    worst = [s for s in row["signatures"] if s["indication"] == row["indication"]]
    return row["word"], (worst[0]["subindication"] or "") if worst else "", row["indication"], row


def pdfsig_refuses(path):
    done = subprocess.run(["pdfsig", "-nocert", path], capture_output=True, text=True, errors="replace", timeout=30)
    lines = [l for l in done.stdout.splitlines() if "Signature Validation:" in l]
    return next((l.strip("- ").strip() for l in lines if "Signature is Valid" not in l and "not yet been verified" not in l), "" if lines else "no signature found")


def mutool_refuses(path):
    done = subprocess.run(["mutool", "sign", "-v", path], capture_output=True, text=True, errors="replace", timeout=30)
    bad = [l for l in (done.stdout + done.stderr).splitlines() if "Signature error" in l or "invalid" in l.lower() or "Digest Failure" in l]
    return bad[0].strip() if bad else ""


JARS = ":".join(f"/usr/share/java/{name}.jar" for name in ("pdfbox2", "fontbox2", "commons-logging"))
EXPORTS = [f"--add-exports=java.base/sun.security.{p}=ALL-UNNAMED" for p in ("pkcs", "timestamp", "x509", "util")]

PDFBOX_REASONS = {  # PDFBox's words -> why accepting is right
    "Invalid hex string": "white space in a hexadecimal string is ignored (ISO 32000-2, 7.3.4.3)",
    "rejects tag type": "Java's reader of CMS looks into unsigned attributes, which nobody signed and nothing here reads",
}


def pdfbox_refuses(paths, folder):
    """Of those that we accept: {path: what PDFBox says against one of its signatures}. One process for all."""
    source, classes = Path(__file__).resolve().parents[1] / "e2e" / "PdfBoxCheck.java", folder / "classes"
    if not shutil.which("javac") or not all(Path(p).exists() for p in JARS.split(":")):
        return {}
    subprocess.run(["javac", "-nowarn", "-XDignore.symbol.file", *EXPORTS, "-cp", JARS, "-d", classes, source], check=True, capture_output=True)
    words = [w for path in paths for w in (path, "")]
    done = subprocess.run(["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Djava.awt.headless=true", *EXPORTS, "-cp", f"{classes}:{JARS}", "PdfBoxCheck", "check", *words],
                          capture_output=True, text=True, errors="replace", timeout=300)
    answers = dict(line.split("\t", 1) for line in done.stdout.splitlines() if "\t" in line)
    return {path: "PDFBox: " + answers[path] for path in paths
            if "false" in answers.get(path, "").split() and not any(reason in answers[path] for reason in PDFBOX_REASONS)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("antin")
    parser.add_argument("--full", action="store_true", default=os.environ.get("ANTIN_FULL") == "1")
    parser.add_argument("--only", default="")
    parser.add_argument("--keep")
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    began, folder = time.monotonic(), Path(args.keep or tempfile.mkdtemp(prefix="antin-attack-"))
    folder.mkdir(exist_ok=True)
    world, groups, cases = World(), defaultdict(list), []
    world.antin = args.antin
    for module in MODULES:
        for case in importlib.import_module("attack." + module).cases(world, args.full):
            if args.only and args.only not in f"{module}: {case.name}":
                continue
            case.path = str(folder / f"{len(cases):05d}.{ENDINGS.get(case.data[:1], 'pdf')}")
            Path(case.path).write_bytes(case.data)
            case.module = module
            cases.append(case)
            groups[write_group(folder, world, case), case.path if case.alone else ""].append(case)
    made = time.monotonic()
    answers = {}
    with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        for done in pool.map(lambda g: verdicts(args.antin, g[0][0], [c.path for c in g[1]], max(c.seconds for c in g[1]) + len(g[1]) * (10 if len(g[1]) > 1 else 0)), groups.items()):
            answers.update(done)
        accepted = [c for c in cases if answers[c.path][0] in LAWFUL and c.path.endswith("pdf")]
        peers = dict(zip([c.path for c in accepted], pool.map(lambda c: [w for w in (pdfsig_refuses(c.path), mutool_refuses(c.path)) if w], accepted)))
    for path, words in pdfbox_refuses([c.path for c in accepted], folder).items():
        peers[path] = peers[path] + [words]
    failed = 0
    for case in cases:
        word, sub, _, report = answers[case.path]
        words = case.words if isinstance(case.words, set) else {case.words}
        subs = case.sub if isinstance(case.sub, (set, type(None))) else {case.sub}
        fault = ""
        if word not in words:
            fault = f"{word} {sub}, expected {' or '.join(sorted(words))}"
        elif subs is not None and sub not in subs:
            fault = f"{word} {sub}, expected {' or '.join(sorted(subs))}"
        elif case.proven is not None and word in LAWFUL and case.proven != bool(report["signatures"][0]["best_time"]):
            fault = f"best time {report['signatures'][0]['best_time']}"
        elif peers.get(case.path) and not case.stricter:
            fault = f"accepted, but {peers[case.path]}"
        seconds, peak = COST.get(case.path, (0, 0)) if case.alone else (0, 0)
        if not fault and peak * 1024 > MEMORY_MAX + 20 * len(case.data) and not os.environ.get("ANTIN_SANITIZED"):
            fault = f"{peak // 1024} MB of memory"
        if fault:
            failed += 1
            print(f"not ok: {case.module}: {case.name}: {fault}   [{case.path}]")
        elif args.verbose:
            print(f"ok: {case.module}: {case.name}: {word} {sub}" + (f" {seconds:.1f} s {peak // 1024} MB" if case.alone else ""))
    spoofs = list(terminal.run(world, args.antin, folder)) if args.only in "terminal" else []
    for name, fault in spoofs:
        if fault:
            failed += 1
            print(f"not ok: {name}: {fault}")
    if not args.keep and not failed:
        subprocess.run(["rm", "-rf", str(folder)])
    print(f"# {len(cases)} cases, made in {made - began:.1f} s, judged in {time.monotonic() - made:.1f} s; {len(accepted)} accepted")
    print(f"{len(cases) + len(spoofs) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
