"""Counter-signatures and evidence records: right ones, and ones that were made for something else."""
import hashlib, re
from forge.der import *
from forge.pki import attribute, ess, signed_data, token
from .world import *

CERT_REFS, STATUS_REFS, ESC, REFS = (f"1.2.840.113549.1.9.16.2.{n}" for n in (21, 22, 25, 26))
INTERNAL, EXTERNAL = "1.2.840.113549.1.9.16.2.49", "1.2.840.113549.1.9.16.2.50"


def sha256(data):
    return hashlib.sha256(data).digest()


# ---- counter-signatures ----
def counter(over, cert, key=None, with_type=False, unsigned=(), bare=False):
    rows = [attribute("messageDigest", octets(sha256(over))), ess(cert.der)] + ([attribute("contentType", oid("data"))] if with_type else [])
    body = b"".join(sorted(rows))
    message = over if bare else tlv(0x31, body)
    signature = (key or cert.key).sign(message, "sha256")
    return seq(integer(1), seq(cert.issuer_name, integer(cert.number)), seq(oid("sha256")), b"" if bare else tlv(0xA0, body), cert.key.algorithm("sha256"),
               octets(signature), tlv(0xA1, *unsigned(signature)) if unsigned else b"")


def counters(world):
    text = b"noi dung"
    both = [world.leaf, world.second]

    def signed(make):
        return world.cms(text, certs=both, unsigned=lambda s: [attribute("counterSignature", *make(s))])

    yield "counter-signature", signed(lambda s: [counter(s, world.second)]), LAWFUL
    yield "counter-signature with a content type", signed(lambda s: [counter(s, world.second, with_type=True)]), LAWFUL
    yield "counter-signature without attributes", signed(lambda s: [counter(s, world.second, bare=True)]), LAWFUL
    yield "two counter-signatures", signed(lambda s: [counter(s, world.second), counter(s, world.leaf)]), LAWFUL
    yield "counter-signature on a counter-signature", signed(lambda s: [counter(s, world.second, unsigned=lambda t: [attribute("counterSignature", counter(t, world.leaf))])]), LAWFUL
    yield "counter-signature on another signature", signed(lambda s: [counter(s + b"x", world.second)]), BROKEN
    yield "counter-signature on the content", signed(lambda s: [counter(text, world.second)]), BROKEN
    yield "counter-signature by another key", signed(lambda s: [counter(s, world.second, key=world.leaf.key)]), BROKEN
    yield "nested counter-signature on the first signature", signed(lambda s: [counter(s, world.second, unsigned=lambda t: [attribute("counterSignature", counter(s, world.leaf))])]), BROKEN
    yield "counter-signature cut short", signed(lambda s: [counter(s, world.second)[:-9]]), NO_ACCEPT
    yield "counter-signature that is a whole CMS object", signed(lambda s: [world.cms(s)]), NO_ACCEPT


# ---- evidence records ----
def node(hashes):
    return hashes[0] if len(hashes) == 1 else sha256(b"".join(sorted(hashes)))


def tree_root(lists):
    root = node(lists[0])
    for level in lists[1:]:
        root = node(level + [root])
    return root


def stamp(lists, tsa, at, over=None):
    """ArchiveTimeStamp: lists of hashes from the leaf up; over: what is stamped instead of the root."""
    token_ = token(b"", tsa, at, imprint=over or tree_root(lists))
    return seq(ctx(2, *[seq(*map(octets, level)) for level in lists]), token_), token_


def record(*chains):
    return seq(integer(1), seq(seq(oid("sha256"))), seq(*[seq(*chain) for chain in chains]))


def records(world):
    text, other, t = b"noi dung luu tru", b"cai khac", world.now - 5 * DAY
    a, token_a = stamp([[sha256(text), sha256(other)], [sha256(b"z")]], world.tsa, t)
    renewed, _ = stamp([[sha256(token_a), sha256(b"y")]], world.tsa, t + DAY)
    yield "record", record([a]), LAWFUL
    yield "record, one object, no tree", record([seq(token(text, world.tsa, t))]), LAWFUL
    yield "record, renewed", record([a, renewed]), LAWFUL
    yield "record of another document", record([stamp([[sha256(other)], [sha256(b"z")]], world.tsa, t)[0]]), BROKEN
    yield "document only higher up in the tree", record([stamp([[sha256(other)], [sha256(text)]], world.tsa, t)[0]]), BROKEN
    yield "time-stamp over another root", record([stamp([[sha256(text), sha256(other)]], world.tsa, t, over=sha256(b"khac"))[0]]), BROKEN
    yield "renewal of another time-stamp", record([a, stamp([[sha256(b"khac")]], world.tsa, t + DAY)[0]]), BROKEN
    yield "second chain without the first", record([a], [stamp([[sha256(text)]], world.tsa, t + DAY)[0]]), BROKEN
    before = sha256(seq(seq(a)))
    yield "second chain", record([a], [stamp([[sha256(sha256(text) + before)]], world.tsa, t + DAY)[0]]), LAWFUL
    yield "second chain, order turned", record([a], [stamp([[sha256(before + sha256(text))]], world.tsa, t + DAY)[0]]), BROKEN
    yield "tree with hashes of another length", record([stamp([[sha256(text), b"x" * 20]], world.tsa, t)[0]]), BROKEN
    yield "empty list in the tree", record([seq(ctx(2, seq(), seq(octets(sha256(text)))), token(b"", world.tsa, t, imprint=sha256(text)))]), BROKEN
    yield "no chain", record(), NO_ACCEPT


def sealed(world):
    """Records inside signatures: the time that they prove counts only when they hold this very signature."""
    text, t = b"noi dung", world.now - 5 * DAY

    def with_record(lists_of, kind=INTERNAL):
        lists = lists_of(world.cms(text)) # RSA with PKCS #1 signs the same text in the same way each time
        return world.cms(text, unsigned=[attribute(kind, record([stamp(lists, world.tsa, t)[0]]))])

    yield "sealed", with_record(lambda plain: [[sha256(plain)], [sha256(b"z")]]), LAWFUL, True
    yield "sealed with the content", with_record(lambda plain: [sorted([sha256(plain), sha256(text)])], EXTERNAL), LAWFUL, True
    yield "sealed by a record of another object", with_record(lambda plain: [[sha256(b"khac")]]), NO_ACCEPT, None
    yield "sealed by a record of the content alone", with_record(lambda plain: [[sha256(text)]]), NO_ACCEPT, None
    yield "sealed with another content", with_record(lambda plain: [sorted([sha256(plain), sha256(b"khac")])], EXTERNAL), NO_ACCEPT, None
    yield "signature value alone sealed", with_record(lambda plain: [[sha256(plain[-256:])]]), NO_ACCEPT, None


def extended(world):
    """CAdES-X: time-stamps over references, with the signature (type 1) or without it (type 2)."""
    text, t = b"noi dung", world.now - 5 * DAY
    plain = [attribute(CERT_REFS, seq()), attribute(STATUS_REFS, seq())]
    inner = b"".join(split(a)[0][2] for a in plain)

    def signed(kind, over):
        return world.cms(text, unsigned=lambda s: [*plain, attribute(kind, token(b"", world.tsa, t, imprint=sha256(over(s))))])

    yield "CAdES-X type 1", signed(ESC, lambda s: s + inner), LAWFUL, True
    yield "CAdES-X type 2", signed(REFS, lambda s: inner), LAWFUL, False
    yield "CAdES-X type 1 over the references alone", signed(ESC, lambda s: inner), LAWFUL | NO_ACCEPT, False
    yield "CAdES-X type 1 over another signature", signed(ESC, lambda s: s[:-1] + b"x" + inner), LAWFUL | NO_ACCEPT, False


def cases(world, full):
    text = b"noi dung"
    for name, data, words, proven in extended(world):
        yield Case(name, data, words, content=text, proven=proven)
    for name, data, words in counters(world):
        yield Case(name, data, words, content=text)
    for name, data, words in records(world):
        yield Case(name, data, words, content=b"noi dung luu tru")
    for name, data, words, proven in sealed(world):
        yield Case(name, data, words, content=text, proven=proven)
    good = record([stamp([[sha256(b"noi dung luu tru"), sha256(b"x")]], world.tsa, world.now - DAY)[0]])
    issuer, versions = world.tsa.issuer_name, [m.start() + 2 for m in re.finditer(rb"\x02\x01[\x01\x03][\x30\x31]", good)]
    names = good.rfind(issuer)
    for at in range(4, len(good), 1 if full else 61):
        data = bytearray(good)
        data[at] ^= 1 << (at % 8)
        free = at < 24 or at in versions or names <= at < names + len(issuer)  # algorithms listed for one-pass reading, versions, who signed
        yield Case(f"record: flip at {at}", bytes(data), NO_ACCEPT | LAWFUL if free else NO_ACCEPT, content=b"noi dung luu tru")
