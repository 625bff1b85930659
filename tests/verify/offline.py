#!/usr/bin/env python3
"""--offline, and the default, open no socket of the network and start no helper that could, whatever certificates point to; watched by strace.
With --online the same files are asked about, so that the watch itself is seen to work. usage: offline.py ANTIN"""
import json, os, re, shutil, subprocess, sys, tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from attack.world import World
from forge import pdf
from forge.der import ctx, oid, seq
from forge.pki import Cert, extension, key_usage

antin = sys.argv[1]
failures = []


def check(ok, what):
    if not ok:
        failures.append(what)
        print("FAILED:", what)


def touched(folder, words, stdin=None):
    """System calls that touch the network, and the helpers that were started."""
    trace = folder / "trace"
    env = dict(os.environ, ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0")  # which cannot look while another watches
    done = subprocess.run(["strace", "-f", "-qq", "-e", "trace=socket,connect,execve", "-o", trace, antin, *map(str, words)], input=stdin, capture_output=True, text=True, timeout=120, env=env)
    lines = trace.read_text().splitlines()
    net = [line for line in lines if re.search(r"socket\(AF_(?!UNIX)|connect\(|antin-fetch", line)]
    return net, done


def make(folder):
    world = World()
    place = ctx(6, b"http://127.0.0.1:9/x", constructed=False)
    pointers = [extension("aia", seq(seq(oid("ocsp"), place), seq(oid("caIssuers"), place))), extension("cdp", seq(seq(ctx(0, ctx(0, place)))))]
    leaf = Cert("Người ký", world.leaf.key, world.root, world.leaf.start, world.leaf.end, [key_usage(0, 1), *pointers])
    (folder / "root.der").write_bytes(world.root.der)
    (folder / "leaf.der").write_bytes(leaf.der)
    (folder / "signed.pdf").write_bytes(pdf.base().sign(world.signer(cert=leaf)).data)
    (folder / "signed.p7s").write_bytes(world.cms(b"content", cert=leaf))
    (folder / "content").write_bytes(b"content")


def main():
    if not shutil.which("strace") or subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], capture_output=True).returncode:
        print("no strace here, or it may not trace: skipped")
        return 77
    with tempfile.TemporaryDirectory(prefix="antin-offline-") as name:
        folder = Path(name)
        make(folder)
        trust = ["--trust", folder / "root.der", "--revocation", "require"]
        questions = {"certificate": ["cert", "verify", folder / "leaf.der", *trust], "PDF": ["verify", folder / "signed.pdf", *trust],
                     "CMS": ["verify", folder / "signed.p7s", "--content", folder / "content", *trust], "online policy": ["verify", folder / "signed.pdf", "--policy", "cong-cong"]}
        for what, words in questions.items():
            for mode in ([], ["--offline"]):
                net, done = touched(folder, words + mode)
                check(not net, f"{what} {mode}: {net[:2]}")
                check(done.returncode == 2, f"{what} {mode}: exit {done.returncode} {done.stderr[-200:]}")
        for what in ("certificate", "PDF"):
            net, _ = touched(folder, questions[what] + ["--online", "--allow-private"])
            check(any("antin-fetch" in line for line in net) and any("connect(" in line and "AF_INET" in line for line in net), f"{what} --online: the watch saw {net[:3]}")
        ask = {"trust": str(folder / "root.der"), "revocation": "require", "offline": True}
        lines = [json.dumps(ask | {"file": str(folder / "signed.pdf")}), json.dumps(ask | {"kind": "cert", "file": str(folder / "leaf.der")})]
        net, done = touched(folder, ["verify", "--stream", "--online", "--allow-private"], "\n".join(lines) + "\n")
        # The helper is there, for requests that are not offline: its library looks which families there are, and nobody is asked.
        check(not [line for line in net if "connect(" in line and "AF_UNIX" not in line], f"stream, offline by request: {net}")
        check([json.loads(line)["exit_status"] for line in done.stdout.splitlines()] == [2, 2], f"stream: {done.stdout[-300:]}")
    print("FAILED" if failures else "all as expected")
    return 1 if failures else 0


sys.exit(main())
