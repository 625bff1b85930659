"""Small or large files that cost far more than they weigh. Any word is right as long as it comes soon and memory stays flat;
what must not be accepted says so."""
import os, zlib
from forge import pdf
from forge.der import *
from forge.keys import Rsa
from forge.pki import *
from .world import *

ANY = LAWFUL | NO_ACCEPT


def deflate(data, times):
    for _ in range(times):
        data = zlib.compress(data, 9)
    return data


def page_content(world, data, filters):
    return pdf.base(more={4: b"<< /Length %d /Filter [%s] >>\nstream\n" % (len(data), filters) + data + b"\nendstream"}).sign(world.signer())


def decompression(world, full):
    zeros = zlib.compress(b"\0" * (1 << 27), 9)
    yield "page content inflates to 128 MB", page_content(world, zeros, b"/FlateDecode").append({11: "<< /Title (b) >>"}).data, ANY
    twice = zlib.compress(zeros, 9)
    yield "inflates twice", page_content(world, twice, b"/FlateDecode /FlateDecode").append({11: "<< /Title (b) >>"}).data, ANY
    yield "a hundred filters", page_content(world, b"x", b"/ASCIIHexDecode " * 100).data, ANY
    p = world.signed()
    yield "object stream that inflates to 128 MB", p.copy().append({50: b"<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode /Length %d >>\nstream\n" % len(zeros) + zeros + b"\nendstream"}).data, ANY
    body = b"<< /Type /XRef /Size 99 /W [1 4 2] /Root 1 0 R /Filter /FlateDecode /Length %d /Prev %d >>\nstream\n" % (len(zeros), p.start()) + zeros + b"\nendstream"
    where = len(p.data)
    yield "cross-reference that inflates to 128 MB", p.data + b"98 0 obj\n" + body + b"\nendobj\nstartxref\n%d\n%%%%EOF\n" % where, NO_ACCEPT
    huge = zlib.compress(b"\1\0\0\0\x10\0\0" * 10_000_000, 1)
    body = b"<< /Type /XRef /Size 10000000 /W [1 4 2] /Root 1 0 R /Filter /FlateDecode /Length %d /Prev %d >>\nstream\n" % (len(huge), p.start()) + huge + b"\nendstream"
    yield "cross-reference with 10,000,000 rows", p.data + b"98 0 obj\n" + body + b"\nendobj\nstartxref\n%d\n%%%%EOF\n" % where, NO_ACCEPT
    yield "cross-reference table with 1,000,000 rows", p.data + b"xref\n0 1000000\n" + b"0000000000 65535 f \n" * 1_000_000 + b"trailer\n<< /Size 1000000 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n" % (p.start(), where), NO_ACCEPT
    yield "RunLength", page_content(world, b"\x81\0" * 2_000_000, b"/RunLengthDecode").append({11: "<< /Title (b) >>"}).data, ANY


def nesting(world, full):
    p = world.signed()
    yield "arrays in arrays", p.copy().append({11: b"[" * 100_000 + b"]" * 100_000}).data, ANY
    yield "dictionaries in dictionaries", p.copy().append({11: b"<< /A " * 100_000 + b"0" + b" >>" * 100_000}).data, ANY
    yield "parentheses in parentheses", p.copy().append({11: b"<< /Title " + b"(" * 500_000 + b")" * 500_000 + b" >>"}).data, ANY
    yield "references in a row", p.copy().append({100 + i: f"{101 + i} 0 R" for i in range(20_000)} | {11: "100 0 R"}).data, ANY
    yield "reference to itself", p.copy().append({11: "11 0 R"}).data, ANY
    yield "page tree in a circle", p.copy().append({2: p.edit(2, "[3 0 R]", "[2 0 R]")}).data, NO_ACCEPT
    yield "page tree of two circles", p.copy().append({2: p.edit(2, "[3 0 R]", "[3 0 R 60 0 R 60 0 R]"), 60: "<< /Type /Pages /Kids [2 0 R 2 0 R 60 0 R] /Parent 2 0 R /Count 4 >>"}).data, NO_ACCEPT
    tree = {60 + i: f"<< /Type /Pages /Parent {59 + i if i else 2} 0 R /Kids [{61 + i} 0 R {61 + i} 0 R] /Count 2 >>" for i in range(40)} | {100: p.body[3]}
    yield "page tree that doubles forty times", p.copy().append({2: p.edit(2, "[3 0 R]", "[60 0 R]"), **tree}).data, NO_ACCEPT
    signed_tree = pdf.base(more=tree | {2: "<< /Type /Pages /Kids [3 0 R 60 0 R] /Count 2199023255552 /MediaBox [0 0 9 9] >>"}).sign(world.signer())
    yield "the same tree, signed", signed_tree.data, ANY
    yield "the same tree, signed, then changed", signed_tree.copy().append({4: pdf.stream(b"q Q")}).data, NO_ACCEPT
    fields = {60 + i: f"<< /T (a) /Kids [{61 + i} 0 R {61 + i} 0 R] >>" for i in range(40)} | {100: "<< /FT /Tx /T (x) >>"}
    yield "field tree that doubles forty times", p.copy().append({6: p.edit(6, "/Fields [", "/Fields [60 0 R "), **fields}).data, NO_ACCEPT
    deep = {60 + i: f"<< /T (a) /Kids [{61 + i} 0 R] >>" for i in range(5000)} | {5060: "<< /FT /Tx /T (x) >>"}
    yield "field tree 5,000 deep", pdf.base(more=deep).append({}).sign(world.signer()).data, ANY
    names = {60 + i: f"<< /Kids [{61 + i} 0 R {61 + i} 0 R] >>" for i in range(40)} | {100: "<< /Names [] >>"}
    yield "name tree that doubles forty times", pdf.base(more=names, catalog="/Names << /JavaScript 60 0 R >>").sign(world.signer()).data, ANY
    outlines = {60: "<< /First 61 0 R >>"} | {61: "<< /Title (x) /Next 61 0 R /First 61 0 R >>"}
    yield "outline in a circle", pdf.base(more=outlines, catalog="/Outlines 60 0 R").sign(world.signer()).append({11: "<< /Title (z) >>"}).data, ANY
    yield "/Count enormous", pdf.base(more={2: "<< /Type /Pages /Kids [3 0 R] /Count 2147483647 >>"}).sign(world.signer()).data, ANY
    yield "/Length of a stream is the stream", p.copy().append({11: b"<< /Length 11 0 R >>\nstream\nx\nendstream"}).data, ANY


def numbers(world, full):
    count = 60_000 if full else 20_000
    fields = {200 + i: f"<< /FT /Tx /T (t{i}) >>" for i in range(count)}
    listed = " ".join(f"{n} 0 R" for n in fields)
    big = pdf.base(more=fields | {6: f"<< /Fields [{listed}] /DA (/Helv 0 Tf 0 g) >>"}).sign(world.signer())
    yield f"{count} fields", big.data, LAWFUL
    yield f"{count} fields, one filled in", big.copy().append({200: "<< /FT /Tx /T (t0) /V (x) >>"}).data, ANY
    p = world.signed()
    many = p.copy()
    for i in range(4000 if full else 800):
        many.append({11: f"<< /Title (lan {i}) >>"})
    yield "hundreds or thousands of revisions", many.data, ANY
    sig = {1000 + i: f"<< /FT /Sig /T (s{i}) /V {p.value_number} 0 R >>" for i in range(10_000)}
    yield "10,000 fields with one signature", p.copy().append({**sig, 6: p.edit(6, "/Fields [", "/Fields [" + " ".join(f"{n} 0 R" for n in sig) + " ")}).data, NO_ACCEPT
    yield "10,000 signatures of nothing", p.copy().append({**{n: f"<< /FT /Sig /T (s{n}) /V << /Type /Sig /Filter /X /SubFilter /adbe.pkcs7.detached /ByteRange [0 {n} {n} {n}] /Contents <3000> >> >>" for n in sig},
                                                          6: p.edit(6, "/Fields [", "/Fields [" + " ".join(f"{n} 0 R" for n in sig) + " ")}).data, NO_ACCEPT
    copies = {1000 + i: p.body[p.value_number] for i in range(300)}
    holders = {2000 + i: f"<< /FT /Sig /T (c{i}) /V {1000 + i} 0 R >>" for i in range(300)}
    yield "300 copies of the signature", p.copy().append({**copies, **holders, 6: p.edit(6, "/Fields [", "/Fields [" + " ".join(f"{n} 0 R" for n in holders) + " ")}).data, NO_ACCEPT
    yield "1,000,000 annotations", pdf.base(annotations="7 0 R " * 1_000_000).sign(world.signer()).append({11: "<< /Title (z) >>"}).data, ANY
    prev = world.signed()
    chain = prev.data + b"".join(b"xref\n0 0\ntrailer\n<< /Size 20 /Root 1 0 R /Prev %d >>\n" % (len(prev.data) + (i + 1) * 100) for i in range(2000))
    yield "chain of /Prev that runs forward", chain + b"startxref\n%d\n%%%%EOF\n" % len(prev.data), NO_ACCEPT


def messages(world, full):
    text, leaf = b"x", world.leaf
    count = 100_000
    yield f"CMS with {count // 10} copies of a certificate", world.cms(text, certs=[leaf] * (count // 10)), ANY
    serial = integer(leaf.number)
    others = [leaf.der.replace(serial, tlv(2, (257 + i).to_bytes(len(serial) - 2, "big")), 1) for i in range(20_000)]
    yield f"CMS with {len(others)} different certificates", world.cms(text, certs=[leaf] + others), ANY
    ca = [Cert("CA vòng", world.leaf.key, world.root, leaf.start, leaf.end, ca_extensions()) for _ in range(1)][0]
    ring = [Cert("CA vòng", world.leaf.key, ca, leaf.start, leaf.end, ca_extensions()) for _ in range(60)]
    below = Cert("Dưới vòng", world.second.key, ring[0], leaf.start, leaf.end, [key_usage(0, 1)])
    yield "sixty CAs of one name and key in a ring", world.cms(text, cert=below, certs=[below] + ring), ANY
    names = [name(f"Mạng {i}") for i in range(8)]
    web = []
    for i in range(8):
        for j in range(8):
            issuer = Cert.__new__(Cert)
            issuer.subject, issuer.key, issuer.number = names[j], world.leaf.key, 1
            made = Cert(f"Mạng {i}", world.leaf.key, issuer, leaf.start, leaf.end, ca_extensions())
            web.append(made)
    below = Cert("Dưới mạng", world.second.key, web[0], leaf.start, leaf.end, [key_usage(0, 1)])
    yield "web of 64 cross certificates that never ends", world.cms(text, cert=below, certs=[below] + web), NO_ACCEPT
    policy = lambda i: oid(f"1.2.3.{i}")
    tree, issuer = [], world.root
    for level in range(12):
        policies = extension("certificatePolicies", seq(*[seq(policy(i)) for i in range(60)]), True)
        maps = extension("policyMappings", seq(*[seq(policy(i), policy(j)) for i in range(20) for j in range(60)]), True)
        issuer = Cert(f"Cây {level}", world.leaf.key, issuer, leaf.start, leaf.end, ca_extensions() + [policies, maps])
        tree.append(issuer)
    below = Cert("Dưới cây", world.second.key, issuer, leaf.start, leaf.end, [key_usage(0, 1), extension("certificatePolicies", seq(*[seq(policy(i)) for i in range(60)]))])
    yield "policy tree with 1,200 mappings on twelve levels", world.cms(text, cert=below, certs=[below] + tree), ANY
    constraint = extension("2.5.29.30", seq(ctx(1, *[seq(ctx(4, name(f"Cấm {i}"))) for i in range(20_000)])), True)
    strict = Cert("CA nhiều ràng buộc", world.leaf.key, world.root, leaf.start, leaf.end, ca_extensions() + [constraint])
    alts = extension("2.5.29.17", seq(*[ctx(4, name(f"Tên {i}")) for i in range(20_000)]))
    below = Cert("Nhiều tên", world.second.key, strict, leaf.start, leaf.end, [key_usage(0, 1), alts])
    yield "20,000 name constraints times 20,000 names", world.cms(text, cert=below, certs=[below, strict]), NO_ACCEPT
    yield "DER nested 100,000 deep", b"\x30\x80" * 100_000 + b"\0\0" * 100_000, NO_ACCEPT
    yield "DER of indefinite strings", seq(oid("signedData"), b"\xa0\x80" + b"\x24\x80" * 50_000), NO_ACCEPT
    yield "100,000 attributes", world.cms(text, edit=lambda a: a + [attribute("1.2.3.4", integer(i)) for i in range(count)]), ANY

    class Weighty(Rsa):
        def __init__(self):
            self.n, self.e, self.size = (1 << 65536) + 1, (1 << 65535) + 1, 8193

        def sign(self, message, digest="sha256"):
            return b"\1" * 8192
    heavy = Cert("Khóa nặng", Weighty(), world.root, leaf.start, leaf.end, [key_usage(0, 1)])
    yield "RSA key of 65,536 bits with an exponent as long", world.cms(text, cert=heavy), NO_ACCEPT


def lists(world, full):
    """Revocation lists, beside an ordinary signature."""
    now = world.now
    count, date = 1_000_000 if full else 200_000, when(now - DAY)
    rows = b"".join(b"\x30\x15\x02\x04" + (10_000_000 + i).to_bytes(4, "big") + date for i in range(count))
    tbs = seq(integer(1), world.root.key.algorithm(), world.root.subject, when(now - DAY), when(now + DAY), tlv(0x30, rows), ctx(0, seq(extension("crlNumber", integer(1)))))
    yield f"revocation list with {count} entries", world.signed().data, LAWFUL, dict(crls=[seq(tbs, world.root.key.algorithm(), bits(world.root.key.sign(tbs)))])


def cases(world, full):
    for part in (decompression, nesting, numbers):
        for name_, data, words in part(world, full):
            yield Case(name_, data, words, seconds=LIMIT, alone=True)
    for name_, data, words in messages(world, full):
        yield Case(name_, data, words, content=b"x", seconds=LIMIT, alone=True)
    for name_, data, words, options in lists(world, full):
        yield Case(name_, data, words, seconds=LIMIT, alone=True, **options)


LIMIT = 20 * (5 if os.environ.get("ANTIN_SANITIZED") else 1)
