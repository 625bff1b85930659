#!/usr/bin/env python3
"""Runs every fuzz harness with libFuzzer for a given time; new inputs stay in build-fuzz/corpus, crashes in build-fuzz."""
import argparse, json, os, re, subprocess, sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=30, help="for each harness")
    parser.add_argument("--only", help="a regular expression on harness names")
    args = parser.parse_args()
    build = ROOT / "build-fuzz"
    if not (build / "build.ninja").exists():
        subprocess.run(["meson", "setup", str(build), "-Db_sanitize=address,undefined", "-Db_lundef=false", "-Dbench=false",
                        "-Dlibfuzzer=true"], cwd=ROOT, env=dict(os.environ, CC="clang-14"), check=True, stdout=subprocess.DEVNULL)
    targets = json.loads(subprocess.run(["meson", "introspect", "--targets", str(build)], check=True, capture_output=True).stdout)
    harnesses = [os.path.relpath(t["filename"][0], build) for t in targets if t["name"].startswith("fuzz_")]
    subprocess.run(["ninja", "-C", str(build), *harnesses], check=True, stdout=subprocess.DEVNULL)
    passed = failed = 0
    for harness in sorted(build / name for name in harnesses):
        if args.only and not re.search(args.only, harness.name):
            continue
        name = harness.name.removeprefix("fuzz_")
        corpus, seeds = build / "corpus" / name, ROOT / "tests" / "vectors" / "fuzz" / name
        corpus.mkdir(parents=True, exist_ok=True)
        command = [str(harness), f"-max_total_time={args.seconds}", "-timeout=10", "-rss_limit_mb=2048", "-max_len=65536",
                   f"-artifact_prefix={build}/{name}-", str(corpus)] + ([str(seeds)] if seeds.is_dir() else [])
        done = subprocess.run(command, capture_output=True, text=True)
        executed = re.findall(r"stat::number_of_executed_units:\s*(\d+)|Done (\d+) runs", done.stderr)
        ok = done.returncode == 0
        passed, failed = passed + ok, failed + (not ok)
        print(f"{name:24} {'ok' if ok else 'FAILED'} {executed[-1][1] or executed[-1][0] if executed else '?'} runs", flush=True)
        if not ok:
            print(done.stderr[-3000:])
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


sys.exit(main())
