"""RSA and ECDSA with big numbers: right signatures, and every wrong one."""
import hashlib, hmac, os, subprocess
from .der import NULL, bits, ctx, integer, octets, oid, seq, split

CURVES = {
    "P-256": (2**256 - 2**224 + 2**192 + 2**96 - 1, 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
              0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
              0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
              0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551),
    "P-384": (2**384 - 2**128 - 2**96 + 2**32 - 1,
              0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF,
              0xAA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B9859F741E082542A385502F25DBF55296C3A545E3872760AB7,
              0x3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147CE9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F,
              0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973),
    "P-521": (2**521 - 1,
              0x51953EB9618E1C9A1F929A21A0B68540EEA2DA725B99B315F3B8B489918EF109E156193951EC7E937B1652C0BD3BB1BF073573DF883D2C34F1EF451FD46B503F00,
              0xC6858E06B70404E9CD9E3ECB662395B4429C648139053FB521F828AF606B4D3DBAA14B5E77EFE75928FE1DC127A2FFA8DE3348B3C1856A429BF97E7E31C2E5BD66,
              0x11839296A789A3BC0045C8A5FB42C7D1BD998F54449579B446817AFBD17273E662C97EE72995EF42640C550B9013FAD0761353C7086A272C24088BE94769FD16650,
              0x1FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFA51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409),
}


class Rsa:
    primes, pairs = [], []

    def __init__(self, p, q, e=65537):
        self.p, self.q, self.n, self.e = p, q, p * q, e
        self.d = pow(e, -1, (p - 1) * (q - 1))
        self.size = (self.n.bit_length() + 7) // 8
        self.crt = self.d % (p - 1), self.d % (q - 1), pow(q, -1, p)

    @classmethod
    def made(cls, size=2048, e=65537):
        """openssl finds the primes."""
        pem = subprocess.run(["openssl", "genrsa", "-traditional", *(["-3"] if e == 3 else []), str(size)],
                             capture_output=True, check=True).stdout
        der = subprocess.run(["openssl", "rsa", "-traditional", "-outform", "DER"], input=pem, capture_output=True, check=True).stdout
        numbers = [int.from_bytes(body, "big") for _, _, body in split(split(der)[0][2])]
        return cls(numbers[4], numbers[5], e)

    @classmethod
    def new(cls, size=2048, e=65537):
        """Another key each time. Ordinary ones are pairs of a few primes: thirty keys for the price of five; as good as any
        for a test, and as bad as can be for anything else."""
        if size != 2048 or e != 65537:
            return cls.made(size, e)
        while not cls.pairs:
            key = cls.made()
            cls.pairs += [(p, q) for p in cls.primes for q in (key.p, key.q) if (p * q).bit_length() == 2048]
            cls.primes += [key.p, key.q]
        return cls(*cls.pairs.pop(0))

    def spki(self):
        return seq(seq(oid("rsa"), NULL), bits(seq(integer(self.n), integer(self.e))))

    def raw(self, block):
        value = int.from_bytes(block, "big")
        at_p, at_q = pow(value, self.crt[0], self.p), pow(value, self.crt[1], self.q)
        return (at_q + self.q * ((at_p - at_q) * self.crt[2] % self.p)).to_bytes(self.size, "big")

    def block(self, message, digest, digest_info=None):
        info = digest_info or seq(seq(oid(digest), NULL), octets(hashlib.new(digest, message).digest()))
        return b"\0\1" + b"\xff" * (self.size - 3 - len(info)) + b"\0" + info

    def sign(self, message, digest="sha256"):
        return self.raw(self.block(message, digest))

    def algorithm(self, digest="sha256"):
        return seq(oid("rsa-" + digest), NULL)

    def pss_block(self, message, digest="sha256", salt=b"\x11" * 32, mgf=None, trailer=b"\xbc", fill=b"\0"):
        em_bits = self.n.bit_length() - 1
        size = (em_bits + 7) // 8
        hashed = hashlib.new(digest, b"\0" * 8 + hashlib.new(digest, message).digest() + salt).digest()
        db = fill * (size - len(salt) - len(hashed) - 2) + b"\1" + salt
        mask, counter = b"", 0
        while len(mask) < len(db):
            mask += hashlib.new(mgf or digest, hashed + counter.to_bytes(4, "big")).digest()
            counter += 1
        masked = bytearray(a ^ b for a, b in zip(db, mask))
        masked[0] &= 0xFF >> (8 * size - em_bits)
        return b"\0" * (self.size - size) + bytes(masked) + hashed + trailer


def pss_parameters(digest="sha256", salt=32, mgf=None):
    return seq(oid("pss"), seq(ctx(0, seq(oid(digest), NULL)), ctx(1, seq(oid("mgf1"), seq(oid(mgf or digest), NULL))), ctx(2, integer(salt))))


class Ec:
    def __init__(self, curve="P-256", d=None):
        self.curve = curve
        self.p, self.b, gx, gy, self.n = CURVES[curve]
        self.d = d or int.from_bytes(os.urandom(40), "big") % (self.n - 1) + 1
        self.width = (self.p.bit_length() + 7) // 8
        self.g = (gx, gy)
        self.q = self.multiply(self.d, self.g)

    def add(self, a, b):
        if a is None or b is None:
            return a or b
        if a[0] == b[0]:
            if (a[1] + b[1]) % self.p == 0:
                return None
            slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, self.p)
        else:
            slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, self.p)
        x = (slope * slope - a[0] - b[0]) % self.p
        return x, (slope * (a[0] - x) - a[1]) % self.p

    def multiply(self, k, point):
        out = None
        while k:
            if k & 1:
                out = self.add(out, point)
            point, k = self.add(point, point), k >> 1
        return out

    def point(self, q=None):
        x, y = q or self.q
        return b"\4" + x.to_bytes(self.width, "big") + y.to_bytes(self.width, "big")

    def spki(self, q=None):
        return seq(seq(oid("ec"), oid(self.curve)), bits(self.point(q)))

    def hashed(self, message, digest):
        h = hashlib.new(digest, message).digest()
        return int.from_bytes(h, "big") >> max(0, 8 * len(h) - self.n.bit_length())

    def rs(self, message, digest="sha256", k=None):
        k = k or int.from_bytes(hmac.digest(b"k" + str(self.d).encode(), message, "sha512"), "big") % (self.n - 1) + 1
        r = self.multiply(k, self.g)[0] % self.n
        return r, pow(k, -1, self.n) * (self.hashed(message, digest) + r * self.d) % self.n

    def sign(self, message, digest="sha256"):
        return seq(*map(integer, self.rs(message, digest)))

    def algorithm(self, digest="sha256"):
        return seq(oid("ecdsa-" + digest))
