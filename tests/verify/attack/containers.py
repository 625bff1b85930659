"""Containers: what their time-stamps and records prove, and ZIP files that two readers would read differently."""
import base64, struct, zlib
from functools import lru_cache
from forge.der import *
from forge.pki import *
from .records import record, sha256, stamp
from .world import *

ASIC, DS, SHA256 = "http://uri.etsi.org/02918/v1.2.1#", "http://www.w3.org/2000/09/xmldsig#", "http://www.w3.org/2001/04/xmlenc#sha256"


def manifest(target, entries):
    rows = "".join(f'<a:DataObjectReference URI="{name}"><ds:DigestMethod Algorithm="{SHA256}"/><ds:DigestValue>'
                   f"{base64.b64encode(sha256(data)).decode()}</ds:DigestValue></a:DataObjectReference>" for name, data in entries)
    return f'<a:ASiCManifest xmlns:a="{ASIC}" xmlns:ds="{DS}"><a:SigReference URI="{target}"/>{rows}</a:ASiCManifest>'.encode()


# ---- ZIP, byte by byte ----
@lru_cache(maxsize=4)
def deflate(data):
    return zlib.compress(data, 1 if len(data) > 1 << 20 else 9)[2:-4]


def zip_file(rows, comment=b"", prefix=b"", suffix=b"", shift=0, between=b"", count=None):
    """rows: (name, data, options). Options lie: method, flags, crc, size, packed_size, local_name, local_size, again (offset of row N), extra, no_central."""
    body, central, offsets = bytearray(prefix), bytearray(), []
    for row in rows:
        name, data, o = (*row, {})[:3]
        name = name if isinstance(name, bytes) else name.encode()
        method = o.get("method", 8)
        packed = deflate(data) if method == 8 else data
        crc, size, packed_size = o.get("crc", zlib.crc32(data)), o.get("size", len(data)), o.get("packed_size", len(packed))
        flags = o.get("flags", 0x800)
        local_name = o.get("local_name", name)
        offset = len(body)
        head = (0, 0, 0) if flags & 8 else (o.get("local_crc", crc), packed_size, o.get("local_size", size))
        if "again" in o:
            offset = offsets[o["again"]]
        else:
            body += struct.pack("<4s5H3L2H", b"PK\3\4", 20, flags, o.get("local_method", method), 0, 0x5A21, *head, len(local_name), len(o.get("extra", b"")))
            body += local_name + o.get("extra", b"") + packed
            if flags & 8:
                body += struct.pack("<4s3L", b"PK\7\x08", crc, packed_size, size)
        offsets.append(offset)
        if not o.get("no_central"):
            central += struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, flags, method, 0, 0x5A21, crc, packed_size, size, len(name), 0, 0, 0, 0,
                                   o.get("attributes", 0), offset + o.get("shift", 0)) + name
    total = count if count is not None else sum(1 for r in rows if not (*r, {})[2].get("no_central"))
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, total, total, len(central), len(body) + len(between) + shift, len(comment)) + comment
    return bytes(body + between + central + end + suffix)


MIME = ("mimetype", b"application/vnd.etsi.asic-e+zip", {"method": 0})


def p7s(world, entries, cert=None, number="001", **options):
    target = f"META-INF/signature{number}.p7s"
    text = manifest(target, entries)
    return [(f"META-INF/ASiCManifest{number}.xml", text), (target, world.cms(text, cert, **options))]


# ---- what is proven ----
def archived(number, entries, token_of):
    """An archive manifest over entries, and the token over it."""
    target = f"META-INF/timestamp{number}.tst"
    text = manifest(target, entries)
    return [(f"META-INF/ASiCArchiveManifest{number}.xml", text), (target, token_of(text))]


def proofs(world):
    now = world.now
    old = Cert("Người ký đã hết hạn", Rsa.new(), world.root, now - 365 * DAY, now - 100 * DAY, [key_usage(0, 1)])
    old_tsa = Cert("TSA hết hạn", Rsa.new(), world.root, now - 365 * DAY, now - 150 * DAY, [key_usage(0), eku("timeStamping", critical=True)])
    text, data = b"noi dung\n", ("a.txt", b"noi dung\n")
    signed = p7s(world, [data], old)
    base = [MIME, data, *signed]

    def by(tsa, days):
        return lambda text: token(text, tsa, now - days * DAY)

    first = archived("001", [data, *signed], by(world.tsa, 200))
    yield "signer expired, nothing proves when", base, NOT_ENOUGH
    yield "signer expired, archive time-stamp from before", base + first, LAWFUL
    yield "signer expired, archive time-stamp stands first", [MIME, *first, data, *signed], LAWFUL
    yield "signer expired, archive time-stamp from after", base + archived("001", [data, *signed], by(world.tsa, 50)), NO_ACCEPT
    yield "archive time-stamp does not name the signature", base + archived("001", [data], by(world.tsa, 200)), NO_ACCEPT
    yield "archive manifest with another digest of the signature", base + archived("001", [data, signed[0], (signed[1][0], b"x")], by(world.tsa, 200)), NO_ACCEPT
    yield "archive time-stamp over another manifest", base + archived("001", [data, *signed], lambda text: token(b"khac", world.tsa, now - 200 * DAY)), NO_ACCEPT
    early = archived("001", [data, *signed], by(old_tsa, 200))
    yield "time-stamp authority expired too", base + early, NO_ACCEPT
    later = archived("002", [data, *signed, *early], by(world.tsa, 160))
    yield "time-stamp authority expired too, stamped anew in time", base + early + later, LAWFUL
    yield "stamped anew without the earlier token", base + early + archived("002", [data, *signed, early[0]], by(world.tsa, 160)), NO_ACCEPT
    yield "stamped anew too late", base + early + archived("002", [data, *signed, *early], by(world.tsa, 50)), NO_ACCEPT
    target = "META-INF/evidencerecord001.ers"
    group = [data, *signed]
    hashes = sorted(sha256(d) for _, d in group)
    kept = [("META-INF/ASiCEvidenceRecordManifest001.xml", manifest(target, group)), (target, record([stamp([hashes], world.tsa, now - 200 * DAY)[0]]))]
    yield "signer expired, evidence record from before", base + kept, LAWFUL
    wrong = [kept[0], (target, record([stamp([[sha256(b"khac")]], world.tsa, now - 200 * DAY)[0]]))]
    yield "evidence record over something else", base + wrong, NO_ACCEPT
    stamped = manifest("META-INF/timestamp.tst", [data])
    alone = [("META-INF/ASiCManifest.xml", stamped), ("META-INF/timestamp.tst", token(stamped, world.tsa, now - DAY))]
    yield "time-stamp alone", [MIME, data, *alone], LAWFUL
    yield "time-stamp alone, file changed", [MIME, ("a.txt", b"khac"), *alone], NO_ACCEPT
    yield "time-stamp alone, file lost", [MIME, *alone], NO_ACCEPT


# ---- one file, two readings ----
def tricks(world):
    a, evil = b"noi dung\n", b"noi dung khac\n"
    data = ("a.txt", a)
    signed = p7s(world, [data])
    good = [MIME, data, *signed]

    def row(**options):
        return zip_file([MIME, ("a.txt", a, options), *signed])

    yield "plain", zip_file(good), LAWFUL
    yield "stored", row(method=0), LAWFUL
    yield "comment", zip_file(good, comment=b"ghi chu"), LAWFUL
    yield "data descriptor", row(flags=0x808), LAWFUL
    yield "folders listed", zip_file([MIME, ("META-INF/", b"", {"method": 0}), data, *signed]), LAWFUL
    yield "mimetype not first", zip_file([data, *signed, MIME]), LAWFUL
    yield "mimetype packed", zip_file([MIME[:2], data, *signed]), LAWFUL
    yield "name twice, signed first", zip_file([*good, ("a.txt", evil)]), NO_ACCEPT
    yield "name twice, signed last", zip_file([MIME, ("a.txt", evil), data, *signed]), NO_ACCEPT
    yield "name twice, same bytes", zip_file([*good, data]), NO_ACCEPT
    yield "name in another case", zip_file([*good, ("A.TXT", evil)]), NO_ACCEPT
    yield "local header names another file", row(local_name=b"b.txt"), NO_ACCEPT
    yield "local header with another size", row(local_size=3), NO_ACCEPT
    yield "local header with another method", row(local_method=0), NO_ACCEPT
    yield "checksum wrong", row(crc=1), NO_ACCEPT
    yield "checksum wrong in the local header", row(local_crc=1), NO_ACCEPT
    yield "size too small", row(size=len(a) - 1), NO_ACCEPT
    yield "size too large", row(size=len(a) + 1), NO_ACCEPT
    yield "size of 4 GB", row(size=0xFFFFFFFE), NO_ACCEPT
    yield "packed size beyond the end", row(packed_size=1 << 30), NO_ACCEPT
    yield "encrypted flag", row(flags=0x801), NO_ACCEPT
    yield "unknown method", row(method=99), NO_ACCEPT
    yield "two entries over the same bytes", zip_file([MIME, data, ("b.txt", a, {"again": 1}), *signed]), NO_ACCEPT
    yield "offset into another entry", row(shift=5), NO_ACCEPT
    yield "file that only a scan finds", zip_file([MIME, ("a.txt", evil, {"no_central": True}), data, *signed]), NO_ACCEPT
    yield "bytes before the first entry", zip_file(good, prefix=b"MZ" + b"\0" * 100), NO_ACCEPT
    yield "bytes before the directory", zip_file(good, between=b"x" * 50), NO_ACCEPT
    yield "bytes after the end", zip_file(good, suffix=b"x" * 50), NO_ACCEPT
    yield "directory moved", zip_file(good, shift=7), NO_ACCEPT
    yield "count too small", zip_file(good, count=2), NO_ACCEPT
    yield "count too large", zip_file(good, count=9), NO_ACCEPT
    other = zip_file([MIME, ("a.txt", evil), *signed])
    yield "another archive in the comment", zip_file(good, comment=other), NO_ACCEPT
    yield "another archive in front", zip_file(good, prefix=other), NO_ACCEPT
    yield "another archive behind", zip_file(good) + other, NO_ACCEPT
    for name in ("../a.txt", "/etc/a.txt", "META-INF/../b.txt", "C:\\a.txt", "..\\a.txt", b"b.txt\0.exe", b"\xff\xfe.txt", "a.txt/", "./a.txt", ""):
        yield f"name {name!r} beside", zip_file([*good, (name, evil)]), NO_ACCEPT
    yield "signed through a path", zip_file([MIME, ("x/../a.txt", evil), *p7s(world, [("x/../a.txt", evil)])]), NO_ACCEPT
    yield "link to a file", zip_file([MIME, ("a.txt", b"/etc/passwd", {"attributes": 0xA1FF0000, "method": 0}), *p7s(world, [("a.txt", b"/etc/passwd")])]), \
        NO_ACCEPT | LAWFUL
    text = manifest("META-INF/signature001.p7s", [data])
    yield "two manifests for one signature", zip_file([*good, ("META-INF/ASiCManifest002.xml", manifest("META-INF/signature001.p7s", [("a.txt", evil)]))]), \
        NO_ACCEPT | LAWFUL
    yield "unsigned manifest covers a file", zip_file([*good, ("b.txt", evil), ("META-INF/ASiCManifest002.xml", manifest("META-INF/none.p7s", [("b.txt", evil)]))]), \
        NO_ACCEPT
    yield "manifest with a DTD", zip_file([MIME, data, (signed[0][0], b'<!DOCTYPE x [<!ENTITY e "a">]>' + text), signed[1]]), NO_ACCEPT
    yield "many entries", zip_file([*good, *((f"n{i}", b"") for i in range(60000))]), NO_ACCEPT
    zeros = b"\0" * (40 << 20)
    yield "many small bombs", zip_file([MIME, data, *((f"b{i}", zeros) for i in range(20)), *signed]), NO_ACCEPT


def cases(world, full):
    for name, rows, words in proofs(world):
        yield Case("container: " + name, zip_file(rows), words, revocation="none")
    for name, data, words in tricks(world):
        yield Case("zip: " + name, data, words, alone="bomb" in name or "many" in name)
    good = zip_file([MIME, ("a.txt", b"noi dung\n"), *p7s(world, [("a.txt", b"noi dung\n")])])
    signed = {i for name in (b"a.txt", b"META-INF/ASiCManifest001.xml") for i in range(good.find(name), good.find(name) + len(name))}
    for at in range(0, len(good), 1 if full else 37):
        data = bytearray(good)
        data[at] ^= 1 << (at % 8)
        yield Case(f"zip: flip at {at}", bytes(data), NO_ACCEPT if at in signed else NO_ACCEPT | LAWFUL)
        yield Case(f"zip: cut at {at}", good[:at], NO_ACCEPT)
