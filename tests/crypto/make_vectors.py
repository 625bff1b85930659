#!/usr/bin/env python3
"""Edge cases of RSA, ECDSA and EdDSA signatures, in the manner of Wycheproof, worked out with big numbers alone and always
the same. Writes ../vectors/crypto/*.jsonl: rows {"key", "spki"} and {"id", "key", "scheme", "digest", "mgf", "salt",
"message", "signature", "valid"}. The table test is edges.c."""
import hashlib, json, random, sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "verify"))
from forge.der import NULL, bits, integer, octets, oid, seq, tlv
from forge.keys import Ec, Rsa

RNG = random.Random(0x68_2024)
NAMES = {"sha1": "SHA-1", "sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512"}
MESSAGE = "Văn bản mẫu số 01/2025".encode()


class Table:
    def __init__(self, name, scheme):
        self.file = open(HERE.parent / "vectors" / "crypto" / f"{name}.jsonl", "w", encoding="utf-8")
        self.name, self.scheme, self.keys, self.count = name, scheme, {}, 0

    def write(self, row):
        self.file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def key(self, spki):
        if spki not in self.keys:
            self.keys[spki] = f"k{len(self.keys) + 1}"
            self.write({"key": self.keys[spki], "spki": spki.hex()})
        return self.keys[spki]

    def add(self, name, spki, signature, valid, digest="sha256", message=MESSAGE, mgf=None, salt=None):
        row = {"id": f"{self.name}: {name}", "key": self.key(spki), "scheme": self.scheme, "digest": NAMES.get(digest, ""),
               "message": message.hex(), "signature": signature.hex(), "valid": valid}
        if salt is not None:
            row |= {"mgf": NAMES[mgf or digest], "salt": salt}
        self.write(row)


def is_prime(n):
    if any(n % p == 0 for p in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29)):
        return False
    odd, twos = n - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for _ in range(12):
        x = pow(RNG.randrange(2, n - 1), odd, n)
        if x in (1, n - 1):
            continue
        for _ in range(twos - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


def prime(size, e):
    while True:
        p = RNG.getrandbits(size) | 3 << (size - 2) | 1
        if (p - 1) % e and is_prime(p):
            return p


def rsa_key(size, e=65537):
    return Rsa(prime(size // 2, e), prime(size - size // 2, e), e)


def info(digest, message=MESSAGE, parameters=NULL):
    return seq(seq(oid(digest), parameters), octets(hashlib.new(digest, message).digest()))


def pkcs1(keys):
    t = Table("rsa-pkcs1", "rsa-pkcs1")
    for key in keys:
        size = key.size * 8
        for digest in ("sha256", "sha384", "sha512"):
            t.add(f"{size}, e = {key.e}, {digest}: right", key.spki(), key.sign(MESSAGE, digest), True, digest)
            t.add(f"{size}, e = {key.e}, {digest}: other message", key.spki(), key.sign(MESSAGE + b".", digest), False, digest)
        t.add(f"{size}: empty message", key.spki(), key.sign(b""), True, message=b"")
        t.add(f"{size}: digest of another algorithm", key.spki(), key.sign(MESSAGE, "sha512"), False)

        def block(name, make, valid=False):
            t.add(f"{size}, e = {key.e}: {name}", key.spki(), key.raw(make(key.block(MESSAGE, "sha256"))), valid)

        def with_info(name, der, valid=False):
            t.add(f"{size}, e = {key.e}: DigestInfo {name}", key.spki(), key.raw(key.block(MESSAGE, "sha256", der)), valid)
        good = info("sha256")
        block("block type 0", lambda b: b"\0\0" + b[2:])
        block("block type 2", lambda b: b"\0\2" + b[2:])
        block("block type FF", lambda b: b"\0\xff" + b[2:])
        block("padding of zeros", lambda b: b"\0\1" + b"\0" * (len(b) - len(good) - 2) + good)
        block("one padding octet 00", lambda b: b[:20] + b"\0" + b[21:])
        block("one padding octet FE", lambda b: b[:20] + b"\xfe" + b[21:])
        block("last padding octet FE", lambda b: b[:-len(good) - 2] + b"\xfe" + b[-len(good) - 1:])
        block("no separator", lambda b: b[:-len(good) - 1] + b"\xff" + good)
        block("separator 1", lambda b: b[:-len(good) - 1] + b"\1" + good)
        for count in (0, 1, 7, 8):
            block(f"only {count} padding octets, garbage behind", lambda b: (b"\0\1" + b"\xff" * count + b"\0" + good).ljust(len(b), b"\xaa"))
        block("digest shifted by one", lambda b: b[:2] + b[3:] + b"\0")
        block("everything zero", lambda b: b"\0" * len(b))
        block("the number 1", lambda b: b"\0" * (len(b) - 1) + b"\1")
        with_info("without parameters", info("sha256", parameters=b""))
        with_info("with OCTET STRING parameters", info("sha256", parameters=octets(b"x" * 20)))
        with_info("with parameters 05 01 00", info("sha256", parameters=b"\5\1\0"))
        with_info("with NULL twice", info("sha256", parameters=NULL + NULL))
        with_info("long form of the length", b"\x30\x81" + good[1:])
        with_info("indefinite length", b"\x30\x80" + good[2:] + b"\0\0")
        with_info("octets behind", good + b"\0\0")
        with_info("octets inside behind", seq(seq(oid("sha256"), NULL), octets(hashlib.sha256(MESSAGE).digest()), NULL))
        with_info("as a SET", b"\x31" + good[1:])
        with_info("digest one octet short", seq(seq(oid("sha256"), NULL), octets(hashlib.sha256(MESSAGE).digest()[:-1])))
        with_info("digest one octet longer", seq(seq(oid("sha256"), NULL), octets(hashlib.sha256(MESSAGE).digest() + b"\0")))
        with_info("digest in two strings", seq(seq(oid("sha256"), NULL), b"\x24\x24" + octets(hashlib.sha256(MESSAGE).digest()[:16]) + octets(hashlib.sha256(MESSAGE).digest()[16:])))
        with_info("OID of SHA-1", seq(seq(oid("sha1"), NULL), octets(hashlib.sha256(MESSAGE).digest())))
        with_info("OID of SHA-512", seq(seq(oid("sha512"), NULL), octets(hashlib.sha256(MESSAGE).digest())))
        with_info("OID with a superfluous octet", good.replace(b"\x06\x09\x60\x86", b"\x06\x0a\x60\x80\x86", 1))
        with_info("missing: bare digest", hashlib.sha256(MESSAGE).digest())
        with_info("as RFC 8017 note 2 has it for MD5 and SHA-1 joined", hashlib.md5(MESSAGE).digest() + hashlib.sha1(MESSAGE).digest())
        right = key.sign(MESSAGE)
        number = int.from_bytes(right, "big")
        for name, octets_ in {"one octet short": right[:-1], "one octet longer": right + b"\0", "zero in front": b"\0" + right, "empty": b"", "all zero": bytes(key.size),
                              "all ones": b"\xff" * key.size, "n": key.n.to_bytes(key.size, "big"), "n - 1": (key.n - 1).to_bytes(key.size, "big"), "1": (1).to_bytes(key.size, "big"),
                              "n - s": (key.n - number).to_bytes(key.size, "big"), "s + n": (number + key.n).to_bytes(key.size + 1, "big"), "reversed": right[::-1],
                              "first bit flipped": bytes([right[0] ^ 128]) + right[1:], "last bit flipped": right[:-1] + bytes([right[-1] ^ 1])}.items():
            t.add(f"{size}, e = {key.e}: signature {name}", key.spki(), octets_, False)
    small = keys[1]
    for count in (0, 1, 8, 20):
        want = int.from_bytes((b"\0\1" + b"\xff" * count + b"\0" + info("sha256")).ljust(small.size, b"\0"), "big")
        low, high = 0, 1 << (small.size * 8 // 3 + 2)
        while low < high:
            mid = (low + high) // 2
            low, high = (mid + 1, high) if mid ** 3 < want else (low, mid)
        t.add(f"e = 3: cube root forgery with {count} padding octets", small.spki(), low.to_bytes(small.size, "big"), False)


def pss(keys):
    t = Table("rsa-pss", "rsa-pss")
    salt = bytes(range(1, 65))
    for key in keys:
        size = key.size * 8

        def add(name, valid, said=32, digest="sha256", mgf=None, message=MESSAGE, **made):
            made = {"salt": salt[:32], "digest": digest, "mgf": mgf} | made
            t.add(f"{size}, e = {key.e}: {name}", key.spki(), key.raw(key.pss_block(message, **made)), valid, digest, mgf=mgf, salt=said)
        for digest, length in (("sha256", 32), ("sha384", 48), ("sha512", 64)):
            add(f"{digest}: right", True, length, digest, salt=salt[:length])
        for length in (0, 1, 20, 31, 33, 64):
            add(f"salt of {length}, as said", True, length, salt=salt[:length])
            add(f"salt of {length}, said 32", False, salt=salt[:length])
        add("mask by SHA-1, as said", True, mgf="sha1")
        add("mask by SHA-512, as said", True, mgf="sha512")
        t.add(f"{size}: mask by SHA-1, said SHA-256", key.spki(), key.raw(key.pss_block(MESSAGE, "sha256", salt[:32], "sha1")), False, mgf="sha256", salt=32)
        for trailer in (0, 0xBB, 0xCC, 0xFF):
            add(f"trailer {trailer:02X}", False, trailer=bytes([trailer]))
        add("padding of ones", False, fill=b"\1")
        add("padding FF", False, fill=b"\xff")
        t.add(f"{size}: other message", key.spki(), key.raw(key.pss_block(MESSAGE + b".", "sha256", salt[:32])), False, mgf="sha256", salt=32)
        block = key.pss_block(MESSAGE, "sha256", salt[:32])
        for name, changed in {"top bit set": bytes([block[0] | 128]) + block[1:], "hash flipped": block[:-2] + bytes([block[-2] ^ 1]) + block[-1:],
                              "salt flipped": block[:150] + bytes([block[150] ^ 1]) + block[151:], "all zero": bytes(key.size), "hash all zero": block[:-33] + bytes(32) + b"\xbc"}.items():
            if int.from_bytes(changed, "big") < key.n:
                t.add(f"{size}: encoded {name}", key.spki(), key.raw(changed), False, mgf="sha256", salt=32)
        t.add(f"{size}: PKCS #1 v1.5 signature", key.spki(), key.sign(MESSAGE), False, mgf="sha256", salt=32)
        right = key.raw(block)
        for name, octets_ in {"one octet short": right[1:], "one octet longer": b"\0" + right, "empty": b"", "s + n": (int.from_bytes(right, "big") + key.n).to_bytes(key.size + 1, "big"),
                              "n - s": (key.n - int.from_bytes(right, "big")).to_bytes(key.size, "big")}.items():
            t.add(f"{size}: signature {name}", key.spki(), octets_, False, mgf="sha256", salt=32)


def two(r, s):
    return seq(integer(r), integer(s))


def ecdsa(curve, digest):
    t = Table("ecdsa-" + curve.lower(), "ecdsa")
    c = Ec(curve, 0x1234567890ABCDEF << 100 | 7)
    n, h = c.n, c.hashed(MESSAGE, digest)
    r, s = c.rs(MESSAGE, digest)

    def add(name, signature, valid=False, key=c, message=MESSAGE, used=digest):
        t.add(name, key.spki(), signature, valid, used, message)
    add("right", two(r, s), True)
    add("s replaced by n - s", two(r, n - s), True)
    add("other message", two(r, s), message=MESSAGE + b".")
    for used in ("sha256", "sha384", "sha512"):
        add(f"{used}: right", c.sign(MESSAGE, used), True, used=used)
    extremes = {"0": 0, "1": 1, "-1": -1, "n": n, "n - 1": n - 1, "n + 1": n + 1, "p": c.p, "p + 1": c.p + 1, "2^256": 1 << 256, "2^384": 1 << 384}
    for name_r, value_r in extremes.items():
        for name_s, value_s in extremes.items():
            add(f"r = {name_r}, s = {name_s}", two(value_r, value_s))
        add(f"r = {name_r}", two(value_r, s))
        add(f"s = {name_r}", two(r, value_r))
    for name, (a, b) in {"r + n": (r + n, s), "s + n": (r, s + n), "r - n": (r - n, s), "s - n": (r, s - n), "-r": (-r, s), "-s": (r, -s), "n - r": (n - r, s), "swapped": (s, r),
                         "r << 8": (r << 8, s), "r + 2^256": (r + (1 << 256), s), "s + 2^384": (r, s + (1 << 384))}.items():
        add(name, two(a, b))
    body = integer(r) + integer(s)
    if len(body) < 128:
        add("encoding: length in two octets", b"\x30\x81" + bytes([len(body)]) + body)
    for name, der in {"length in three octets": b"\x30\x82\0" + bytes([len(body)]) + body, "indefinite length": b"\x30\x80" + body + b"\0\0",
                      "SET": tlv(0x31, body), "octets behind": seq(body) + b"\0", "octets inside behind": seq(body, NULL), "third number": seq(body, integer(1)), "one number": seq(integer(r)),
                      "empty sequence": seq(), "empty": b"", "tag alone": b"\x30", "plain r || s": r.to_bytes(c.width, "big") + s.to_bytes(c.width, "big"), "cut": seq(body)[:-1],
                      "r padded with zeros": seq(tlv(2, b"\0\0" + r.to_bytes(c.width, "big")), integer(s)), "s padded with zeros": seq(integer(r), tlv(2, b"\0\0" + s.to_bytes(c.width, "big"))),
                      "r with a long length": seq(b"\2\x81" + integer(r)[1:], integer(s)), "r empty": seq(tlv(2), integer(s)), "s empty": seq(integer(r), tlv(2)), "r as OCTET STRING": seq(tlv(4, integer(r)[2:]), integer(s)),
                      "r as BIT STRING": seq(bits(integer(r)[2:]), integer(s)), "nested": seq(seq(body)), "length one too large": b"\x30" + bytes([len(body) + 1]) + body, "length one too small": b"\x30" + bytes([len(body) - 1]) + body,
                      "length of four octets, huge": b"\x30\x84\xff\xff\xff\xff" + body}.items():
        add("encoding: " + name, der)

    def crafted(name, k, s_wanted, valid=True):
        """The key for which (x(kG), s) is right."""
        rk = c.multiply(k, c.g)[0] % n
        d = (s_wanted * k - h) * pow(rk, -1, n) % n
        add(name, two(rk, s_wanted), valid, Ec(curve, d))
    for value in (1, 2, 3, 127, 128, 255, 256, 1 << 64, n - 1, n - 2, n // 2, n // 2 + 1, (1 << (8 * c.width - 8)) - 1):
        crafted(f"s = {value:x}", 0xC0FFEE, value)
    for k in (1, 2, 3, n - 1, n - 2, n // 2, (n + 1) // 2):
        crafted(f"k = {k:x}", k, 0xBEEF)
    for d in (1, 2, 3, n - 1, n - 2, (n + 1) // 2):
        key = Ec(curve, d)
        add(f"private key {d:x}", key.sign(MESSAGE, digest), True, key)
    k = 0xFEED
    rk = c.multiply(k, c.g)[0] % n
    double = Ec(curve, h * pow(rk, -1, n) % n)
    add("u1 G = u2 Q: the sum is a doubling", two(rk, 2 * h * pow(k, -1, n) % n), True, double)
    opposite = Ec(curve, -h * pow(rk, -1, n) % n)
    add("u1 G = -u2 Q: the sum is infinity", two(rk, 0xABCD), False, opposite)


def eddsa():
    t = Table("ed25519", "eddsa")
    p, order = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
    d = -121665 * pow(121666, -1, p) % p

    def add(a, b):
        (x1, y1), (x2, y2) = a, b
        m = d * x1 * x2 * y1 * y2 % p
        return (x1 * y2 + x2 * y1) * pow(1 + m, -1, p) % p, (y1 * y2 + x1 * x2) * pow(1 - m, -1, p) % p

    def multiply(k, point):
        out = (0, 1)
        while k:
            out = add(out, point) if k & 1 else out
            point, k = add(point, point), k >> 1
        return out

    def encode(point):
        return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")
    by = 4 * pow(5, -1, p) % p
    bx = pow((by * by - 1) * pow(d * by * by + 1, -1, p), (p + 3) // 8, p)
    if (bx * bx * (d * by * by + 1) - (by * by - 1)) % p:
        bx = bx * pow(2, (p - 1) // 4, p) % p
    base = (p - bx if bx & 1 else bx, by)
    for seed in (bytes(32), bytes(range(32))):
        h = hashlib.sha512(seed).digest()
        a = int.from_bytes(h[:32], "little") & ((1 << 254) - 8) | 1 << 254
        public = encode(multiply(a, base))
        spki = seq(seq(oid("ed25519")), bits(public))

        def sign(message):
            r = int.from_bytes(hashlib.sha512(h[32:] + message).digest(), "little") % order
            big = encode(multiply(r, base))
            k = int.from_bytes(hashlib.sha512(big + public + message).digest(), "little") % order
            return big, (r + k * a) % order
        for message in (b"", b"x", MESSAGE, bytes(200)):
            big, s = sign(message)
            t.add(f"right, {len(message)} octets", spki, big + s.to_bytes(32, "little"), True, "", message)
        big, s = sign(MESSAGE)
        for name, octets_ in {"S + L": big + (s + order).to_bytes(32, "little"), "S + 2 L": big + (s + 2 * order).to_bytes(32, "little"), "S = 0": big + bytes(32), "S = L": big + order.to_bytes(32, "little"),
                              "S = L - 1": big + (order - 1).to_bytes(32, "little"), "S all ones": big + b"\xff" * 32, "top bit of S": big + (s | 1 << 255).to_bytes(32, "little"), "-S": big + (order - s).to_bytes(32, "little"),
                              "R with the other sign": bytes([*big[:31], big[31] ^ 128]) + s.to_bytes(32, "little"), "R = 0": bytes(32) + s.to_bytes(32, "little"), "R = 1": b"\1" + bytes(31) + s.to_bytes(32, "little"),
                              "R = p": p.to_bytes(32, "little") + s.to_bytes(32, "little"), "R not on the curve": b"\2" + bytes(31) + s.to_bytes(32, "little"), "R = the key": public + s.to_bytes(32, "little"),
                              "63 octets": (big + s.to_bytes(32, "little"))[:63], "65 octets": big + s.to_bytes(32, "little") + b"\0", "32 octets": big, "empty": b"", "all zero": bytes(64),
                              "halves swapped": s.to_bytes(32, "little") + big, "big-endian S": big + s.to_bytes(32, "big"), "one bit": bytes([big[0] ^ 1]) + big[1:] + s.to_bytes(32, "little")}.items():
            t.add(name, spki, octets_, False, "", MESSAGE)
        t.add("other message", spki, big + s.to_bytes(32, "little"), False, "", MESSAGE + b".")


def ed448():
    t = Table("ed448", "eddsa")
    p, order, d = 2**448 - 2**224 - 1, 2**446 - 13818066809895115352007386748515426880336692474882178609894547503885, -39081
    base = (224580040295924300187604334099896036246789641632564134246125461686950415467406032909029192869357953282578032075146446173674602635247710,
            298819210078481492676017930443930673437544040154080242095928241372331506189835876003536878655418784733982303233503462500531545062832660)

    def add(a, b):
        (x1, y1), (x2, y2) = a, b
        m = d * x1 * x2 * y1 * y2 % p
        return (x1 * y2 + x2 * y1) * pow(1 + m, -1, p) % p, (y1 * y2 - x1 * x2) * pow(1 - m, -1, p) % p

    def multiply(k, point):
        out = (0, 1)
        while k:
            out = add(out, point) if k & 1 else out
            point, k = add(point, point), k >> 1
        return out

    def hashed(*parts):
        return int.from_bytes(hashlib.shake_256(b"SigEd448\0\0" + b"".join(parts)).digest(114), "little") % order

    def encode(point):
        return point[1].to_bytes(56, "little") + bytes([(point[0] & 1) << 7])
    for seed in (bytes(57), bytes(range(57))):
        h = hashlib.shake_256(seed).digest(114)
        a = int.from_bytes(h[:56], "little") & ~3 | 1 << 447
        public = encode(multiply(a, base))
        spki = seq(seq(oid("ed448")), bits(public))

        def sign(message):
            r = hashed(h[57:], message)
            big = encode(multiply(r, base))
            return big, (r + hashed(big, public, message) * a) % order
        for message in (b"", b"x", MESSAGE, bytes(200)):
            big, s = sign(message)
            t.add(f"right, {len(message)} octets", spki, big + s.to_bytes(57, "little"), True, "", message)
        big, s = sign(MESSAGE)
        low = lambda n: n.to_bytes(57, "little")
        for name, octets_ in {"S + L": big + low(s + order), "S = 0": big + low(0), "S = L": big + low(order), "S = L - 1": big + low(order - 1), "S all ones": big + b"\xff" * 57,
                              "top octet of S": big + low(s)[:56] + b"\1", "-S": big + low(order - s), "R with the other sign": big[:56] + bytes([big[56] ^ 128]) + low(s), "R with another last octet": big[:56] + bytes([big[56] | 1]) + low(s),
                              "R = 0": bytes(57) + low(s), "R = 1": low(1) + low(s), "R = p": low(p) + low(s), "R = the key": public + low(s), "113 octets": (big + low(s))[:113], "115 octets": big + low(s) + b"\0",
                              "57 octets": big, "empty": b"", "all zero": bytes(114), "halves swapped": low(s) + big, "one bit": bytes([big[0] ^ 1]) + big[1:] + low(s)}.items():
            t.add(name, spki, octets_, False, "", MESSAGE)
        t.add("other message", spki, big + low(s), False, "", MESSAGE + b".")


def described(c, g=None, n=None):
    """ECParameters of X9.62: the curve written out."""
    width = lambda value: octets(value.to_bytes(c.width, "big"))
    return seq(integer(1), seq(oid("prime-field"), integer(c.p)), seq(width(c.p - 3), width(c.b)), octets(c.point(g)), integer(n or c.n), integer(1))


def public_keys(rsa):
    """Keys alone: those that stand for nobody, and those that must not stand in a certificate."""
    t = Table("public-keys", "")

    def add(name, algorithm, key, valid=False):
        t.write({"id": "key: " + name, "spki": seq(algorithm, bits(key)).hex(), "valid": valid})
    plain = seq(oid("rsa"), NULL)
    for name, n, e, valid in (("right", rsa.n, 65537, True), ("e = 3", rsa.n, 3, True), ("e = 0", rsa.n, 0, False), ("e = 1", rsa.n, 1, False), ("e = 2", rsa.n, 2, False), ("e even", rsa.n, 65536, False), ("e without its sign octet", rsa.n, (0xFEFFFF) - (1 << 24), True),
                              ("e = n", rsa.n, rsa.n, False), ("e beyond n", rsa.n, rsa.n + 2, False), ("n even", rsa.n - 1, 65537, False), ("n = 0", 0, 65537, False), ("n without its sign octet", rsa.n - (1 << 2048), 65537, True)):
        add("RSA, " + name, plain, seq(integer(n), integer(e)), valid)
    add("RSA, third number", plain, seq(integer(rsa.n), integer(65537), integer(1)))
    add("RSA, octets behind", plain, seq(integer(rsa.n), integer(65537)) + b"\0", True)  # the same key, whatever stands behind it
    for curve in ("P-256", "P-384", "P-521"):
        c = Ec(curve, 0xC0FFEE)
        x, y = c.q
        wide = lambda value: value.to_bytes(c.width, "big")
        named = seq(oid("ec"), oid(curve))
        add(f"{curve}, right", named, c.point(), True)
        add(f"{curve}, compressed", named, bytes([2 | y & 1]) + wide(x), True)
        for name, key in {"infinity": b"\0", "empty": b"", "not on the curve": b"\4" + wide(x) + wide(y ^ 1), "compressed, no such x": None, "x = p": b"\4" + wide(c.p) + wide(y), "short": c.point()[:-1], "long": c.point() + b"\0",
                          "hybrid with the wrong sign": bytes([6 | (y & 1) ^ 1]) + wide(x) + wide(y), "form 5": b"\5" + wide(x) + wide(y), "zeros": b"\4" + bytes(2 * c.width)}.items():
            if key is None:
                x_bad = next(v for v in range(2, 99) if pow((v ** 3 - 3 * v + c.b) % c.p, (c.p - 1) // 2, c.p) != 1)
                key = b"\2" + wide(x_bad)
            add(f"{curve}, {name}", named, key)
        add(f"{curve}, curve written out", seq(oid("ec"), described(c)), c.point())
        add(f"{curve}, curve written out with the key as generator", seq(oid("ec"), described(c, c.q)), c.point())
        add(f"{curve}, curve not said", seq(oid("ec")), c.point())
        add(f"{curve}, curve NULL", seq(oid("ec"), NULL), c.point())
    p, ed = 2**255 - 19, seq(oid("ed25519"))
    eight = int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little")
    for name, y in {"0": 0, "1": 1, "-1": p - 1, "of order 8": eight, "of order 8, opposite": p - eight, "p": p, "p + 1": p + 1, "p + 18": p + 18, "2^255 - 1": 2**255 - 1}.items():
        for sign in (0, 1):
            add(f"Ed25519, y = {name}, sign {sign}", ed, (y | sign << 255).to_bytes(32, "little"))
    add("Ed25519, right", ed, bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"), True)
    add("Ed25519, 31 octets", ed, bytes(31))
    add("Ed25519, 33 octets", ed, bytes(33))
    add("Ed25519, parameters NULL", seq(oid("ed25519"), NULL), bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"))
    q = 2**448 - 2**224 - 1
    for name, y in {"0": 0, "1": 1, "-1": q - 1}.items():
        for sign in (0, 128):
            add(f"Ed448, y = {name}, sign {sign}", seq(oid("ed448")), y.to_bytes(56, "little") + bytes([sign]))
    add("Ed448, right", seq(oid("ed448")), bytes.fromhex("5fd7449b59b461fd2ce787ec616ad46a1da1342485a70e1f8a0ea75d80e96778edf124769b46c7061bd6783df1e50f6cd1fa1abeafe8256180"), True)


if __name__ == "__main__":
    (HERE.parent / "vectors" / "crypto").mkdir(parents=True, exist_ok=True)
    rsa = [rsa_key(2048), rsa_key(2048, 3), rsa_key(3072)]
    pkcs1(rsa)
    pss(rsa)
    ecdsa("P-256", "sha256")
    ecdsa("P-384", "sha384")
    ecdsa("P-521", "sha512")
    eddsa()
    ed448()
    public_keys(rsa[0])
