"""Signatures at every level and with every kind of key, judged by other programs; many signatures in one file; encrypted
files; PDF/A; CAdES."""
import fcntl
import os
import re
import shutil
import time
from pathlib import Path

import oracles
import pdfs
from lib import SANITIZED, Instance, Suite, error_of, key_uri, run
from tsa import Server

suite = Suite("levels")
i = Instance()
judge = oracles.Judge(i)
pdfbox = oracles.PdfBox(i)
plain = i.file("in/plain.pdf", pdfs.simple())
streamed = i.file("in/streamed.pdf", pdfs.simple(pages=3, xref="stream"))
tsa = Server(i.dir / "tsa", i.tsa, i.sub.cert)
status = ["--crl", i.crls, "--offline"]
(i.dir / "out").mkdir()
signed_files = []  # for the PDFBox run at the end


def accepted(path, count, level, what, password=None, input_bytes=None):
    """All judges, and then our own verifier, about a file with count signatures."""
    data = Path(path).read_bytes()
    if input_bytes is not None:
        suite.check(data.startswith(input_bytes), f"{what}: output begins with the input")
    valid, why = oracles.pdfsig(path, password)
    stamps = Path(path).read_bytes().count(b"/ETSI.RFC3161")
    suite.equal(valid, [True] * (count - stamps), f"{what}: pdfsig", why)
    code, why = oracles.qpdf_check(path, password)
    suite.equal(code, 0, f"{what}: qpdf --check", why)
    trouble, _ = judge.openssl(path)
    suite.equal(trouble, "", f"{what}: openssl")
    signed_files.append((path, password or "", count, what))
    words = ["--password-file", i.file("password", password)] if password else []
    ran, report = i.verify(path, *words)
    suite.equal(ran.status, 0, f"{what}: antin verify", ran)
    ours = [s for s in report.get("signatures", []) if s["kind"] != "time-stamp"]
    suite.check(ours and ours[-1]["indication"] == "TOTAL-PASSED" and level in (ours[-1]["level"] or ""), f"{what}: level {level}",
                [(s["level"], s["indication"], s["subindication"]) for s in report.get("signatures", [])])
    return report


def keys_and_levels():
    for key, more in [("RSA-2048", []), ("RSA-3072", []), ("P-256", []), ("P-384", []), ("RSA-2048", ["--pss"]),
                      ("RSA-3072", ["--pss", "--digest", "sha384"]), ("P-256", ["--digest", "sha512"])]:
        what = " ".join([key, *more])
        out = i.dir / f"out/bb-{key}{''.join(more)}.pdf"
        ran = i.sign(plain, out, i.person(key), *status, *more, "--json")
        if suite.equal(ran.status, 0, f"{what}: sign", ran):
            accepted(out, 1, "B-B", what, input_bytes=plain.read_bytes())
    for level, source, stamps in [("B-T", plain, 1), ("B-LT", streamed, 1), ("B-LTA", streamed, 2), ("B-LTA", plain, 2)]:
        what = f"{level} {source.stem}"
        out = i.dir / f"out/{level}-{source.stem}.pdf"
        ran = i.sign(source, out, i.person("P-256"), *status, "--level", level, "--tsa", tsa.url, "--json")
        if not suite.equal(ran.status, 0, f"{what}: sign", ran):
            continue
        report = accepted(out, 2 if level == "B-LTA" else 1, level, what, input_bytes=source.read_bytes())
        trouble, tokens = judge.openssl(out)
        suite.equal(tokens, stamps, f"{what}: tokens that openssl ts verifies", trouble)
        suite.check(any(s["timestamps"] for s in report.get("signatures", [])), f"{what}: time-stamp in the report")
        suite.equal(b"/DSS" in out.read_bytes(), level in ("B-LT", "B-LTA"), f"{what}: DSS")


def exact_size():
    """A B-B signature with a chain of three adds at most 6.5 kB; the container is sized exactly."""
    for key in ("RSA-2048", "P-256"):
        out = i.dir / f"out/bb-{key}.pdf"
        added = out.stat().st_size - plain.stat().st_size
        suite.check(added <= 6500, f"{key}: bytes added", added)
        gap = re.search(rb"/Contents\s*<([0-9a-fA-F]+)>", out.read_bytes()).group(1)
        slack = len(gap) // 2 - len(oracles.signatures(out.read_bytes())[0][1])
        suite.check(slack <= 16, f"{key}: unused bytes in /Contents", slack)


def every_length_of_p256():
    """DER ECDSA signatures vary in length: all must fit, all must verify."""
    count = 60 if SANITIZED else 320
    folder, out = i.dir / "many", i.dir / "many-out"
    folder.mkdir()
    for n in range(count):
        (folder / f"{n:03}.pdf").write_bytes(pdfs.simple(text=f"So {n}"))
    ran = i.sign(folder, None, i.person("P-256"), *status, "--out-dir", out, "--quiet", timeout=120)
    suite.equal(ran.status, 0, "P-256 batch", ran)
    lengths, bad = set(), []
    for path in sorted(out.iterdir()):
        (ranges, cms), = oracles.signatures(path.read_bytes())
        value, _ = oracles.signer_info(cms)
        lengths.add(len(value))
    suite.equal(len(list(out.iterdir())), count, "P-256 batch: outputs")
    suite.check(len(lengths) >= 3, "several DER lengths came up", lengths)
    ran = i.antin("verify", *sorted(out.iterdir()), "--trust", i.root.cert, "--untrusted", i.sub.cert, "--crl", i.crls, "--policy",
                  "noi-bo", "--json", timeout=120)
    passed = [line for line in ran.lines() if line.get("indication") == "TOTAL-PASSED"]
    suite.equal((ran.status, len(passed)), (0, count), "P-256 batch: verified")
    files = sorted(out.iterdir())
    for path in files[:: max(1, count // 40)]:
        trouble, _ = judge.openssl(path)
        if trouble:
            bad.append((path.name, trouble))
    suite.equal(bad, [], "P-256 batch: openssl")
    if pdfbox.have:
        answers = pdfbox.check(files)
        suite.equal([p for p, a in answers.items() if a != [True]], [], "P-256 batch: PDFBox")
    else:
        suite.skip("P-256 batch: PDFBox is not installed")


def many_signatures():
    """Ten signatures in one file; others sign in between; none is broken by a later one."""
    for source in (plain, streamed):
        current, shapes = source, []
        for n in range(1, 11):
            target = i.dir / f"chain/{source.stem}-{n}.pdf"
            target.parent.mkdir(exist_ok=True)
            if n in (3, 7) and pdfbox.have:
                ran = pdfbox.sign(current, target, i.person("RSA-2048"), i.sub.cert)
            else:
                who = i.person("P-256" if n % 2 else "RSA-2048")
                more = ["--level", "B-LT", "--tsa", tsa.url] if n == 5 else []
                ran = i.sign(current, target, who, *status, *more)
            if not suite.check(ran.status == 0 and target.exists(), f"{source.stem}: signature {n}", ran):
                return
            suite.check(target.read_bytes().startswith(current.read_bytes()), f"{source.stem}: {n} only appends")
            shapes.append(oracles.pdfsig(target)[0])
            current = target
        suite.equal(shapes, [[True] * n for n in range(1, 11)], f"{source.stem}: pdfsig after each")
        suite.equal(judge.openssl(current)[0], "", f"{source.stem}: openssl, ten signatures")
        suite.equal(oracles.qpdf_check(current)[0], 0, f"{source.stem}: qpdf, ten signatures")
        signed_files.append((current, "", 10, f"{source.stem}: ten signatures"))
        ran, report = i.verify(current)
        ours = [(s["field"], s["indication"], s["subindication"]) for s in report.get("signatures", [])]
        suite.equal(len(ours), 10, f"{source.stem}: ten in the report")
        # those made by the other program carry no chain of ours beyond the certificates given here
        suite.check(all(x[1] == "TOTAL-PASSED" for x in ours), f"{source.stem}: all ten TOTAL-PASSED", ours)


def mupdf_between():
    """MuPDF signs an empty field between two of ours."""
    pfx = i.dir / "mupdf.pfx"
    who = i.person("RSA-2048")
    run("openssl", "pkcs12", "-export", "-inkey", who.key, "-in", who.cert, "-certfile", i.sub.cert, "-out", pfx, "-passout", "pass:mupdf")
    source = i.file("in/field.pdf", pdfs.with_field(""))
    first, second, third = (i.dir / f"out/mupdf-{n}.pdf" for n in (1, 2, 3))
    ran = i.sign(source, first, i.person(), *status, "--field", "MotTruongKhac")
    suite.equal(ran.status, 0, "MuPDF between: first", ran)
    done = run("mutool", "sign", "-s", pfx, "-P", "mupdf", "-o", second, first, "6")
    if done.status != 0 or not second.exists():
        suite.skip(f"MuPDF does not sign here: {done.both.strip()[:200]}")
        return
    ran = i.sign(second, third, i.person(), *status)
    suite.equal(ran.status, 0, "MuPDF between: third", ran)
    suite.equal(oracles.pdfsig(third)[0], [True] * 3, "MuPDF between: pdfsig")
    suite.equal(judge.openssl(third)[0], "", "MuPDF between: openssl")


def same_bytes():
    """Same key (RSA), time and input: same bytes. Another time: other bytes."""
    outs = []
    for n, when in enumerate(("1764642605", "1764642605", "1764642606")):
        out = i.dir / f"out/same-{n}.pdf"
        ran = i.sign(plain, out, i.person("RSA-2048"), "--offline", env={"SOURCE_DATE_EPOCH": when})
        suite.equal(ran.status, 0, f"fixed time {when}", ran)
        outs.append(out.read_bytes())
    suite.check(outs[0] == outs[1], "same time, same bytes")
    suite.check(outs[0] != outs[2], "another time, other bytes")
    suite.check(b"D:20251202" in outs[0], "/M is the fixed time")


def encrypted():
    for name, words in [("rc4-40", ["40", "--allow-weak-crypto"]), ("rc4-128", ["128", "--use-aes=n", "--allow-weak-crypto"]),
                        ("aes-128", ["128", "--use-aes=y"]), ("aes-256", ["256"]), ("aes-256-objstm", ["256"])]:
        weak = [w for w in words if w.startswith("--allow")]
        inner = [w for w in words if not w.startswith("--allow")]
        source, out = i.dir / f"in/{name}.pdf", i.dir / f"out/{name}.pdf"
        more = ["--object-streams=generate"] if "objstm" in name else []
        done = run("qpdf", *weak, *more, "--encrypt", "mo", "chu", *inner, "--", plain, source)
        if not suite.check(source.exists(), f"{name}: qpdf made it", done):
            continue
        for password in ("mo", "chu"):
            ran = i.sign(source, out, i.person(), *status, "--password-file", i.file("password", password + "\n"))
            suite.equal(ran.status, 0, f"{name}: sign with {password}", ran)
        accepted(out, 1, "B-B", name, "mo", source.read_bytes())
        again = i.dir / f"out/{name}-2.pdf"
        ran = i.sign(out, again, i.person("RSA-2048"), *status, "--password-file", i.file("password", "mo"), "--level", "B-LTA", "--tsa", tsa.url)
        if suite.equal(ran.status, 0, f"{name}: second signature at B-LTA", ran):
            accepted(again, 3, "B-LTA", f"{name}, second", "mo", out.read_bytes())
        suite.equal(oracles.mutool_pages(again, "mo"), 1, f"{name}: mutool")


XMP = """<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/">
<pdfaid:part>%d</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""


def pdf_a():
    """What PDF/A asks of an increment: no transparency in PDF/A-1, embedded fonts, printable widgets, plain metadata, no encryption."""
    image = i.file("blue.png", pdfs.stroke())
    for part, version in ((1, "1.4"), (2, "1.7"), (3, "1.7")):
        pdf = pdfs.Pdf(version)
        pdf.add("<< /Type /Catalog /Pages 2 0 R /Metadata 5 0 R >>")
        pdf.add("<< /Type /Pages /Count 1 /Kids [3 0 R] >>")
        pdf.add("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << >> >>")
        pdf.stream("q Q")
        pdf.stream(XMP % part, "/Type /Metadata /Subtype /XML")
        pdf.trailer["ID"] = "[<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>]"
        source, out = i.file(f"in/a{part}.pdf", pdf.bytes()), i.dir / f"out/a{part}.pdf"
        ran = i.sign(source, out, i.person(), *status, "--look", "nguoi-co-tham-quyen", "--image", image, "--rect", "100,100,120,60",
                     "--page", "1")
        if not suite.equal(ran.status, 0, f"PDF/A-{part}: sign", ran):
            continue
        shown = i.antin("pdf", "info", out, "--json")
        suite.check(f"{part}" in str(shown.lines()[0].get("pdfa", "")) if shown.lines() else False, f"PDF/A-{part}: antin pdf info says so", shown)
        done = run("qpdf", "--qdf", "--object-streams=disable", out, "-")
        body = done.out
        if part == 1:
            suite.check("/SMask" not in body and "/ca " not in body, "PDF/A-1: no transparency")
        suite.check(re.search(r"/F 4\b|/F 132\b", body), f"PDF/A-{part}: the widget prints")
        suite.check(f"<pdfaid:part>{part}<" in out.read_bytes().decode("latin-1"), f"PDF/A-{part}: metadata kept")
        accepted(out, 1, "B-B", f"PDF/A-{part}", input_bytes=source.read_bytes())


def cades():
    content = i.file("in/du-lieu.bin", bytes(range(256)) * 200)
    for more, ending in (([], "p7s"), (["--attached"], "p7m")):
        for level in ([], ["--level", "B-T", "--tsa", tsa.url]):
            out = i.dir / f"out/cades{len(level)}.{ending}"
            what = f"CAdES {ending} {level[1] if level else 'B-B'}"
            ran = i.sign(content, out, i.person("RSA-2048"), *status, "--format", "cades", *more, *level)
            if not suite.equal(ran.status, 0, what, ran):
                continue
            where = ["-content", content] if ending == "p7s" else []
            done = run("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", out, *where, "-CAfile", i.root.cert, "-certfile",
                       i.sub.cert, "-purpose", "any", "-cades", "-out", i.dir / "content.bin")
            suite.equal(done.status, 0, f"{what}: openssl cms -cades", done)
            suite.check((i.dir / "content.bin").read_bytes() == content.read_bytes(), f"{what}: content")
            ran, report = i.verify(out, *(["--content", content] if ending == "p7s" else []))
            suite.equal(ran.status, 0, f"{what}: antin verify", ran)
            suite.check((level[1] if level else "B-B") in str([s["level"] for s in report.get("signatures", [])]), f"{what}: level", report)


def token_keys():
    if not shutil.which("softhsm2-util"):
        suite.skip("SoftHSM2 is not installed")
        return
    people = {"rsa": i.person("RSA-2048"), "p256": i.person("P-256"), "p384": i.person("P-384")}
    token = i.token(people)
    for label, who in people.items():
        out = i.dir / f"out/token-{label}.pdf"
        ran = i.antin("sign", plain, "-o", out, "--key", key_uri(token, label), "--cert", who.cert, "--chain", i.sub.cert, "--trust",
                      i.root.cert, "--pin-file", i.pin_file, *status)
        if suite.equal(ran.status, 0, f"token {label}", ran):
            accepted(out, 1, "B-B", f"token {label}", input_bytes=plain.read_bytes())


def in_place():
    target = i.file("in/cho.pdf", pdfs.simple())
    before = target.read_bytes()
    words = [w for w in i.sign_words(target, None, i.person(), *status, "--in-place")]
    ran = i.antin(*words)
    suite.equal(ran.status, 0, "in place", ran)
    accepted(target, 1, "B-B", "in place", input_bytes=before)


def in_place_or_not_at_all():
    """What cannot be finished leaves the file as it was."""
    target = i.file("in/khong-ghi.pdf", pdfs.simple())
    before = target.read_bytes()
    words = i.sign_words(target, None, i.person(), *status, "--in-place")

    def refused(ran, code, what):
        suite.equal(error_of(ran), code, what, ran)
        suite.check(ran.status >= 64, f"{what}: status", ran.status)
        suite.check(target.read_bytes() == before, f"{what}: the file is as it was")

    target.chmod(0o444)
    dropped = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"] if os.geteuid() == 0 else []
    if dropped and run(*dropped, "true").status != 0:
        suite.skip("read-only files: this superuser cannot give up its rights")
    else:
        refused(run(*dropped, i.program, *words, cwd=i.dir), "AN_E_FILE_CREATE", "read-only, in place")
    target.chmod(0o644)
    with open(target, "rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        refused(i.antin(*words), "AN_E_SIGN_CHANGED", "locked, in place")
    limit = len(before) + 1000
    refused(run("sh", "-c", 'ulimit -f $1; shift; exec "$@"', "sh", limit // 512, i.program, *words, cwd=i.dir), "AN_E_FILE_WRITE",
            "disk full, in place")
    no_status = i.sign_words(target, None, i.person(), "--offline", "--in-place", "--level", "B-LT", "--tsa", tsa.url)
    refused(i.antin(*no_status), "AN_E_SIGN_LTV", "no revocation data, in place")
    refused(i.antin(*i.sign_words(target.parent / "khong-co.pdf", None, i.person(), *status, "--in-place")), "AN_E_FILE_OPEN",
            "missing, in place")
    suite.equal(i.antin(*words).status, 0, "in place after all")


def pdfbox_agrees():
    if not pdfbox.have:
        suite.skip("PDFBox is not installed")
        return
    answers = pdfbox.check([(path, password) for path, password, _, _ in signed_files])
    for path, _, count, what in signed_files:
        suite.equal(answers.get(str(path)), [True] * count, f"{what}: PDFBox", answers.get(str(path)))


started = time.monotonic()
with i:
    suite.run(keys_and_levels, exact_size, every_length_of_p256, many_signatures, mupdf_between, same_bytes, encrypted, pdf_a, cades, token_keys,
              in_place, in_place_or_not_at_all, pdfbox_agrees)
