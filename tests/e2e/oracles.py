"""Other programs' opinions of a signed file: poppler, qpdf, MuPDF, OpenSSL, PDFBox. Nothing of ours is asked."""
import re
import shutil
import tempfile
from pathlib import Path

from lib import run

JARS = ":".join(str(Path("/usr/share/java") / name) for name in ("pdfbox2.jar", "fontbox2.jar", "commons-logging.jar"))
EXPORTS = [f"--add-exports=java.base/sun.security.{p}=ALL-UNNAMED" for p in ("pkcs", "timestamp", "x509", "util")]


# ---- signatures in the bytes ----
def signatures(data):
    """Every signature's byte range and value, in the order of the file: [(ranges, value)]."""
    found = {}
    for match in re.finditer(rb"/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]", data):
        a, b, c, d = map(int, match.groups())
        if data[a + b:a + b + 1] == b"<" and data[c - 1:c] == b">":
            found[(a, b, c, d)] = trimmed(bytes.fromhex(data[a + b + 1:c - 1].decode("ascii")))
    return sorted(found.items(), key=lambda item: item[0][2])


def signed_bytes(data, ranges):
    a, b, c, d = ranges
    return data[a:a + b] + data[c:c + d]


def children(der):
    """The elements inside a DER value: [(tag, content, whole)]."""
    at, out = 0, []
    while at < len(der):
        tag, length, head = der[at], der[at + 1], 2
        if length & 0x80:
            count = length & 0x7F
            length, head = int.from_bytes(der[at + 2:at + 2 + count], "big"), 2 + count
        out.append((tag, der[at + head:at + head + length], der[at:at + head + length]))
        at += head + length
    return out


def trimmed(der):
    """Without the zeros that fill /Contents up."""
    length, head = der[1], 2
    if length & 0x80:
        count = length & 0x7F
        length, head = int.from_bytes(der[2:2 + count], "big"), 2 + count
    return der[:head + length]


def signer_info(cms):
    """(signature value, {OID bytes of an unsigned attribute: its first value})"""
    signed_data = children(children(children(children(cms)[0][1])[1][1])[0][1])
    fields = children(children(signed_data[-1][1])[0][1])
    value = next(content for tag, content, _ in fields if tag == 0x04)
    unsigned = {}
    for tag, content, _ in fields:
        if tag == 0xA1:
            for _, attribute, _ in children(content):
                oid, values = children(attribute)
                unsigned[oid[1]] = children(values[1])[0][2]
    return value, unsigned


TIME_STAMP_TOKEN = bytes.fromhex("2a864886f70d010910020e")


class Judge:
    """Judges of one instance; temporary files go into its folder."""

    def __init__(self, instance):
        self.i = instance
        self.dir = Path(tempfile.mkdtemp(dir=instance.dir))
        self.count = 0

    def _file(self, content):
        self.count += 1
        path = self.dir / f"{self.count}.bin"
        path.write_bytes(content)
        return path

    def _authorities(self):
        """Root and issuing authority: other programs' signatures do not always carry the second."""
        return self.i.once("authorities", lambda: self._file(self.i.root.cert.read_bytes() + self.i.sub.cert.read_bytes()))

    def openssl_cms(self, cms, content):
        """True when openssl verifies the CMS over the content, path included."""
        done = run("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", self._file(cms), "-content", self._file(content),
                   "-CAfile", self._authorities(), "-purpose", "any", "-out", "/dev/null")
        return done.status == 0, done

    def openssl_token(self, token, data):
        done = run("openssl", "ts", "-verify", "-token_in", "-in", self._file(token), "-data", self._file(data), "-CAfile",
                   self.i.root.cert, "-untrusted", self.i.sub.cert)
        return done.status == 0 and "OK" in done.both, done

    def openssl(self, path):
        """Every signature of a PDF, time-stamp tokens too: ('', number of tokens) or (what is wrong, …)."""
        data = Path(path).read_bytes()
        found, tokens = signatures(data), 0
        if not found:
            return "no signature found in the bytes", 0
        for ranges, cms in found:
            content = signed_bytes(data, ranges)
            if b"ETSI.RFC3161" in data[ranges[1] - 300:ranges[2] + 300] and b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x04" in cms[:100]:
                fine, why = self.openssl_token(cms, content)
                tokens += 1
            else:
                fine, why = self.openssl_cms(cms, content)
                value, unsigned = signer_info(cms)
                if fine and TIME_STAMP_TOKEN in unsigned:
                    tokens += 1
                    fine, why = self.openssl_token(unsigned[TIME_STAMP_TOKEN], value)
            if not fine:
                return f"{ranges}: {why}", tokens
        return "", tokens


def pdfsig(path, password=None):
    """[True when valid, …] for each signature as poppler sees it, and its text. This poppler knows no document
    time-stamps (and deciphers their /Contents, which ISO 32000-2 7.6.2 leaves plain): they are left to the others."""
    words = ["-upw", password] if password else []
    done = run("pdfsig", "-nocert", *words, path)
    blocks = [b for b in done.out.split("\nSignature #")[1:] if "Signature Type: unknown" not in b]
    return ["Signature Validation: Signature is Valid" in b for b in blocks], done


def qpdf_check(path, password=None):
    """(0 fine, 2 errors, 3 warnings; text)"""
    done = run("qpdf", "--check", *([f"--password={password}"] if password else []), path)
    return done.status, done


def mutool_pages(path, password=None):
    done = run("mutool", "info", *(["-p", password] if password else []), path)
    found = re.search(r"Pages: (\d+)", done.out)
    return int(found.group(1)) if found else -1


class PdfBox:
    """tests/e2e/PdfBoxCheck.java, compiled once."""

    def __init__(self, instance):
        self.classes = instance.dir / "classes"
        self.have = shutil.which("javac") is not None and all(Path(p).exists() for p in JARS.split(":"))
        if self.have:
            source = Path(__file__).with_name("PdfBoxCheck.java")
            done = run("javac", "-nowarn", "-XDignore.symbol.file", *EXPORTS, "-cp", JARS, "-d", self.classes, source, timeout=120)
            if done.status != 0:
                raise RuntimeError(done.both)

    def _java(self, *words):
        return run("java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Djava.awt.headless=true", *EXPORTS, "-cp", f"{self.classes}:{JARS}", "PdfBoxCheck", *words,
                   timeout=180)

    def check(self, files):
        """{path: [True or False for each signature]}; files: paths or (path, password)."""
        words = []
        for file in files:
            path, password = file if isinstance(file, tuple) else (file, "")
            words += [str(path), password]
        done = self._java("check", *words)
        answers = {}
        for line in done.out.splitlines():
            path, _, rest = line.partition("\t")
            answers[path] = [word == "true" for word in rest.split()]
        if done.status != 0:
            raise RuntimeError(repr(done))
        return answers

    def sign(self, source, target, who, chain):
        return self._java("sign", source, target, who.cert, who.key, chain)
