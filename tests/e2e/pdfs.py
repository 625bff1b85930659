"""Small PDFs of known content, and PNGs."""
import struct
import zlib


def number(value):
    return f"{value:.3f}".rstrip("0").rstrip(".")


class Pdf:
    """Objects by number; written with a classic cross-reference table or a cross-reference stream."""

    def __init__(self, version="1.7"):
        self.version, self.objects, self.trailer = version, {}, {}

    def add(self, body, num=None):
        num = num or len(self.objects) + 1
        self.objects[num] = body.encode("latin-1") if isinstance(body, str) else body
        return num

    def stream(self, data, entries="", num=None):
        data = data.encode("latin-1") if isinstance(data, str) else data
        return self.add(f"<< {entries} /Length {len(data)} >>\nstream\n".encode() + data + b"\nendstream", num)

    def bytes(self, xref="table"):
        out = bytearray(f"%PDF-{self.version}\n%\xe2\xe3\xcf\xd3\n".encode("latin-1"))
        offsets = {}
        for num, body in sorted(self.objects.items()):
            offsets[num] = len(out)
            out += f"{num} 0 obj\n".encode() + body + b"\nendobj\n"
        start = len(out)
        extra = "".join(f" /{key} {value}" for key, value in self.trailer.items())
        if xref == "table":
            size = max(offsets) + 1
            out += f"xref\n0 {size}\n0000000000 65535 f \n".encode()
            for num in range(1, size):
                out += f"{offsets[num]:010d} 00000 n \n".encode() if num in offsets else b"0000000000 00000 f \n"
            out += f"trailer\n<< /Size {size} /Root 1 0 R{extra} >>\n".encode()
        else:
            num = max(offsets) + 1
            offsets[num] = start
            rows = b"\0\0\0\0\0\xff\xff" + b"".join(
                (b"\1" + struct.pack(">IH", offsets[n], 0)) if n in offsets else b"\0" + struct.pack(">IH", 0, 0) for n in range(1, num + 1))
            packed = zlib.compress(rows)
            out += (f"{num} 0 obj\n<< /Type /XRef /Size {num + 1} /W [1 4 2] /Root 1 0 R /Filter /FlateDecode"
                    f" /Length {len(packed)}{extra} >>\nstream\n").encode() + packed + b"\nendstream\nendobj\n"
        return bytes(out + f"startxref\n{start}\n%%EOF\n".encode())


def simple(pages=1, text="Van ban thu", size=(595, 842), page_entries="", catalog_entries="", xref="table", lines=None, more=(),
           version="1.7", crop=None):
    """Pages with lines of Times text: lines = [(x, y, size, text)]. more: extra objects after those of the pages."""
    pdf = Pdf(version)
    kids = " ".join(f"{4 + 2 * i} 0 R" for i in range(pages))
    pdf.add(f"<< /Type /Catalog /Pages 2 0 R {catalog_entries} >>")
    pdf.add(f"<< /Type /Pages /Count {pages} /Kids [{kids}] >>")
    pdf.add("<< /Type /Font /Subtype /Type1 /BaseFont /Times-Roman >>")
    for i in range(pages):
        rows = lines if lines is not None else [(72, 700, 14, f"{text} {i + 1}")]
        content = "".join(f"BT /F1 {number(s)} Tf {number(x)} {number(y)} Td ({t}) Tj ET\n" for x, y, s, t in rows)
        box = f"/CropBox [{' '.join(map(number, crop))}]" if crop else ""
        pdf.add(f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {number(size[0])} {number(size[1])}] {box} /Contents {5 + 2 * i} 0 R"
                f" /Resources << /Font << /F1 3 0 R >> >> {page_entries} >>")
        pdf.stream(content)
    for body in more:
        pdf.add(body)
    return pdf.bytes(xref)


def with_field(field_entries, catalog_entries="", name="Ky1"):
    """One page with an empty signature field, number 6."""
    return simple(catalog_entries=f"/AcroForm << /Fields [6 0 R] /SigFlags 0 {catalog_entries} >>", page_entries="/Annots [6 0 R]",
                  more=[f"<< /Type /Annot /Subtype /Widget /FT /Sig /T ({name}) /Rect [72 72 200 120] /F 4 /P 4 0 R {field_entries} >>"])


# ---- pictures ----
def png(width, height, pixel, alpha=True):
    """pixel(x, y) → (r, g, b, a)"""
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            colour = pixel(x, y)
            rows += bytes(colour if alpha else colour[:3])

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 6 if alpha else 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(rows), 6)) + chunk(b"IEND", b"")


RED, BLUE, GREEN, NOTHING, WHITE = (200, 16, 16, 255), (16, 40, 190, 255), (10, 160, 10, 255), (0, 0, 0, 0), (255, 255, 255, 255)


def ring(size=120, colour=RED, ground=NOTHING, alpha=True):
    """A ring that touches all four edges: its size on the page can be measured."""
    middle = (size - 1) / 2

    def pixel(x, y):
        distance = ((x - middle) ** 2 + (y - middle) ** 2) ** 0.5
        return colour if middle - size / 12 <= distance <= middle + 0.5 else ground

    return png(size, size, pixel, alpha)


def stroke(width=160, height=80, colour=BLUE, ground=NOTHING, alpha=True):
    """A frame with a diagonal: ink reaches every edge."""
    def pixel(x, y):
        edge = x < 3 or y < 3 or x >= width - 3 or y >= height - 3
        return colour if edge or abs(x * height - y * width) < 2.5 * width else ground

    return png(width, height, pixel, alpha)


JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffdb004300" + "08" * 64 + "ffc0000b080001000101011100ffc4001f00"
                     "00010501010101010100000000000000000102030405060708090a0bffda0008010100003f00d2cf20ffd9")
