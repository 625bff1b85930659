"""PDF files made revision by revision, with every byte under the attacker's hand."""
import hashlib, re, zlib


def stream(data, entries="", packed=False):
    if packed:
        data, entries = zlib.compress(data), entries + " /Filter /FlateDecode"
    return b"<< /Length %d %s >>\nstream\n" % (len(data), entries.encode()) + data + b"\nendstream"


def as_bytes(body):
    return body.encode("latin-1") if isinstance(body, str) else body


class Pdf:
    """data: the file so far; body: number -> what the object is now; extra: trailer entries."""

    def __init__(self, objects, extra="", style="table", version="1.7", trailer_root=1):
        self.data = b"%%PDF-%s\n%%\xe2\xe3\xcf\xd3\n" % version.encode()
        self.body, self.style, self.extra, self.root = {}, style, extra, trailer_root
        self.prev = None
        self.append(objects)

    def copy(self):
        out = Pdf.__new__(Pdf)
        out.__dict__.update(self.__dict__)
        out.body = dict(self.body)
        return out

    def with_data(self, data):
        out = self.copy()
        out.data = data
        return out

    def start(self):
        return int(re.findall(rb"startxref\s+(\d+)", self.data)[-1])

    def size(self):
        return max(self.body) + 1 if self.body else 1

    def append(self, objects, free=(), gens=None, style=None, root=None, extra=None, prev="last", xref=None, unlisted=(), size=None,
               eof=b"%%EOF\n", junk=b"", offset_of=None, packed=None, startxref=None, order=None):
        """One more section. free: numbers to free. unlisted: written but not in the cross-reference. offset_of: number -> offset
        instead of the true one. packed: these numbers go into one object stream."""
        style, gens, offset_of = style or self.style, gens or {}, offset_of or {}
        if root:
            self.root = root
        out, at = bytearray(junk), {}
        before = self.start() if self.prev is not None or b"startxref" in self.data else None
        for number in order or objects:
            if packed and number in packed:
                continue
            at[number] = len(self.data) + len(out)
            out += b"%d %d obj\n" % (number, gens.get(number, 0)) + as_bytes(objects[number]) + b"\nendobj\n"
        self.body.update({n: as_bytes(b) for n, b in objects.items()})
        for n in free:
            self.body.pop(n, None)
        rows = {n: (1, o, gens.get(n, 0)) for n, o in at.items() if n not in unlisted}
        rows.update({n: (1, o, gens.get(n, 0)) for n, o in offset_of.items()})
        if before is None:
            rows[0] = (0, 0, 65535)
        rows.update({n: (0, 0, 1) for n in free})
        count = size or max(self.size(), max(rows, default=0) + 1)
        if packed:
            holder = count
            head, content = "", b""
            for n in packed:
                head += f"{n} {len(content)} "
                content += as_bytes(objects[n]) + b" "
            rows[holder] = (1, len(self.data) + len(out), 0)
            out += b"%d 0 obj\n" % holder + stream(head.encode() + content, f"/Type /ObjStm /N {len(packed)} /First {len(head)}") + b"\nendobj\n"
            rows.update({n: (2, holder, i) for i, n in enumerate(packed)})
            self.body[holder] = b"stream"
            count, style = count + 1, "stream"
        entries = f"/Root {self.root} 0 R {self.extra if extra is None else extra}"
        if prev == "last":
            entries += f" /Prev {before}" if before is not None else ""
        elif prev is not None:
            entries += f" /Prev {prev}"
        self.data += bytes(out)
        where = len(self.data)
        self.data += xref if xref is not None else self.section(rows, entries, count, style, where)
        self.data += b"startxref\n%d\n" % (where if startxref is None else startxref) + eof
        self.prev = where
        return self

    def section(self, rows, entries, count, style, where):
        if style == "stream":
            number = count
            self.body[number] = b"stream"
            rows = dict(rows) | {number: (1, where, 0)}
            data, index = b"", []
            for n in sorted(rows):
                kind, a, b = rows[n]
                data += bytes([kind]) + a.to_bytes(4, "big") + b.to_bytes(2, "big")
                if index and index[-1][0] + index[-1][1] == n:
                    index[-1][1] += 1
                else:
                    index.append([n, 1])
            listed = " ".join(f"{a} {b}" for a, b in index)
            return b"%d 0 obj\n" % number + stream(data, f"/Type /XRef /W [1 4 2] /Index [{listed}] /Size {count + 1} {entries}") + b"\nendobj\n"
        out, numbers, at = b"xref\n", sorted(rows), 0
        while at < len(numbers):
            end = at
            while end < len(numbers) and numbers[end] == numbers[at] + end - at:
                end += 1
            out += b"%d %d\n" % (numbers[at], end - at)
            for n in numbers[at:end]:
                kind, a, b = rows[n]
                out += b"%010d %05d %s \n" % (a, b, b"n" if kind else b"f")
            at = end
        return out + b"trailer\n<< /Size %d %s >>\n" % (count, entries.encode())

    def offsets(self, without=()):
        """Where each object stands now (none in object streams)."""
        found = {int(m[1]): m.start(1) for m in re.finditer(rb"(?<=[\r\n])(\d+) 0 obj\b", self.data)}
        return {n: at for n, at in found.items() if n not in without}

    def rewrite_table(self, objects, without=()):
        """As append, but as PoDoFo does it: a table of all objects there are, without /Prev."""
        return self.append(objects, style="table", prev=None, offset_of=self.offsets([*objects, *without]))

    def edit(self, number, old, new):
        body = self.body[number]
        if old.encode() not in body:
            raise ValueError(f"{old} is not in object {number}")
        return body.replace(old.encode(), new.encode(), 1)

    def sign(self, make_cms, field="ChuKy1", certify=0, lock="", room=6000, value="", widget=None, form="", byte_range=None, contents=None,
             after_contents=b"", sub_filter="ETSI.CAdES.detached", kind="Sig", more=None, style=None, tail=b"", stamp=False, whole=None, stray=False, size=None):
        """Adds a field with a signature by make_cms(bytes signed) -> CMS octets. Catalog 1, page 3, form 6. whole: the update lists all
        objects but these, without /Prev. stray: the form does not name the field."""
        number = self.size()
        sig, fieldn = number, number + 1
        reference = ""
        if certify:
            reference = f"/Reference [<< /Type /SigRef /TransformMethod /DocMDP /TransformParams << /Type /TransformParams /P {certify} /V /1.2 >> >>]"
        objects = {fieldn: f"<< /Type /Annot /Subtype /Widget /FT /Sig /T ({field}) /V {sig} 0 R /F 132 /P 3 0 R "
                           f"{widget or '/Rect [0 0 0 0]'} {lock} >>"}
        body = self.body[6]
        objects[6] = re.sub(rb"/Fields \[([^]]*)\]", lambda m: b"/Fields [%s %d 0 R]" % (m[1], fieldn), body)
        if b"/SigFlags" not in body:
            objects[6] = objects[6].replace(b"<<", b"<< /SigFlags 3" + form.encode(), 1)
        objects[3] = re.sub(rb"/Annots \[([^]]*)\]", lambda m: b"/Annots [%s %d 0 R]" % (m[1], fieldn), self.body[3])
        if certify:
            objects[1] = self.body[1].replace(b"<<", b"<< /Perms << /DocMDP %d 0 R >>" % sig, 1)
        objects.update(more or {})
        hole = b"<" + b"0" * (2 * room) + b">"
        objects[sig] = (b"<< /Type /%s /Filter /Adobe.PPKLite /SubFilter /%s " % (kind.encode(), sub_filter.encode()) +
                        b"/ByteRange [0 1111111111 2222222222 3333333333] /Contents " + hole + after_contents + (reference + value).encode() + b" >>")
        base = len(self.data)
        if stray:
            del objects[6]
        if whole is not None:
            self.rewrite_table(objects, whole)
        else:
            self.append(objects, style=style, order=[n for n in objects], size=size)
        self.data += tail
        data = bytearray(self.data)
        at = data.index(hole, base)
        end = at + len(hole)
        numbers = [0, at, end, len(data) - end]
        place = data.index(b"/ByteRange [", base)
        text = (byte_range(numbers) if byte_range else "[%d %d %d %d]" % tuple(numbers)).encode()
        data[place + 11:data.index(b"]", place) + 1] = text.ljust(data.index(b"]", place) + 1 - place - 11)
        self.hole, self.value_number, self.field_number = (at, end), sig, fieldn
        cms = make_cms(bytes(data[:at] + data[end:]))
        filled = contents(cms, room) if contents else cms.hex().encode().ljust(2 * room, b"0")
        data[at + 1:end - 1] = filled
        self.data = bytes(data)
        self.body[sig] = bytes(data[data.index(b"%d 0 obj\n" % sig, base) + len(b"%d 0 obj\n" % sig):data.index(b"\nendobj", end)])
        return self


def base(style="table", fields=True, catalog="", pages=1, page="", content=None, more=None, extra="", annotations="", **options):
    """One page with text, an image, a form with a text field and a check box, prepared corners for shadow attacks."""
    kids = " ".join(f"{n} 0 R" for n in [3] + [100 + i for i in range(pages - 1)])
    objects = {
        1: f"<< /Type /Catalog /Pages 2 0 R /AcroForm 6 0 R /Metadata 10 0 R {catalog} >>",
        2: f"<< /Type /Pages /Kids [{kids}] /Count {pages} /MediaBox [0 0 595 842] >>",
        3: f"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> /XObject << /Im1 9 0 R >> >> "
           f"/Annots [{'7 0 R 12 0 R' if fields else ''} {annotations}] {page} >>",
        4: stream(content or b"BT /F1 14 Tf 72 700 Td (Thanh toan: 1.000.000 dong) Tj ET\nq 40 0 0 40 72 600 cm /Im1 Do Q"),
        5: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        6: f"<< /Fields [{'7 0 R 12 0 R' if fields else ''}] /DA (/Helv 0 Tf 0 g) /DR << /Font << /Helv 5 0 R >> >> >>",
        7: "<< /Type /Annot /Subtype /Widget /FT /Tx /T (HoTen) /V (An) /DV (An) /F 4 /P 3 0 R /Rect [72 500 300 520] /DA (/Helv 12 Tf 0 g) "
           "/AP << /N 8 0 R >> >>",
        8: stream(b"/Tx BMC q BT /Helv 12 Tf 2 5 Td (An) Tj ET Q EMC",
                  "/Type /XObject /Subtype /Form /BBox [0 0 228 20] /Resources << /Font << /Helv 5 0 R >> >>"),
        9: stream(b"\x00\x80\xff", "/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceRGB /BitsPerComponent 8"),
        10: stream(b"<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'/><?xpacket end='w'?>",
                   "/Type /Metadata /Subtype /XML"),
        11: "<< /Title (Van ban mau) /Producer (May in) >>",
        12: "<< /Type /Annot /Subtype /Widget /FT /Btn /T (DongY) /V /Off /AS /Off /F 4 /P 3 0 R /Rect [72 460 90 478] "
            "/AP << /N << /On 13 0 R /Off 14 0 R >> >> >>",
        13: stream(b"0 0 18 18 re S 2 2 m 16 16 l S", "/Type /XObject /Subtype /Form /BBox [0 0 18 18]"),
        14: stream(b"0 0 18 18 re S", "/Type /XObject /Subtype /Form /BBox [0 0 18 18]"),
    }
    for i in range(pages - 1):
        objects[100 + i] = "<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"
    objects.update(more or {})
    return Pdf(objects, extra="/Info 11 0 R /ID [<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>] " + extra, style=style, **options)
