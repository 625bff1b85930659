#!/usr/bin/env python3
"""Runs every test and ends with one line: N passed, N failed, N skipped.

Steps: the Meson suite; the same under AddressSanitizer and UndefinedBehaviorSanitizer; a clang build; the house rules;
replay of the fuzz corpora (inside the sanitizer run). Each cmocka case, table row or script line counts as one test.
"""
import argparse, json, os, re, subprocess, sys, time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COUNT = re.compile(r"(?:^|: )(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\s*$", re.M)


def run(title, command, **kwargs):
    start = time.monotonic()
    print(f"== {title}: {' '.join(map(str, command))}", flush=True)
    done = subprocess.run(list(map(str, command)), cwd=ROOT, **kwargs)
    print(f"== {title}: exit {done.returncode}, {time.monotonic() - start:.0f} s", flush=True)
    return done


def counts_of(test):
    """How many cases a Meson test ran, from what it printed; a silent program is one case."""
    text = (test.get("stdout") or "") + "\n" + (test.get("stderr") or "")
    found = COUNT.findall(text)
    if found:
        return tuple(sum(int(row[i] or 0) for row in found) for i in range(3))
    passed = sum(map(int, re.findall(r"^\[  PASSED  \] .*?(\d+) test\(s\)", text, re.M)))
    failed = sum(map(int, re.findall(r"^\[  FAILED  \] .*?(\d+) test\(s\), listed", text, re.M)))
    skipped = sum(map(int, re.findall(r"^\[  SKIPPED \] .*?(\d+) test\(s\), listed", text, re.M)))
    if passed + failed + skipped:
        return passed, failed, skipped
    return {"OK": (1, 0, 0), "SKIP": (0, 0, 1), "EXPECTEDFAIL": (1, 0, 0)}.get(test["result"], (0, 1, 0))


def suite(title, build, extra_env=None):
    env = dict(os.environ, **(extra_env or {}))
    log = ROOT / build / "meson-logs" / "testlog.json"
    log.unlink(missing_ok=True)  # what an earlier run found is no answer
    # what kills and fails over running processes under load is a matter of times, which sanitizers change (opening an encrypted key
    # file takes seconds then: each round of its key derivation allocates memory): the plain suite runs it; 'serve short' runs in both
    without = ["--no-suite", "live"] if "ANTIN_SANITIZED" in env else []
    done = run(title, ["meson", "test", "-C", build, "--no-rebuild", "--print-errorlogs", "--num-processes", "2",
                       "--timeout-multiplier", "6" if "ANTIN_SANITIZED" in env else "3"] + without,
               env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    total = [0, 0, 0]
    for line in log.read_text(encoding="utf-8").splitlines() if log.exists() else []:
        test = json.loads(line)
        counted = list(counts_of(test))
        if test["result"] not in ("OK", "SKIP", "EXPECTEDFAIL") and counted[1] == 0:
            counted[1] = 1
        total = [a + b for a, b in zip(total, counted)]
        print(f"   {test['result']:8} {test['name']}: {counted[0]} passed, {counted[1]} failed, {counted[2]} skipped"
              f" ({test.get('duration', 0):.0f} s)")
        if test["result"] not in ("OK", "SKIP"):
            print((test.get("stdout") or "")[-6000:] + (test.get("stderr") or "")[-3000:])
    if not log.exists() or (done.returncode and total[1] == 0):
        print(done.stdout[-4000:])
        total[1] += 1
    return total


def build(folder, setup, compiler=None):
    env = dict(os.environ)
    if compiler:
        env["CC"] = compiler
    if not (ROOT / folder / "build.ninja").exists():
        if run(f"set up {folder}", ["meson", "setup", folder] + setup, env=env, stdout=subprocess.DEVNULL).returncode:
            return [0, 1, 0]
    done = run(f"build {folder}", ["ninja", "-C", folder], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        print(done.stdout[-8000:])
        return [0, 1, 0]
    return [1, 0, 0]


def step_counted(title, command):
    done = run(title, command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    found = COUNT.findall(done.stdout)
    if done.returncode or not found:
        print(done.stdout[-8000:])
    total = [sum(int(row[i] or 0) for row in found) for i in range(3)] if found else [0, 0, 0]
    if done.returncode and total[1] == 0:
        total[1] = 1
    return total


SANITIZE = ["-Db_sanitize=address,undefined", "-Db_lundef=false", "-Dbench=false", "--werror"]
# intercept_tls_get_addr=0: the runtime of gcc 12 takes a block of thread-local memory of a module opened later (ours for fonts, the
# engines of others) for one of an old C library when its address ends in a certain number, reads its bounds from beside it, and
# dies of them in the leak check at exit ("Tracer caught signal 11"). Leaks are looked for as before.
SANITIZE_ENV = {"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:intercept_tls_get_addr=0",
                "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
                "ANTIN_SANITIZED": "1"}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build")
    parser.add_argument("--sanitize", action="store_true", help="only the sanitizer run")
    parser.add_argument("--quick", action="store_true", help="only the plain suite")
    args = parser.parse_args()
    parts = []
    if not args.sanitize:
        parts.append(build(args.build, []))
        parts.append(suite("suite", args.build))
    if not args.quick and not args.sanitize:
        parts.append(step_counted("house rules", ["python3", "tools/lint.py"]))
        parts.append(build("build-clang", ["--werror"], compiler="clang-14"))
    if not args.quick:
        folder = args.build if args.sanitize else "build-san"
        parts.append(build(folder, SANITIZE))
        if parts[-1][1] == 0:
            parts.append(suite("suite under sanitizers", folder, SANITIZE_ENV))
    passed, failed, skipped = (sum(p[i] for p in parts) for i in range(3))
    if not Path(os.environ.get("ANTIN_VECTORS") or ROOT.parent / "shared" / "vectors").is_dir():
        print("The public test vectors are not beside this checkout: their cases were skipped.")
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return 1 if failed else 0


sys.exit(main())
