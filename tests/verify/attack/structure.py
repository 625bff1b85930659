"""Incremental saving, cross-reference games, truncation and splicing."""
import re
from forge.pdf import base, stream
from .world import *

EVIL = stream(b"BT /F1 14 Tf 72 700 Td (Thanh toan: 9.000.000 dong) Tj ET")


def tail_of(p, **options):
    """An attacker's revision with changed page content."""
    return p.copy().append({4: EVIL}, **options).data


def incremental(world, style):
    p = world.signed(style)
    end, other = p.start(), 140
    yield "content replaced", tail_of(p)
    yield "content replaced by the other kind of cross-reference", tail_of(p, style="stream" if style == "table" else "table")
    yield "content replaced in an object stream", p.copy().append({20: "null", 4: "<< >>"}, packed=[20, 4]).data
    yield "page moved into an object stream", p.copy().append({3: p.edit(3, "4 0 R", "19 0 R"), 19: EVIL}, packed=[3]).data
    yield "no %%EOF", tail_of(p, eof=b"")
    yield "no cross-reference at all", p.data + b"4 0 obj\n" + EVIL + b"\nendobj\n"
    yield "no cross-reference, %%EOF", p.data + b"4 0 obj\n" + EVIL + b"\nendobj\n%%EOF\n"
    yield "no cross-reference, startxref back", p.data + b"4 0 obj\n" + EVIL + b"\nendobj\nstartxref\n%d\n%%%%EOF\n" % end
    yield "trailer without cross-reference", p.data + b"4 0 obj\n" + EVIL + b"\nendobj\ntrailer\n<< /Size 30 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % end
    yield "startxref 0", tail_of(p, startxref=0)
    yield "startxref past the end", tail_of(p, startxref=99999999)
    yield "startxref points into the signature value", tail_of(p, startxref=p.hole[0] + 5)
    yield "content listed with generation 1", tail_of(p, gens={4: 1})
    yield "object written but not listed", tail_of(p, unlisted=[4])
    yield "listed object lies in the signed bytes", p.copy().append({}, offset_of={4: p.data.index(b"9 0 obj")}).data
    yield "page content freed", p.copy().append({}, free=[4]).data
    yield "annotation freed", p.copy().append({}, free=[7]).data
    yield "info and page tree freed", p.copy().append({}, free=[11, 2]).data
    yield "signature freed", p.copy().append({}, free=[p.value_number]).data
    yield "signature field freed", p.copy().append({}, free=[p.field_number]).data
    yield "/Prev missing", tail_of(p, prev=None)
    yield "/Prev to itself", tail_of(p, prev=len(p.data) + len(EVIL) + 16)
    yield "/Prev past the end", tail_of(p, prev=99999999)
    yield "/Prev negative", tail_of(p, prev=-1)
    yield "/Prev to the first revision", tail_of(p, prev=int(re.search(rb"startxref\s+(\d+)", p.data)[1]))
    yield "/Root repointed", p.copy().append({50: p.body[1].replace(b"2 0 R", b"51 0 R"), 51: p.body[2].replace(b"3 0 R", b"52 0 R"),
                                              52: p.edit(3, "4 0 R", "53 0 R"), 53: EVIL}, root=50).data
    yield "/Size smaller than the objects", tail_of(p, size=3)
    yield "/Size enormous", tail_of(p, size=2**31 - 1)
    yield "two objects of one number", p.copy().append({4: EVIL}, junk=b"4 0 obj\n" + EVIL + b"\nendobj\n").data
    yield "junk before the new objects", tail_of(p, junk=b"% " + b"x" * 50 + b"\n4 0 obj\n" + EVIL + b"\nendobj\n")
    yield "comment with an object after %%EOF", p.data + b"%4 0 obj\n" + b"junk\n"
    yield "second header", p.data + b"%PDF-1.7\n4 0 obj\n" + EVIL + b"\nendobj\n"
    yield "a whole other file behind", p.data + base(style, content=b"BT ET").data
    yield "a whole other file before", base(style, content=b"BT ET").data + p.data
    yield "bytes before the header", b"junk\n" * 3 + p.data
    yield "hybrid trick", p.copy().append({4: EVIL}, extra=p.extra + f" /XRefStm {end}", style="table").data
    yield "revision of the future taken back", p.copy().append({4: EVIL}).append({4: p.body[4]}, prev=end).data
    q = p.copy().append({21: "<< /Rieng 1 >>"})
    yield "extra revision, then the page changed through it", q.append({4: EVIL}).data
    yield "encryption added", p.copy().append({}, extra=p.extra + " /Encrypt << /Filter /Standard /V 1 /R 2 /O <" + "00" * 32 + "> /U <" + "00" * 32 + "> /P -4 >>").data
    yield "/ID changed and content replaced", tail_of(p, extra="/ID [<aa> <bb>]")


def whole_updates(world, style):
    """Updates without /Prev that list everything anew: what they change or leave out is found all the same."""
    p, second = world.signed(style), world.signer(cert=world.second)
    yield "nothing but changed content", p.copy().rewrite_table({4: EVIL}).data
    for number, what in ((9, "overlay image"), (7, "annotation"), (4, "content"), (p.field_number, "signature field"), (p.value_number, "signature")):
        yield f"{what} left out", p.copy().rewrite_table({50: "<< /Rieng 1 >>"}, [number]).data
        if number < p.value_number: # a later signer may sign what no longer shows the first signature: his own stands
            yield f"{what} left out, signed again", p.copy().sign(second, field="Hai", whole=[number]).data
    yield "content changed, signed again", p.copy().sign(second, field="Hai", whole=(), more={4: EVIL}).data
    yield "content changed before, signed again", p.copy().rewrite_table({4: EVIL}).sign(second, field="Hai", whole=()).data
    q = p.copy()
    q.data = q.data.replace(b"startxref\n%d\n" % q.start(), b"startxref\n%d\n" % 9)
    yield "the signed state's own startxref is wrong", q.rewrite_table({4: EVIL}).data
    r = base("stream")
    r = r.append({9: r.body[9], 11: r.body[11], 5: r.body[5]}, packed=[11, 5]).sign(world.signer())
    holder = next(n for n in r.offsets() if r.data.startswith(b"%d 0 obj\n<< /Length" % n, r.offsets()[n]) and b"/ObjStm" in r.data[r.offsets()[n]:r.offsets()[n] + 80])
    yield "object stream left out, its objects not written elsewhere", r.copy().rewrite_table({50: "<< /Rieng 1 >>"}, [holder, 5, 11]).data


def strays(world, style):
    """Signature widgets that the form does not name, none of which is a signature of these bytes."""
    p = world.signed(style)
    evil, number = dict(widget="/Rect [72 690 400 720] /AP << /N 8 0 R >>"), p.size()

    def hung(entries, more=None):
        return p.copy().append({3: p.edit(3, "/Annots [", f"/Annots [{number} 0 R "), number: f"<< /Type /Annot /Subtype /Widget /FT /Sig /F 4 /P 3 0 R {evil['widget']} {entries} >>", **(more or {})}).data

    yield "no value", hung("/T (X)")
    yield "the first signature's value", hung(f"/T (X) /V {p.value_number} 0 R")
    yield "value without a range", hung("/T (X) /V << /Type /Sig /Contents <3000> >>")
    yield "value that is no signature", hung("/T (X) /V 90 0 R", {90: "<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.pkcs7.detached /ByteRange [0 9 20 9] /Contents <3003020101> >>"})
    yield "kid of the first field", hung(f"/Parent {p.field_number} 0 R")
    yield "signature of other bytes", p.copy().sign(lambda d: world.cms(b"x" + d, cert=world.second), field="X", stray=True, **evil).data
    yield "right signature, content changed", p.copy().sign(world.signer(cert=world.second), field="X", stray=True, more={4: EVIL}).data


def reading_games(world):
    """What two readers could read in two ways."""
    p = world.signed()
    end = p.start()
    rows = b"xref\n4 1\n%010d 00000 n \n" % (len(p.data) + 0)
    body = b"4 0 obj\n" + EVIL + b"\nendobj\n"

    def with_xref(text, objects=body, after=b""):
        where = len(p.data) + len(objects)
        return p.data + objects + text.replace(b"@@", b"%010d" % len(p.data)) + b"trailer\n<< /Size 30 /Root 1 0 R /Prev %d >>\n" % end + after + b"startxref\n%d\n%%%%EOF\n" % where

    yield "subsection count too large", with_xref(b"xref\n4 3\n@@ 00000 n \n")
    yield "subsection count zero", with_xref(b"xref\n4 0\n@@ 00000 n \n")
    yield "subsection starts at -1", with_xref(b"xref\n-1 6\n" + b"0000000000 65535 f \n" * 5 + b"@@ 00000 n \n")
    yield "same number twice in a section", with_xref(b"xref\n4 1\n%010d 00000 n \n4 1\n@@ 00000 n \n" % p.data.index(b"4 0 obj"))
    yield "rows of 19 bytes", with_xref(b"xref\n4 1\n@@ 00000 n\n")
    yield "rows with a tab", with_xref(b"xref\n4 1\n@@\t00000\tn\r\n")
    yield "comment inside the table", with_xref(b"xref % no\n4 1 % yes\n@@ 00000 n \n")
    yield "generation 65535", with_xref(b"xref\n4 1\n@@ 65535 n \n")
    yield "kind x", with_xref(b"xref\n4 1\n@@ 00000 x \n")
    yield "trailer twice", with_xref(b"xref\n4 1\n@@ 00000 n \n", after=b"trailer\n<< /Size 30 /Root 1 0 R >>\n")
    yield "startxref twice", with_xref(rows.replace(b"%010d" % len(p.data), b"@@"), after=b"startxref\n%d\n" % end)
    yield "duplicate keys in the catalog", p.copy().append({1: p.body[1].replace(b"/Pages 2 0 R", b"/Pages 2 0 R /Pages 51 0 R"), 51: "<< /Type /Pages /Kids [52 0 R] /Count 1 >>",
                                                           52: "<< /Type /Page /Parent 51 0 R /MediaBox [0 0 9 9] >>"}).data
    yield "name with #-escapes shadows a key", p.copy().append({1: p.body[1].replace(b"/Pages 2 0 R", b"/P#61ges 51 0 R /Pages 2 0 R"), 51: "<< /Type /Pages /Kids [] /Count 0 >>"}).data
    yield "stream longer than /Length", p.copy().append({4: b"<< /Length 2 >>\nstream\nq Q\nendstream\nendobj\n4 0 obj\n" + EVIL}).data
    yield "/Length by a later object", p.copy().append({4: b"<< /Length 60 0 R >>\nstream\nBT (x) Tj ET\nendstream", 60: "12"}).data
    yield "stream data outside", p.copy().append({4: b"<< /Length 0 /F (x.bin) >>\nstream\n\nendstream"}).data


def truncations(world):
    p = world.signed()
    two = p.copy().sign(world.signer(cert=world.second), field="Hai")
    yield "cut in the last bytes", p.data[:-9]
    yield "cut in the cross-reference", p.data[:p.start() + 20]
    yield "cut in the signature value", p.data[:p.hole[0] + 400]
    yield "cut in the second signature", two.data[:two.hole[0] + 400]
    yield "bytes more", p.data + b"\nxx"
    yield "first half twice", p.data[:2000] + p.data
    yield "revisions in another order", p.data[:p.data.index(b"%%EOF") + 6] + two.data[len(p.data):] + p.data[p.data.index(b"%%EOF") + 6:]
    yield "first signer's revision taken out", two.data[:p.data.index(b"%%EOF") + 6] + two.data[len(p.data):]
    other = base("table", content=b"BT /F1 9 Tf (khac) Tj ET")
    yield "signed revision behind another document", other.data + p.data[p.data.index(b"%%EOF") + 6:]
    first = p.data[:p.data.index(b"%%EOF") + 6]
    padded = other.data[:-6] + b"%" * (len(first) - len(other.data)) + b"\n%%EOF\n" if len(other.data) < len(first) else other.data
    yield "signed revision behind another document of the same size", padded[:len(first)].ljust(len(first), b"\n") + p.data[len(first):]


def flips(world, step):
    """A byte changed in every region of the file."""
    for style in ("table", "stream"):
        p = world.signed(style).sign(world.signer(cert=world.second), field="Hai")
        for at in range(9, len(p.data), step):
            if p.data[at:at + 1] == b"0" and b"0" * 60 in p.data[max(0, at - 60):at + 60]:
                continue
            data = bytearray(p.data)
            data[at] ^= 0x01
            issuer = world.second.issuer_name.hex().encode()
            names = max(p.data.rfind(issuer, 0, p.hole[1]), p.data.rfind(issuer.upper(), 0, p.hole[1]))
            in_names = names <= at < names + len(issuer) # who signed, said outside the signature: compared as a name, in which "vn" is "VN"
            yield f"{style}: flip at {at}", bytes(data), NO_ACCEPT | LAWFUL if in_names else NO_ACCEPT, "names are compared as RFC 5280 7.1 says" * in_names


def lawful_or_not(world):
    p = world.signed()
    yield "two lines more at the end", p.data + b"\n\n", NO_ACCEPT | LAWFUL
    yield "empty revision", p.copy().append({}).data, LAWFUL | REFUSED
    yield "revision written again with the same meaning", p.copy().append({4: p.body[4]}).data, LAWFUL
    yield "catalog under another number", p.copy().append({50: p.body[1]}, free=[1], root=50).data, LAWFUL | REFUSED
    yield "white space more", p.data + b"\n\0", LAWFUL
    yield "unused object", p.copy().append({50: "<< /Rieng true >>"}).data, LAWFUL


def cases(world, full):
    for style in ("table", "stream"):
        for name, data in incremental(world, style):
            yield Case(f"{style}: {name}", data, REFUSED)
        for name, data in whole_updates(world, style):
            yield Case(f"{style}, update without /Prev: {name}", data, REFUSED)
        for name, data in strays(world, style):
            yield Case(f"{style}, widget not named by the form: {name}", data, NO_ACCEPT)
    for rows in (reading_games(world), truncations(world)):
        for name, data in rows:
            yield Case(name, data, NO_ACCEPT)
    for name, data, words in lawful_or_not(world):
        yield Case(name, data, words)
    for name, data, words, reason in flips(world, 1 if full else 97):
        yield Case(name, data, words, stricter=reason)
