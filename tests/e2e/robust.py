"""The odd PDFs of public test suites: those that can be opened are signed so that other programs accept them.

A sample by default; all of them with ANTIN_FULL=1. What the law of the file itself forbids (a certification, a password,
permissions) is counted apart: refusing is right there.
"""
import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import oracles
from lib import FULL, SANITIZED, Instance, Suite, leftovers, run

suite = Suite("robust")
i = Instance()
SAMPLE_EVERY = 20 if SANITIZED else 4
RANK = {0: 0, 3: 1, 2: 2}


def cases():
    vectors = Path(os.environ.get("ANTIN_VECTORS", "/nonexistent"))
    manifest = vectors / "robust.jsonl"
    if not manifest.exists():
        return []
    rows = [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if row["expected"]["verdict"] == "openable" and (vectors / row["file"]).exists()]
    for row in rows:
        row["path"] = vectors / row["file"]
    return rows if FULL else rows[::SAMPLE_EVERY]


def judge(row):
    """'' when every program that reads the input accepts the output."""
    source, out = row["path"], row["out"]
    if not out.read_bytes().startswith(source.read_bytes()):
        return "the output does not begin with the input"
    faults = []
    readers = row["extra"]["readers"]
    if isinstance(readers.get("pdfinfo"), int):
        done = run("pdfsig", "-nocert", out)
        ours = [b for b in re.split(r"\nSignature #", done.out) if re.search(r"Field Name: .*AnTin\d+", b)]
        if len(ours) != 1 or "Signature Validation: Signature is Valid" not in ours[0]:
            faults.append(f"pdfsig: {done}")
    before, after = run("qpdf", "--check", source), run("qpdf", "--check", out)
    if RANK.get(after.status, 2) > RANK.get(before.status, 2):
        faults.append(f"qpdf: {before.status} became {after}")
    pages = oracles.mutool_pages(source)
    if pages > 0 and oracles.mutool_pages(out) != pages:
        faults.append(f"mutool: {pages} pages became {oracles.mutool_pages(out)}")
    return "; ".join(faults)[:600]


def odd_files():
    rows = cases()
    if not rows:
        suite.skip("the public vectors are not here (ANTIN_VECTORS)")
        return
    folder, out_dir = i.dir / "odd", i.dir / "odd-out"
    folder.mkdir()
    for number, row in enumerate(rows):
        row["link"] = folder / f"{number:04}.pdf"
        row["out"] = out_dir / f"{number:04}.pdf"
        row["link"].symlink_to(row["path"])
    ran = i.sign([row["link"] for row in rows], None, i.person(), "--crl", i.crls, "--offline", "--out-dir", out_dir, "--json", timeout=300)
    answers = {line["file"]: line for line in ran.lines()}
    suite.equal(len(answers), len(rows), "one answer for each file", ran.err[-600:])
    suite.equal(leftovers(out_dir), [], "nothing half-written")
    refused, failed, signed = [], [], []
    for row in rows:
        answer = answers.get(str(row["link"]), {})
        error = answer.get("error")
        if error is None and row["out"].exists():
            signed.append(row)
        elif error and error["code"] in ("AN_E_PDF_PASSWORD", "AN_E_PDF_DOCMDP", "AN_E_PDF_PERMISSION", "AN_E_PDF_FIELDMDP", "AN_E_PDF_LOCKED"):
            refused.append((row["id"], error["code"]))
        else:
            failed.append((row["id"], f"{error['code']}: {error['detail']}" if error else ran.err[-300:]))
    with ThreadPoolExecutor(2) as threads:
        verdicts = list(threads.map(judge, signed))
    accepted = sum(1 for verdict in verdicts if not verdict)
    failed += [(row["id"], verdict) for row, verdict in zip(signed, verdicts) if verdict]
    share = accepted / max(1, len(rows) - len(refused))
    for what, why in failed + refused:
        suite.say(f"{what}: {why}")
    suite.say(f"{len(rows)} odd files: {accepted} signed and accepted by all ({100 * share:.2f} %), {len(refused)} rightly refused, {len(failed)} not")
    suite.passed += accepted + len(refused)
    suite.check(share >= 0.99, "at least 99 % signed and accepted", f"{share:.4f}")


with i:
    suite.run(odd_files)
