"""Large files: signed in place and verified with the memory of small ones, beyond 4 GB and 10 GB. The files are sparse: they
take no room on the disk. Beyond half a gigabyte only with ANTIN_FULL=1."""
import hashlib
import os
import re
import subprocess
import time

from lib import FULL, SANITIZED, Instance, Suite, error_of, run

suite = Suite("bigfiles")
i = Instance()
MEMORY_MAX = 16 << 10  # kB
status = ["--crl", i.crls, "--offline"]


def make_sparse(path, size, xref):
    """A one-page PDF behind a stream of `size` zero bytes that no page shows."""
    with open(path, "wb") as out:
        at = {}

        def obj(number, body):
            at[number] = out.tell()
            out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))

        out.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        at[5] = out.tell()
        out.write(b"5 0 obj\n<</Length %d>>\nstream\n" % size)
        out.seek(size, os.SEEK_CUR)
        out.write(b"\nendstream\nendobj\n")
        obj(1, b"<</Type/Catalog/Pages 2 0 R>>")
        obj(2, b"<</Type/Pages/Kids[3 0 R]/Count 1>>")
        obj(3, b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F 6 0 R>>>>>>")
        obj(4, b"<</Length 33>>\nstream\nBT /F 24 Tf 72 700 Td (A) Tj ET  \nendstream")
        obj(6, b"<</Type/Font/Subtype/Type1/BaseFont/Times-Roman>>")
        start = out.tell()
        if xref == "stream":
            at[7] = start
            rows = b"\0" * 10 + b"".join(b"\1" + at[n].to_bytes(8, "big") + b"\0" for n in range(1, 8))
            out.write(b"7 0 obj\n<</Type/XRef/Size 8/W[1 8 1]/Root 1 0 R/Length %d>>\nstream\n%s\nendstream\nendobj\n" % (len(rows), rows))
        else:
            out.write(b"xref\n0 7\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % at[n] for n in range(1, 7)))
            out.write(b"trailer\n<</Size 7/Root 1 0 R>>\n")
        out.write(b"startxref\n%d\n%%%%EOF\n" % start)


def watched(*words):
    """Exit status and peak resident set in kB, as the kernel counts it for the program itself."""
    peak = 0
    with subprocess.Popen([str(w) for w in (i.program, *words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        while child.poll() is None:
            try:
                found = re.search(r"VmHWM:\s+(\d+)", open(f"/proc/{child.pid}/status").read())
                peak = max(peak, int(found.group(1)) if found else 0)
            except OSError:
                pass
            time.sleep(0.005)
    return child.returncode, peak


def digest_is_signed(path):
    """The digest over the byte range, made here, stands in the signature's container."""
    size = path.stat().st_size
    with open(path, "rb") as file:
        file.seek(max(0, size - 65536))
        found = re.search(rb"/ByteRange\[(\d+) (\d+) (\d+) (\d+)", file.read())
        ranges = [int(number) for number in found.groups()]
        if ranges[0] != 0 or ranges[2] + ranges[3] != size:
            return False
        digest = hashlib.sha256()
        for start, left in (ranges[:2], ranges[2:]):
            file.seek(start)
            while left:
                chunk = file.read(min(left, 1 << 22))
                digest.update(chunk)
                left -= len(chunk)
        file.seek(ranges[1] + 1)
        return digest.digest() in bytes.fromhex(file.read(ranges[2] - ranges[1] - 2).decode())


def one_size(megabytes, xref):
    path = i.dir / "sparse.pdf"
    what = f"{megabytes} MB, {xref}"
    make_sparse(path, megabytes * 1_000_000, xref)
    before = path.stat().st_size
    code, peak = watched(*i.sign_words(path, None, i.person(), "--in-place", "--quiet", *status))
    suite.equal(code, 0, f"{what}: signed")
    suite.check(path.stat().st_size - before < 8000, f"{what}: bytes added", path.stat().st_size - before)
    code, verify_peak = watched("verify", path, "--trust", i.root.cert, "--untrusted", i.sub.cert, *status, "--policy", "noi-bo")
    suite.equal(code, 0, f"{what}: verified")
    if not SANITIZED:
        suite.check(0 < peak <= MEMORY_MAX, f"{what}: memory to sign", f"{peak} kB")
        suite.check(0 < verify_peak <= MEMORY_MAX, f"{what}: memory to verify", f"{verify_peak} kB")
    suite.check(digest_is_signed(path), f"{what}: digest")
    suite.check("No syntax" in run("qpdf", "--check", path, timeout=600).out, f"{what}: qpdf --check")
    suite.say(f"{what}: sign {peak / 1024:.1f} MB, verify {verify_peak / 1024:.1f} MB")
    path.unlink()


def half_a_gigabyte():
    for xref in ("table", "stream"):
        one_size(20, xref)
        one_size(500, xref)


def beyond_four_and_ten_gigabytes():
    if not FULL:
        suite.skip("files beyond 4 GB and 10 GB: ANTIN_FULL=1")
        return
    one_size(4500, "table")
    one_size(4500, "stream")
    one_size(9990, "table")
    one_size(10500, "stream")


def more_than_a_table_can_say():
    """Ten digits end at 9,999,999,999: refused, nothing written."""
    path = i.dir / "sparse.pdf"
    make_sparse(path, 10_500_000_000, "table")
    before = path.stat().st_size
    ran = i.sign(path, None, i.person(), "--in-place", *status)
    suite.equal((ran.status, error_of(ran)), (65, "AN_E_PDF_OFFSET"), "10.5 GB, table", ran)
    suite.equal(path.stat().st_size, before, "10.5 GB, table: nothing written")
    path.unlink()


with i:
    suite.run(half_a_gigabyte, beyond_four_and_ten_gigabytes, more_than_a_table_can_say)
