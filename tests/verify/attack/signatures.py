"""The CMS object and the keys: attributes, algorithms, padding, numbers out of range, foreign certificates. The document is
always intact; only the signature is wrong."""
import hashlib
from forge import pdf
from forge.der import *
from forge.keys import Ec, Rsa, pss_parameters
from forge.pki import *
from .world import *


def joined(first, *others):
    """One CMS object with the SignerInfos of all, as PoDoFo writes it."""
    def parts(cms):
        return [whole for _, whole, _ in split(split(split(split(cms)[0][2])[1][2])[0][2])]

    all_of = [parts(cms) for cms in (first, *others)]
    certs = tlv(0xA0, *[split(p[3])[0][2] for p in all_of])
    infos = set_of(*[split(p[4])[0][2] for p in all_of])
    return seq(oid("signedData"), ctx(0, seq(*all_of[0][:3], certs, infos)))


def several_signers(world):
    second = dict(cert=world.second)
    makers = {"both right": (lambda d: world.cms(d, **second), LAWFUL), "the same one twice": (lambda d: world.cms(d), LAWFUL),
              "second over other bytes": (lambda d: world.cms(b"x" + d, **second), NO_ACCEPT), "second by another key": (lambda d: world.cms(d, key=world.leaf.key, **second), NO_ACCEPT),
              "second with a value of zeros": (lambda d: world.cms(d, signature=b"\0" * 256), NO_ACCEPT)}
    for name, (make, words) in makers.items():
        for order in (1, -1):
            yield f"two SignerInfos in one value: {name}, {'in this order' if order == 1 else 'the other first'}", pdf.base().sign(
                lambda d: joined(*[world.cms(d), make(d)][::order]), room=9000).data, words


def attribute_list(world):
    """(name, options of signed_data, words)."""
    leaf, digest = world.leaf, octets(hashlib.sha256(b"x").digest())

    def without(kind):
        return lambda a: [x for x in a if oid(kind) not in x]

    def twice(kind):
        return lambda a: a + [x for x in a if oid(kind) in x]

    def instead(kind, *values):
        return lambda a: [attribute(kind, *values) if oid(kind) in x else x for x in a]

    yield "no message digest", dict(edit=without("messageDigest")), NO_ACCEPT
    yield "no content type", dict(edit=without("contentType")), NO_ACCEPT
    yield "no signing certificate", dict(no_ess=True), NO_ACCEPT | LAWFUL
    yield "message digest twice", dict(edit=twice("messageDigest")), NO_ACCEPT
    yield "content type twice", dict(edit=twice("contentType")), NO_ACCEPT
    yield "two values in message digest", dict(edit=instead("messageDigest", digest, octets(b"x" * 32))), NO_ACCEPT
    yield "message digest without value", dict(edit=instead("messageDigest")), NO_ACCEPT
    yield "empty message digest", dict(edit=instead("messageDigest", octets(b""))), NO_ACCEPT
    yield "message digest of another content", dict(edit=instead("messageDigest", digest)), BROKEN
    yield "message digest as bit string", dict(edit=instead("messageDigest", bits(hashlib.sha256(b"x").digest()))), NO_ACCEPT
    yield "content type of a time-stamp", dict(attributes_content_type="tstInfo"), NO_ACCEPT
    yield "signing certificate of another", dict(ess_of=world.second), NO_ACCEPT
    yield "signing certificate SHA-1 of another", dict(no_ess=True, edit=lambda a: a + [ess(world.second.der, "sha1", v2=False)]), NO_ACCEPT
    yield "both signing certificates, one of another", dict(edit=lambda a: a + [ess(world.second.der, "sha1", v2=False)]), NO_ACCEPT
    yield "signing certificate v1, right", dict(no_ess=True, edit=lambda a: a + [ess(leaf.der, "sha1", v2=False)]), NO_ACCEPT | LAWFUL
    yield "signing certificate twice", dict(edit=lambda a: a + [ess(world.second.der)]), NO_ACCEPT
    yield "signing certificate empty", dict(edit=instead("signingCertificateV2", seq(seq()))), NO_ACCEPT
    yield "attributes not in order", dict(edit=lambda a: sorted(a, reverse=True), sorted_attributes=False), NO_ACCEPT | LAWFUL
    yield "unknown attribute", dict(edit=lambda a: a + [attribute("1.2.3.4.5", utf8("x"))]), LAWFUL
    yield "signing time twice", dict(signing_time=world.now, edit=lambda a: a + [attribute("signingTime", when(world.now - DAY))]), NO_ACCEPT | LAWFUL
    yield "counter-signature of nonsense", dict(unsigned=[attribute("counterSignature", seq())]), NO_ACCEPT | LAWFUL


def identities(world):
    leaf = world.leaf
    twin = Cert("Nguyễn Văn An", Rsa.new(), world.root, leaf.start, leaf.end, [key_usage(0, 1)], serial=leaf.number)
    other_name = Cert("Kẻ Khác", leaf.key, world.root, leaf.start, leaf.end, [key_usage(0, 1)])
    yield "certificate of the same name and serial, another key, signed by the other", dict(cert=leaf, key=twin.key, certs=[leaf]), BROKEN
    yield "other certificate with the same name and serial", dict(cert=leaf, certs=[twin]), NO_ACCEPT
    yield "other certificate first, right one second", dict(cert=leaf, certs=[twin, leaf]), LAWFUL, "signing-certificate says which of two with one serial number"
    yield "right first, other second", dict(cert=leaf, certs=[leaf, twin]), LAWFUL
    yield "same key, another name", dict(cert=leaf, certs=[other_name]), NO_ACCEPT
    yield "signer named by another's serial", dict(cert=leaf, sid=seq(other_name.issuer_name, integer(other_name.number)), certs=[leaf, other_name]), NO_ACCEPT
    yield "no certificate", dict(certs=[]), NO_ACCEPT
    yield "signer by key identifier", dict(sid=ctx(0, key_id(leaf.key), constructed=False), version=3), LAWFUL, "RFC 5652 5.3 allows subjectKeyIdentifier; NSS in poppler does not look for it"
    yield "wrong key identifier", dict(sid=ctx(0, b"x" * 20, constructed=False), version=3), NO_ACCEPT
    self_signed = Cert("Nguyễn Văn An", Rsa.new(), start=leaf.start, end=leaf.end, extensions=[key_usage(0, 1)])
    yield "self-signed", dict(cert=self_signed), NOT_ENOUGH
    fake_root = Cert("Gốc thử", Rsa.new(), start=world.root.start, end=world.root.end, extensions=ca_extensions())
    fake = Cert("Nguyễn Văn An", Rsa.new(), fake_root, leaf.start, leaf.end, [key_usage(0, 1)])
    yield "root of the same name, brought along", dict(cert=fake, certs=[fake, fake_root]), NO_ACCEPT
    forged = Cert("Nguyễn Văn An", Rsa.new(), world.root, leaf.start, leaf.end, [key_usage(0, 1)], signer=Rsa.new())
    yield "certificate not signed by its issuer", dict(cert=forged), NO_ACCEPT
    below = Cert("Trẻ", Rsa.new(), leaf, leaf.start, leaf.end, [key_usage(0, 1)])
    yield "issued by an end entity", dict(cert=below, certs=[below, leaf]), NO_ACCEPT
    ca = Cert("CA con", Rsa.new(), world.root, leaf.start, leaf.end, ca_extensions())
    yield "signed with a CA certificate", dict(cert=ca), NO_ACCEPT
    no_sign = Cert("Mã hóa", Rsa.new(), world.root, leaf.start, leaf.end, [key_usage(2)])
    yield "key usage without signing", dict(cert=no_sign), NO_ACCEPT
    cert_sign = Cert("Chỉ ký chứng thư", Rsa.new(), world.root, leaf.start, leaf.end, [key_usage(5)])
    yield "key usage keyCertSign only", dict(cert=cert_sign), NO_ACCEPT
    only_tsa = Cert("Chỉ dấu thời gian", Rsa.new(), world.root, leaf.start, leaf.end, [key_usage(0), eku("timeStamping", critical=True)])
    yield "EKU time-stamping only", dict(cert=only_tsa), NO_ACCEPT
    unknown = Cert("Mở rộng lạ", Rsa.new(), world.root, leaf.start, leaf.end, [key_usage(0, 1), extension("1.2.3.4", NULL, True)])
    yield "unknown critical extension", dict(cert=unknown), NO_ACCEPT
    double = Cert("Hai lần", Rsa.new(), world.root, leaf.start, leaf.end, [key_usage(0, 1), key_usage(0)])
    yield "extension twice", dict(cert=double), NO_ACCEPT
    expired = Cert("Hết hạn", Rsa.new(), world.root, leaf.start, world.now - DAY, [key_usage(0, 1)])
    yield "expired", dict(cert=expired, signing_time=world.now - 2 * DAY), NOT_ENOUGH
    future = Cert("Chưa có hiệu lực", Rsa.new(), world.root, world.now + DAY, leaf.end, [key_usage(0, 1)])
    yield "not yet valid", dict(cert=future), NO_ACCEPT
    low = Cert("Dưới CA giới hạn", Rsa.new(), Cert("CA 0", Rsa.new(), world.root, leaf.start, leaf.end, ca_extensions(0)), leaf.start, leaf.end, [key_usage(0, 1)])
    deep = Cert("Sâu hơn", Rsa.new(), Cert("CA 1", Rsa.new(), low.issuer, leaf.start, leaf.end, ca_extensions()), leaf.start, leaf.end, [key_usage(0, 1)])
    yield "below a CA with path length 0", dict(cert=low, certs=[low, low.issuer]), LAWFUL
    yield "path length exceeded", dict(cert=deep, certs=[deep, deep.issuer, low.issuer]), NO_ACCEPT


def algorithms(world):
    leaf = world.leaf
    for name, algorithm in {"none": seq(oid("1.3.6.1.5.5.7.6.2")), "digest as signature algorithm": seq(oid("sha256")), "unknown": seq(oid("1.2.3.4")),
                            "ECDSA for an RSA key": seq(oid("ecdsa-sha256")), "SHA-384 said, SHA-256 used": leaf.key.algorithm("sha384"),
                            "SHA-1 said": leaf.key.algorithm("sha1"), "MD5 said": leaf.key.algorithm("md5"), "Ed25519 for an RSA key": seq(oid("ed25519")),
                            "PSS said": pss_parameters(), "encryption OID with wrong parameters": seq(oid("rsa"), integer(7))}.items():
        yield f"signature algorithm: {name}", dict(algorithm=algorithm), NO_ACCEPT
    yield "signature algorithm: plain rsaEncryption", dict(algorithm=seq(oid("rsa"), NULL)), LAWFUL
    yield "signature algorithm: parameters missing", dict(algorithm=seq(oid("rsa-sha256"))), NO_ACCEPT | LAWFUL
    yield "digest algorithm of the signer differs", dict(signer_digest="sha384"), NO_ACCEPT
    yield "digest algorithms list another", dict(digest_algorithms="sha512"), BROKEN
    yield "empty signature", dict(signature=b""), NO_ACCEPT
    yield "signature of zeros", dict(signature=b"\0" * 256), BROKEN
    yield "signature one byte short", dict(sign=lambda m: leaf.key.sign(m)[:-1]), BROKEN
    yield "signature one byte longer", dict(sign=lambda m: b"\0" + leaf.key.sign(m)), BROKEN
    yield "signature plus modulus", dict(sign=lambda m: (int.from_bytes(leaf.key.sign(m), "big") + leaf.key.n).to_bytes(257, "big")), BROKEN
    yield "signature over the attributes with tag [0]", dict(sign=lambda m: leaf.key.sign(b"\xa0" + m[1:])), BROKEN
    yield "signature over SHA-1 inside", dict(sign=lambda m: leaf.key.sign(m, "sha1")), BROKEN


def padding(world):
    """PKCS #1 v1.5 and PSS: blocks that a lenient reader takes."""
    key = Rsa.new(2048, e=3)
    cert = Cert("Số mũ ba", key, world.root, world.leaf.start, world.leaf.end, [key_usage(0, 1)])

    def info(message):
        return seq(seq(oid("sha256"), NULL), octets(hashlib.sha256(message).digest()))

    def cube(message, prefix):
        """The Bleichenbacher forgery: a cube whose beginning is right."""
        block = prefix + info(message)
        want = int.from_bytes(block + b"\0" * (256 - len(block)), "big")
        low, high = 0, 1 << 700
        while low < high:
            mid = (low + high) // 2
            low, high = (mid + 1, high) if mid ** 3 < want else (low, mid)
        return low.to_bytes(256, "big")

    yield "e = 3, right", dict(cert=cert), NO_ACCEPT | LAWFUL
    yield "e = 3, forged cube, short padding", dict(cert=cert, sign=lambda m: cube(m, b"\0\1" + b"\xff" * 8 + b"\0")), BROKEN
    yield "e = 3, forged cube, no padding", dict(cert=cert, sign=lambda m: cube(m, b"\0\1\0")), BROKEN

    def built(make):
        return dict(sign=lambda m: world.leaf.key.raw(make(m)))

    key = world.leaf.key
    yield "padding: block type 2", built(lambda m: b"\0\2" + key.block(m, "sha256")[2:]), BROKEN
    yield "padding: first byte 1", built(lambda m: b"\0\0" + key.block(m, "sha256")[2:]), BROKEN
    yield "padding: a zero in it", built(lambda m: key.block(m, "sha256")[:40] + b"\0" + key.block(m, "sha256")[41:]), BROKEN
    yield "padding: FE instead of FF", built(lambda m: key.block(m, "sha256")[:9] + b"\xfe" + key.block(m, "sha256")[10:]), BROKEN
    yield "padding: garbage after the digest", built(lambda m: key.block(m, "sha256", info(m))[:2] + b"\xff" * 8 + b"\0" + info(m) + b"x" * (245 - len(info(m)))), BROKEN
    yield "padding: DigestInfo without NULL", built(lambda m: key.block(m, "sha256", seq(seq(oid("sha256")), octets(hashlib.sha256(m).digest())))), NO_ACCEPT | LAWFUL
    yield "padding: DigestInfo with parameters", built(lambda m: key.block(m, "sha256", seq(seq(oid("sha256"), octets(b"evil" * 20)), octets(hashlib.sha256(m).digest())))), BROKEN
    yield "padding: BER length in DigestInfo", built(lambda m: key.block(m, "sha256", b"\x30\x81\x31" + info(m)[2:])), BROKEN
    yield "padding: bare digest", built(lambda m: key.block(m, "sha256", hashlib.sha256(m).digest())), BROKEN
    yield "padding: digest with another OID", built(lambda m: key.block(m, "sha256", seq(seq(oid("sha512"), NULL), octets(hashlib.sha256(m).digest())))), BROKEN

    def pss(algorithm=None, **block):
        return dict(algorithm=algorithm or pss_parameters(), sign=lambda m: key.raw(key.pss_block(m, **block)))

    yield "PSS, right", pss(), LAWFUL
    yield "PSS: salt shorter than said", pss(salt=b"\x11" * 20), BROKEN
    yield "PSS: salt longer than said", pss(salt=b"\x11" * 40), BROKEN
    yield "PSS: no salt", pss(salt=b""), BROKEN
    yield "PSS: trailer CC", pss(trailer=b"\xcc"), BROKEN
    yield "PSS: mask by SHA-1", pss(mgf="sha1"), BROKEN
    yield "PSS: padding not zero", pss(fill=b"\1"), BROKEN
    yield "PSS: digest differs from the CMS", pss(pss_parameters("sha512"), digest="sha512"), NO_ACCEPT
    yield "PSS: mask SHA-1, as said", pss(pss_parameters(mgf="sha1"), mgf="sha1"), NO_ACCEPT | LAWFUL
    yield "PSS: negative salt length", pss(pss_parameters(salt=-1)), NO_ACCEPT
    yield "PSS: enormous salt length", pss(pss_parameters(salt=2**40)), NO_ACCEPT
    yield "PSS: trailer field 2", pss(seq(oid("pss"), seq(ctx(0, seq(oid("sha256"), NULL)), ctx(1, seq(oid("mgf1"), seq(oid("sha256"), NULL))), ctx(2, integer(32)), ctx(3, integer(2))))), NO_ACCEPT
    yield "PSS: no parameters", pss(seq(oid("pss"))), NO_ACCEPT


def curves(world):
    cert, key = world.second, world.second.key

    def rs(make):
        return dict(cert=cert, sign=lambda m: make(*key.rs(m)))

    def two(r, s):
        return seq(integer(r), integer(s))

    yield "ECDSA, right", dict(cert=cert), LAWFUL
    yield "ECDSA: s replaced by n - s", rs(lambda r, s: two(r, key.n - s)), LAWFUL
    for name, make in {"r = 0": lambda r, s: two(0, s), "s = 0": lambda r, s: two(r, 0), "both 0": lambda r, s: two(0, 0), "both 1": lambda r, s: two(1, 1),
                       "r + n": lambda r, s: two(r + key.n, s), "s + n": lambda r, s: two(r, s + key.n), "r = n": lambda r, s: two(key.n, s), "s = n": lambda r, s: two(r, key.n),
                       "-r": lambda r, s: two(-r, s), "-s": lambda r, s: two(r, -s), "r and s swapped": lambda r, s: two(s, r), "r = p": lambda r, s: two(key.p, s),
                       "only r": lambda r, s: seq(integer(r)), "three numbers": lambda r, s: seq(integer(r), integer(s), integer(1)), "plain r || s": lambda r, s: r.to_bytes(32, "big") + s.to_bytes(32, "big"),
                       "long length": lambda r, s: b"\x30\x81" + bytes([len(integer(r) + integer(s))]) + integer(r) + integer(s),
                       "padded r": lambda r, s: seq(tlv(2, b"\0\0" + r.to_bytes(32, "big")), integer(s)), "trailing byte": lambda r, s: two(r, s) + b"\0",
                       "set instead of sequence": lambda r, s: tlv(0x31, integer(r), integer(s)), "huge r": lambda r, s: two(r + (key.n << 4000), s)}.items():
        yield "ECDSA: " + name, rs(make), BROKEN
    off = Cert.__new__(Cert)
    x, y = key.q

    class OffCurve(Ec):
        def spki(self, q=None):
            return seq(seq(oid("ec"), oid(self.curve)), bits(self.point((x, y ^ 1))))

    class Infinity(Ec):
        def spki(self, q=None):
            return seq(seq(oid("ec"), oid(self.curve)), bits(b"\0"))

    class Explicit(Ec):
        """CVE-2020-0601: the curve of the certificate is described anew, with another generator."""
        def spki(self, q=None):
            field = seq(oid("1.2.840.10045.1.1"), integer(self.p))
            curve = seq(octets((self.p - 3).to_bytes(32, "big")), octets(self.b.to_bytes(32, "big")))
            return seq(seq(oid("ec"), seq(integer(1), field, curve, octets(self.point()), integer(self.n), integer(1))), bits(self.point()))
    for name, kind in {"key not on the curve": OffCurve, "key at infinity": Infinity, "key with a curve of its own": Explicit}.items():
        odd = Cert("Khóa lạ", kind("P-256"), world.root, world.leaf.start, world.leaf.end, [key_usage(0, 1)])
        yield "ECDSA: " + name, dict(cert=odd), NO_ACCEPT


def weak(world):
    """Refused by the policy, never called changed."""
    for size in (512, 1024):
        cert = Cert(f"RSA {size}", Rsa.new(size), world.root, world.leaf.start, world.leaf.end, [key_usage(0, 1)])
        yield f"RSA-{size}", dict(cert=cert), {NOT_ENOUGH, BROKEN}
    sha1 = Cert("Chứng thư SHA-1", Rsa.new(), world.root, world.leaf.start, world.leaf.end, [key_usage(0, 1)], digest="sha1")
    yield "certificate signed with SHA-1", dict(cert=sha1), NOT_ENOUGH
    md5 = Cert("Chứng thư MD5", Rsa.new(), world.root, world.leaf.start, world.leaf.end, [key_usage(0, 1)], digest="md5")
    yield "certificate signed with MD5", dict(cert=md5), NOT_ENOUGH


def cases(world, full):
    for part in (attribute_list, identities, algorithms, padding, curves, weak):
        for name, options, words, *reason in part(world):
            yield Case(name, pdf.base().sign(world.signer(**options)).data, words, stricter="".join(reason))
    for digest in ("sha1", "md5"):
        yield Case(f"signed with {digest}", pdf.base().sign(lambda d: signed_data(hashlib.new(digest, d).digest(), world.leaf, digest=digest)).data, NOT_ENOUGH)
    for digest in ("sha384", "sha512"):
        yield Case(f"signed with {digest}", pdf.base().sign(lambda d: signed_data(hashlib.new(digest, d).digest(), world.leaf, digest=digest)).data, LAWFUL)
    yield Case("encapsulated content in a PDF signature", pdf.base().sign(world.signer(content=b"khac")).data, NO_ACCEPT | LAWFUL)
    for name, data, words in several_signers(world):
        yield Case(name, data, words, stricter="the program that asks PDFBox wants one SignerInfo alone" if words == LAWFUL else "")
    text = b"noi dung"
    good = world.cms(text)
    yield Case("detached, right", good, LAWFUL, content=text)
    yield Case("detached, other content", good, BROKEN, content=b"noi dunG")
    stripped = {}
    world.cms(text, sign=lambda m: stripped.setdefault("m", m) and world.leaf.key.sign(m))
    signed_attributes = stripped["m"]
    bare = signed_data(b"", world.leaf, bare=signed_attributes)
    yield Case("signed attributes passed off as the content", bare, NO_ACCEPT, content=signed_attributes)
    yield Case("no signed attributes", signed_data(b"", world.leaf, bare=text), NO_ACCEPT | LAWFUL, content=text)
    yield Case("no signed attributes in a PDF that says CAdES", pdf.base().sign(lambda d: signed_data(b"", world.leaf, bare=d)).data, NO_ACCEPT)
    yield Case("attached, right", world.cms(text, content=text), LAWFUL)
    yield Case("attached, content changed", world.cms(text, content=b"noi dunG"), BROKEN)
    yield Case("attached, other content given beside it", world.cms(text, content=text), NO_ACCEPT | LAWFUL, content=b"khac")
    for at in range(4, len(good), 1 if full else 23):
        data = bytearray(good)
        data[at] ^= 1 << (at % 8)
        names = good.rfind(world.leaf.issuer_name)
        in_names = names <= at < names + len(world.leaf.issuer_name) or at == good.index(b"\x02\x01\x01\x31") + 2 # the version only tells which fields may stand there
        yield Case(f"detached: flip at {at}", bytes(data), NO_ACCEPT | LAWFUL if in_names else NO_ACCEPT, content=text)
    for at in range(5, len(good), 1 if full else 101):
        yield Case(f"detached: cut at {at}", good[:at], NO_ACCEPT, content=text)
