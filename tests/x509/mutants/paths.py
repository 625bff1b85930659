"""Certificates: fields, dates, extensions one by one, key identifiers, issuers."""
from .world import *

STANDARD = {"bc": ("basicConstraints", True), "ku": ("keyUsage", True), "ski": ("ski", False), "aki": ("aki", False)}


def flipped(der):
    """The same extension with the other criticality."""
    parts = [whole for _, whole, _ in split(split(der)[0][2])]
    return seq(parts[0], *([parts[2]] if len(parts) == 3 else [TRUE, parts[1]]))


def dates(w):
    for who, good_from, good_to in (("leaf", NOW, NOW), ("ca", NOW, NOW)):
        for label, start, end, expect in (("starts now", NOW, NOW + DAY, GOOD), ("starts in a second", NOW + 1, NOW + DAY, BAD),
                                          ("ends now", NOW - DAY, NOW, GOOD), ("ended a second ago", NOW - DAY, NOW - 1, BAD)):
            ca = w.make_ca(start=start, end=end) if who == "ca" else w.ca
            leaf = w.make_leaf(issuer=ca, **({"start": start, "end": end} if who == "leaf" else {}))
            yield w.case(f"{who} {label}", expect, ca=ca, leaf=leaf)
    yield w.case("root ended a second ago", BAD, root=w.make_root(end=NOW - 1), lenient=GOOD, peers="the dates of an anchor do not count for documents")
    yield w.case("end before start", BAD, leaf=w.make_leaf(start=NOW + 1, end=NOW - 1))
    for label, first, last, expect in (
            ("year 9999", when(NOW - DAY), tlv(0x18, b"99991231235959Z"), GOOD),
            ("GeneralizedTime before 2050", gentime(NOW - DAY), gentime(NOW + DAY), None),
            ("UTCTime without seconds", tlv(0x17, b"2501010000Z"), when(NOW + DAY), BAD),
            ("offset in place of Z", tlv(0x17, b"250101000000+0700"), when(NOW + DAY), BAD),
            ("fraction of a second", tlv(0x18, b"20250101000000.5Z"), when(NOW + DAY), BAD),
            ("31 February", tlv(0x17, b"250231000000Z"), when(NOW + DAY), BAD),
            ("hour 24", tlv(0x17, b"250101240000Z"), when(NOW + DAY), BAD),
            ("letters", tlv(0x17, b"25O101000000Z"), when(NOW + DAY), BAD)):
        yield w.case(f"date: {label}", expect, leaf=w.make_leaf(validity=seq(first, last)))


def criticality(w):
    """Strict holds issuers to the criticality of 4.2; documents are judged by 6.1, to which it does not matter for what is known."""
    for role in ("leaf", "ca", "root"):
        base = {"leaf": w.leaf_extensions, "ca": w.ca_extensions, "root": w.root_extensions}[role]()
        for key, whole in base.items():
            expect = {"aki": BAD, "ski": BAD, "ku": GOOD, "bc": BAD if role == "root" else GOOD}[key]
            yield rebuilt(w, role, {key: flipped(whole)}, f"{role} {key} other criticality", expect, GOOD)
            yield rebuilt(w, role, {key + "2": whole}, f"{role} {key} twice", BAD, BAD)
            missing = GOOD if key in ("ku",) and role in ("leaf", "root") or (key, role) == ("ski", "leaf") else BAD
            loose = BAD if (key, role) == ("bc", "ca") else GOOD
            yield rebuilt(w, role, {key: None}, f"{role} {key} left out", missing, loose)
            empty = extension(STANDARD[key][0], b"", STANDARD[key][1])
            yield rebuilt(w, role, {key: empty}, f"{role} {key} with an empty value", BAD, BAD)
            trailing = seq(*[p for _, p, _ in split(split(whole)[0][2])][:-1], octets(split(split(whole)[0][2])[-1][2] + b"\5\0"))
            yield rebuilt(w, role, {key: trailing}, f"{role} {key} with octets behind it", BAD, BAD)
        turned = dict(reversed(list(base.items())))
        yield rebuilt(w, role, {}, f"{role} extensions turned round", GOOD, GOOD, whole=turned)
        for label, extra, expect in (("unknown critical", extension("1.2.3.4.5", NULL, True), BAD), ("unknown", extension("1.2.3.4.5", NULL), GOOD),
                                     ("explicit FALSE", seq(oid("1.2.3.4.5"), FALSE, octets(NULL)), None),
                                     ("critical 0x01", seq(oid("1.2.3.4.5"), tlv(1, b"\1"), octets(NULL)), BAD),
                                     ("critical private key usage period", extension("2.5.29.16", seq(tlv(0x80, b"20200101000000Z")), True), BAD),
                                     ("Netscape cert type critical", extension("2.16.840.1.113730.1.1", bits(b"\xa0", 5), True), BAD)):
            peers = "not acted upon: unknown to us, so a critical one is refused" if expect == GOOD else ""
            yield rebuilt(w, role, {"x": extra}, f"{role} {label} extension", expect, expect, peers=peers)


def rebuilt(w, role, edit, label, expect, lenient, whole=None, **rest):
    make = {"leaf": w.leaf_extensions, "ca": w.ca_extensions, "root": w.root_extensions}[role]
    exts = whole or make(**edit)
    root = Made("Gốc", w.keys[0], extensions=exts, start=NOW - 3650 * DAY, end=NOW + 3650 * DAY) if role == "root" else w.root
    ca = Made("CA", w.keys[1], root, exts, start=NOW - 300 * DAY, end=NOW + 300 * DAY) if role == "ca" else w.make_ca(issuer=root) if role == "root" else w.ca
    leaf = Made("Người ký", w.keys[2], ca, exts) if role == "leaf" else w.make_leaf(issuer=ca)
    return w.case(label, expect, leaf=leaf, ca=ca, root=root, lenient=lenient, **rest)


def fields(w):
    yield w.case("plain", GOOD)
    yield w.case("leaf signature off by a bit", BAD, leaf=w.make_leaf(spoil=True), why="AN_V_PATH_SIGNATURE")
    ca = w.make_ca(spoil=True)
    yield w.case("CA signature off by a bit", BAD, ca=ca, leaf=w.make_leaf(issuer=ca), why="AN_V_PATH_SIGNATURE")
    root = w.make_root(spoil=True)
    yield w.case("root's signature of itself off by a bit", GOOD, root=root, peers="an anchor is trusted, its signature is not looked at")
    yield w.case("algorithms inside and outside differ", BAD, leaf=w.make_leaf(inner=w.keys[0].algorithm("sha384")))
    yield w.case("algorithm parameters inside differ", BAD, leaf=w.make_leaf(inner=seq(oid("rsa-sha256"))))
    for version, expect in ((0, BAD), (1, BAD), (3, BAD), (2, GOOD)):
        yield w.case(f"leaf version {version + 1}", expect, leaf=w.make_leaf(version=version))
        ca = w.make_ca(version=version)
        yield w.case(f"CA version {version + 1}", expect, ca=ca, leaf=w.make_leaf(issuer=ca))
    yield w.case("leaf version 1 without extensions", BAD, lenient=GOOD, leaf=Made("Người ký", w.keys[2], w.ca, {}, version=0))
    ca = Made("CA", w.keys[1], w.root, {}, version=0)
    yield w.case("CA version 1 without extensions", BAD, ca=ca, leaf=w.make_leaf(issuer=ca))
    for serial, expect, lenient in ((0, BAD, GOOD), (-5, GOOD, GOOD), (2 ** 159 - 1, GOOD, GOOD), (2 ** 167, BAD, GOOD), (2 ** 2000, BAD, GOOD)):
        yield w.case(f"serial {serial}" if abs(serial) < 9 else f"serial of {serial.bit_length()} bits", expect, lenient=lenient, leaf=w.make_leaf(serial=serial),
                     peers="4.1.2.2: users should be prepared to handle negative and zero serial numbers")
    yield w.case("unique identifiers", GOOD, leaf=w.make_leaf(tail=tlv(0x81, b"\0\1") + tlv(0x82, b"\0\2")), peers="4.1.2.8: must be parsed")
    yield w.case("unique identifiers in version 1", BAD, leaf=Made("Người ký", w.keys[2], w.ca, {}, version=0, tail=tlv(0x81, b"\0\1")))
    yield w.case("octets after the certificate", BAD, leaf=raw(w.make_leaf().der + b"\0"))
    yield w.case("indefinite length", BAD, leaf=raw(b"\x30\x80" + split(w.make_leaf().der)[0][2] + b"\0\0"))
    der = w.make_leaf().der
    yield w.case("length with a leading zero octet", BAD, leaf=raw(b"\x30\x83\0" + (len(der) - 4).to_bytes(2, "big") + der[4:]))


def raw(der):
    out = Made.__new__(Made)
    out.der = der
    return out


def identifiers(w):
    """4.2.1.1 is for finding issuers; 6.1 does not look at it. Others refuse a path whose identifiers do not fit."""
    said = "key identifiers help to build a path and decide nothing (RFC 5280 6.1, RFC 4158 3.5.12)"
    yield w.under("AKI of another key", GOOD, leaf_edit={"aki": aki(w.keys[5])}, peers=said)
    yield w.under("AKI issuer and serial", GOOD, leaf_edit={"aki": aki(w.keys[1], issuer=w.root.subject, serial=w.ca.number)}, peers=said)
    yield w.under("AKI serial of another", GOOD, leaf_edit={"aki": aki(w.keys[1], issuer=w.root.subject, serial=99)}, peers=said)
    yield w.under("AKI without a key", BAD, lenient=GOOD, leaf_edit={"aki": aki(issuer=w.root.subject, serial=w.ca.number)}, peers=said)
    yield w.under("AKI empty", BAD, lenient=GOOD, leaf_edit={"aki": aki()})
    ca = w.make_ca(edit={"ski": extension("ski", octets(b"nothing"))})
    yield w.case("CA SKI is no hash", GOOD, ca=ca, leaf=w.make_leaf(issuer=ca), peers=said)
    ca = w.make_ca(edit={"ski": extension("ski", octets(b""))})
    yield w.case("CA SKI of no octets", None, ca=ca, leaf=w.make_leaf(issuer=ca), peers=said)


def issuers(w):
    back = "others take one way and do not turn back"
    other = w.make_ca(key=3)
    yield w.case("two CAs of one name, the wrong one first", GOOD, untrusted=[other, w.ca])
    many = [w.make_ca(key=k, edit={"ski": ski(w.keys[1])}) for k in (3, 4, 5, 6)]
    yield w.case("four CAs that claim the right key identifier", GOOD, peers=back, untrusted=many + [w.ca])
    old = w.make_ca(start=NOW - 9 * DAY, end=NOW - 8 * DAY)
    yield w.case("the expired certificate of the CA beside the new one", GOOD, peers=back, untrusted=[old, w.ca])
    broken = w.make_ca(edit={"nc": extension("2.5.29.30", seq(ctx(0, seq(dns("example.com")))), True)})
    leaf = w.make_leaf(edit={"san": san(dns("a.example.org"))})
    yield w.case("one of two certificates of the CA forbids the name", GOOD, peers=back, leaf=leaf, untrusted=[broken, w.ca])
    sub = w.make_ca("CA con", key=3, issuer=w.ca)
    loop = Made("CA", w.keys[1], sub, w.ca_extensions(w.keys[1], sub))
    yield w.case("a loop of two CAs and no root", BAD, leaf=w.make_leaf(issuer=sub), untrusted=[sub, loop], why="AN_V_PATH_NO_ISSUER")
    yield w.case("a loop of two CAs beside the right way", GOOD, peers=back, leaf=w.make_leaf(issuer=sub), untrusted=[loop, sub, w.ca])
    yield w.case("no CA at hand", BAD, untrusted=[], why="AN_V_PATH_NO_ISSUER")
    yield w.case("a root that only looks like ours", BAD, anchors=[Made("Gốc", w.keys[6], extensions=w.root_extensions(ski=ski(w.keys[0])))], why="AN_V_PATH_SIGNATURE")
    yield w.case("issuer name in other letters and spaces", GOOD, leaf=w.make_leaf(issuer_name=name("  ca ")), peers="7.1: names are compared without case and runs of spaces")
    wide = seq(*[whole for _, whole, _ in split(split(w.ca.subject)[0][2])][:2], set_of(seq(oid("CN"), tlv(30, "CA".encode("utf-16-be")))))
    yield w.case("issuer name as BMPString", GOOD, leaf=w.make_leaf(issuer_name=wide), peers="7.1: names are compared whatever their string type")
    yield w.case("leaf's issuer is named otherwise", BAD, leaf=w.make_leaf(issuer_name=name("CA khác")), why="AN_V_PATH_NO_ISSUER")
    swapped = seq(*[whole for _, whole, _ in reversed(split(split(w.ca.subject)[0][2]))])
    yield w.case("parts of the issuer's name in another order", BAD, leaf=w.make_leaf(issuer_name=swapped))
    end = w.make_leaf()
    yield w.case("an end entity issues", BAD, leaf=Made("Dưới", w.keys[3], end, w.leaf_extensions(w.keys[3], end)), untrusted=[w.ca, end])
    yield w.case("leaf trusted itself", GOOD, anchors=[end], leaf=end, untrusted=[], peers="an anchor ends the path at once")
    yield w.case("leaf trusted itself, expired", BAD, anchors=[old], leaf=old, untrusted=[])
    yield w.case("end entity as anchor issues", BAD, anchors=[end], leaf=Made("Dưới", w.keys[3], end, w.leaf_extensions(w.keys[3], end)), untrusted=[])


def lengths(w):
    def chain(label, expect, limits, self_issued=(), root=None, **rest):
        above, all_ = root or w.root, []
        for i, limit in enumerate(limits):
            key = 3 + i
            name_ = all_[-1].subject if i in self_issued else f"CA {i}"
            above = w.make_ca(name_, key=key, issuer=above, edit={"bc": constraints(length=limit)})
            all_.append(above)
        return w.case(label, expect, leaf=w.make_leaf(issuer=above), untrusted=all_, root=root, **rest)

    yield chain("length 0 above one CA", BAD, [0, None], why="AN_V_PATH_LENGTH")
    yield chain("length 0 at the last CA", GOOD, [None, 0])
    yield chain("length 1 above one CA", GOOD, [1, None])
    yield chain("length 1 above two CAs", BAD, [1, None, None], why="AN_V_PATH_LENGTH")
    yield chain("length 1 widened to 9 below", BAD, [1, 9, 9], why="AN_V_PATH_LENGTH")
    yield chain("length 0, a self-issued CA below", GOOD, [0, None], self_issued=[1])
    yield chain("length 0, a self-issued and another CA below", BAD, [0, None, None], self_issued=[1], why="AN_V_PATH_LENGTH")
    yield chain("length 2^31", GOOD, [2 ** 31, None], peers="longer than any path is no limit")
    yield chain("length negative", BAD, [-1, None])
    limited = w.make_root(edit={"bc": constraints(length=0)})
    yield chain("root of length 0", BAD, [None, None], root=limited, why="AN_V_PATH_LENGTH")
    yield chain("root of length 0, one CA", BAD, [None], root=limited, why="AN_V_PATH_LENGTH")
    yield w.under("length without cA", BAD, lenient=GOOD, leaf_edit={"bc": constraints(False, 0)}, peers="6.1 does not look at it in an end entity")
    yield w.under("CA with cA FALSE written out", BAD, ca_edit={"bc": extension("basicConstraints", seq(FALSE), True)})
    yield w.under("CA without keyCertSign", BAD, ca_edit={"ku": key_usage(6)}, why=None)
    yield w.under("keyUsage of no bits", BAD, lenient=GOOD, leaf_edit={"ku": extension("keyUsage", bits(b""), True)})
    yield w.under("keyUsage with zero octets behind", None, leaf_edit={"ku": extension("keyUsage", bits(b"\xc0\0\0"), True)})


def purposes(w):
    def asked(label, expect, purpose, kinds, ca_kinds=None, critical=False, **rest):
        leaf = {"eku": extension("extKeyUsage", seq(*map(oid, kinds)), critical)} if kinds is not None else {}
        ca = {"eku": extension("extKeyUsage", seq(*map(oid, ca_kinds)))} if ca_kinds is not None else {}
        return w.under(label, expect, ca_edit=ca, leaf_edit=leaf, options={"purpose": purpose}, **rest)

    policy_asks = "for documents the verification policy asks for that, after the path"
    mail, any_, tsa, answer = "emailProtection", "2.5.29.37.0", "timeStamping", "1.3.6.1.5.5.7.3.9"
    yield asked("purpose present", GOOD, mail, [mail])
    yield asked("no extKeyUsage at all", GOOD, mail, None)
    yield asked("purpose absent", BAD, mail, [tsa], why="AN_V_PATH_PURPOSE")
    yield asked("anyExtendedKeyUsage", GOOD, mail, [any_], peers="4.2.1.12: any allows all, unless the application says otherwise")
    yield asked("CA limited to another purpose", BAD, mail, [mail], [tsa], why="AN_V_PATH_PURPOSE")
    yield asked("CA with any", GOOD, mail, [mail], [any_])
    yield asked("empty list", BAD, mail, [])
    yield asked("time-stamping without extKeyUsage", BAD, tsa, None, why="AN_V_PATH_PURPOSE")
    yield asked("time-stamping by any", BAD, tsa, [any_], critical=True, why="AN_V_PATH_PURPOSE")
    yield asked("time-stamping not critical", BAD, tsa, [tsa], lenient=GOOD, peers=policy_asks, why="AN_V_PATH_PURPOSE")
    yield asked("time-stamping and another", BAD, tsa, [tsa, mail], critical=True, lenient=GOOD, peers=policy_asks, why="AN_V_PATH_PURPOSE")
    yield asked("time-stamping alone and critical", GOOD, tsa, [tsa], critical=True)
    yield asked("OCSP signing without extKeyUsage", BAD, "OCSPSigning", None, why="AN_V_PATH_PURPOSE")
    yield asked("OCSP signing by any", BAD, "OCSPSigning", [any_], why="AN_V_PATH_PURPOSE")
    yield asked("OCSP signing", GOOD, "OCSPSigning", [answer])
    yield asked("a dotted purpose", GOOD, "1.2.3.4", ["1.2.3.4"])
    yield asked("a dotted purpose absent", BAD, "1.2.3.5", ["1.2.3.4"], why="AN_V_PATH_PURPOSE")


FAMILIES = {"dates": dates, "criticality": criticality, "fields": fields, "key identifiers": identifiers, "issuers": issuers, "path length": lengths, "purposes": purposes}
