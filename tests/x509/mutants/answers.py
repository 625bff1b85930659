"""OCSP answers: RFC 6960, in every part of an answer and for every kind of responder."""
import hashlib
from .lists import entry, idp, revocations
from .world import *

REQUIRE = {"revocation": "require"}
NO_CHECK = extension("ocspNoCheck", NULL)
GOOD_STATUS, UNKNOWN_STATUS = ctx(0, constructed=False), ctx(2, constructed=False)


def revoked(at=NOW - 5 * DAY, reason=None):
    return ctx(1, gentime(at), ctx(0, tlv(10, bytes([reason]))) if reason is not None else b"")


def cert_id(number, issuer, digest="sha1", name_=None, key=None):
    key_bits = split(split((key or issuer.key).spki())[0][2])[1][2][1:]
    return seq(seq(oid(digest), NULL), octets(hashlib.new(digest, name_ or issuer.subject).digest()), octets(hashlib.new(digest, key_bits).digest()), integer(number))


def single(number, issuer, status=GOOD_STATUS, this=NOW - DAY, next_=NOW + DAY, extra=(), id_=None, **of):
    return seq(id_ or cert_id(number, issuer, **of), status, gentime(this), ctx(0, gentime(next_)) if next_ else b"", ctx(1, seq(*extra)) if extra else b"")


def answer(singles, responder, by_key=False, produced=NOW - DAY, extra=(), certs=None, key=None, spoil=False, name_=None, status=0):
    key = key or responder.key
    id_bits = split(split(responder.key.spki())[0][2])[1][2][1:]
    who = ctx(2, octets(hashlib.sha1(id_bits).digest())) if by_key else ctx(1, name_ or responder.subject)
    data = seq(who, gentime(produced), seq(*singles), ctx(1, seq(*extra)) if extra else b"")
    signature = key.sign(data)
    if spoil:
        signature = signature[:-1] + bytes([signature[-1] ^ 1])
    certs = [responder] if certs is None else certs
    basic = seq(data, key.algorithm(), bits(signature), ctx(0, seq(*[c.der for c in certs])) if certs else b"")
    return seq(tlv(10, bytes([status])), ctx(0, seq(oid("ocspBasic"), octets(basic))))


class Answers:
    def __init__(self, w):
        self.w, self.ca, self.leaf = w, w.ca, w.make_leaf()
        self.n = self.leaf.number
        self.above = revocations(w.root)
        self.delegate = self.responder()

    def responder(self, issuer=None, edit=None, key=5, **options):
        w = self.w
        return w.make_leaf("Trả lời OCSP", issuer=issuer or w.ca, key=key, edit={"ku": key_usage(0), "eku": extension("extKeyUsage", seq(oid("ocspSigning"))), "nc": NO_CHECK} | (edit or {}), **options)

    def case(self, name, expect, *answers, why="", crls=(), **rest):
        return self.w.case(f"answer: {name}", expect, leaf=self.leaf, crls=[self.above, *crls], ocsps=list(answers), options=REQUIRE | rest.pop("options", {}), why=why, **rest)

    def of(self, responder=None, status=GOOD_STATUS, single_=None, **options):
        return answer([single(self.n, self.ca, status, **(single_ or {}))], responder or self.ca, **options)


def content(w):
    a = Answers(w)
    ca, n, no = w.ca, a.n, "AN_V_STATUS_NONE"
    yield a.case("good, by name", GOOD, a.of())
    yield a.case("good, by key", GOOD, a.of(by_key=True))
    yield a.case("good, no certificate inside", GOOD, a.of(certs=[]))
    yield a.case("SHA-256 in CertID", GOOD, a.of(single_={"digest": "sha256"}))
    yield a.case("SHA-512 in CertID", GOOD, a.of(single_={"digest": "sha512"}))
    yield a.case("revoked", BAD, a.of(status=revoked()), why="AN_V_PATH_REVOKED")
    yield a.case("revoked this very second", BAD, a.of(status=revoked(NOW)), why="AN_V_PATH_REVOKED")
    yield a.case("revoked from the next second on", GOOD, a.of(status=revoked(NOW + 1)), peers="a revocation counts from its date on")
    yield a.case("on hold", BAD, a.of(status=revoked(reason=6)), why="AN_V_PATH_ON_HOLD")
    yield a.case("unknown", BAD, a.of(status=UNKNOWN_STATUS), why="AN_V_STATUS_UNKNOWN")
    yield a.case("status of another tag", BAD, a.of(status=ctx(3, constructed=False)))
    yield a.case("good with octets inside", BAD, a.of(status=ctx(0, b"x", constructed=False)))
    for status in range(1, 7):
        yield a.case(f"response status {status}", BAD, a.of(status=GOOD_STATUS) and answer([single(n, ca)], ca, status=status))
        yield a.case(f"response status {status} alone", BAD, seq(tlv(10, bytes([status]))))
    yield a.case("signature off by a bit", BAD, a.of(spoil=True), why="AN_V_STATUS_SIGNATURE")
    yield a.case("of another issuer's name", BAD, a.of(single_={"name_": w.root.subject}), why="AN_V_STATUS_ISSUER")
    yield a.case("of another issuer's key", BAD, a.of(single_={"key": w.root.key}), why="AN_V_STATUS_ISSUER")
    yield a.case("of another certificate", BAD, answer([single(n + 1, ca)], ca), why=no)
    yield a.case("of nothing", BAD, answer([], ca))
    yield a.case("of several, the second ours", GOOD, answer([single(n + 1, ca, revoked()), single(n, ca)], ca))
    yield a.case("twice, good then revoked", BAD, answer([single(n, ca), single(n, ca, revoked())], ca))
    yield a.case("twice, revoked then good", BAD, answer([single(n, ca, revoked()), single(n, ca)], ca))
    yield a.case("twice, by two digests, good then revoked", BAD, answer([single(n, ca), single(n, ca, revoked(), digest="sha256")], ca))
    yield a.case("twice, stale then good", GOOD, answer([single(n, ca, next_=NOW - 1), single(n, ca)], ca), peers="one of the two is in force")
    yield a.case("unknown digest beside ours", GOOD, answer([single(n, ca, id_=seq(seq(oid("1.2.3.4")), octets(b"x"), octets(b"y"), integer(n))), single(n, ca)], ca))
    yield a.case("nextUpdate this very second", GOOD, a.of(single_={"next_": NOW}))
    yield a.case("nextUpdate a second ago", BAD, a.of(single_={"next_": NOW - 1}), why="AN_V_STATUS_STALE", peers="")
    yield a.case("no nextUpdate, a day old", GOOD, a.of(single_={"next_": None}))
    yield a.case("from the next day", BAD, a.of(single_={"this": NOW + DAY, "next_": NOW + 2 * DAY}), why="AN_V_STATUS_FUTURE")
    yield a.case("produced the next day", BAD, a.of(produced=NOW + DAY), why="AN_V_STATUS_FUTURE")
    yield a.case("nextUpdate before thisUpdate", BAD, a.of(single_={"next_": NOW - 2 * DAY}), why="AN_V_STATUS_STALE")
    yield a.case("unknown extension of one answer", GOOD, a.of(single_={"extra": [extension("1.2.3.4", NULL)]}))
    yield a.case("unknown critical extension of one answer", BAD, a.of(single_={"extra": [extension("1.2.3.4", NULL, True)]}), why="AN_V_STATUS_CRITICAL")
    yield a.case("unknown critical extension of the response", BAD, a.of(extra=[extension("1.2.3.4", NULL, True)]), why="AN_V_STATUS_CRITICAL")
    yield a.case("unknown extension of the response", GOOD, a.of(extra=[extension("1.2.3.4", NULL)]))
    yield a.case("nonce critical", GOOD, a.of(extra=[extension("ocspNonce", octets(b"12345678"), True)]))
    yield a.case("archive cut-off", GOOD, a.of(single_={"extra": [extension("1.3.6.1.5.5.7.48.1.6", gentime(NOW - 3650 * DAY))]}))
    yield a.case("octets behind it", BAD, a.of() + b"\0")
    yield a.case("of two answers, the newer revoked", BAD, a.of(single_={"this": NOW - 2 * DAY}), a.of(status=revoked()))
    yield a.case("of two answers, the older revoked for good", BAD, a.of(status=revoked(reason=1), single_={"this": NOW - 2 * DAY}, produced=NOW - 2 * DAY), a.of())
    yield a.case("of two answers, the older on hold", GOOD, a.of(status=revoked(reason=6), single_={"this": NOW - 2 * DAY}, produced=NOW - 2 * DAY), a.of())
    yield a.case("good, the list says revoked", BAD, a.of(), crls=[revocations(ca, [entry(n)])], why="AN_V_PATH_REVOKED")
    yield a.case("revoked, the list says nothing", BAD, a.of(status=revoked()), crls=[revocations(ca)], why="AN_V_PATH_REVOKED")
    yield a.case("unknown, the list says good", GOOD, a.of(status=UNKNOWN_STATUS), crls=[revocations(ca)])
    yield a.case("refused, the list says good", GOOD, seq(tlv(10, b"\3")), crls=[revocations(ca)])


def responders(w):
    a = Answers(w)
    who = "AN_V_STATUS_ISSUER"

    def by(name, expect, responder, why="", **options):
        rest = {k: options.pop(k) for k in ("peers", "lenient", "crls", "untrusted") if k in options}
        return a.case("by " + name, expect, a.of(responder, **options), why=why, **rest)

    yield by("a delegate", GOOD, a.delegate)
    yield by("a delegate, its key named", GOOD, a.delegate, by_key=True)
    yield by("a delegate whose certificate is at hand", GOOD, a.delegate, certs=[], untrusted=[w.ca, a.delegate])
    yield by("a delegate whose certificate is nowhere", BAD, a.delegate, certs=[], why=who)
    yield by("a delegate without its purpose", BAD, a.responder(edit={"eku": None}), why=who)
    yield by("a delegate for any purpose", BAD, a.responder(edit={"eku": extension("extKeyUsage", seq(oid("2.5.29.37.0")))}), why=who)
    yield by("a delegate for mail", BAD, a.responder(edit={"eku": extension("extKeyUsage", seq(oid("emailProtection")))}), why=who)
    yield by("a delegate without digitalSignature", BAD, a.responder(edit={"ku": key_usage(2)}), why=who)
    yield by("a delegate without keyUsage", GOOD, a.responder(edit={"ku": None}))
    yield by("a delegate of the root", BAD, a.responder(issuer=w.root), why=who)
    below = w.make_ca("CA con", key=3, issuer=w.ca)
    yield by("a delegate of a CA below", BAD, a.responder(issuer=below), why=who, untrusted=[w.ca, below])
    false = Made("Trả lời OCSP", w.keys[5], w.ca, w.leaf_extensions(w.keys[5], w.ca, eku=extension("extKeyUsage", seq(oid("ocspSigning")))), signer=w.keys[6])
    yield by("a delegate that the CA did not sign", BAD, false, why=who)
    yield by("a delegate that has expired", BAD, a.responder(end=NOW - 1), why=who)
    yield by("a delegate that ends now", GOOD, a.responder(end=NOW))
    yield by("a delegate not yet valid", BAD, a.responder(start=NOW + 1), why=who)
    yield by("a delegate that was not yet valid when it answered", None, a.responder(start=NOW - DAY // 2), why="")
    yield by("a delegate with an unknown critical extension", BAD, a.responder(edit={"x": extension("1.2.3.4", NULL, True)}), why=who)
    yield by("a delegate without nocheck", GOOD, a.responder(edit={"nc": None}), peers="its status is not known and need not be")
    open_ = a.responder(edit={"nc": None})
    partly = idp(reasons=b"\x40")  # says revoked of those on it, and of all others nothing
    yield by("a delegate without nocheck that is revoked", BAD, open_, crls=[revocations(w.ca, [entry(open_.number)], extra=[partly])])
    yield by("a delegate with nocheck that is revoked", GOOD, a.delegate, crls=[revocations(w.ca, [entry(a.delegate.number)], extra=[partly])], peers="nocheck: for its life (4.2.2.2.1)")
    vouched = single(open_.number, w.ca)
    yield a.case("by a delegate that vouches for itself", GOOD, answer([single(a.n, w.ca), vouched], open_), peers="its status is not known and need not be")
    yield by("the leaf itself", BAD, a.leaf, why=who)
    yield by("the root", BAD, w.root, why=who)
    yield by("a stranger of the CA's name", BAD, Made(w.ca.subject, w.keys[6], extensions=w.root_extensions()))
    yield by("the CA, named wrongly", BAD, w.ca, name_=w.root.subject)
    yield by("a delegate, named as the CA", BAD, a.delegate, name_=w.ca.subject)
    yield by("a delegate, signed with another key", BAD, a.delegate, key=w.keys[6], why="AN_V_STATUS_SIGNATURE")
    ec_like = a.responder(edit={"bc": constraints(True)})
    yield by("a delegate that says it is a CA", None, ec_like)


FAMILIES = {"answers": content, "responders": responders}
