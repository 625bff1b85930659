"""Pages set with the whole of Liberation Serif, glyphs looked up here: text in Vietnamese at places that are known."""
import struct
import unicodedata
import zlib
from pathlib import Path

import pdfs

FONT = next((p for p in map(Path, ("/usr/share/fonts/truetype/liberation2/LiberationSerif-Regular.ttf",
                                   "/usr/share/fonts/liberation-serif/LiberationSerif-Regular.ttf")) if p.exists()), None)


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


def width(text, size):
    data = FONT.read_bytes()
    glyphs = glyphs_of(data, text)
    table = widths_of(data, glyphs)
    return sum(table[g] for g in glyphs) * size / 1000


def to_unicode(data, texts, form):
    """What the glyphs say when they are copied: composed or decomposed letters."""
    pairs = {g: unicodedata.normalize(form, c) for text in texts for c, g in zip(text, glyphs_of(data, text))}
    rows = "\n".join(f"<{g:04x}> <{c.encode('utf-16-be').hex()}>" for g, c in sorted(pairs.items()))
    return ("/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /U def /CMapType 2 def\n"
            f"1 begincodespacerange <0000> <ffff> endcodespacerange {len(pairs)} beginbfchar\n{rows}\nendbfchar endcmap end end")


def pages(sheets, size=(595, 842), form="NFC", drawings=None):
    """sheets: for each page its lines [(x, baseline, size, text)]; drawings: operators to add, by page."""
    data = FONT.read_bytes()
    texts = [line[3] for lines in sheets for line in lines] or [" "]
    every = sorted({g for text in texts for g in glyphs_of(data, text)})
    widths = " ".join(f"{g} [{w:.3f}]" for g, w in widths_of(data, every).items())
    cmap = to_unicode(data, texts, form)
    pdf = pdfs.Pdf()
    pdf.add("<< /Type /Catalog /Pages 2 0 R >>")
    pdf.add(f"<< /Type /Pages /Count {len(sheets)} /Kids [{' '.join(f'{8 + 2 * n} 0 R' for n in range(len(sheets)))}] >>")
    pdf.add("<< /Type /Font /Subtype /Type0 /BaseFont /LiberationSerif /Encoding /Identity-H /DescendantFonts [4 0 R] /ToUnicode 7 0 R >>")
    pdf.add("<< /Type /Font /Subtype /CIDFontType2 /BaseFont /LiberationSerif /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity)"
            f" /Supplement 0 >> /CIDToGIDMap /Identity /FontDescriptor 5 0 R /W [{widths}] >>")
    pdf.add("<< /Type /FontDescriptor /FontName /LiberationSerif /Flags 4 /FontBBox [-1000 -300 2000 1000] /ItalicAngle 0 /Ascent 891"
            " /Descent -216 /CapHeight 650 /StemV 80 /FontFile2 6 0 R >>")
    pdf.stream(zlib.compress(data, 1), f"/Filter /FlateDecode /Length1 {len(data)}")
    pdf.stream(cmap)
    for n, lines in enumerate(sheets):
        pdf.add(f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {size[0]} {size[1]}] /Contents {9 + 2 * n} 0 R /Resources << /Font << /F1 3 0 R >> >> >>")
        content = "".join(f"BT /F1 {s} Tf {x:.3f} {y:.3f} Td <{''.join(f'{g:04x}' for g in glyphs_of(data, text))}> Tj ET\n" for x, y, s, text in lines)
        pdf.stream(content + (drawings or {}).get(n, ""))
    return pdf.bytes()
