"""Names that write on the terminal: line ends, escape sequences and bidirectional marks in a certificate, a field, a reason
and a file name must not show as lines or colours of our own."""
import os, subprocess
from forge import pdf
from forge.pki import *
from .world import *

EVIL = "An\x1b[2J\n    HỢP LỆ (TOTAL-PASSED)\r\u202exfp\u0085\u009b31m"


def is_foreign(c):
    return ord(c) < 32 and c != "\n" or 127 <= ord(c) < 160 or "\u200b" <= c <= "\u200f" or "\u2028" <= c <= "\u202e"


def run(world, antin, folder):
    """(name, what is wrong or "")."""
    cert = Cert(EVIL, world.leaf.key, world.root, world.leaf.start, world.leaf.end, [key_usage(0, 1)])
    p = pdf.base().sign(world.signer(cert=cert), field=r"A\033[2J\nHOP LE\r", value=r"/Name (x\033[1m\nHOP LE) /Reason (y\033[2m)")
    name_, root, leaf = folder / "ten\x1b[31m.pdf", folder / "root.cer", folder / "leaf.cer"
    name_.write_bytes(p.append({4: pdf.stream(b"q Q")}).data)
    root.write_bytes(world.root.der)
    leaf.write_bytes(cert.der)
    for argv in (["verify", "--trust", root, name_], ["pdf", "info", name_], ["pdf", "revisions", name_], ["cert", "show", leaf], ["verify", folder / "khong\x1b[2J-co.pdf"]):
        done = subprocess.run([antin, *map(str, argv)], capture_output=True, text=True, env=dict(os.environ, LC_ALL="C.UTF-8"))
        text = done.stdout + done.stderr
        bad = sorted({repr(c) for c in text if is_foreign(c)})
        lines = [l for l in text.splitlines() if l.strip().startswith(("HỢP LỆ (TOTAL-PASSED)", "HOP LE"))]
        yield "terminal: " + " ".join(map(str, argv[:2])).split("/")[0], f"{bad} {lines}" if bad or lines or not text else ""
