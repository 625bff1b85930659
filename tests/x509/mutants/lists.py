"""Revocation lists: RFC 5280 5 and 6.3, in every part of a list and of its entries."""
from .world import *

REQUIRE = {"revocation": "require"}
KEY_COMPROMISE, HOLD, REMOVE = 1, 6, 8


def entry(serial, at=NOW - 5 * DAY, reason=None, extra=(), critical=False):
    rows = ([extension("reasonCode", tlv(10, bytes([reason])), critical)] if reason is not None else []) + list(extra)
    return seq(integer(serial), when(at), *([seq(*rows)] if rows else []))


def issuer_of_entry(dn, critical=True):
    return extension("2.5.29.29", seq(ctx(4, dn)), critical)


def revocations(signer, entries=(), this=NOW - DAY, next_=NOW + DAY, number=5, extra=None, edit=None, issuer=None, version=1, key=None, spoil=False, inner=None):
    key = key or signer.key
    rows = {"number": extension("crlNumber", integer(number)), "aki": aki(key)} | {f"x{i}": e for i, e in enumerate(extra or ())} | (edit or {})
    rows = [e for e in rows.values() if e is not None]
    tbs = seq(integer(version) if version is not None else b"", inner or key.algorithm(), issuer or signer.subject, when(this), when(next_) if next_ else b"",
              seq(*entries) if entries else b"", ctx(0, seq(*rows)) if rows else b"")
    signature = key.sign(tbs)
    if spoil:
        signature = signature[:-1] + bytes([signature[-1] ^ 1])
    return seq(tbs, key.algorithm(), bits(signature))


def point(full=None, reasons=None, issuer=None):
    return seq(ctx(0, ctx(0, full)) if full else b"", tlv(0x81, b"\0" + reasons) if reasons else b"", ctx(2, ctx(4, issuer)) if issuer else b"")


def idp(full=None, user=False, ca=False, reasons=None, indirect=False, attribute=False, critical=True):
    flag = lambda n, on: tlv(0x80 | n, b"\xff") if on else b""  # noqa: E731
    return extension("idp", seq(ctx(0, ctx(0, full)) if full else b"", flag(1, user), flag(2, ca), tlv(0x83, b"\0" + reasons) if reasons else b"", flag(4, indirect), flag(5, attribute)), critical)


def delta(base, critical=True):
    return extension("2.5.29.27", integer(base), critical)


class Lists:
    """A leaf, and what each list says of it; the root's list says good of the CA."""

    def __init__(self, w):
        self.w, self.leaf = w, w.make_leaf()
        self.above = revocations(w.root)

    def case(self, name, expect, *lists, leaf=None, why="", untrusted=None, **rest):
        w = self.w
        return w.case(f"list: {name}", expect, leaf=leaf or self.leaf, crls=[self.above, *lists], options=REQUIRE | rest.pop("options", {}), why=why, untrusted=untrusted or [w.ca], **rest)


def plain(w):
    l, ca, n = Lists(w), w.ca, Lists(w).leaf
    n = l.leaf.number
    revoked, none = "AN_V_PATH_REVOKED", "AN_V_STATUS_NONE"
    yield l.case("empty", GOOD, revocations(ca))
    yield l.case("another stands on it", GOOD, revocations(ca, [entry(n + 1)]))
    yield l.case("revoked", BAD, revocations(ca, [entry(n)]), why=revoked)
    yield l.case("revoked since this very second", BAD, revocations(ca, [entry(n, NOW)]), why=revoked)
    yield l.case("revoked from the next second on", GOOD, revocations(ca, [entry(n, NOW + 1)]), peers="a revocation counts from its date on")
    for reason in (0, 1, 2, 3, 4, 5, 9, 10):
        yield l.case(f"revoked for reason {reason}", BAD, revocations(ca, [entry(n, reason=reason)]), why=revoked)
    yield l.case("revoked for reason 7, which is none", BAD, revocations(ca, [entry(n, reason=7)]))
    yield l.case("revoked for reason 11, which is none", BAD, revocations(ca, [entry(n, reason=11)]))
    yield l.case("on hold", BAD, revocations(ca, [entry(n, reason=HOLD)]), why="AN_V_PATH_ON_HOLD")
    yield l.case("removed, on a complete list", BAD, revocations(ca, [entry(n, reason=REMOVE)]))
    yield l.case("reason code of two octets", BAD, revocations(ca, [entry(n, extra=[extension("reasonCode", tlv(10, b"\0\1"))])]))
    yield l.case("reason code is no number", BAD, revocations(ca, [entry(n, extra=[extension("reasonCode", NULL)])]))
    yield l.case("reason twice, the second removes", BAD, revocations(ca, [entry(n, extra=[extension("reasonCode", tlv(10, b"\1")), extension("reasonCode", tlv(10, b"\x08"))])]))
    yield l.case("reason critical", BAD, revocations(ca, [entry(n, reason=1, critical=True)]), why=revoked)
    yield l.case("entry date cannot be read", BAD, revocations(ca, [seq(integer(n), tlv(0x17, b"xx"))]))
    yield l.case("twice, hold and then compromise", BAD, revocations(ca, [entry(n, reason=HOLD), entry(n, reason=1)]))
    yield l.case("twice, in the future first", BAD, revocations(ca, [entry(n, NOW + DAY), entry(n, NOW - DAY)]))
    yield l.case("unknown extension of an entry", GOOD, revocations(ca, [entry(n + 1, extra=[extension("1.2.3.4", NULL)])]))
    yield l.case("unknown critical extension of another's entry", BAD, revocations(ca, [entry(n + 1, extra=[extension("1.2.3.4", NULL, True)])]), why="AN_V_STATUS_CRITICAL")
    yield l.case("unknown critical extension of the list", BAD, revocations(ca, extra=[extension("1.2.3.4", NULL, True)]), why="AN_V_STATUS_CRITICAL")
    yield l.case("unknown extension of the list", GOOD, revocations(ca, extra=[extension("1.2.3.4", NULL)]))
    yield l.case("an extension twice", BAD, revocations(ca, extra=[extension("crlNumber", integer(5))]))
    yield l.case("signature off by a bit", BAD, revocations(ca, spoil=True), why="AN_V_STATUS_SIGNATURE")
    yield l.case("signed by another key", BAD, revocations(ca, key=w.keys[5]), why="AN_V_STATUS_SIGNATURE")
    yield l.case("algorithms inside and outside differ", BAD, revocations(ca, inner=w.keys[0].algorithm("sha384")))
    yield l.case("version 1 with extensions", BAD, revocations(ca, version=None))
    yield l.case("version 1 without extensions", BAD, revocations(ca, version=None, edit={"number": None, "aki": None}), lenient=GOOD, peers="5.2: for conforming issuers")
    yield l.case("version 3", BAD, revocations(ca, version=2))
    for key in ("number", "aki"):
        yield l.case(f"without {key}", BAD, revocations(ca, edit={key: None}), lenient=GOOD, peers="5.2: for conforming issuers")
    yield l.case("number critical", BAD, revocations(ca, edit={"number": extension("crlNumber", integer(5), True)}), lenient=GOOD)
    yield l.case("freshest", GOOD, revocations(ca, next_=NOW))
    yield l.case("a second too old", BAD, revocations(ca, next_=NOW - 1), why="AN_V_STATUS_STALE")
    yield l.case("without nextUpdate", BAD, revocations(ca, next_=None), lenient=GOOD, peers="")
    yield l.case("from the next day", BAD, revocations(ca, this=NOW + DAY, next_=NOW + 2 * DAY), why="AN_V_STATUS_FUTURE")
    yield l.case("nextUpdate before thisUpdate", BAD, revocations(ca, this=NOW - DAY, next_=NOW - 2 * DAY), why="AN_V_STATUS_STALE")
    yield l.case("stale, says revoked", BAD, revocations(ca, [entry(n)], this=NOW - 3 * DAY, next_=NOW - DAY))
    yield l.case("older good, newer revoked", BAD, revocations(ca, this=NOW - 2 * DAY), revocations(ca, [entry(n)], number=6), why=revoked)
    yield l.case("older on hold, newer free", GOOD, revocations(ca, [entry(n, reason=HOLD)], this=NOW - 2 * DAY), revocations(ca, number=6))
    yield l.case("of another CA", BAD, revocations(w.make_ca("CA khác", key=3)), why=none)
    yield l.case("none", BAD, why=none)
    yield l.case("octets behind it", GOOD, revocations(ca) + b"\0", peers="the list itself is whole and says good")
    yield l.case("empty list of entries written out", None, seq_with_empty(ca))
    for mode, expect in (("if-available", GOOD), ("none", GOOD)):
        yield l.case(f"none, {mode}", expect, options={"revocation": mode}, peers="nothing is known")
    yield l.case("not to be read, if available", BAD, revocations(ca)[:-3], options={"revocation": "if-available"})
    yield l.case("stale, if available", BAD, revocations(ca, next_=NOW - 1), options={"revocation": "if-available"}, lenient=GOOD, peers="whoever can spoil a list can also withhold it")
    yield l.case("revoked but not looked at", GOOD, revocations(ca, [entry(n)]), options={"revocation": "none"}, peers="as asked")
    yield w.case("list: CA revoked by the root", BAD, leaf=l.leaf, crls=[revocations(w.root, [entry(ca.number)]), revocations(ca)], options=REQUIRE, why="AN_V_PATH_CA_REVOKED")
    yield w.case("list: nothing known of the CA", BAD, leaf=l.leaf, crls=[revocations(ca)], options=REQUIRE, why=none)
    mute = w.make_ca(edit={"ku": key_usage(5)})
    leaf = w.make_leaf(issuer=mute)
    yield w.case("list: CA without cRLSign", BAD, ca=mute, leaf=leaf, crls=[l.above, revocations(mute)], options=REQUIRE, why="AN_V_STATUS_ISSUER")
    low = w.make_leaf(serial=-(2 ** 40))
    yield l.case("negative serial number revoked", BAD, revocations(ca, [entry(-(2 ** 40))]), leaf=low)
    high = w.make_leaf(serial=2 ** 127 + 5)
    yield l.case("serial number without its sign octet", GOOD, revocations(ca, [seq(tlv(2, (2 ** 127 + 5).to_bytes(16, "big")), when(NOW - DAY))]), leaf=high, peers="another number: NIST PKITS 4.4.14")


def seq_with_empty(ca):
    key = ca.key
    rows = [extension("crlNumber", integer(5)), aki(key)]
    tbs = seq(integer(1), key.algorithm(), ca.subject, when(NOW - DAY), when(NOW + DAY), seq(), ctx(0, seq(*rows)))
    return seq(tbs, key.algorithm(), bits(key.sign(tbs)))


def scopes(w):
    l, ca = Lists(w), w.ca
    n, here, there = l.leaf.number, uri("http://a.vn/1.crl"), uri("http://a.vn/2.crl")
    scope = "AN_V_STATUS_SCOPE"
    yield l.case("for CAs only", BAD, revocations(ca, extra=[idp(ca=True)]), why=scope)
    yield l.case("for users only", GOOD, revocations(ca, extra=[idp(user=True)]))
    yield l.case("for attributes only", BAD, revocations(ca, extra=[idp(attribute=True)]), why=scope)
    yield l.case("for users only and CAs only", BAD, revocations(ca, extra=[idp(user=True, ca=True)]))
    yield l.case("for users only, plain", BAD, revocations(ca, extra=[idp(user=True, critical=False)]), lenient=GOOD, peers="5.2.5: for conforming issuers")
    yield l.case("for CAs only, plain", BAD, revocations(ca, extra=[idp(ca=True, critical=False)]), why=None)
    yield l.case("IDP of nothing", None, revocations(ca, extra=[extension("idp", seq(), True)]))
    yield l.case("IDP with something unknown", BAD, revocations(ca, extra=[extension("idp", seq(tlv(0x89, b"\xff")), True)]))
    yield l.case("IDP flag of two octets", BAD, revocations(ca, extra=[extension("idp", seq(tlv(0x82, b"\xff\xff")), True)]))
    above = revocations(w.root, extra=[idp(user=True)])
    yield w.case("list: the root's for users only", BAD, leaf=l.leaf, crls=[above, revocations(ca)], options=REQUIRE, why=scope)
    pointed = w.make_leaf(edit={"dp": extension("cdp", seq(point(here)))})
    yield l.case("of the point", GOOD, revocations(ca, extra=[idp(here)]), leaf=pointed)
    yield l.case("of another point", BAD, revocations(ca, extra=[idp(there)]), leaf=pointed, why=scope)
    yield l.case("of a point, none in the certificate", BAD, revocations(ca, extra=[idp(there)]), why=scope)
    yield l.case("of all points", GOOD, revocations(ca), leaf=pointed)
    yield l.case("of one of two points", GOOD, revocations(ca, extra=[idp(there)]), leaf=w.make_leaf(edit={"dp": extension("cdp", seq(point(here), point(there)))}))
    half, rest = b"\x40", b"\x3f\x80"
    yield l.case("some reasons", BAD, revocations(ca, extra=[idp(reasons=half)]), why="AN_V_STATUS_REASONS")
    yield l.case("some reasons and the others", GOOD, revocations(ca, extra=[idp(reasons=half)]), revocations(ca, extra=[idp(reasons=rest)], number=6))
    yield l.case("some reasons and the others, revoked there", BAD, revocations(ca, extra=[idp(reasons=half)]), revocations(ca, [entry(n, reason=4)], extra=[idp(reasons=rest)], number=6), why="AN_V_PATH_REVOKED")
    yield l.case("some reasons, revoked", BAD, revocations(ca, [entry(n, reason=1)], extra=[idp(reasons=half)]), why="AN_V_PATH_REVOKED")
    some = w.make_leaf(edit={"dp": extension("cdp", seq(point(here, reasons=half)))})
    yield l.case("the point has some reasons", BAD, revocations(ca, extra=[idp(here)]), leaf=some, why="AN_V_STATUS_REASONS")
    yield l.case("a point of reasons alone", BAD, revocations(ca), leaf=w.make_leaf(edit={"dp": extension("cdp", seq(point(reasons=half)))}), lenient=GOOD, peers="the list of the issuer stands for all")
    yield l.case("points of nothing", BAD, revocations(ca), leaf=w.make_leaf(edit={"dp": extension("cdp", seq())}), lenient=GOOD, peers="the list of the issuer stands for all")


def deltas(w):
    l, ca = Lists(w), w.ca
    n, revoked = l.leaf.number, "AN_V_PATH_REVOKED"
    base = revocations(ca, this=NOW - 3 * DAY, number=5)
    stood = revocations(ca, [entry(n, reason=HOLD)], this=NOW - 3 * DAY, number=5)
    add = lambda *rows, base_=5, number=7, **more: revocations(ca, rows, number=number, this=NOW - DAY // 2, extra=[delta(base_), *more.pop("extra", [])], **more)  # noqa: E731
    yield l.case("delta: revoked", BAD, base, add(entry(n)), why=revoked)
    yield l.case("delta: nothing new", GOOD, base, add())
    yield l.case("delta: hold lifted", GOOD, stood, add(entry(n, reason=REMOVE)))
    yield l.case("delta: hold kept", BAD, stood, add(), why="AN_V_PATH_ON_HOLD")
    yield l.case("delta: hold made final", BAD, stood, add(entry(n, reason=1)), why=revoked)
    yield l.case("delta alone", BAD, add(), why="AN_V_STATUS_BASE")
    yield l.case("delta for a newer base, base in force", GOOD, base, add(base_=6), peers="the complete list is in force by itself")
    yield l.case("delta for a newer base, base stale", BAD, revocations(ca, this=NOW - 3 * DAY, next_=NOW - DAY, number=5), add(base_=6), why="AN_V_STATUS_BASE")
    yield l.case("delta renews a stale base", GOOD, revocations(ca, this=NOW - 3 * DAY, next_=NOW - DAY, number=5), add(), peers="6.3.3: a complete list with its delta is in force as long as the delta")
    yield l.case("delta older than its base lifts a hold", BAD, revocations(ca, [entry(n, reason=HOLD)], number=9), add(entry(n, reason=REMOVE), number=7))
    yield l.case("delta with another scope", BAD, stood, add(entry(n, reason=REMOVE), extra=[idp(user=True)]))
    yield l.case("delta of another key", BAD, stood, revocations(ca, [entry(n, reason=REMOVE)], key=w.keys[5], number=7, this=NOW - DAY // 2, extra=[delta(5)]))
    yield l.case("delta with its signature off", BAD, stood, add(entry(n, reason=REMOVE), spoil=True))
    yield l.case("delta stale", BAD, stood, add(entry(n, reason=REMOVE), next_=NOW - 1), why="AN_V_PATH_ON_HOLD")
    yield l.case("delta with an unknown critical extension", BAD, stood, add(entry(n, reason=REMOVE), extra=[extension("1.2.3.4", NULL, True)]))
    yield l.case("delta indicator plain", BAD, stood, revocations(ca, [entry(n, reason=REMOVE)], number=7, this=NOW - DAY // 2, extra=[delta(5, critical=False)]), lenient=GOOD, peers="a list that says it is a delta is never taken for a complete one")
    yield l.case("delta indicator that is no number", GOOD, base, revocations(ca, number=7, extra=[extension("2.5.29.27", NULL, True)]), peers="a list that cannot be read stands beside one in force that says good")
    yield l.case("two deltas, the newer lifts", GOOD, stood, add(entry(n, reason=HOLD), number=6), revocations(ca, [entry(n, reason=REMOVE)], number=8, this=NOW - DAY // 4, extra=[delta(5)]))


def indirect(w):
    """A list kept by another: certificateIssuer holds for the entries after it too (5.3.3)."""
    l, ca = Lists(w), w.ca
    keeper = w.make_ca("Người giữ danh sách", key=4, edit={"bc": constraints(False), "ku": key_usage(6)})
    leaf = w.make_leaf(edit={"dp": extension("cdp", seq(point(issuer=keeper.subject)))})
    n, all_ = leaf.number, [ca, keeper]
    kept = lambda *rows, **more: revocations(keeper, rows, extra=[idp(indirect=True)], **more)  # noqa: E731
    of_ca, of_root = issuer_of_entry(ca.subject), issuer_of_entry(w.root.subject)
    ask = lambda name, expect, *lists, **more: l.case("indirect: " + name, expect, *lists, leaf=more.pop("leaf", leaf), untrusted=all_, **more)  # noqa: E731
    yield ask("nothing on it", GOOD, kept())
    yield ask("revoked", BAD, kept(entry(n, extra=[of_ca])), why="AN_V_PATH_REVOKED")
    yield ask("revoked, the issuer named one entry before", BAD, kept(entry(n + 1, extra=[of_ca]), entry(n)), why="AN_V_PATH_REVOKED")
    yield ask("the same number of another issuer", GOOD, kept(entry(n + 1, extra=[of_ca]), entry(n, extra=[of_root])))
    yield ask("the same number, no issuer named", GOOD, kept(entry(n)))
    yield ask("the issuer's form is no directory name", BAD, kept(entry(n, extra=[extension("2.5.29.29", seq(dns("ca.vn")), True)])))
    yield ask("the issuer's name cannot be read", BAD, kept(entry(n, extra=[extension("2.5.29.29", NULL, True)])))
    yield ask("the list does not say that it is indirect", BAD, revocations(keeper, [entry(n + 1, extra=[of_ca])]))
    yield ask("many entries", BAD, kept(entry(n + 1, extra=[of_ca]), *[entry(n + 2 + i) for i in range(60)], entry(n)), why="AN_V_PATH_REVOKED")
    yield ask("of a key that is not the keeper's", BAD, kept(key=w.keys[6]))
    yield l.case("a direct list that names other issuers hides nothing", BAD, revocations(ca, [entry(n + 1, extra=[of_root]), entry(l.leaf.number)]), untrusted=[ca])
    plain_leaf = w.make_leaf()
    yield ask("the certificate does not point to the keeper", BAD, kept(), leaf=plain_leaf)


FAMILIES = {"lists": plain, "scopes of lists": scopes, "delta lists": deltas, "indirect lists": indirect}
