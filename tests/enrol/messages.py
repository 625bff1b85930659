#!/usr/bin/env python3
"""CMP messages written octet by octet, right and wrong ones, and what the answers must say. usage: messages.py PORT FOLDER

Nothing of the product is used: DER, PBM, PBMAC1 and CRMF stand here once more, from the RFCs."""
import concurrent.futures, hashlib, hmac, os, subprocess, sys, time, urllib.error, urllib.request

PORT, FOLDER = sys.argv[1], sys.argv[2]


# ---- DER ----
def tlv(tag, *parts):
    body = b"".join(parts)
    n = len(body)
    size = bytes([n]) if n < 128 else bytes([0x80 + (n.bit_length() + 7) // 8]) + n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([tag]) + size + body


def seq(*parts): return tlv(0x30, *parts)
def ctx(n, *parts): return tlv(0xA0 + n, *parts)
def octets(b): return tlv(4, b)
def num(n): return tlv(2, n.to_bytes(n.bit_length() // 8 + 1, "big", signed=True))


def oid(dotted):
    first, second, *rest = map(int, dotted.split("."))
    out = bytearray()
    for value in [first * 40 + second] + rest:
        group = [value & 127]
        while value > 127:
            value >>= 7
            group.insert(0, value & 127 | 128)
        out += bytes(group)
    return tlv(6, bytes(out))


def read(data):
    """[(tag, content, whole)]"""
    out, at = [], 0
    while at < len(data):
        tag, size, head = data[at], data[at + 1], 2
        if size & 128:
            head += size & 127
            size = int.from_bytes(data[at + 2:at + head], "big")
        out.append((tag, data[at + head:at + head + size], data[at:at + head + size]))
        at += head + size
    return out


NULL = b"\x05\x00"
HASH = {"sha1": ("1.3.14.3.2.26", "1.2.840.113549.2.7"), "sha256": ("2.16.840.1.101.3.4.2.1", "1.2.840.113549.2.9"),
        "sha384": ("2.16.840.1.101.3.4.2.2", "1.2.840.113549.2.10"), "sha512": ("2.16.840.1.101.3.4.2.3", "1.2.840.113549.2.11")}


def hmac_id(name): return seq(oid(HASH[name][1]), NULL)


# ---- protection ----
class Pbm:
    def __init__(self, owf="sha256", mac="sha256", rounds=1000, salt=None):
        self.owf, self.mac, self.rounds, self.salt = owf, mac, rounds, salt if salt is not None else os.urandom(16)

    def algorithm(self):
        return seq(oid("1.2.840.113533.7.66.13"), seq(octets(self.salt), seq(oid(HASH[self.owf][0])), num(self.rounds), hmac_id(self.mac)))

    def code(self, secret, part):
        key = secret + self.salt
        for _ in range(self.rounds):
            key = hashlib.new(self.owf, key).digest()
        return hmac.new(key, part, self.mac).digest()


class Pbmac1:
    def __init__(self, prf="sha256", mac="sha256", rounds=1000, size=32):
        self.prf, self.mac, self.rounds, self.size, self.salt = prf, mac, rounds, size, os.urandom(16)

    def algorithm(self):
        size = num(self.size) if self.size else b""
        kdf = seq(oid("1.2.840.113549.1.5.12"), seq(octets(self.salt), num(self.rounds), size, hmac_id(self.prf)))
        return seq(oid("1.2.840.113549.1.5.14"), seq(kdf, hmac_id(self.mac)))

    def code(self, secret, part):
        return hmac.new(hashlib.pbkdf2_hmac(self.prf, secret, self.salt, self.rounds, self.size or 32), part, self.mac).digest()


def mac_of_answer(algorithm):
    """A Pbm or Pbmac1 with the parameters of an answer."""
    fields = read(read(algorithm)[0][1])
    names = {oid(v[1])[2:]: k for k, v in HASH.items()} | {oid(v[0])[2:]: k for k, v in HASH.items()}
    inner = read(fields[1][1])
    if fields[0][2] == oid("1.2.840.113549.1.5.14"):
        kdf = read(read(inner[0][1])[1][1])
        out = Pbmac1(names[read(kdf[3][1])[0][1]], names[read(inner[1][1])[0][1]], int.from_bytes(kdf[1][1], "big"), int.from_bytes(kdf[2][1], "big"))
        out.salt = kdf[0][1]
        return out
    return Pbm(names[read(inner[1][1])[0][1]], names[read(inner[3][1])[0][1]], int.from_bytes(inner[2][1], "big"), inner[0][1])


# ---- requests ----
NAME = seq(tlv(0x31, seq(oid("2.5.4.3"), tlv(12, b"khach mau"))))
EMPTY = ctx(4, seq())


def run(*args, **kw): return subprocess.run(args, check=True, capture_output=True, cwd=FOLDER, **kw).stdout


run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "py.key")
SPKI = run("openssl", "pkey", "-in", "py.key", "-pubout", "-outform", "DER")
SHA256_ECDSA = seq(oid("1.2.840.10045.4.3.2"))


def sign(data): return run("openssl", "dgst", "-sha256", "-sign", "py.key", input=data)
def bits(b): return tlv(3, b"\x00" + b)


def crmf(request_id=0, template=None, controls=b"", pop=None, copies=1, signed=None):
    template = template if template is not None else ctx(6, SPKI[read(SPKI)[0][2].find(read(SPKI)[0][1]):])
    request = seq(num(request_id), seq(template), controls)
    if pop is None:
        pop = ctx(1, SHA256_ECDSA, bits(sign(signed or request)))
    return seq(*[seq(request, pop)] * copies)


def ski_input(sender):
    body = ctx(0, sender) + SPKI
    return ctx(1, ctx(0, body), SHA256_ECDSA, bits(sign(seq(body))))


def header(mac, reference, transaction, nonce, pvno=2, at=0, recipient_nonce=b"", sender=EMPTY):
    stamp = time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + at)).encode()
    parts = [num(pvno), sender, EMPTY, ctx(0, tlv(0x18, stamp)), ctx(1, mac.algorithm()), ctx(2, octets(reference))]
    parts.append(ctx(4, octets(transaction)) if transaction else b"")
    parts.append(ctx(5, octets(nonce)) if nonce else b"")
    parts.append(ctx(6, octets(recipient_nonce)) if recipient_nonce else b"")
    return seq(*parts)


def post(data):
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}/cmp", data, {"Content-Type": "application/pkixcmp"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, b""


class Answer:
    """status, failure bits and body of a message; its code checked when a secret is known."""
    def __init__(self, data, secret):
        fields = read(read(data)[0][1])
        head = {f[0]: f[1] for f in read(fields[0][1])[3:]}
        self.body, content = fields[1][0] & 31, fields[1][1]
        self.nonce = read(head[0xA5])[0][1]
        self.recipient_nonce = read(head[0xA6])[0][1] if 0xA6 in head else b""
        self.status, self.failures, self.cert = None, set(), None
        self.is_mac = False
        if 0xA1 in head and read(read(head[0xA1])[0][1])[0][2] in (oid("1.2.840.113533.7.66.13"), oid("1.2.840.113549.1.5.14")):
            mac = mac_of_answer(head[0xA1])
            self.is_mac = mac.code(secret, seq(fields[0][2], fields[1][2])) == read(fields[2][1])[0][1][1:]
            assert self.is_mac, "the answer's own code is wrong"
        if self.body == 23:
            self.read_status(read(read(content)[0][1])[0][1])
        elif self.body in (1, 3, 8):
            response = read(read([f for f in read(read(content)[0][1]) if f[0] == 0x30][-1][1])[0][1])
            self.read_status(response[1][1])
            if len(response) > 2:
                self.cert = read(read(response[2][1])[0][1])[0][2]

    def read_status(self, status):
        fields = read(status)
        self.status = int.from_bytes(fields[0][1], "big")
        for field in fields[1:]:
            if field[0] == 3:
                self.failures = {8 * i + b for i, octet in enumerate(field[1][1:]) for b in range(8) if octet & 0x80 >> b}


def send(body_tag, body, mac=None, reference=b"ref-tam", secret=b"bi-mat-tam", tail=b"", spoil=False, transaction=None, nonce=None, **kw):
    mac = mac or Pbm()
    transaction = os.urandom(16) if transaction is None else transaction
    nonce = os.urandom(16) if nonce is None else nonce
    head = header(mac, reference, transaction, nonce, **kw)
    whole = ctx(body_tag, body)
    code = mac.code(secret, seq(head, whole))
    if spoil:
        code = bytes([code[0] ^ 1]) + code[1:]
    status, data = post(seq(head, whole, ctx(0, bits(code))) + tail)
    if status != 200:
        return status
    answer = Answer(data, secret)
    assert not nonce or answer.recipient_nonce == nonce
    return answer


problems, passed = [], 0


def expect(what, answer, body, status=None, failure=None):
    global passed
    got = answer if isinstance(answer, int) else (answer.body, answer.status, sorted(answer.failures))
    wanted = body if isinstance(answer, int) or status is None and body > 100 else (body, status, [failure] if failure is not None else [])
    passed += got == wanted
    if got != wanted:
        problems.append(f"{what}: {got}, wanted {wanted}")


ARCHIVE = seq(seq(oid("1.3.6.1.5.5.7.5.1.4"), ctx(2, b"\x01\x01\xff")))
KEY = ctx(6, SPKI[read(SPKI)[0][2].find(read(SPKI)[0][1]):])
SENDER = ctx(4, NAME)
ROWS = [  # what, body, content, how, (body, PKIStatus, PKIFailureInfo bit)
    ("PBM", 0, crmf(), {}, (1, 0, None)),
    ("PBM with SHA-512", 0, crmf(), {"mac": Pbm("sha512", "sha512")}, (1, 0, None)),
    ("PBMAC1", 0, crmf(), {"mac": Pbmac1()}, (1, 0, None)),
    ("PBMAC1 with SHA-512", 2, crmf(), {"mac": Pbmac1("sha512", "sha384", 5000, 64)}, (3, 0, None)),
    ("poposkInput", 0, crmf(pop=ski_input(SENDER)), {"sender": SENDER}, (1, 0, None)),
    ("pvno 3", 0, crmf(), {"pvno": 3}, (1, 0, None)),
    ("another number", 0, crmf(77), {}, (1, 0, None)),
    ("pvno 1", 0, crmf(), {"pvno": 1}, (23, 2, 22)),
    ("an hour late", 0, crmf(), {"at": -3600}, (23, 2, 3)),
    ("an hour early", 0, crmf(), {"at": 3600}, (23, 2, 3)),
    ("no senderNonce", 0, crmf(), {"nonce": b""}, (23, 2, 18)),
    ("short senderNonce", 0, crmf(), {"nonce": b"12345678"}, (23, 2, 18)),
    ("no transactionID", 0, crmf(), {"transaction": b""}, (23, 2, 5)),
    ("few rounds", 0, crmf(), {"mac": Pbm(rounds=99)}, (23, 2, 0)),
    ("many rounds", 0, crmf(), {"mac": Pbm(rounds=100001)}, (23, 2, 0)),
    ("short salt", 0, crmf(), {"mac": Pbm(salt=b"1234567")}, (23, 2, 0)),
    ("PBM over SHA-1", 0, crmf(), {"mac": Pbm("sha1", "sha256")}, (23, 2, 0)),
    ("PBMAC1 without keyLength", 0, crmf(), {"mac": Pbmac1(size=0)}, (23, 2, 0)),
    ("PBMAC1 over SHA-1", 0, crmf(), {"mac": Pbmac1("sha1")}, (23, 2, 0)),
    ("PBM spoilt", 0, crmf(), {"spoil": True}, (23, 2, 1)),
    ("PBMAC1 spoilt", 0, crmf(), {"mac": Pbmac1(), "spoil": True}, (23, 2, 1)),
    ("unknown reference", 0, crmf(), {"reference": b"nobody"}, (23, 2, 1)),
    ("long reference", 0, crmf(), {"reference": b"x" * 65}, (23, 2, 1)),
    ("two requests", 0, crmf(copies=2), {}, (1, 2, 2)),
    ("no request", 0, seq(), {}, (1, 2, 5)),
    ("archived key", 0, crmf(controls=ARCHIVE), {}, (1, 2, 19)),
    ("no key", 0, crmf(template=ctx(5, NAME)), {}, (1, 2, 19)),
    ("empty key", 0, crmf(template=ctx(6, seq(), tlv(3, b"\x00"))), {}, (1, 2, 9)),
    ("fields out of order", 0, crmf(template=KEY + ctx(5, NAME)), {}, (1, 2, 5)),
    ("field twice", 0, crmf(template=KEY + KEY), {}, (1, 2, 5)),
    ("another subject", 0, crmf(template=ctx(5, NAME) + KEY), {}, (1, 2, 19)),
    ("proof over something else", 0, crmf(signed=b"something else"), {}, (1, 2, 9)),
    ("proof for another sender", 0, crmf(pop=ski_input(SENDER)), {}, (1, 2, 9)),
    ("raVerified", 0, crmf(pop=b"\x80\x00"), {}, (1, 2, 9)),
    ("keyEncipherment", 0, crmf(pop=ctx(2, ctx(1, num(0)))), {}, (1, 2, 19)),
    ("keyAgreement", 0, crmf(pop=ctx(3, ctx(1, num(0)))), {}, (1, 2, 19)),
    ("PKCS#10 of nothing", 4, seq(), {}, (3, 2, 5)),
    ("kur by a secret", 7, crmf(), {}, (8, 2, 23)),
    ("popdecc", 5, seq(), {}, (23, 2, 2)),
    ("nested", 20, seq(), {}, (23, 2, 2)),
    ("certConf of nothing", 24, seq(seq(octets(b"x" * 32), num(0))), {}, (23, 2, 2)),
    ("certConf empty", 24, seq(), {}, (23, 2, 5)),
    ("pollReq of nothing", 25, seq(seq(num(0))), {}, (23, 2, 2)),
    ("rr malformed", 11, seq(seq(seq())), {}, (23, 2, 4)),
    ("genm malformed", 21, num(1), {}, (23, 2, 5)),
    ("trailing octets", 0, crmf(), {"tail": b"\x00"}, 400),
]
for what, tag, content, how, wanted in ROWS:
    answer = send(tag, content, **how)
    expect(what, answer, *(wanted if isinstance(wanted, tuple) else (wanted,)))
    if not isinstance(answer, int) and isinstance(wanted, tuple) and wanted[2] not in (0, 1, 22):
        if not answer.is_mac:
            problems.append(f"{what}: the answer is not protected by the secret")

# a whole exchange, and every wrong turn in it
transaction = os.urandom(16)
first = send(0, crmf(), transaction=transaction)
expect("ir", first, 1, 0)
digest = hashlib.sha256(first.cert or b"").digest()
confirm = lambda value, number=0: seq(seq(octets(value), num(number)))
expect("another's nonce", send(24, confirm(digest), transaction=transaction, recipient_nonce=os.urandom(16)), 23, 2, 13)
expect("another hash", send(24, confirm(digest[::-1]), transaction=transaction, recipient_nonce=first.nonce), 23, 2, 4)
expect("another number", send(24, confirm(digest, 5), transaction=transaction, recipient_nonce=first.nonce), 23, 2, 5)
expect("another party", send(24, confirm(digest), transaction=transaction, recipient_nonce=first.nonce, reference=b"ref-hai", secret=b"bi-mat-so-hai"), 23, 2, 2)
last = send(24, confirm(digest), transaction=transaction, recipient_nonce=first.nonce)
expect("certConf", last, 19)
expect("certConf twice", send(24, confirm(digest), transaction=transaction, recipient_nonce=last.nonce), 23, 2, 11)
expect("ir again", send(0, crmf(), transaction=transaction), 23, 2, 21)
# rounds are the sender's choice: heavy codes at once are checked one after the other or sent back, and none is forgotten
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    heavy = list(pool.map(lambda i: send(0, crmf(), mac=Pbm(rounds=100000), spoil=i % 2 == 0), range(16)))
for i, answer in enumerate(heavy):
    right = (23, [1]) if i % 2 == 0 else (1, [])
    passed += (answer.body, sorted(answer.failures)) in (right, (23, [24]))
    if (answer.body, sorted(answer.failures)) not in (right, (23, [24])):
        problems.append(f"heavy code {i}: {answer.body} {answer.failures}")
expect("the heaviest code, alone", send(0, crmf(), mac=Pbm(rounds=100000)), 1, 0)
for garbage in (b"", b"x", b"\x30\x80", b"\x30\x84\xff\xff\xff\xff", os.urandom(500), b"\x30" * 1000):
    expect("garbage", post(garbage)[0], 400)

print("\n".join(problems))
print(f"{passed} passed, {len(problems)} failed, 0 skipped")
sys.exit(1 if problems else 0)
