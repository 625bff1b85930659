"""All 134 precomposed Vietnamese letters, composed and decomposed, in the text of a look: drawn, read back, small."""
import re
import unicodedata

import oracles
import pdfs
import pictures
import typeset
from lib import Instance, Suite, run

suite = Suite("vietnamese")
i = Instance()
status = ["--crl", i.crls, "--offline"]
MOMENT = {"SOURCE_DATE_EPOCH": "1764642605"}
VOWELS = "aăâeêioôơuưy"
TONES = ["\u0300", "\u0309", "\u0303", "\u0301", "\u0323"]


def letters():
    """67 small letters and their capitals: vowels with tones, ă â ê ô ơ ư and đ."""
    small = [unicodedata.normalize("NFC", v + t) for v in VOWELS for t in TONES] + list("ăâêôơưđ")
    return small + [c.upper() for c in small]


ALL = letters()
WIDE = (620, 60)  # one row of 45 letters of size 10, little else: a difference would be seen


def rows():
    return [ALL[n:n + 45] for n in range(0, len(ALL), 45)]


def sign(name, agency, size=WIDE, look="luu-tru-so-hoa"):
    source = i.file(f"{name}-in.pdf", pdfs.simple(size=size, lines=[(1, 1, 1, " ")]))
    out = i.dir / f"{name}.pdf"
    ran = i.sign(source, out, i.agency, *status, "--look", look, "--agency", agency, "--json", env=MOMENT)
    suite.equal(ran.status, 0, f"{name}: signed", ran)
    return out, ran.lines()[-1]


def font_object(pdf):
    """(object number of the font program, its stored size, its plain size), by qpdf."""
    done = run("qpdf", "--qdf", "--object-streams=disable", "--no-original-object-ids", pdf, "-")
    number = re.search(r"/FontFile[23]? (\d+) 0 R", done.out)
    if number is None:
        return 0, 0, 0
    stored = [len(m.group(2)) for m in re.finditer(rb"/Length1 (\d+).*?stream\r?\n(.*?)\r?\nendstream", pdf.read_bytes(), re.S)]
    plain = re.search(r"/Length1 (\d+)", done.out)
    return int(number.group(1)), max(stored, default=0), int(plain.group(1)) if plain else 0


def the_letters():
    suite.equal(len(set(ALL)), 134, "134 letters")
    suite.check(all(len(c) == 1 for c in ALL), "all precomposed")


def one_subset():
    """All letters in one signature: embedded once, at most 30 kB, read back as they were."""
    out, _ = sign("all", " ".join(ALL), (2400, 60))
    number, stored, plain = font_object(out)
    suite.say(f"subset of {len(ALL)} letters: {stored} bytes stored, {plain} plain; signature {out.stat().st_size} bytes")
    suite.check(0 < stored <= 30000, "the subset is at most 30 kB", stored)
    text = run("pdftotext", "-raw", out, "-").out
    found = {c for c in text if ord(c) > 127}
    suite.equal(sorted(set(ALL) - found), [], "pdftotext reads every letter back, composed")
    suite.check(unicodedata.is_normalized("NFC", text), "pdftotext: NFC")
    text = run("mutool", "draw", "-q", "-F", "text", out).out
    suite.equal(sorted(set(ALL) - set(text)), [], "MuPDF reads every letter back, composed")
    fonts = [row for row in run("pdffonts", out).out.splitlines() if "Liberation" in row]
    suite.check(fonts and all("yes yes yes" in row for row in fonts), "embedded, subset, to Unicode", fonts)
    suite.equal(oracles.pdfsig(out)[0], [True], "pdfsig")


def composed_and_decomposed():
    """The same picture and the same text whichever form was typed."""
    for number, row in enumerate(rows()):
        composed = " ".join(row)
        decomposed = unicodedata.normalize("NFD", composed)
        a, answer = sign(f"nfc-{number}", composed)
        b, _ = sign(f"nfd-{number}", decomposed)
        pa, pb = pictures.poppler(a, i.dir / "a", 150), pictures.poppler(b, i.dir / "b", 150)
        suite.check(pa.planes == pb.planes, f"row {number}: the same picture, poppler")
        ma, mb = pictures.mupdf(a, i.dir / "a", 150), pictures.mupdf(b, i.dir / "b", 150)
        suite.check(ma.planes == mb.planes, f"row {number}: the same picture, MuPDF")
        share = pa.differs(ma)
        suite.check(share <= 0.01, f"row {number}: poppler and MuPDF differ in at most 1 % of the pixels", share)
        suite.check(composed in run("pdftotext", "-raw", b, "-").out.replace("\n", " "), f"row {number}: decomposed input is read back composed")
        if typeset.FONT:
            reference = i.file("reference.pdf", reference_page(composed, answer["rect"]))
            for name, draw in (("poppler", pictures.poppler), ("MuPDF", pictures.mupdf)):
                share = draw(reference, i.dir / "r", 150).differs(draw(a, i.dir / "s", 150))
                suite.check(share <= 0.01, f"row {number}: {name} draws what the whole font draws, within 1 %", share)
                suite.say(f"row {number}: {name}: {100 * share:.3f} % of the pixels differ from the reference")
        else:
            suite.skip("Liberation Serif is not where it is expected")


def reference_page(text, rect):
    """The text where the look puts it: 2 points inside the box, first baseline 11.5 points below its top; and the time."""
    x, top = rect[0] + 2, rect[1] + rect[3]
    return typeset.pages([[(x, top - 11.5, 10, text), (x, top - 23.5, 10, "2025-12-02T09:30:05+07:00")]], WIDE)


with i:
    suite.run(the_letters, one_subset, composed_and_decomposed)
