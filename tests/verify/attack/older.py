"""Kinds of PDF seldom met: signatures of the first formats (a bare RSA value; the SHA-1 of the ranges as content), usage
rights, XFA, locked fields, hybrid files, object streams in updates, looks that hang on fonts, masks and patterns."""
import hashlib
from forge.der import *
from forge.pdf import base, stream
from forge.pki import *
from .content import FORM
from .signatures import joined
from .structure import EVIL
from .world import *

ANY = dict(policy="rfc5280")  # path rules alone: SHA-1 is not the question here


# ---- adbe.x509.rsa_sha1 ----
def bare(world, digest="sha1", key=None, certs=None, after=b"", edit=lambda value: value, wrap=octets):
    key = key or world.leaf.key
    listed = [world.leaf.der, world.root.der] if certs is None else certs
    text = " ".join(f"<{der.hex()}>" for der in listed)
    cert = f"/Cert {text if len(listed) == 1 else '[' + text + ']'}" if listed else ""
    return base().sign(lambda data: wrap(edit(key.sign(data, digest))) + after, sub_filter="adbe.x509.rsa_sha1", value=cert)


def bare_values(world):
    yield "bare RSA value", bare(world), LAWFUL
    yield "bare RSA value, one certificate as a string", bare(world, certs=[world.leaf.der]), LAWFUL
    yield "bare RSA value, SHA-256", bare(world, "sha256"), LAWFUL
    yield "bare RSA value, signer second in the list", bare(world, certs=[world.root.der, world.leaf.der]), NO_ACCEPT
    yield "bare RSA value, no certificate", bare(world, certs=[]), NO_ACCEPT
    yield "bare RSA value, not a certificate", bare(world, certs=[b"\x30\x03\x02\x01\x01"]), NO_ACCEPT
    yield "bare RSA value of another key", bare(world, key=world.tsa.key), NO_ACCEPT
    yield "bare RSA value, elliptic certificate", bare(world, certs=[world.second.der]), NO_ACCEPT
    yield "bare RSA value, a bit flipped", bare(world, edit=lambda v: v[:9] + bytes([v[9] ^ 1]) + v[10:]), NO_ACCEPT
    yield "bare RSA value, cut short", bare(world, edit=lambda v: v[:-1]), NO_ACCEPT
    yield "bare RSA value, empty", bare(world, edit=lambda v: b""), BROKEN
    yield "bare RSA value, no OCTET STRING", bare(world, wrap=lambda v: v), BROKEN
    yield "bare RSA value in a bit string", bare(world, wrap=bits), BROKEN
    p = bare(world)
    yield "bare RSA value, page changed after", p.append({4: EVIL}), REFUSED
    q = bare(world)
    yield "bare RSA value, a byte of the document", q.with_data(q.data[:200] + bytes([q.data[200] ^ 1]) + q.data[201:]), NO_ACCEPT
    second = bare(world)
    yield "bare RSA value and a later signature", second.sign(world.signer(cert=world.second), field="Hai"), LAWFUL


# ---- adbe.pkcs7.sha1 ----
def inner(world, data, cert=None, content=None, **options):
    content = hashlib.sha1(data).digest() if content is None else content
    return signed_data(hashlib.sha256(content).digest(), cert or world.leaf, content=content, **options)


def of_ranges(make, room=9000):
    return base().sign(make, sub_filter="adbe.pkcs7.sha1", room=room)


def wrapped_digests(world):
    second = dict(cert=world.second)
    yield "SHA-1 of the ranges as content", of_ranges(lambda d: inner(world, d)), LAWFUL
    yield "SHA-1 as content, of other bytes", of_ranges(lambda d: inner(world, b"x" + d)), BROKEN
    yield "SHA-1 as content, SHA-256 instead", of_ranges(lambda d: inner(world, d, content=hashlib.sha256(d).digest())), BROKEN
    yield "SHA-1 as content, one byte more", of_ranges(lambda d: inner(world, d, content=hashlib.sha1(d).digest() + b"\0")), BROKEN
    yield "SHA-1 as content, empty", of_ranges(lambda d: inner(world, d, content=b"")), NO_ACCEPT
    yield "SHA-1 as content, none", of_ranges(lambda d: world.cms(d)), NO_ACCEPT
    yield "SHA-1 as content, without attributes", of_ranges(lambda d: inner(world, d, bare=hashlib.sha1(d).digest())), LAWFUL
    yield "SHA-1 as content, detached kind", base().sign(lambda d: inner(world, d)), NO_ACCEPT
    for name, make, words in (("both right", lambda d: inner(world, d, **second), LAWFUL),
                              ("second over another content", lambda d: inner(world, b"x" + d, **second), NO_ACCEPT),
                              ("second by another key", lambda d: inner(world, d, key=world.leaf.key, **second), NO_ACCEPT),
                              ("second with a value of zeros", lambda d: inner(world, d, signature=b"\0" * 256), NO_ACCEPT)):
        for order in (1, -1):
            if order == -1 and "another content" in name:
                continue
            yield (f"SHA-1 as content, two SignerInfos: {name}, {'in this order' if order == 1 else 'the other first'}",
                   of_ranges(lambda d: joined(*[inner(world, d), make(d)][::order]), room=12000), words)


# ---- usage rights, XFA ----
def rights_and_forms(world):
    rights = "<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.x509.rsa_sha1 /ByteRange [0 10 20 10] /Contents <04020001> >>"
    signed = base(catalog="/Perms << /UR3 50 0 R >>", more={50: rights}).sign(world.signer())
    yield "usage rights under an ordinary signature", signed, LAWFUL
    yield "usage rights alone", base(catalog="/Perms << /UR3 50 0 R >>", more={50: rights}), {ERROR}
    yield "usage rights taken away", signed.copy().append({1: signed.edit(1, "/Perms << /UR3 50 0 R >>", "")}), REFUSED
    yield "usage rights rewritten", signed.copy().append({50: rights.replace("<04020001>", "<04020002>")}), REFUSED
    ends = base(catalog="/Perms << /UR3 50 0 R >>", more={50: rights}).sign(world.signer(), more={1: base().body[1].replace(b"<<", b"<< /Perms << /UR3 50 0 R >>", 1)})
    yield "usage rights written again with the signature", ends, LAWFUL
    xfa = base(more={50: stream(b"<xdp><datasets><f>1</f></datasets></xdp>")})
    xfa.append({6: xfa.edit(6, "<<", "<< /XFA 50 0 R")})
    for level in (0, 2, 3):
        p = xfa.copy().sign(world.signer(), certify=level)
        yield f"XFA form, DocMDP {level}", p, LAWFUL
        yield f"XFA data changed, DocMDP {level}", p.copy().append({50: stream(b"<xdp><datasets><f>9</f></datasets></xdp>")}), REFUSED
        yield f"XFA taken out, DocMDP {level}", p.copy().append({6: p.edit(6, "/XFA 50 0 R", "")}), REFUSED
        yield f"XFA repointed, DocMDP {level}", p.copy().append({6: p.edit(6, "/XFA 50 0 R", "/XFA 51 0 R"), 51: stream(b"<xdp/>")}), REFUSED


# ---- locked fields ----
TREE = {7: "<< /FT /Tx /T (Don) /Kids [52 0 R 53 0 R] >>", 12: "<< /FT /Tx /T (Donvi) /Kids [54 0 R] >>"}


def text_field(name, parent, rect):
    return (f"<< /Type /Annot /Subtype /Widget /T ({name}) /Parent {parent} 0 R /V (An) /F 4 /P 3 0 R /Rect [{rect}] /DA (/Helv 12 Tf 0 g) /AP << /N 8 0 R >> >>")


def filled(p, number):
    return {number: p.edit(number, "/V (An)", "/V (Binh)").replace(b"8 0 R", b"65 0 R"), 65: stream(b"/Tx BMC q BT /Helv 12 Tf 2 5 Td (Binh) Tj ET Q EMC", FORM)}


def lock(text):
    return f" << /Type /SigRef /TransformMethod /FieldMDP /TransformParams << /Type /TransformParams /V /1.2 {text} >> >>"


def certification(level):
    return f" << /Type /SigRef /TransformMethod /DocMDP /TransformParams << /Type /TransformParams /P {level} /V /1.2 >> >>" if level else ""


LOCKS = {  # name -> (parameters, is Don.A locked, is Don.B, is Donvi.A)
    "all": ("/Action /All", True, True, True), "none named": ("/Action /Include /Fields []", False, False, False),
    "one": ("/Action /Include /Fields [(Don.A)]", True, False, False), "a subtree": ("/Action /Include /Fields [(Don)]", True, True, False),
    "all but one": ("/Action /Exclude /Fields [(Don.A)]", False, True, True), "all but a subtree": ("/Action /Exclude /Fields [(Don)]", False, False, True),
    "all but none": ("/Action /Exclude /Fields []", True, True, True), "all but what is not said": ("/Action /Exclude", True, True, True),
    "an action unknown": ("/Action /Only /Fields [(Don.A)]", True, True, True), "no action": ("/Fields [(Don.A)]", True, True, True),
    "in UTF-16": ("/Action /Include /Fields [<FEFF0044006F006E002E0041>]", True, False, False),
}


def locked_fields(world):
    more = dict(TREE) | {52: text_field("A", 7, "72 500 300 520"), 53: text_field("B", 7, "72 470 300 490"), 54: text_field("A", 12, "72 440 300 460")}
    start = base(more=more, annotations="")
    start.append({3: start.edit(3, "/Annots [7 0 R 12 0 R", "/Annots [52 0 R 53 0 R 54 0 R")})
    for name, (text, *locked) in LOCKS.items():
        for level in (0, 2):
            references = f"/Reference [{certification(level)}{lock(text)}]"
            p = start.copy().sign(world.signer(), value=references)
            for number, is_locked in zip((52, 53, 54), locked):
                words = REFUSED if is_locked or not level else LAWFUL
                yield f"locked fields, {name}, DocMDP {level}, {number} filled in", p.copy().append(filled(p, number)), words
    two = start.copy().sign(world.signer(), value=f"/Reference [{certification(2)}{lock(LOCKS['one'][0])}{lock('/Action /Include /Fields [(Don.B)]')}]")
    for number, words in ((52, REFUSED), (53, REFUSED), (54, LAWFUL)):
        yield f"two locks, {number} filled in", two.copy().append(filled(two, number)), words
    by_field = start.copy().sign(world.signer(), value=f"/Reference [{certification(2)}]", lock="/Lock << /Type /SigFieldLock /Action /Include /Fields [(Don.A)] >>")
    for number, words in ((52, REFUSED), (53, LAWFUL)):
        yield f"lock of the field alone, {number} filled in", by_field.copy().append(filled(by_field, number)), words
    gone = start.copy().sign(world.signer(), value=f"/Reference [{certification(2)}{lock(LOCKS['one'][0])}]")
    yield "lock taken away with the filling", gone.append(filled(gone, 52) | {gone.value_number: gone.body[gone.value_number].replace(b"/Include", b"/Exclude")}), REFUSED


# ---- shapes of files ----
def shapes(world):
    hidden = {50: "<< /Type /ExtGState /ca 1 >>"}
    p = base(more=hidden)
    at, body = len(p.data), b"50 0 obj\n<< /Type /ExtGState /ca 1 >>\nendobj\n"
    row = b"\1" + (at + 0).to_bytes(4, "big") + b"\0\0"
    xref = b"51 0 obj\n" + stream(row, "/Type /XRef /W [1 4 2] /Index [50 1] /Size 52 /Root 1 0 R") + b"\nendobj\n"
    hybrid = base()
    hybrid.with_data(hybrid.data)
    hybrid.append({}, junk=body + xref, extra=hybrid.extra + f" /XRefStm {len(hybrid.data) + len(body)}", style="table", size=52)
    yield "hybrid file", hybrid.copy().sign(world.signer(), size=60), LAWFUL
    yield "hybrid file, page changed", hybrid.copy().sign(world.signer(), size=60).append({4: EVIL}), REFUSED
    for first in ("table", "stream"):
        for second in ("table", "stream"):
            one = world.signed(style=first)
            yield f"a {first} signed, then a {second}", one.copy().sign(world.signer(cert=world.second), field="Hai", style=second), LAWFUL
            yield f"a {first} signed, page changed by a {second}", one.copy().append({4: EVIL}, style=second), REFUSED
    def by(digest, **options):
        return lambda data: signed_data(hashlib.new(digest, data).digest(), options.get("cert", world.leaf), digest=digest)

    mixed = base().sign(by("sha512")).sign(world.signer(cert=world.second), field="Hai").sign(by("sha384"), field="Ba").sign(by("sha512"), field="Bon")
    yield "signatures with digests of their own", mixed, LAWFUL
    for at in (200, mixed.start() - 10):
        yield f"signatures with digests of their own, byte {'of all' if at == 200 else 'of the last'}", mixed.with_data(
            mixed.data[:at] + bytes([mixed.data[at] ^ 1]) + mixed.data[at + 1:]), NO_ACCEPT
    one = world.signed(style="stream", certify=2)
    fill = {7: one.edit(7, "/V (An)", "/V (Binh)").replace(b"8 0 R", b"65 0 R"), 65: stream(b"/Tx BMC q BT /Helv 12 Tf 2 5 Td (Binh) Tj ET Q EMC", FORM)}
    yield "field filled in within an object stream", one.copy().append(fill, packed=[7]), LAWFUL
    yield "page within an object stream", one.copy().append({3: one.edit(3, "/Type /Page", "/Type /Page /Rotate 90")}, packed=[3]), REFUSED
    yield "font within an object stream", one.copy().append({5: one.edit(5, "/Helvetica", "/Symbol")}, packed=[5]), REFUSED


# ---- looks that hang on something else ----
LOOKS = {
    "a glyph of a Type 3 font": (60, stream(b"0 0 500 500 re f"), stream(b"0 0 500 10 re f")),
    "the encoding of a Type 3 font": (61, "<< /Type /Encoding /Differences [65 /a] >>", "<< /Type /Encoding /Differences [65 /b] >>"),
    "a soft mask": (62, stream(b"0 0 9 9 re f", "/Type /XObject /Subtype /Form /BBox [0 0 9 9]"), stream(b"", "/Type /XObject /Subtype /Form /BBox [0 0 9 9]")),
    "a graphics state": (63, "<< /Type /ExtGState /SMask << /Type /Mask /S /Luminosity /G 62 0 R >> >>", "<< /Type /ExtGState /SMask /None /ca 0 >>"),
    "a tiling pattern": (64, stream(b"0 0 9 9 re f", "/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 9 9] /XStep 9 /YStep 9 /Resources << >>"),
                         stream(b"0 0 1 1 re f", "/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 9 9] /XStep 9 /YStep 9 /Resources << >>")),
    "a function of a shading": (66, "<< /FunctionType 2 /Domain [0 1] /C0 [0 0 0] /C1 [0 0 0] /N 1 >>", "<< /FunctionType 2 /Domain [0 1] /C0 [1 1 1] /C1 [1 1 1] /N 1 >>"),
    "a colour space": (67, "[/Separation /Den /DeviceGray 66 0 R]", "[/Separation /All /DeviceGray 66 0 R]"),
    "an image mask": (68, stream(b"\xff", "/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8"),
                      stream(b"\x00", "/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8")),
    "a character map": (69, stream(b"1 begincodespacerange <00> <ff> endcodespacerange", "/Type /CMap /CMapName /M"), stream(b"", "/Type /CMap /CMapName /M")),
}


def hanging_looks(world):
    more = {number: before for number, before, _ in LOOKS.values()}
    more[70] = ("<< /Type /Font /Subtype /Type3 /FontBBox [0 0 1000 1000] /FontMatrix [0.001 0 0 0.001 0 0] /FirstChar 65 /LastChar 65 /Widths [600] "
                "/CharProcs << /a 60 0 R >> /Encoding 61 0 R /ToUnicode 69 0 R /Resources << >> >>")
    more[71] = stream(b"\x80", "/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8 /SMask 68 0 R")
    start = base(more=more)
    start.append({3: start.edit(3, "/Resources << /Font << /F1 5 0 R >> /XObject << /Im1 9 0 R >>",
                                "/Resources << /Font << /F1 5 0 R /F3 70 0 R >> /XObject << /Im1 9 0 R /Im2 71 0 R >> /ExtGState << /G 63 0 R >> "
                                "/Pattern << /P 64 0 R >> /ColorSpace << /C 67 0 R >> /Shading << /S << /ShadingType 2 /ColorSpace /DeviceRGB /Coords [0 0 1 1] /Function 66 0 R >> >>")})
    for level in (0, 2, 3):
        p = start.copy().sign(world.signer(), certify=level)
        yield f"looks of all kinds, DocMDP {level}", p, LAWFUL
        for name, (number, _, after) in LOOKS.items():
            yield f"{name} changed, DocMDP {level}", p.copy().append({number: after}), REFUSED
            yield f"{name} taken away, DocMDP {level}", p.copy().append({number: "null"}), REFUSED


def cases(world, full):
    for part, options in ((bare_values, ANY), (wrapped_digests, ANY), (rights_and_forms, {}), (locked_fields, {}), (shapes, {}), (hanging_looks, {})):
        for name, p, words in part(world):
            yield Case(name, p.data, words, stricter="others know these formats only in part" if options and words == LAWFUL else "", **options)
