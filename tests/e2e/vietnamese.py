"""All 134 precomposed Vietnamese letters, composed and decomposed, in the text of a look: drawn, read back, small."""
import re
import struct
import unicodedata
import zlib
from pathlib import Path

import oracles
import pdfs
import pictures
from lib import Instance, Suite, run

suite = Suite("vietnamese")
i = Instance()
status = ["--crl", i.crls, "--offline"]
MOMENT = {"SOURCE_DATE_EPOCH": "1764642605"}
FONT = next((p for p in map(Path, ("/usr/share/fonts/truetype/liberation2/LiberationSerif-Regular.ttf",
                                   "/usr/share/fonts/liberation-serif/LiberationSerif-Regular.ttf")) if p.exists()), None)
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
        if FONT:
            reference = i.file("reference.pdf", reference_page(composed, answer["rect"]))
            for name, draw in (("poppler", pictures.poppler), ("MuPDF", pictures.mupdf)):
                share = draw(reference, i.dir / "r", 150).differs(draw(a, i.dir / "s", 150))
                suite.check(share <= 0.01, f"row {number}: {name} draws what the whole font draws, within 1 %", share)
                suite.say(f"row {number}: {name}: {100 * share:.3f} % of the pixels differ from the reference")
        else:
            suite.skip("Liberation Serif is not where it is expected")


# ---- a reference page of our own: the whole font, glyphs looked up here ----
def font_tables(data):
    count = struct.unpack(">H", data[4:6])[0]
    return {data[12 + 16 * n:16 + 16 * n].decode(): struct.unpack(">II", data[20 + 16 * n:28 + 16 * n]) for n in range(count)}


def glyphs_of(data, text):
    """Glyph numbers by the font's format 4 table of characters."""
    base = font_tables(data)["cmap"][0]
    best = 0
    for n in range(struct.unpack(">H", data[base + 2:base + 4])[0]):
        at = base + struct.unpack(">I", data[base + 8 + 8 * n:base + 12 + 8 * n])[0]
        if struct.unpack(">H", data[at:at + 2])[0] == 4:
            best = at
    segments = struct.unpack(">H", data[best + 6:best + 8])[0] // 2
    table = lambda n: best + 14 + n * 2 * segments + (2 if n else 0)
    word = lambda at: struct.unpack(">H", data[at:at + 2])[0]
    glyphs = []
    for c in map(ord, text):
        n = next(k for k in range(segments) if word(table(0) + 2 * k) >= c)
        if word(table(1) + 2 * n) > c:
            raise ValueError(f"the font has no U+{c:04X}")
        start, delta, offset_at = word(table(1) + 2 * n), word(table(2) + 2 * n), table(3) + 2 * n
        offset = word(offset_at)
        glyphs.append((word(offset_at + offset + 2 * (c - start)) if offset else c) + delta & 0xFFFF)
    return glyphs


def widths_of(data, glyphs):
    tables = font_tables(data)
    units = struct.unpack(">H", data[tables["head"][0] + 18:tables["head"][0] + 20])[0]
    count = struct.unpack(">H", data[tables["hhea"][0] + 34:tables["hhea"][0] + 36])[0]
    at = tables["hmtx"][0]
    return {g: struct.unpack(">H", data[at + 4 * min(g, count - 1):at + 4 * min(g, count - 1) + 2])[0] * 1000 / units for g in glyphs}


def reference_page(text, rect):
    """The text where the look puts it: 2 points inside the box, first baseline 11.5 points below its top; and the time."""
    data = FONT.read_bytes()
    pdf = pdfs.Pdf()
    lines = [text, "2025-12-02T09:30:05+07:00"]
    every = sorted({g for line in lines for g in glyphs_of(data, line)})
    widths = " ".join(f"{g} [{w:.3f}]" for g, w in widths_of(data, every).items())
    x, top = rect[0] + 2, rect[1] + rect[3]
    content = "".join(f"BT /F1 10 Tf {x} {top - 11.5 - 12 * n} Td <{''.join(f'{g:04x}' for g in glyphs_of(data, line))}> Tj ET\n"
                      for n, line in enumerate(lines))
    pdf.add("<< /Type /Catalog /Pages 2 0 R >>")
    pdf.add("<< /Type /Pages /Count 1 /Kids [3 0 R] >>")
    pdf.add(f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {WIDE[0]} {WIDE[1]}] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>")
    pdf.stream(content)
    pdf.add("<< /Type /Font /Subtype /Type0 /BaseFont /LiberationSerif /Encoding /Identity-H /DescendantFonts [6 0 R] >>")
    pdf.add("<< /Type /Font /Subtype /CIDFontType2 /BaseFont /LiberationSerif /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity)"
            f" /Supplement 0 >> /CIDToGIDMap /Identity /FontDescriptor 7 0 R /W [{widths}] >>")
    pdf.add("<< /Type /FontDescriptor /FontName /LiberationSerif /Flags 4 /FontBBox [-1000 -300 2000 1000] /ItalicAngle 0 /Ascent 891"
            " /Descent -216 /CapHeight 650 /StemV 80 /FontFile2 8 0 R >>")
    pdf.stream(zlib.compress(data), f"/Filter /FlateDecode /Length1 {len(data)}")
    return pdf.bytes()


with i:
    suite.run(the_letters, one_subset, composed_and_decomposed)
